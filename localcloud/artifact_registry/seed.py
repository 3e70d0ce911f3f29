"""The Docker repositories of a world."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from localcloud.core.world_place import Place

if TYPE_CHECKING:
    from localcloud.artifact_registry.service import ArtifactRegistry


class Repository(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Docker repository of Artifact Registry: by an image's name and its digest, the tags of each."""

    images: dict[str, dict[str, list[str]]] = {}


def add_repositories(service: "ArtifactRegistry", place: Place, repositories: Mapping[str, Repository]) -> None:
    """Create repositories, and push their images."""
    for key, repository in repositories.items():
        with place.key(key):
            parent, repository_id = place.parent_of(key)
            name = f"{parent}/repositories/{repository_id}"
            service.add_repository(name)
            for image, digests in repository.images.items():
                for digest, tags in digests.items():
                    service.push_image(name, image, digest, tags)
