"""What of Google Cloud `scale_gpu_pools` looks at, as typed values."""

from collections.abc import Mapping

import msgspec

from functions.scale_gpu_pools.savings import SavingsBook
from functions.scale_gpu_pools.settings import Signal
from functions.scale_gpu_pools.signals import Reading
from shared.holds import Current

AUTOSCALING = "autoscaling"
OFF = "off"
NODE_POOLS = "/nodePools/"


class GpuPool(msgspec.Struct, frozen=True, kw_only=True):
    """A pool as it is: a node pool, or a worker pool or service of Cloud Run."""

    name: str
    current: Current
    """The fields that we may hold: one that says the size, and for a node pool its autoscaling."""
    size_field: str
    """Which of them is the size: nodes in each zone, or instances."""
    zones: int = 1
    nodes_asked_for: int = 0
    """How many nodes it is asked to have, in all zones."""
    nodes: int = 0
    """How many of them there are. Cloud Run does not tell: there it is all, if the last change went well."""
    problem: str = ""
    """Google's own words for why there are not as many as asked for."""
    in_flight: str = ""
    """What is going on with it, if the resource itself says that."""
    etag: str = ""

    @property
    def size(self) -> int:
        """What it is asked to have, in each zone."""
        return int(self.current[self.size_field])

    @property
    def is_autoscaled(self) -> bool:
        """Whether GKE's autoscaler may resize it."""
        return self.current.get(AUTOSCALING, OFF) != OFF

    @property
    def zero(self) -> dict[str, str | int]:
        """What its fields are when it is at zero: the autoscaler's bounds go too, as it would undo the resize."""
        return {AUTOSCALING: OFF, self.size_field: 0} if AUTOSCALING in self.current else {self.size_field: 0}


def is_node_pool(name: str) -> bool:
    """Whether a full name is that of a node pool."""
    return NODE_POOLS in name


def cluster_of(name: str) -> str:
    """The cluster of a node pool, which does one operation at a time; of any other pool the pool itself."""
    return name.partition(NODE_POOLS)[0]


Question = tuple[Signal, int]
"""A signal, and over how many minutes it is asked for."""


class World(msgspec.Struct, frozen=True):
    """What was read."""

    pools: Mapping[str, GpuPool] = {}
    """By full name; one that is not there does not exist."""
    readings: Mapping[Question, Reading] = {}
    """What the signals say that matter now."""
    busy: Mapping[str, str] = {}
    """By cluster, the operation in flight, for those clusters that something is to be done about."""
    savings: SavingsBook = SavingsBook()
    """What was saved, if that was asked."""
