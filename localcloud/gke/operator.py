"""Run GKE's operations on clusters and node pools: on the Clock, or when their nodes have arrived."""

import functools
from collections.abc import Callable, Mapping
from datetime import timedelta

from google.cloud import container_v1

from localcloud.compute.instance_groups import InstanceGroups
from localcloud.core.clock import Clock
from localcloud.gke import rules
from localcloud.gke.autoscaler import Autoscaler
from localcloud.gke.clusters import Clusters
from localcloud.gke.node_pools import NodePools
from localcloud.gke.operations import ClusterOperations

ClusterStatus = container_v1.Cluster.Status
PoolStatus = container_v1.NodePool.Status
AT_REST = (PoolStatus.RUNNING, PoolStatus.RUNNING_WITH_ERROR)


class Operator:
    """Carries out operations, and what happens to nodes besides; the API (`Gke`) begins them."""

    def __init__(self, clock: Clock, instance_groups: InstanceGroups) -> None:
        self.operation_delay = timedelta(0)
        """The duration of an operation; 0 ends each within its call."""
        self.stock_out_patience = timedelta(minutes=20)
        """The time after its call for which an operation waits for nodes that do not arrive."""
        self._clock = clock
        self._clusters = Clusters(clock)
        self._pools = NodePools(instance_groups)
        self._operations = ClusterOperations(clock)
        self._autoscaler = Autoscaler(clock, instance_groups, self._pools, self._operations)
        self._waiting: dict[str, str] = {}
        """The operation of each node pool that waits for nodes in a stock-out."""
        self._lock = instance_groups.lock

    def set_demand(self, node_pool: str, nodes: int | None) -> None:
        """Say how many nodes, in all zones, the pending and running pods of a node pool need.

        None, which it is at first, is as many as there are. The autoscaler follows it. Raises ``ApiError`` (NOT_FOUND).
        """
        with self._lock:
            self._pools.existing(node_pool)
            self._autoscaler.set_demand(node_pool, nodes)

    def size_of(self, node_pool: str) -> int:
        """The number of nodes of a node pool, in all zones. Raises ``ApiError`` (NOT_FOUND)."""
        with self._lock:
            self._pools.existing(node_pool)
            return self._pools.running_in([node_pool])

    def stock_out(self, zone: str) -> None:
        """From now on, let no new node come in a zone."""
        with self._lock:
            self._pools.stock_outs.add(zone)

    def end_stock_out(self, zone: str) -> None:
        """Let nodes come in a zone again; those that were waited for come now."""
        with self._lock:
            self._pools.stock_outs.discard(zone)
            for name in self._pools.names_with_nodes_in(zone):
                if name in self._waiting:
                    self._resized(self._waiting[name], name)
                elif self._pools.existing(name).status in AT_REST:
                    self._bring(name)

    def _begin(self, kind: container_v1.Operation.Type, name: str, progress: Mapping[str, int] | None = None) -> str:
        """Begin an operation on a cluster or a node pool; both are reconciled while it runs."""
        cluster = rules.cluster_of(name)
        self._operations.check_idle(cluster)
        self._clusters.existing(cluster).status = ClusterStatus.RECONCILING
        if name != cluster:
            self._pools.set_status(name, PoolStatus.RECONCILING)
        return self._operations.start(kind, cluster, name, progress)

    def _carry_out(self, operation: str, name: str, work: Callable[[str, str], None]) -> container_v1.Operation:
        """Do the work of an operation when its time has come, and return the operation in its current state."""
        if self.operation_delay > timedelta(0):
            self._clock.call_later(self.operation_delay, functools.partial(self._locked, work, operation, name))
        else:
            work(operation, name)
        return self._operations.get(operation)

    def _locked(self, work: Callable[[str, str], None], operation: str, name: str) -> None:
        with self._lock:
            work(operation, name)

    def _resized(self, operation: str, name: str) -> None:
        """Let the nodes come and go; if some do not come, wait for them."""
        if self._pools.bring(name):
            self._waiting.pop(name, None)
            self._done(operation, name)
        elif name not in self._waiting:
            self._waiting[name] = operation
            left = max(self.stock_out_patience - self.operation_delay, timedelta(0))
            self._clock.call_later(left, functools.partial(self._locked, self._give_up, operation, name))

    def _give_up(self, operation: str, name: str) -> None:
        """End an operation whose nodes have not come; the instance groups go on trying."""
        if self._waiting.get(name) == operation:
            del self._waiting[name]
            conditions = self._pools.report_stock_out(name, self.stock_out_patience)
            self._operations.finish(operation, rules.cluster_of(name), errors=conditions)
            self._at_rest(name)

    def _created(self, operation: str, name: str) -> None:
        """Let the nodes of a new cluster come."""
        for pool in self._pools.names_in(name):
            self._bring(pool)
        self._done(operation, name)

    def _cluster_removed(self, operation: str, name: str) -> None:
        for pool in self._pools.names_in(name):
            self._autoscaler.forget(pool)
            self._pools.remove(pool)
        self._operations.finish(operation, name)
        self._clusters.remove(name)

    def _removed(self, operation: str, name: str) -> None:
        self._autoscaler.forget(name)
        self._pools.remove(name)
        self._done(operation, name)

    def _done(self, operation: str, name: str) -> None:
        self._operations.finish(operation, rules.cluster_of(name))
        self._at_rest(name)

    def _at_rest(self, name: str) -> None:
        """After an operation, let a cluster and its node pool run, and the autoscaler look at it."""
        cluster = rules.cluster_of(name)
        self._clusters.existing(cluster).status = ClusterStatus.RUNNING
        if name in self._pools.names_in(cluster):
            self._bring(name)
            self._autoscaler.look(name)

    def _bring(self, name: str) -> None:
        self._pools.bring(name)
        self._pools.set_status(name, PoolStatus.RUNNING)
