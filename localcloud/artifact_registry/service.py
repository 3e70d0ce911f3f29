"""Artifact Registry: images in Docker repositories, their tags, and what the registry publishes of them.

Pushing and deleting is a Docker registry's business, not this API's: `ArtifactRegistry.push_image` and `delete_image`
do it here. Repositories of other formats, and writes to what is in one, are not served.
"""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, unquote

import grpc
from google.cloud import artifactregistry_v1 as artifactregistry
from google.pubsub_v1 import types as pubsub

from localcloud.artifact_registry.repositories import LARGEST_PAGE, PAGE_SIZE, Repositories
from localcloud.core.clock import Clock
from localcloud.core.messages import invalid, page
from localcloud.core.operations import Operations
from localcloud.core.server import ApiError
from localcloud.pubsub.service import PubSub

MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json"
# https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
IMAGE = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass
class Image:
    """An image: a digest, under a name in a repository."""

    repository: str
    """In full: projects/PROJECT/locations/LOCATION/repositories/REPOSITORY."""
    image: str
    digest: str
    upload_time: datetime
    update_time: datetime
    tags: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """Its full name as a Docker image."""
        return f"{self.repository}/dockerImages/{quote(self.image, safe='')}@{self.digest}"

    @property
    def package(self) -> str:
        """The full name of the package that has its versions and tags."""
        return f"{self.repository}/packages/{quote(self.image, safe='')}"

    @property
    def version(self) -> str:
        """Its full name as a version of the package."""
        return f"{self.package}/versions/{self.digest}"

    @property
    def path(self) -> str:
        """By what it is pushed and pulled, without tag or digest."""
        _, project, _, location, _, repository = self.repository.split("/")
        return f"{location}-docker.pkg.dev/{project}/{repository}/{self.image}"

    @property
    def uri(self) -> str:
        """By what it is pulled, and deployed."""
        return f"{self.path}@{self.digest}"


class ArtifactRegistry(Repositories):
    """Serves ``google.cloud.artifactregistry_v1.ArtifactRegistryClient``: Docker repositories, and reading images."""

    def __init__(self, clock: Clock, operations: Operations, pubsub: PubSub) -> None:
        super().__init__(clock, operations)
        self._pubsub = pubsub
        self._images: dict[str, Image] = {}

    def push_image(self, repository: str, image: str, digest: str, tags: Collection[str] = ()) -> str:
        """Push an image, and return its ``uri``. Its tags move here from where they were.

        What is new is published: the image with each tag, or by its digest alone if it has none. Raises NOT_FOUND for
        the repository (its full name), and INVALID_ARGUMENT.
        """
        _check(image, digest, tags)
        now = self._clock.now()
        with self._lock:
            self._check_repository(repository)
            given = Image(repository, image, digest, now, now)
            is_new = given.name not in self._images
            pushed = self._images.setdefault(given.name, given)
            moved = [tag for tag in tags if tag not in pushed.tags]
            for tag in moved:
                self._untag(pushed.package, tag)
                pushed.tags.add(tag)
            if moved:
                pushed.update_time = now
            if is_new and not moved:
                self._publish(pushed, action="INSERT", digest=pushed.uri)
            for tag in moved:
                self._publish(pushed, action="INSERT", digest=pushed.uri, tag=f"{pushed.path}:{tag}")
            return pushed.uri

    def delete_image(self, repository: str, image: str, digest: str) -> None:
        """Delete an image and its tags, which is published. Raises NOT_FOUND."""
        with self._lock:
            gone = self._image(Image(repository, image, digest, self._clock.now(), self._clock.now()).name)
            del self._images[gone.name]
            for tag in sorted(gone.tags):
                self._publish(gone, action="DELETE", tag=f"{gone.path}:{tag}")
            self._publish(gone, action="DELETE", digest=gone.uri)

    def get_docker_image(self, request: artifactregistry.GetDockerImageRequest) -> artifactregistry.DockerImage:
        """One image, by its digest."""
        with self._lock:
            return _docker_image(self._image(request.name))

    def list_docker_images(
        self, request: artifactregistry.ListDockerImagesRequest
    ) -> artifactregistry.ListDockerImagesResponse:
        """The images of a repository, by name. UNIMPLEMENTED for another order."""
        if request.order_by:
            raise ApiError(grpc.StatusCode.UNIMPLEMENTED, "order_by is not served by the local cloud")
        with self._lock:
            self._check_repository(request.parent)
            here = {name: _docker_image(one) for name, one in self._images.items() if one.repository == request.parent}
            shown, token = page(here, request.page_size, request.page_token, default=PAGE_SIZE, maximum=LARGEST_PAGE)
            return artifactregistry.ListDockerImagesResponse(docker_images=shown, next_page_token=token)

    def get_tag(self, request: artifactregistry.GetTagRequest) -> artifactregistry.Tag:
        """One tag: the version that it points to now."""
        package, _, tag = request.name.rpartition("/tags/")
        with self._lock:
            self._check_repository(package.rpartition("/packages/")[0])
            found = self._tags(package).get(f"{package}/tags/{unquote(tag)}")
            if found is None:
                raise ApiError(grpc.StatusCode.NOT_FOUND, "Requested entity was not found.")
            return found

    def list_tags(self, request: artifactregistry.ListTagsRequest) -> artifactregistry.ListTagsResponse:
        """The tags of a package. INVALID_ARGUMENT for any filter: none is served."""
        if request.filter:
            raise invalid("filter is not served by the local cloud")
        with self._lock:
            self._check_package(request.parent)
            tags = self._tags(request.parent)
            shown, token = page(tags, request.page_size, request.page_token, default=PAGE_SIZE, maximum=LARGEST_PAGE)
            return artifactregistry.ListTagsResponse(tags=shown, next_page_token=token)

    def _image(self, name: str) -> Image:
        self._check_repository(name.rpartition("/dockerImages/")[0])
        if name not in self._images:
            raise ApiError(grpc.StatusCode.NOT_FOUND, "Requested entity was not found.")
        return self._images[name]

    def _delete_images(self, repository: str) -> None:
        self._images = {name: one for name, one in self._images.items() if one.repository != repository}

    def _check_package(self, name: str) -> None:
        self._check_repository(name.rpartition("/packages/")[0])
        if all(one.package != name for one in self._images.values()):
            raise ApiError(grpc.StatusCode.NOT_FOUND, "Requested entity was not found.")

    def _tags(self, package: str) -> dict[str, artifactregistry.Tag]:
        return {
            f"{package}/tags/{tag}": artifactregistry.Tag(name=f"{package}/tags/{tag}", version=one.version)
            for one in self._images.values()
            if one.package == package
            for tag in one.tags
        }

    def _untag(self, package: str, tag: str) -> None:
        for one in self._images.values():
            if one.package == package:
                one.tags.discard(tag)

    def _publish(self, image: Image, **content: str) -> None:
        """https://docs.cloud.google.com/artifact-registry/docs/configure-notifications; the topic need not be there."""
        project = image.repository.split("/")[1]
        message = pubsub.PubsubMessage(data=json.dumps(content).encode())
        try:
            self._pubsub.publish(pubsub.PublishRequest(topic=f"projects/{project}/topics/gcr", messages=[message]))
        except ApiError as error:
            if error.code is not grpc.StatusCode.NOT_FOUND:
                raise


def _check(image: str, digest: str, tags: Collection[str]) -> None:
    if not IMAGE.fullmatch(image):
        raise invalid(f"{image!r} is no name of an image")
    if not DIGEST.fullmatch(digest):
        raise invalid(f"{digest!r} is no digest: sha256: and 64 hexadecimal digits")
    for tag in tags:
        if not TAG.fullmatch(tag):
            raise invalid(f"{tag!r} is no tag")


def _docker_image(image: Image) -> artifactregistry.DockerImage:
    return artifactregistry.DockerImage(
        name=image.name,
        uri=image.uri,
        tags=sorted(image.tags),
        media_type=MEDIA_TYPE,
        upload_time=image.upload_time,
        update_time=image.update_time,
    )
