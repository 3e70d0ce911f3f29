"""The edge to GKE and to the instance groups that have the sizes of its node pools."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from functions.scale_gpu_pools.autoscaling import Autoscaling, read_autoscaling
from functions.scale_gpu_pools.changes import PoolChange, Resize, SetAutoscaling
from functions.scale_gpu_pools.world import AUTOSCALING, GpuPool, cluster_of, is_node_pool
from shared import rest
from shared.clients import Clients
from shared.errors import CaretakerError, StillBusy

if TYPE_CHECKING:
    from google.cloud.container_v1 import NodePool, Operation

COMPUTE = "https://compute.googleapis.com/compute/v1"
FIELDS = (
    "items/*/instanceGroupManagers(selfLink,targetSize,currentActions(creating,creatingWithoutRetries)),"
    "nextPageToken,unreachables"
)
LONGEST_REASON = 500
INCOMPATIBLE = "incompatible operation"
"""What GKE calls an operation that runs while another one is asked for."""


class CurrentActions(msgspec.Struct, frozen=True):
    """How many instances of a group are on their way."""

    creating: int = 0
    creating_without_retries: int = msgspec.field(name="creatingWithoutRetries", default=0)


class InstanceGroupManager(msgspec.Struct, frozen=True):
    """An instance group: how many instances it is to have, and what it does about that."""

    self_link: str = msgspec.field(name="selfLink")
    target_size: int = msgspec.field(name="targetSize", default=0)
    current_actions: CurrentActions = msgspec.field(name="currentActions", default=CurrentActions())

    @property
    def running(self) -> int:
        """How many instances there are."""
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


def is_of_kind(name: str) -> bool:
    """Whether a full name is that of a node pool."""
    return is_node_pool(name)


def pools(names: Collection[str], clients: Clients) -> list[GpuPool]:
    """The node pools of all clusters concerned: one list for each cluster, one of the groups for each project.

    A cluster that does not exist has none.
    """
    clusters = sorted({cluster_of(name) for name in names if is_of_kind(name)})
    listed = clients.in_parallel(lambda cluster: _listed(cluster, clients), clusters)
    wanted = [
        (f"{cluster}/nodePools/{pool.name}", pool)
        for cluster, node_pools in zip(clusters, listed, strict=True)
        for pool in node_pools
    ]
    wanted = [(name, pool) for name, pool in wanted if name in names]
    projects = sorted({name.split("/")[1] for name, _ in wanted})
    groups: dict[str, InstanceGroupManager] = {}
    for found in clients.in_parallel(lambda project: _groups(project, clients), projects):
        groups |= found
    return [_pool(name, pool, groups) for name, pool in wanted]


def operations_in_flight(clusters: Collection[str], clients: Clients) -> dict[str, str]:
    """By cluster, what is going on in it: one list for each location."""
    locations = sorted({cluster.partition("/clusters/")[0] for cluster in clusters})
    if not locations:
        return {}
    from google.cloud.container_v1 import ClusterManagerClient, Operation

    client = clients.of(ClusterManagerClient)
    answers = clients.in_parallel(
        lambda location: client.list_operations(request={"parent": location}, **clients.reading), locations
    )
    busy: dict[str, str] = {}
    for location, answer in zip(locations, answers, strict=True):
        for cluster in (cluster for cluster in clusters if cluster.startswith(f"{location}/")):
            if answer.missing_zones:
                busy[cluster] = f"GKE does not know what is in flight in {', '.join(answer.missing_zones)}"
            for operation in answer.operations:
                if operation.status != Operation.Status.DONE and _is_of(operation, cluster):
                    kind = Operation.Type(operation.operation_type).name
                    busy[cluster] = f"{kind} has been in flight since {operation.start_time}"
    return busy


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


def _listed(cluster: str, clients: Clients) -> "Iterable[NodePool]":
    from google.api_core.exceptions import NotFound
    from google.cloud.container_v1 import ClusterManagerClient

    try:
        return (
            clients.of(ClusterManagerClient).list_node_pools(request={"parent": cluster}, **clients.reading).node_pools
        )
    except NotFound:
        return ()


def _groups(project: str, clients: Clients) -> dict[str, InstanceGroupManager]:
    """All instance groups of a project, by their address below ``projects/``."""
    found: dict[str, InstanceGroupManager] = {}
    parameters = {"fields": FIELDS, "maxResults": "500"}
    while True:
        address = f"{COMPUTE}/projects/{project}/aggregated/instanceGroupManagers"
        page = rest.get(clients, address, parameters, AggregatedList)
        if page.unreachables:
            raise Unreachable(f"instance groups of {project}: {', '.join(page.unreachables)} did not answer")
        found |= {_address(group.self_link): group for scope in page.items.values() for group in scope.groups}
        if not page.next_page:
            return found
        parameters["pageToken"] = page.next_page


def _address(link: str) -> str:
    """The part of a resource's URL that does not depend on how the API was reached."""
    return link[link.index("projects/") :]


def _pool(name: str, pool: "NodePool", groups: Mapping[str, InstanceGroupManager]) -> GpuPool:
    own = [groups.get(_address(url)) for url in pool.instance_group_urls]
    known = [group for group in own if group is not None]
    size = -(-sum(group.target_size for group in known) // max(len(known), 1))
    return GpuPool(
        name=name,
        current={AUTOSCALING: str(_autoscaling(pool)), "node_count": size},
        size_field="node_count",
        zones=len(own),
        nodes_asked_for=sum(group.target_size for group in known),
        nodes=sum(group.running for group in known),
        problem=_problem(pool),
        in_flight="" if own and len(known) == len(own) else "its instance groups are not all there",
    )


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


def _is_of(operation: "Operation", cluster: str) -> bool:
    """Whether an operation is of a cluster or of something in it.

    Its link may have the project's number, and ``zones`` or ``regions`` for ``locations``.
    """
    link = f"{operation.target_link}/".replace("/zones/", "/locations/").replace("/regions/", "/locations/")
    return f"/{cluster.split('/', 2)[2]}/" in link
