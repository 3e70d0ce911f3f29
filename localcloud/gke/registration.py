"""GKE in the local cloud."""

from localcloud.compute.registration import INSTANCE_GROUPS
from localcloud.core.rpcs import Api
from localcloud.core.service import Section, Service
from localcloud.core.world_format import Project
from localcloud.gke.seed import Cluster, add_clusters
from localcloud.gke.service import Gke

GKE = Service(
    lambda cloud: Gke(cloud.clock, cloud.of(INSTANCE_GROUPS)),
    transports=(Api("google.cloud.container_v1.services.cluster_manager", "ClusterManager"),),
    needs_billing=True,
    sections=(Section(Project, "clusters", dict[str, Cluster], add_clusters),),
)
