"""Google Kubernetes Engine: google.container.v1.ClusterManager, clusters and the sizes of their node pools.

A node pool's size is that of its instance groups, one in each zone. A change begins at once and is brought about by an
operation, which ends ``operation_delay`` after the call, on the Clock; a cluster has one operation at a time. Where a
zone is out of stock, nodes do not come, and the operation runs until its patience ends.
"""

import grpc
from google.cloud import container_v1

from localcloud.core.server import ApiError
from localcloud.gke import rules
from localcloud.gke.defaults import complete_node_pool
from localcloud.gke.operations import NO_NODES, creation_progress, upgrade_progress
from localcloud.gke.operator import ClusterStatus, Operator, PoolStatus
from localcloud.gke.pod_ranges import show_utilization
from localcloud.gke.updates import apply_to_cluster, apply_to_node_pool

OperationType = container_v1.Operation.Type


class Gke(Operator):
    """Serves ``google.cloud.container_v1.ClusterManagerClient``."""

    def list_clusters(self, request: container_v1.ListClustersRequest) -> container_v1.ListClustersResponse:
        """The clusters of a project in a location, or in all (``-``), with their node pools."""
        prefix = rules.prefix_of(request.parent)
        with self._lock:
            found = [self._shown(name) for name in self._clusters.names_in(prefix)]
            return container_v1.ListClustersResponse(clusters=found)

    def get_cluster(self, request: container_v1.GetClusterRequest) -> container_v1.Cluster:
        """One cluster, with its node pools."""
        with self._lock:
            self._clusters.existing(request.name)
            return self._shown(request.name)

    def create_cluster(self, request: container_v1.CreateClusterRequest) -> container_v1.Operation:
        """Create a cluster with the node pools that it names, or with one; in a region in three zones."""
        rules.prefix_of(request.parent)
        wanted = container_v1.Cluster(request.cluster)
        if wanted.autopilot.enabled:
            raise ApiError(grpc.StatusCode.UNIMPLEMENTED, "The local cloud has no Autopilot clusters.")
        name = f"{request.parent}/clusters/{wanted.name}"
        pools = list(wanted.node_pools) or [
            container_v1.NodePool(
                name="default-pool", initial_node_count=wanted.initial_node_count or 1, config=wanted.node_config
            )
        ]
        wanted.node_pools = []
        wanted.locations = list(wanted.locations) or rules.zones_chosen(rules.split_cluster(name)[0].rpartition("/")[2])
        wanted.status = ClusterStatus.PROVISIONING
        with self._lock:
            self._clusters.add(name, wanted)
            for pool in pools:
                self._add_node_pool(name, pool)
            operation = self._operations.start(OperationType.CREATE_CLUSTER, name, name, creation_progress(name))
            return self._carry_out(operation, name, self._created)

    def update_cluster(self, request: container_v1.UpdateClusterRequest) -> container_v1.Operation:
        """Change what the update says; with ``desired_node_pool_id``, the autoscaling of that node pool."""
        update = request.update
        with self._lock:
            cluster = self._clusters.existing(request.name)
            rules.check_etag(update.etag, cluster.etag)
            if update.desired_node_pool_id:
                pool = f"{request.name}/nodePools/{update.desired_node_pool_id}"
                self._pools.existing(pool)
                return self._set_autoscaling(pool, update.desired_node_pool_autoscaling)
            changed = container_v1.Cluster(cluster)
            apply_to_cluster(update, changed)
            return self._change_cluster(request.name, changed)

    def set_labels(self, request: container_v1.SetLabelsRequest) -> container_v1.Operation:
        """Put other labels in the place of a cluster's."""
        with self._lock:
            changed = container_v1.Cluster(self._clusters.existing(request.name))
            if request.label_fingerprint != changed.label_fingerprint:
                raise ApiError(
                    grpc.StatusCode.FAILED_PRECONDITION, "Labels could not be set due to fingerprint mismatch."
                )
            changed.resource_labels = request.resource_labels
            return self._change_cluster(request.name, changed)

    def delete_cluster(self, request: container_v1.DeleteClusterRequest) -> container_v1.Operation:
        """Take a cluster away with its node pools; it is there, and stopping, until the operation is done."""
        with self._lock:
            self._clusters.existing(request.name)
            operation = self._begin(OperationType.DELETE_CLUSTER, request.name)
            self._clusters.existing(request.name).status = ClusterStatus.STOPPING
            return self._carry_out(operation, request.name, self._cluster_removed)

    def list_node_pools(self, request: container_v1.ListNodePoolsRequest) -> container_v1.ListNodePoolsResponse:
        """The node pools of a cluster."""
        with self._lock:
            self._clusters.existing(request.parent)
            names = self._pools.names_in(request.parent)
            return container_v1.ListNodePoolsResponse(node_pools=[self._pools.existing(one) for one in names])

    def get_node_pool(self, request: container_v1.GetNodePoolRequest) -> container_v1.NodePool:
        """One node pool."""
        with self._lock:
            return container_v1.NodePool(self._pools.existing(request.name))

    def create_node_pool(self, request: container_v1.CreateNodePoolRequest) -> container_v1.Operation:
        """Create a node pool; its nodes come while the operation runs."""
        with self._lock:
            self._clusters.existing(request.parent)
            self._operations.check_idle(request.parent)
            name = self._add_node_pool(request.parent, request.node_pool)
            operation = self._begin(OperationType.CREATE_NODE_POOL, name)
            self._pools.set_status(name, PoolStatus.PROVISIONING)
            return self._carry_out(operation, name, self._resized)

    def update_node_pool(self, request: container_v1.UpdateNodePoolRequest) -> container_v1.Operation:
        """Change what the request says; the nodes are made anew meanwhile, which is not seen here."""
        name = request.name
        with self._lock:
            changed = container_v1.NodePool(self._pools.existing(name))
            rules.check_etag(request.etag, changed.etag)
            apply_to_node_pool(request, changed)
            if list(changed.locations) != list(self._pools.existing(name).locations):
                raise ApiError(grpc.StatusCode.UNIMPLEMENTED, "The local cloud moves no node pool to other zones.")
            operation = self._begin(OperationType.UPGRADE_NODES, name, upgrade_progress(self._pools.running_in([name])))
            self._pools.replace(name, changed)
            return self._carry_out(operation, name, self._done)

    def set_node_pool_management(self, request: container_v1.SetNodePoolManagementRequest) -> container_v1.Operation:
        """Put other management in the place of a node pool's."""
        with self._lock:
            changed = container_v1.NodePool(self._pools.existing(request.name))
            changed.management = request.management
            operation = self._begin(OperationType.SET_NODE_POOL_MANAGEMENT, request.name)
            self._pools.replace(request.name, changed)
            return self._carry_out(operation, request.name, self._done)

    def set_node_pool_size(self, request: container_v1.SetNodePoolSizeRequest) -> container_v1.Operation:
        """Let each zone of a node pool have so many nodes. The autoscaler may think otherwise later."""
        name = request.name
        with self._lock:
            pool = self._pools.existing(name)
            rules.check_node_count(request.node_count)
            operation = self._begin(OperationType.SET_NODE_POOL_SIZE, name)
            self._pools.resize(name, [request.node_count] * len(pool.locations))
            pool.initial_node_count = request.node_count
            self._pools.changed(name)
            return self._carry_out(operation, name, self._resized)

    def set_node_pool_autoscaling(self, request: container_v1.SetNodePoolAutoscalingRequest) -> container_v1.Operation:
        """Put other autoscaling in the place of a node pool's; its size stays as it is."""
        name = request.name
        with self._lock:
            self._pools.existing(name)
            return self._set_autoscaling(name, request.autoscaling)

    def delete_node_pool(self, request: container_v1.DeleteNodePoolRequest) -> container_v1.Operation:
        """Take a node pool away; it is there, and stopping, until the operation is done."""
        name = request.name
        with self._lock:
            self._pools.existing(name)
            operation = self._begin(OperationType.DELETE_NODE_POOL, name)
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
        made = container_v1.Cluster(cluster or {})
        pools = list(made.node_pools)
        made.node_pools = []
        with self._lock:
            self._clusters.add(name, made)
            for pool in pools:
                self.add_node_pool(name, pool)

    def add_node_pool(self, cluster: str, pool: container_v1.NodePool, node_count: int | None = None) -> str:
        """Make a node pool in a cluster, with so many nodes in each zone (else its ``initial_node_count``).

        Returns its full name. Without ``locations`` it has those of the cluster. Raises ``ApiError``.
        """
        with self._lock:
            return self._add_node_pool(cluster, pool, node_count, is_running=True)

    def _add_node_pool(
        self,
        cluster_name: str,
        pool: container_v1.NodePool,
        node_count: int | None = None,
        *,
        is_running: bool = False,
    ) -> str:
        cluster = self._clusters.existing(cluster_name)
        made = container_v1.NodePool(pool)
        made.locations = list(pool.locations) or cluster.locations
        complete_node_pool(made, cluster, cluster_name)
        count = pool.initial_node_count if node_count is None else node_count
        return self._pools.add(cluster_name, made, count, is_running=is_running)

    def _set_autoscaling(self, name: str, autoscaling: container_v1.NodePoolAutoscaling) -> container_v1.Operation:
        rules.check_autoscaling(autoscaling)
        operation = self._begin(OperationType.UPDATE_CLUSTER, name, NO_NODES)
        self._pools.existing(name).autoscaling = rules.filled_in(autoscaling)
        self._pools.changed(name)
        return self._carry_out(operation, name, self._done)

    def _change_cluster(self, name: str, changed: container_v1.Cluster) -> container_v1.Operation:
        operation = self._begin(OperationType.UPDATE_CLUSTER, name)
        self._clusters.replace(name, changed)
        return self._carry_out(operation, name, self._done)

    def _shown(self, name: str) -> container_v1.Cluster:
        """A cluster as it is given out: with its node pools, as they are now."""
        shown = container_v1.Cluster(self._clusters.existing(name))
        names = self._pools.names_in(name)
        shown.node_pools = [self._pools.existing(one) for one in names]
        show_utilization(shown, [self._pools.running_in([one]) for one in names])
        shown.instance_group_urls = [url for pool in shown.node_pools for url in pool.instance_group_urls]
        shown.current_node_count = self._pools.running_in(names)
        if shown.node_pools:
            shown.node_config = shown.node_pools[0].config
        return shown
