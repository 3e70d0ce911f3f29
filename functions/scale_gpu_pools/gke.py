"""The edge to GKE and to the instance groups that have the sizes of its node pools."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from functions.scale_gpu_pools.autoscaling import Autoscaling, read_autoscaling
from functions.scale_gpu_pools.changes import Resize, SetAutoscaling
from functions.scale_gpu_pools.records import PoolChange
from functions.scale_gpu_pools.world import InstanceGroup, ListedNodePool, OperationInFlight, Operations
from shared import rest
from shared.clients import Clients
from shared.errors import CaretakerError, StillBusy

if TYPE_CHECKING:
    from google.cloud.container_v1 import NodePool

COMPUTE = "https://compute.googleapis.com/compute/v1"
FIELDS = (
    "items/*/instanceGroupManagers(selfLink,targetSize,currentActions(creating,creatingWithoutRetries)),"
    "nextPageToken,unreachables"
)
LONGEST_REASON = 500
INCOMPATIBLE = "incompatible operation"
"""GKE's words for an operation that is already running."""


class CurrentActions(msgspec.Struct, frozen=True):
    """The number of a group's instances that are being created."""

    creating: int = 0
    creating_without_retries: int = msgspec.field(name="creatingWithoutRetries", default=0)


class InstanceGroupManager(msgspec.Struct, frozen=True):
    """An instance group: how many instances it is to have, and what it does about that."""

    self_link: str = msgspec.field(name="selfLink")
    target_size: int = msgspec.field(name="targetSize", default=0)
    current_actions: CurrentActions = msgspec.field(name="currentActions", default=CurrentActions())

    @property
    def running(self) -> int:
        """The number of instances."""
        missing = self.current_actions.creating + self.current_actions.creating_without_retries
        return max(self.target_size - missing, 0)


class Scope(msgspec.Struct, frozen=True):
    """The groups of one zone."""

    groups: tuple[InstanceGroupManager, ...] = msgspec.field(name="instanceGroupManagers", default=())


class AggregatedList(msgspec.Struct, frozen=True):
    """One page of the groups of a project."""

    items: dict[str, Scope] = {}
    next_page: str = msgspec.field(name="nextPageToken", default="")
    unreachables: tuple[str, ...] = ()


class Unreachable(CaretakerError):
    """Some zones did not answer, so the sizes of their groups are not known."""


def node_pools(cluster: str, clients: Clients) -> tuple[ListedNodePool, ...]:
    """The node pools of a cluster; none of one that does not exist."""
    from google.api_core.exceptions import NotFound
    from google.cloud.container_v1 import ClusterManagerClient

    try:
        listed = clients.of(ClusterManagerClient).list_node_pools(request={"parent": cluster}, **clients.reading)
    except NotFound:
        return ()
    return tuple(
        ListedNodePool(
            name=f"{cluster}/nodePools/{pool.name}",
            autoscaling=str(_autoscaling(pool)),
            groups=tuple(_address(url) for url in pool.instance_group_urls),
            problem=_problem(pool),
        )
        for pool in listed.node_pools
    )


def operations_in(location: str, clients: Clients) -> Operations:
    """The operations in flight in a location."""
    from google.cloud.container_v1 import ClusterManagerClient, Operation

    answer = clients.of(ClusterManagerClient).list_operations(request={"parent": location}, **clients.reading)
    return Operations(
        in_flight=tuple(
            OperationInFlight(
                target=_located(operation.target_link),
                kind=_name_of(operation.operation_type),
                started=operation.start_time,
            )
            for operation in answer.operations
            if operation.status != Operation.Status.DONE
        ),
        missing_zones=tuple(answer.missing_zones),
    )


def change_pool(change: PoolChange, clients: Clients) -> None:
    """Set a node pool's size in each zone, or its autoscaling as a whole. Raises ``StillBusy`` if GKE is."""
    from google.cloud.container_v1 import ClusterManagerClient, NodePoolAutoscaling

    client = clients.of(ClusterManagerClient)
    with _waiting_for_others():
        if isinstance(change, Resize):
            client.set_node_pool_size(request={"name": change.target, "node_count": change.size}, **clients.writing)
        elif isinstance(change, SetAutoscaling):
            said = msgspec.structs.asdict(read_autoscaling(change.autoscaling))
            policy = said["location_policy"] or "LOCATION_POLICY_UNSPECIFIED"
            said["location_policy"] = NodePoolAutoscaling.LocationPolicy[policy]
            client.set_node_pool_autoscaling(request={"name": change.target, "autoscaling": said}, **clients.writing)


@contextmanager
def _waiting_for_others() -> Iterator[None]:
    """GKE does one operation at a time for a cluster: another one's is waited for, and is no failure."""
    from google.api_core.exceptions import FailedPrecondition

    try:
        yield
    except FailedPrecondition as error:
        if INCOMPATIBLE in error.message:
            raise StillBusy(error.message) from error
        raise


def groups_of(project: str, clients: Clients) -> dict[str, InstanceGroup]:
    """All instance groups of a project, by their address below ``projects/``. Raises ``Unreachable``."""
    found: dict[str, InstanceGroup] = {}
    parameters = {"fields": FIELDS, "maxResults": "500"}
    while True:
        address = f"{COMPUTE}/projects/{project}/aggregated/instanceGroupManagers"
        page = rest.get(clients, address, parameters, AggregatedList)
        if page.unreachables:
            raise Unreachable(f"instance groups of {project}: {', '.join(page.unreachables)} did not answer")
        for scope in page.items.values():
            found |= {_address(one.self_link): InstanceGroup(one.target_size, one.running) for one in scope.groups}
        if not page.next_page:
            return found
        parameters["pageToken"] = page.next_page


def _address(link: str) -> str:
    """The part of a resource's URL that does not depend on how the API was reached."""
    return link[link.index("projects/") :]


def _problem(pool: "NodePool") -> str:
    """Google's reasons, each once, and no more than a line of them."""
    reasons = dict.fromkeys(condition.message for condition in pool.conditions if condition.message)
    return ("; ".join(reasons) or pool.status_message)[:LONGEST_REASON]


def _autoscaling(pool: "NodePool") -> Autoscaling:
    from google.cloud.container_v1 import NodePoolAutoscaling

    said = pool.autoscaling
    policy = NodePoolAutoscaling.LocationPolicy(said.location_policy)
    return Autoscaling(
        enabled=said.enabled,
        min_node_count=said.min_node_count,
        max_node_count=said.max_node_count,
        total_min_node_count=said.total_min_node_count,
        total_max_node_count=said.total_max_node_count,
        location_policy=policy.name if policy else "",
        autoprovisioned=said.autoprovisioned,
    )


def _located(link: str) -> str:
    """A link below ``projects/``: it may have the project's number, and ``zones`` or ``regions`` for ``locations``."""
    return _address(link).replace("/zones/", "/locations/").replace("/regions/", "/locations/") if link else ""


def _name_of(operation_type: int) -> str:
    """The operation's type in Google's words. One that this client does not know is still in flight."""
    from google.cloud.container_v1 import Operation

    try:
        return Operation.Type(operation_type).name
    except ValueError:
        return f"an operation of type {int(operation_type)}"
