"""GKE's node pools, and the instance groups that hold their nodes: one in each zone."""

import uuid
from collections.abc import Iterable
from datetime import timedelta

import grpc
from google.cloud import container_v1

from localcloud.compute.groups import InstanceGroup
from localcloud.compute.instance_groups import InstanceGroups
from localcloud.gke import rules

Status = container_v1.NodePool.Status


class NodePools:
    """The node pools of all clusters, by their full names. Hold the lock of the instance groups while using it."""

    def __init__(self, instance_groups: InstanceGroups) -> None:
        self.stock_outs: set[str] = set()
        """Zones in which no new node can be had."""
        self._instance_groups = instance_groups
        self._pools: dict[str, container_v1.NodePool] = {}
        self._groups: dict[str, list[InstanceGroup]] = {}
        self._writes = 0

    def add(self, cluster: str, pool: container_v1.NodePool, node_count: int, *, is_running: bool = True) -> str:
        """Make a node pool with nodes in each zone, running or to come, and return its name. Raises ``ApiError``."""
        rules.check_id(pool.name, "node pool")
        rules.check_node_count(node_count)
        name = f"{cluster}/nodePools/{pool.name}"
        if name in self._pools:
            raise rules.already_exists(name)
        project, location = cluster.split("/")[1:4:2]
        made = container_v1.NodePool(pool)
        made.locations = rules.zones_of(location, list(pool.locations))
        if "autoscaling" in pool:
            rules.check_autoscaling(pool.autoscaling)
            made.autoscaling = rules.filled_in(pool.autoscaling)
        made.status = made.status or Status.RUNNING
        made.self_link = rules.link(name)
        self._groups[name] = [
            self._instance_groups.add_group(project, zone, rules.group_name(name, zone), node_count)
            for zone in made.locations
        ]
        for group in self._groups[name] if not is_running else ():
            group.running = 0
        made.instance_group_urls = [group.url for group in self._groups[name]]
        self._pools[name] = made
        self.changed(name)
        return name

    def replace(self, name: str, pool: container_v1.NodePool) -> None:
        """Put a changed node pool in the place of the one that is there; its status stays as it is there."""
        pool.status = self._pools[name].status
        self._pools[name] = pool
        self.changed(name)

    def changed(self, name: str) -> None:
        """Give a node pool another etag: it was written."""
        self._writes += 1
        self._pools[name].etag = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name}/{self._writes}"))

    def remove(self, name: str) -> None:
        """Take away a node pool with its nodes."""
        for group in self._groups.pop(name):
            self._instance_groups.remove_group(group.name)
        del self._pools[name]

    def existing(self, name: str) -> container_v1.NodePool:
        """The node pool itself, to be changed. Raises NOT_FOUND, or INVALID_ARGUMENT for another kind of name."""
        rules.split_node_pool(name)
        if name not in self._pools:
            raise rules.not_found(name)
        return self._pools[name]

    def names_in(self, cluster: str) -> list[str]:
        """The full names of a cluster's node pools."""
        return [name for name in self._pools if name.startswith(f"{cluster}/nodePools/")]

    def names_with_nodes_in(self, zone: str) -> list[str]:
        """The full names of the node pools that have a group in a zone."""
        return [name for name, pool in self._pools.items() if zone in pool.locations]

    def groups_of(self, name: str) -> list[InstanceGroup]:
        """The instance groups of a node pool, in the order of its zones."""
        return self._groups[name]

    def running_in(self, names: Iterable[str]) -> int:
        """The number of nodes of these node pools."""
        return sum(group.running for name in names for group in self._groups[name])

    def resize(self, name: str, sizes: Iterable[int]) -> None:
        """Say how many nodes each of a node pool's groups is to have; they come and go with `bring`."""
        for group, size in zip(self._groups[name], sizes, strict=True):
            group.target_size = size

    def bring(self, name: str) -> bool:
        """Let a node pool's nodes come and go, except that none come in a zone that is out of stock.

        False if any lacks; when all are there, nothing is said of a stock-out any more.
        """
        for group in self._groups[name]:
            if group.missing == 0 or group.zone not in self.stock_outs:
                group.running = group.target_size
        if any(group.missing for group in self._groups[name]):
            return False
        self._pools[name].conditions = []
        return True

    def report_stock_out(self, name: str, after: timedelta) -> list[container_v1.StatusCondition]:
        """Say in a node pool's conditions that nodes lack after a while, and return the conditions."""
        self._pools[name].conditions = [
            container_v1.StatusCondition(
                code=container_v1.StatusCondition.Code.GCE_STOCKOUT,
                canonical_code=grpc.StatusCode.RESOURCE_EXHAUSTED.value[0],
                message=_stock_out(group, after),
            )
            for group in self._groups[name]
            if group.missing
        ]
        return list(self._pools[name].conditions)

    def set_status(self, name: str, status: container_v1.NodePool.Status) -> None:
        """Set the status of a node pool; RUNNING becomes RUNNING_WITH_ERROR if nodes are missing."""
        pool = self._pools[name]
        pool.status = Status.RUNNING_WITH_ERROR if pool.conditions and status == Status.RUNNING else status
        pool.status_message = pool.conditions[0].message if pool.status == Status.RUNNING_WITH_ERROR else ""


def _stock_out(group: InstanceGroup, after: timedelta) -> str:
    """As published messages have it, such as that of hashicorp/terraform-provider-google #10121."""
    return (
        f"Google Compute Engine: Not all instances running in IGM after {after.total_seconds():.0f}s. "
        f"Expected {group.target_size}, running {group.running}, transitioning {group.missing}. "
        f"Current errors: [GCE_STOCKOUT]: Instance creation failed: ZONE_RESOURCE_POOL_EXHAUSTED: "
        f"The zone 'projects/{group.project}/zones/{group.zone}' does not have enough resources available to "
        "fulfill the request. '(resource type:compute)'."
    )
