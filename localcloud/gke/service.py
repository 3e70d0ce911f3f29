"""Google Kubernetes Engine: google.container.v1.ClusterManager, as far as the sizes of node pools go.

A node pool's size is that of its instance groups, one in each zone. A change begins at once and is brought about by an
operation, which ends ``operation_delay`` after the call, on the Clock; a cluster has one operation at a time. Where a
zone is out of stock, nodes do not come, and the operation runs until its patience ends.
"""

import functools
from collections.abc import Callable
from datetime import timedelta

import grpc
from google.cloud import container_v1

from localcloud.compute.instance_groups import InstanceGroups
from localcloud.core.clock import Clock
from localcloud.core.server import ApiError
from localcloud.gke import rules
from localcloud.gke.autoscaler import Autoscaler
from localcloud.gke.node_pools import NodePools
from localcloud.gke.operations import ClusterOperations

OperationType = container_v1.Operation.Type
PoolStatus = container_v1.NodePool.Status
AT_REST = (PoolStatus.RUNNING, PoolStatus.RUNNING_WITH_ERROR)


class Gke:
    """Serves ``google.cloud.container_v1.ClusterManagerClient``."""

    def __init__(self, clock: Clock, instance_groups: InstanceGroups) -> None:
        self.operation_delay = timedelta(0)
        """How long an operation takes; 0 ends each within its call."""
        self.stock_out_patience = timedelta(minutes=20)
        """How long after its call an operation waits for nodes that do not come."""
        self._clock = clock
        self._clusters: dict[str, container_v1.Cluster] = {}
        self._pools = NodePools(instance_groups)
        self._operations = ClusterOperations(clock)
        self._autoscaler = Autoscaler(clock, instance_groups, self._pools, self._operations)
        self._waiting: dict[str, str] = {}
        """The operation of each node pool that waits for nodes in a stock-out."""
        self._lock = instance_groups.lock

    def list_clusters(self, request: container_v1.ListClustersRequest) -> container_v1.ListClustersResponse:
        """The clusters of a project in a location, or in all (``-``), with their node pools."""
        prefix = rules.prefix_of(request.parent)
        with self._lock:
            names = [name for name in sorted(self._clusters) if name.startswith(prefix)]
            return container_v1.ListClustersResponse(clusters=[self._shown(name) for name in names])

    def get_cluster(self, request: container_v1.GetClusterRequest) -> container_v1.Cluster:
        """One cluster, with its node pools."""
        with self._lock:
            self._existing(request.name)
            return self._shown(request.name)

    def list_node_pools(self, request: container_v1.ListNodePoolsRequest) -> container_v1.ListNodePoolsResponse:
        """The node pools of a cluster."""
        with self._lock:
            self._existing(request.parent)
            return container_v1.ListNodePoolsResponse(node_pools=self._shown(request.parent).node_pools)

    def get_node_pool(self, request: container_v1.GetNodePoolRequest) -> container_v1.NodePool:
        """One node pool."""
        with self._lock:
            return container_v1.NodePool(self._pools.existing(request.name))

    def set_node_pool_size(self, request: container_v1.SetNodePoolSizeRequest) -> container_v1.Operation:
        """Let each zone of a node pool have so many nodes. The autoscaler may think otherwise later."""
        name = request.name
        with self._lock:
            pool = self._pools.existing(name)
            rules.check_node_count(request.node_count)
            operation = self._begin(OperationType.SET_NODE_POOL_SIZE, name, name)
            self._pools.resize(name, [request.node_count] * len(pool.locations))
            return self._carry_out(operation, name, self._resized)

    def set_node_pool_autoscaling(self, request: container_v1.SetNodePoolAutoscalingRequest) -> container_v1.Operation:
        """Put other autoscaling in the place of a node pool's; its size stays as it is."""
        name = request.name
        with self._lock:
            pool = self._pools.existing(name)
            rules.check_autoscaling(request.autoscaling)
            operation = self._begin(OperationType.UPDATE_CLUSTER, name, rules.split_node_pool(name)[0])
            pool.autoscaling = rules.filled_in(request.autoscaling)
            return self._carry_out(operation, name, self._done)

    def delete_node_pool(self, request: container_v1.DeleteNodePoolRequest) -> container_v1.Operation:
        """Take a node pool away; it is there, and stopping, until the operation is done."""
        name = request.name
        with self._lock:
            self._pools.existing(name)
            operation = self._begin(OperationType.DELETE_NODE_POOL, name, name)
            self._pools.set_status(name, PoolStatus.STOPPING)
            self._pools.resize(name, [0 for _ in self._pools.groups_of(name)])
            return self._carry_out(operation, name, self._removed)

    def list_operations(self, request: container_v1.ListOperationsRequest) -> container_v1.ListOperationsResponse:
        """The operations in a location, or in all (``-``): those that run, and those of the last day."""
        with self._lock:
            return container_v1.ListOperationsResponse(operations=self._operations.list(request.parent))

    def get_operation(self, request: container_v1.GetOperationRequest) -> container_v1.Operation:
        """One operation."""
        with self._lock:
            return self._operations.get(request.name)

    def add_cluster(self, name: str, cluster: container_v1.Cluster | None = None) -> None:
        """Make a running cluster of this full name, with its ``node_pools``, as `add_node_pool` does.

        Raises ``ApiError`` for what cannot be.
        """
        parent, cluster_id = rules.split_cluster(name)
        rules.check_id(cluster_id, "cluster")
        location = parent.rpartition("/")[2]
        made = container_v1.Cluster(cluster or {})
        pools = list(made.node_pools)
        made.name, made.location, made.self_link = cluster_id, location, f"{rules.CONTAINER}/{name}"
        made.node_pools = []
        made.locations = rules.zones_of(location, list(made.locations))
        made.status = made.status or container_v1.Cluster.Status.RUNNING
        made.create_time = made.create_time or self._clock.now().isoformat()
        with self._lock:
            if name in self._clusters:
                raise ApiError(grpc.StatusCode.ALREADY_EXISTS, f"Already exists: {name}.")
            self._clusters[name] = made
            for pool in pools:
                self.add_node_pool(name, pool)

    def add_node_pool(self, cluster: str, pool: container_v1.NodePool, node_count: int | None = None) -> str:
        """Make a node pool in a cluster, with so many nodes in each zone (else its ``initial_node_count``).

        Returns its full name. Without ``locations`` it has those of the cluster. Raises ``ApiError``.
        """
        with self._lock:
            made = container_v1.NodePool(pool)
            made.locations = list(pool.locations) or self._existing(cluster).locations
            return self._pools.add(cluster, made, pool.initial_node_count if node_count is None else node_count)

    def set_demand(self, node_pool: str, nodes: int | None) -> None:
        """Say how many nodes, in all zones, the pending and running pods of a node pool need.

        None, which it is at first, is as many as there are. The autoscaler follows it. Raises ``ApiError`` (NOT_FOUND).
        """
        with self._lock:
            self._pools.existing(node_pool)
            self._autoscaler.set_demand(node_pool, nodes)

    def size_of(self, node_pool: str) -> int:
        """How many nodes a node pool has, in all zones. Raises ``ApiError`` (NOT_FOUND)."""
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

    def _existing(self, name: str) -> container_v1.Cluster:
        rules.split_cluster(name)
        if name not in self._clusters:
            raise rules.not_found(name)
        return self._clusters[name]

    def _shown(self, name: str) -> container_v1.Cluster:
        """A cluster as it is given out: with its node pools, as they are now."""
        shown = container_v1.Cluster(self._clusters[name])
        names = self._pools.names_in(name)
        shown.node_pools = [self._pools.existing(one) for one in names]
        shown.instance_group_urls = [url for pool in shown.node_pools for url in pool.instance_group_urls]
        shown.current_node_count = self._pools.running_in(names)
        return shown

    def _begin(self, kind: container_v1.Operation.Type, name: str, target: str) -> str:
        """Begin an operation for a node pool; the pool and its cluster are reconciled while it runs."""
        cluster, _ = rules.split_node_pool(name)
        self._operations.check_idle(cluster)
        self._clusters[cluster].status = container_v1.Cluster.Status.RECONCILING
        self._pools.set_status(name, PoolStatus.RECONCILING)
        return self._operations.start(kind, cluster, target)

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
            self._operations.finish(operation, rules.split_node_pool(name)[0], errors=conditions)
            self._at_rest(name)

    def _removed(self, operation: str, name: str) -> None:
        self._autoscaler.forget(name)
        self._pools.remove(name)
        self._done(operation, name)

    def _done(self, operation: str, name: str) -> None:
        self._operations.finish(operation, rules.split_node_pool(name)[0])
        self._at_rest(name)

    def _at_rest(self, name: str) -> None:
        """After an operation, let a node pool and its cluster run, and the autoscaler look at it."""
        cluster, _ = rules.split_node_pool(name)
        self._clusters[cluster].status = container_v1.Cluster.Status.RUNNING
        if name in self._pools.names_in(cluster):
            self._bring(name)
            self._autoscaler.look(name)

    def _bring(self, name: str) -> None:
        self._pools.bring(name)
        self._pools.set_status(name, PoolStatus.RUNNING)
