"""The GKE clusters of a world, and their node pools."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec
from google.cloud import container_v1

from localcloud.core.world_format import Count
from localcloud.core.world_place import Place
from localcloud.core.world_proto import Proto, complete

if TYPE_CHECKING:
    from localcloud.gke.service import Gke


class LocationPolicy(StrEnum):
    """In which zones GKE's autoscaler adds nodes: evenly, or wherever it can."""

    BALANCED = "BALANCED"
    ANY = "ANY"


class NodePoolAutoscaling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether GKE resizes a node pool by itself, and between which bounds: in each zone, or in all."""

    enabled: bool = True
    min_node_count: Count = 0
    max_node_count: Count = 0
    total_min_node_count: Count = 0
    total_max_node_count: Count = 0
    location_policy: LocationPolicy | None = None


class NodePool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A node pool of a GKE cluster."""

    locations: list[str] = []
    """Its zones; none means those of the cluster."""
    node_count: Count = 1
    """The number of nodes in each zone."""
    autoscaling: NodePoolAutoscaling | None = None
    demand: Count | None = None
    """The nodes that its pods need in all, which the autoscaler follows; none means as many as there are."""
    proto: Proto = {}


class Cluster(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A GKE cluster and its node pools, by id."""

    node_pools: dict[str, NodePool] = {}
    proto: Proto = {}


def add_clusters(service: "Gke", place: Place, clusters: Mapping[str, Cluster]) -> None:
    """Create running clusters with their node pools."""
    for key, cluster in clusters.items():
        with place.key(key):
            parent, cluster_id = place.parent_of(key)
            name = f"{parent}/clusters/{cluster_id}"
            made = container_v1.Cluster()
            complete(container_v1.Cluster.pb(made), cluster.proto)
            service.add_cluster(name, made)
        for pool_id, pool in cluster.node_pools.items():
            with place.key(key, "node_pools", pool_id):
                full_name = service.add_node_pool(name, _node_pool(pool, pool_id), pool.node_count)
                service.set_demand(full_name, pool.demand)


def _node_pool(spec: NodePool, pool_id: str) -> container_v1.NodePool:
    pool = container_v1.NodePool(name=pool_id, locations=spec.locations)
    if spec.autoscaling:
        said = msgspec.structs.asdict(spec.autoscaling)
        pool.autoscaling = container_v1.NodePoolAutoscaling(
            {name: value for name, value in said.items() if value is not None}
        )
    complete(container_v1.NodePool.pb(pool), spec.proto)
    if "initial_node_count" not in spec.proto and "initialNodeCount" not in spec.proto:
        pool.initial_node_count = spec.node_count
    return pool
