"""The used share of the ranges of pods' addresses: GKE shows it in clusters, not in node pools read alone.

Message description of ``google.container.v1.NodeNetworkConfig``: nodes times addresses for each of them, in relation
to the addresses of the range. Recorded answers round for each node pool, to four digits.
"""

from collections import defaultdict
from collections.abc import Sequence
from ipaddress import ip_network

from google.cloud import container_v1

ADDRESS_BITS = 32
DIGITS = 4


def show_utilization(cluster: container_v1.Cluster, nodes: Sequence[int]) -> None:
    """Set the utilization of each node pool of a cluster, which have so many nodes.

    Ranges that belong to a subnetwork of the caller's are passed over: their size is not known here.
    """
    if cluster.ip_allocation_policy.cluster_secondary_range_name:
        return
    used: defaultdict[str, float] = defaultdict(float)
    for pool, count in zip(cluster.node_pools, nodes, strict=True):
        used[pool.network_config.pod_range] += _share(pool, count)
    for pool in cluster.node_pools:
        if used[pool.network_config.pod_range]:
            pool.network_config.pod_ipv4_range_utilization = round(used[pool.network_config.pod_range], DIGITS)


def _share(pool: container_v1.NodePool, nodes: int) -> float:
    """The part of its range that the nodes of a pool use."""
    addresses = nodes << (ADDRESS_BITS - pool.pod_ipv4_cidr_size)
    available = ip_network(pool.network_config.pod_ipv4_cidr_block).num_addresses
    return round(addresses / available, DIGITS)
