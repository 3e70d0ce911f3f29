"""Artifact Registry in the local cloud."""

from localcloud.artifact_registry.seed import Repository, add_repositories
from localcloud.artifact_registry.service import ArtifactRegistry
from localcloud.core.rpcs import Api
from localcloud.core.service import Section, Service
from localcloud.core.world_format import Project
from localcloud.pubsub.registration import PUBSUB

ARTIFACT_REGISTRY = Service(
    lambda cloud: ArtifactRegistry(cloud.clock, cloud.operations, cloud.of(PUBSUB)),
    transports=(Api("google.cloud.artifactregistry_v1.services.artifact_registry", "ArtifactRegistry"),),
    sections=(Section(Project, "repositories", dict[str, Repository], add_repositories),),
    happenings=(ArtifactRegistry.push_image, ArtifactRegistry.delete_image),
)
