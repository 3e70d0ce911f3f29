"""The edge to GKE and to the instance groups that have the sizes of its node pools.

By REST (https://cloud.google.com/kubernetes-engine/docs/reference/rest), as every tick lists node pools.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from functions.scale_gpu_pools.autoscaling import Autoscaling, read_autoscaling
from functions.scale_gpu_pools.changes import Resize, SetAutoscaling
from functions.scale_gpu_pools.records import PoolChange
from functions.scale_gpu_pools.world import InstanceGroup, ListedNodePool, OperationInFlight, Operations
from shared import rest
from shared.clients import Clients
from shared.errors import CaretakerError, StillBusy, not_found_errors
from shared.rest import ApiMessage

API = "https://container.googleapis.com/v1"
RPC = "google.container.v1.ClusterManager"
COMPUTE = "https://compute.googleapis.com/compute/v1"
FIELDS = (
    "items/*/instanceGroupManagers(selfLink,targetSize,currentActions(creating,creatingWithoutRetries)),"
    "nextPageToken,unreachables"
)
LONGEST_REASON = 500
DONE = "DONE"
INCOMPATIBLE = "incompatible operation"
"""GKE's words for an operation that is already running."""


class _Condition(ApiMessage, frozen=True):
    message: str = ""


class _NodePool(ApiMessage, frozen=True):
    name: str
    autoscaling: Autoscaling = Autoscaling()
    instance_group_urls: tuple[str, ...] = ()
    conditions: tuple[_Condition, ...] = ()
    status_message: str = ""

    @property
    def problem(self) -> str:
        """Google's reasons, each once, and no more than a line of them."""
        reasons = dict.fromkeys(condition.message for condition in self.conditions if condition.message)
        return ("; ".join(reasons) or self.status_message)[:LONGEST_REASON]


class _NodePools(ApiMessage, frozen=True):
    node_pools: tuple[_NodePool, ...] = ()


class _Operation(ApiMessage, frozen=True):
    status: str = ""
    operation_type: str = ""
    target_link: str = ""
    start_time: str = ""


class _Operations(ApiMessage, frozen=True):
    operations: tuple[_Operation, ...] = ()
    missing_zones: tuple[str, ...] = ()


class CurrentActions(ApiMessage, frozen=True):
    """The number of a group's instances that are being created."""

    creating: int = 0
    creating_without_retries: int = 0


class InstanceGroupManager(ApiMessage, frozen=True):
    """An instance group: how many instances it is to have, and what it does about that."""

    self_link: str
    target_size: int = 0
    current_actions: CurrentActions = CurrentActions()

    @property
    def running(self) -> int:
        """The number of instances."""
        missing = self.current_actions.creating + self.current_actions.creating_without_retries
        return max(self.target_size - missing, 0)


class Scope(ApiMessage, frozen=True):
    """The groups of one zone."""

    instance_group_managers: tuple[InstanceGroupManager, ...] = ()


class AggregatedList(rest.Page, frozen=True):
    """One page of the groups of a project."""

    items: dict[str, Scope] = {}
    unreachables: tuple[str, ...] = ()


class Unreachable(CaretakerError):
    """Some zones did not answer, so the sizes of their groups are not known."""


def node_pools(cluster: str, clients: Clients) -> tuple[ListedNodePool, ...]:
    """The node pools of a cluster; none of one that does not exist."""
    try:
        listed = rest.get(clients, f"{API}/{cluster}/nodePools", {}, _NodePools, rpc=f"{RPC}/ListNodePools")
    except not_found_errors():
        return ()
    return tuple(
        ListedNodePool(
            name=f"{cluster}/nodePools/{pool.name}",
            autoscaling=str(pool.autoscaling),
            groups=tuple(_address(url) for url in pool.instance_group_urls),
            problem=pool.problem,
        )
        for pool in listed.node_pools
    )


def operations_in(location: str, clients: Clients) -> Operations:
    """The operations in flight in a location."""
    answer = rest.get(clients, f"{API}/{location}/operations", {}, _Operations, rpc=f"{RPC}/ListOperations")
    return Operations(
        in_flight=tuple(
            OperationInFlight(
                target=_located(operation.target_link), kind=operation.operation_type, started=operation.start_time
            )
            for operation in answer.operations
            if operation.status != DONE
        ),
        missing_zones=answer.missing_zones,
    )


def change_pool(change: PoolChange, clients: Clients) -> None:
    """Set a node pool's size in each zone, or its autoscaling as a whole. Raises ``StillBusy`` if GKE is."""
    with _waiting_for_others():
        if isinstance(change, Resize):
            _send(change, "setSize", "SetNodePoolSize", {"nodeCount": change.size}, clients)
        elif isinstance(change, SetAutoscaling):
            wanted = {"autoscaling": read_autoscaling(change.autoscaling)}
            _send(change, "setAutoscaling", "SetNodePoolAutoscaling", wanted, clients)


def _send(change: PoolChange, verb: str, rpc: str, value: object, clients: Clients) -> None:
    rest.send(clients, "POST", f"{API}/{change.target}:{verb}", value, rpc=f"{RPC}/{rpc}")


@contextmanager
def _waiting_for_others() -> Iterator[None]:
    """GKE does one operation at a time for a cluster: another one's is waited for, and is no failure."""
    from google.api_core.exceptions import FailedPrecondition

    try:
        yield
    except FailedPrecondition as error:
        if INCOMPATIBLE in error.message:
            raise StillBusy(rest.said_by(error)) from error
        raise


def groups_of(project: str, clients: Clients) -> dict[str, InstanceGroup]:
    """All instance groups of a project, by their address below ``projects/``. Raises ``Unreachable``."""
    found: dict[str, InstanceGroup] = {}
    address = f"{COMPUTE}/projects/{project}/aggregated/instanceGroupManagers"
    for page in rest.pages(clients, address, {"fields": FIELDS, "maxResults": "500"}, AggregatedList):
        if page.unreachables:
            raise Unreachable(f"instance groups of {project}: {', '.join(page.unreachables)} did not answer")
        for group in (one for scope in page.items.values() for one in scope.instance_group_managers):
            found[_address(group.self_link)] = InstanceGroup(group.target_size, group.running)
    return found


def _address(link: str) -> str:
    """The part of a resource's URL that does not depend on how the API was reached."""
    return link[link.index("projects/") :]


def _located(link: str) -> str:
    """A link below ``projects/``: it may have the project's number, and ``zones`` or ``regions`` for ``locations``."""
    return _address(link).replace("/zones/", "/locations/").replace("/regions/", "/locations/") if link else ""
