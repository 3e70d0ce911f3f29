"""GKE's clusters, without their node pools."""

import uuid
from datetime import UTC

from google.cloud import container_v1

from localcloud.core.clock import Clock
from localcloud.gke import rules
from localcloud.gke.defaults import complete_cluster


class Clusters:
    """The clusters, by their full names. Hold the lock of the instance groups while using it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._clusters: dict[str, container_v1.Cluster] = {}
        self._writes = 0

    def add(self, name: str, cluster: container_v1.Cluster) -> None:
        """Make a cluster of this full name; it runs unless it has another status. Raises ``ApiError``."""
        parent, cluster_id = rules.split_cluster(name)
        rules.check_id(cluster_id, "cluster")
        if name in self._clusters:
            raise rules.already_exists(name)
        location = parent.rpartition("/")[2]
        cluster.name, cluster.location, cluster.zone = cluster_id, location, location
        cluster.self_link = rules.link(name)
        cluster.locations = rules.zones_of(location, list(cluster.locations))
        cluster.status = cluster.status or container_v1.Cluster.Status.RUNNING
        cluster.create_time = cluster.create_time or self._clock.now().astimezone(UTC).isoformat()
        self.replace(name, cluster)

    def replace(self, name: str, cluster: container_v1.Cluster) -> None:
        """Put a changed cluster in the place of the one that is there; its status stays as it is there."""
        if name in self._clusters:
            cluster.status = self._clusters[name].status
        complete_cluster(cluster, name)
        self._writes += 1
        cluster.etag = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name}/{self._writes}"))
        self._clusters[name] = cluster

    def remove(self, name: str) -> None:
        """Take away a cluster."""
        del self._clusters[name]

    def existing(self, name: str) -> container_v1.Cluster:
        """The cluster itself, to be changed. Raises NOT_FOUND, or INVALID_ARGUMENT for another kind of name."""
        rules.split_cluster(name)
        if name not in self._clusters:
            raise rules.not_found(name)
        return self._clusters[name]

    def names_in(self, prefix: str) -> list[str]:
        """The full names of the clusters whose names begin so."""
        return [name for name in sorted(self._clusters) if name.startswith(prefix)]
