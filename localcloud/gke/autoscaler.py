"""GKE's cluster autoscaler: resizes node pools within their bounds, by what their pods need.

It adds nodes when pods are pending, and takes them away when they have not been needed for ten minutes
(https://cloud.google.com/kubernetes-engine/docs/concepts/cluster-autoscaler). Here it compares numbers of nodes, and
knows no pods. It changes the target sizes of the groups directly, and makes no operation (ours to assume).
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from google.cloud import container_v1

from localcloud.compute.instance_groups import InstanceGroups
from localcloud.core.clock import Clock, Timer
from localcloud.gke.node_pools import NodePools
from localcloud.gke.operations import ClusterOperations
from localcloud.gke.rules import split_node_pool

SCALE_UP_DELAY = timedelta(seconds=30)
SCALE_DOWN_DELAY = timedelta(minutes=10)
"""The time for which fewer nodes must be needed before any are removed."""

UP, DOWN = "up", "down"
ANY = container_v1.NodePoolAutoscaling.LocationPolicy.ANY


@dataclass(frozen=True)
class Intention:
    """The autoscaler's next change to a node pool."""

    direction: str
    timer: Timer


class Autoscaler:
    """Scales all node pools whose autoscaling is enabled."""

    def __init__(
        self, clock: Clock, instance_groups: InstanceGroups, pools: NodePools, operations: ClusterOperations
    ) -> None:
        self._clock = clock
        self._pools = pools
        self._operations = operations
        self._demand: dict[str, int] = {}
        self._intentions: dict[str, Intention] = {}
        self._lock = instance_groups.lock

    def set_demand(self, name: str, nodes: int | None) -> None:
        """Say how many nodes the pods of a node pool need in all; None is as many as there are."""
        if nodes is None:
            self._demand.pop(name, None)
        else:
            self._demand[name] = nodes
        self.look(name)

    def forget(self, name: str) -> None:
        """Leave a node pool alone that is taken away."""
        self._demand.pop(name, None)
        self._drop_intention(name)

    def look(self, name: str) -> None:
        """Begin to intend what a node pool needs as it is now; go on with what was intended in the same direction."""
        direction = self._direction(name)
        if name in self._intentions and self._intentions[name].direction == direction:
            return
        self._drop_intention(name)
        if direction:
            self._intend(name, direction, SCALE_UP_DELAY if direction == UP else SCALE_DOWN_DELAY)

    def _direction(self, name: str) -> str:
        before = self._sizes(name)
        after = self._wanted(name)
        return UP if sum(after) > sum(before) else DOWN if sum(after) < sum(before) else ""

    def _intend(self, name: str, direction: str, delay: timedelta) -> None:
        timer = self._clock.call_later(delay, functools.partial(self._scale, name))
        self._intentions[name] = Intention(direction, timer)

    def _drop_intention(self, name: str) -> None:
        if name in self._intentions:
            self._intentions.pop(name).timer.cancel()

    def _scale(self, name: str) -> None:
        with self._lock:
            # Another thread may have dropped the intention when its timer had started to fire, and have a new one.
            if name not in self._intentions or self._intentions[name].timer.when > self._clock.now():
                return
            intention = self._intentions.pop(name)
            if self._operations.is_running(split_node_pool(name)[0]):
                self._intend(name, intention.direction, SCALE_UP_DELAY)
                return
            self._pools.resize(name, self._wanted(name))
            self._pools.bring(name)

    def _sizes(self, name: str) -> list[int]:
        return [group.target_size for group in self._pools.groups_of(name)]

    def _wanted(self, name: str) -> list[int]:
        """The target size of a node pool in each zone."""
        autoscaling = self._pools.existing(name).autoscaling
        sizes = self._sizes(name)
        demand = self._demand.get(name)
        if not autoscaling.enabled or demand is None:
            return sizes
        return scaled(sizes, demand, autoscaling)


def scaled(sizes: list[int], demand: int, autoscaling: container_v1.NodePoolAutoscaling) -> list[int]:
    """The autoscaler's new sizes in each zone when so many nodes are needed in all.

    A bound alone scales nothing: it adds nodes because more are needed than there are, and then not more than the
    maximum, and takes nodes away because fewer are needed, and then leaves the minimum.
    """
    if demand > sum(sizes):
        maximum = autoscaling.total_max_node_count
        return _grown(sizes, min(demand, maximum) if maximum else demand, autoscaling)
    return _shrunk(sizes, max(demand, autoscaling.total_min_node_count), autoscaling)


def _grown(sizes: list[int], total: int, autoscaling: container_v1.NodePoolAutoscaling) -> list[int]:
    """Add nodes one by one: with BALANCED where there are fewest, with ANY in the first zone that may have more."""
    maximum = autoscaling.max_node_count
    return _stepped(
        sizes,
        1,
        lambda grown: sum(grown) < total,
        lambda size: not maximum or size < maximum,
        lambda grown, zone: (zone,) if autoscaling.location_policy == ANY else (grown[zone], zone),
    )


def _shrunk(sizes: list[int], total: int, autoscaling: container_v1.NodePoolAutoscaling) -> list[int]:
    """Take nodes away one by one: with BALANCED where there are most, with ANY in the last zone that may have fewer."""
    return _stepped(
        sizes,
        -1,
        lambda shrunk: sum(shrunk) > total,
        lambda size: size > autoscaling.min_node_count,
        lambda shrunk, zone: (-zone,) if autoscaling.location_policy == ANY else (-shrunk[zone], -zone),
    )


def _stepped(
    sizes: list[int],
    step: int,
    is_unfinished: Callable[[list[int]], bool],
    may_step: Callable[[int], bool],
    preference: Callable[[list[int], int], tuple[int, ...]],
) -> list[int]:
    stepped = list(sizes)
    while is_unfinished(stepped):
        zones = [zone for zone, size in enumerate(stepped) if may_step(size)]
        if not zones:
            break
        stepped[min(zones, key=functools.partial(preference, stepped))] += step
    return stepped
