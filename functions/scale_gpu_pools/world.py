"""The resources that `scale_gpu_pools` reads, as typed values."""

from collections.abc import Mapping
from datetime import date, datetime

import msgspec

from functions.scale_gpu_pools.savings import SavingsBook
from functions.scale_gpu_pools.settings import Signal
from functions.scale_gpu_pools.signals import Reading
from shared.decision import Message
from shared.holds import Current
from shared.world import Need

AUTOSCALING = "autoscaling"
OFF = "off"
NODE_POOLS = "/nodePools/"


class GpuPool(msgspec.Struct, frozen=True, kw_only=True):
    """A pool as it is: a node pool, or a worker pool or service of Cloud Run."""

    name: str
    current: Current
    """The fields that we may hold: one that says the size, and for a node pool its autoscaling."""
    size_field: str
    """The field with the size: nodes in each zone, or instances."""
    zones: int = 1
    nodes_asked_for: int = 0
    """The nodes requested, in all zones."""
    nodes: int = 0
    """The nodes that exist. Cloud Run does not report it: there it is all, if the last change succeeded."""
    problem: str = ""
    """Google's own words for why there are not as many as asked for."""
    in_flight: Message | None = None
    """The operation in flight, if the resource itself reports one."""
    etag: str = ""

    @property
    def size(self) -> int:
        """The nodes requested in each zone."""
        return int(self.current[self.size_field])

    @property
    def is_autoscaled(self) -> bool:
        """Whether GKE's autoscaler may resize it."""
        return self.current.get(AUTOSCALING, OFF) != OFF

    def nodes_above(self, minimum: int) -> int:
        """The requested nodes, in all zones, above a minimum in each."""
        return max(self.nodes_asked_for - minimum * self.zones, 0)

    def down_to(self, minimum: int) -> dict[str, str | int]:
        """Its fields at a minimum: bounds go too, as the autoscaler would undo the resize."""
        bounds: dict[str, str | int] = {AUTOSCALING: OFF} if AUTOSCALING in self.current else {}
        return {**bounds, self.size_field: minimum}


def is_node_pool(name: str) -> bool:
    """Whether a full name is that of a node pool."""
    return NODE_POOLS in name


def cluster_of(name: str) -> str:
    """The cluster of a node pool, which does one operation at a time; of any other pool the pool itself."""
    return name.partition(NODE_POOLS)[0]


Question = tuple[Signal, int]
"""A signal, and over how many minutes it is asked for."""


class InstanceGroup(msgspec.Struct, frozen=True):
    """An instance group: how many instances it is to have, and how many there are."""

    target_size: int
    running: int


class ListedNodePool(msgspec.Struct, frozen=True):
    """A node pool as GKE lists it; its size is that of its instance groups."""

    name: str
    autoscaling: str
    """In the words of `autoscaling.py`."""
    groups: tuple[str, ...]
    """Addresses below ``projects/``."""
    problem: str = ""


class OperationInFlight(msgspec.Struct, frozen=True):
    """An operation of GKE that has not ended."""

    target: str
    """The resource it changes, below ``projects/``, with ``locations`` for zones and regions."""
    kind: str
    started: str


class Operations(msgspec.Struct, frozen=True):
    """The operations in flight in one location."""

    in_flight: tuple[OperationInFlight, ...] = ()
    missing_zones: tuple[str, ...] = ()


class NodePoolsOf(Need[tuple[ListedNodePool, ...]], frozen=True):
    """The node pools of a cluster; none of one that does not exist."""

    cluster: str


class GroupsOf(Need[dict[str, InstanceGroup]], frozen=True):
    """All instance groups of a project, by their address below ``projects/``."""

    project: str


class CloudRunPoolsIn(Need[tuple[GpuPool, ...]], frozen=True):
    """The worker pools, or the services, of ``projects/P/locations/R``."""

    parent: str
    collection: str
    """``workerPools`` or ``services``."""


class ReadingOf(Need[Reading], frozen=True):
    """The state of a signal in the minutes before a time."""

    signal: Signal
    minutes: int
    now: datetime


class OperationsIn(Need[Operations], frozen=True):
    """The operations in flight in ``projects/P/locations/L``."""

    location: str


class SavingsOf(Need[SavingsBook], frozen=True):
    """The savings of pools in these months."""

    pools: tuple[str, ...]
    months: tuple[date, ...]


PoolNeed = NodePoolsOf | GroupsOf | CloudRunPoolsIn | ReadingOf | OperationsIn | SavingsOf


class Seen(msgspec.Struct, frozen=True):
    """The pools that were read, by key."""

    pools: Mapping[str, GpuPool] = {}
    """By full name; one that is neither here nor unknown does not exist."""
    readings: Mapping[Question, Reading] = {}
    """The states of the signals that matter now."""
    busy: Mapping[str, Message] = {}
    """By cluster, the operation in flight, for those clusters that something is to be done about."""
    unknown: frozenset[str] = frozenset()
    """The pools of which something that matters now could not be read: nothing is done or concluded about them."""
    savings: SavingsBook = SavingsBook()
    """The savings, if they were read."""
