"""Artifact Registry on the local cloud, through the official client."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from google.api_core import exceptions
from google.cloud import artifactregistry_v1 as artifactregistry
from google.pubsub_v1 import PublisherClient, SubscriberClient

from localcloud import LocalCloud
from localcloud.core.server import ApiError
from localcloud.core.snapshot import Snapshot
from shared.clients import Clients

pytestmark = pytest.mark.one_python

REPOSITORY = "projects/demo-project/locations/europe-west1/repositories/images"
HOST = "europe-west1-docker.pkg.dev/demo-project/images"
FIRST, SECOND = "sha256:" + "1" * 64, "sha256:" + "2" * 64
NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=NOW) as cloud:
        cloud.artifact_registry.add_repository(REPOSITORY)
        yield cloud


@pytest.fixture
def clients(cloud: LocalCloud) -> Iterator[Clients]:
    clients = Clients("demo-project", endpoint=cloud.address)
    yield clients
    clients.close()


@pytest.fixture
def registry(clients: Clients) -> artifactregistry.ArtifactRegistryClient:
    return clients.of(artifactregistry.ArtifactRegistryClient)


@pytest.fixture
def subscriber(clients: Clients) -> SubscriberClient:
    clients.of(PublisherClient).create_topic(name="projects/demo-project/topics/gcr")
    subscriber = clients.of(SubscriberClient)
    subscriber.create_subscription(
        name="projects/demo-project/subscriptions/images", topic="projects/demo-project/topics/gcr"
    )
    return subscriber


def published(subscriber: SubscriberClient) -> list[dict[str, str]]:
    request = {"subscription": "projects/demo-project/subscriptions/images", "max_messages": 100}
    found = [json.loads(one.message.data) for one in subscriber.pull(request=request).received_messages]
    return sorted(found, key=str)


def test_an_image_by_its_digest_and_by_its_tag(
    cloud: LocalCloud, registry: artifactregistry.ArtifactRegistryClient
) -> None:
    uri = cloud.artifact_registry.push_image(REPOSITORY, "shop", FIRST, ["latest", "pr-7"])
    assert uri == f"{HOST}/shop@{FIRST}"
    image = registry.get_docker_image(name=f"{REPOSITORY}/dockerImages/shop@{FIRST}")
    assert (image.uri, image.tags, image.upload_time) == (uri, ["latest", "pr-7"], NOW)
    tag = registry.get_tag(name=f"{REPOSITORY}/packages/shop/tags/pr-7")
    assert tag.version == f"{REPOSITORY}/packages/shop/versions/{FIRST}"


def test_a_tag_moves(cloud: LocalCloud, registry: artifactregistry.ArtifactRegistryClient) -> None:
    cloud.artifact_registry.push_image(REPOSITORY, "shop", FIRST, ["latest", "one"])
    cloud.artifact_registry.push_image(REPOSITORY, "other", FIRST, ["latest"])
    cloud.clock.advance(timedelta(hours=1))
    cloud.artifact_registry.push_image(REPOSITORY, "shop", SECOND, ["latest"])
    tags = {one.name.rsplit("/", 1)[1]: one.version for one in registry.list_tags(parent=f"{REPOSITORY}/packages/shop")}
    versions = f"{REPOSITORY}/packages/shop/versions"
    assert tags == {"latest": f"{versions}/{SECOND}", "one": f"{versions}/{FIRST}"}
    images = {one.uri: list(one.tags) for one in registry.list_docker_images(parent=REPOSITORY)}
    assert images == {f"{HOST}/other@{FIRST}": ["latest"], f"{HOST}/shop@{FIRST}": ["one"]} | {
        f"{HOST}/shop@{SECOND}": ["latest"]
    }


def test_a_nested_name_is_encoded(cloud: LocalCloud, registry: artifactregistry.ArtifactRegistryClient) -> None:
    uri = cloud.artifact_registry.push_image(REPOSITORY, "shop/web", FIRST, ["latest"])
    assert uri == f"{HOST}/shop/web@{FIRST}"
    (image,) = registry.list_docker_images(parent=REPOSITORY)
    assert image.name == f"{REPOSITORY}/dockerImages/shop%2Fweb@{FIRST}"
    assert registry.get_docker_image(name=image.name).uri == uri
    assert registry.get_tag(name=f"{REPOSITORY}/packages/shop%2Fweb/tags/latest").version.endswith(f"/{FIRST}")


def test_pages(cloud: LocalCloud, registry: artifactregistry.ArtifactRegistryClient) -> None:
    for number in range(5):
        cloud.artifact_registry.push_image(REPOSITORY, f"image-{number}", FIRST, ["a", "b", "c"])
    request = artifactregistry.ListDockerImagesRequest(parent=REPOSITORY, page_size=2)
    assert [len(one.docker_images) for one in registry.list_docker_images(request=request).pages] == [2, 2, 1]
    tags = artifactregistry.ListTagsRequest(parent=f"{REPOSITORY}/packages/image-1", page_size=2)
    assert [one.name[-1] for one in registry.list_tags(request=tags)] == ["a", "b", "c"]


def test_what_is_published(cloud: LocalCloud, subscriber: SubscriberClient) -> None:
    registry = cloud.artifact_registry
    registry.push_image(REPOSITORY, "shop", FIRST, ["a", "b"])
    digest = f"{HOST}/shop@{FIRST}"
    assert published(subscriber) == [
        {"action": "INSERT", "digest": digest, "tag": f"{HOST}/shop:a"},
        {"action": "INSERT", "digest": digest, "tag": f"{HOST}/shop:b"},
    ]
    registry.push_image(REPOSITORY, "shop", FIRST, ["a"])
    assert published(subscriber) == []
    registry.push_image(REPOSITORY, "shop", SECOND)
    assert published(subscriber) == [{"action": "INSERT", "digest": f"{HOST}/shop@{SECOND}"}]
    registry.push_image(REPOSITORY, "shop", SECOND, ["b"])
    assert published(subscriber) == [
        {"action": "INSERT", "digest": f"{HOST}/shop@{SECOND}", "tag": f"{HOST}/shop:b"},
    ]
    registry.delete_image(REPOSITORY, "shop", FIRST)
    assert published(subscriber) == [
        {"action": "DELETE", "digest": digest},
        {"action": "DELETE", "tag": f"{HOST}/shop:a"},
    ]


def test_what_is_not_there(cloud: LocalCloud, registry: artifactregistry.ArtifactRegistryClient) -> None:
    cloud.artifact_registry.push_image(REPOSITORY, "shop", FIRST, ["a"])
    cloud.artifact_registry.delete_image(REPOSITORY, "shop", FIRST)
    with pytest.raises(exceptions.NotFound):
        registry.get_docker_image(name=f"{REPOSITORY}/dockerImages/shop@{FIRST}")
    with pytest.raises(exceptions.NotFound):
        registry.get_tag(name=f"{REPOSITORY}/packages/shop/tags/a")
    with pytest.raises(exceptions.NotFound):
        registry.list_tags(parent=f"{REPOSITORY}/packages/shop")
    with pytest.raises(exceptions.NotFound):
        registry.list_docker_images(parent=f"{REPOSITORY}-of-others")
    with pytest.raises(ApiError, match="not found"):
        cloud.artifact_registry.delete_image(REPOSITORY, "shop", FIRST)
    with pytest.raises(ApiError, match="not found"):
        cloud.artifact_registry.push_image(f"{REPOSITORY}-of-others", "shop", FIRST)


def test_what_is_refused(cloud: LocalCloud, registry: artifactregistry.ArtifactRegistryClient) -> None:
    cloud.artifact_registry.push_image(REPOSITORY, "shop", FIRST)
    with pytest.raises(exceptions.InvalidArgument, match="filter"):
        registry.list_tags(
            request=artifactregistry.ListTagsRequest(parent=f"{REPOSITORY}/packages/shop", filter='name="a"')
        )
    with pytest.raises(exceptions.MethodNotImplemented, match="order_by"):
        registry.list_docker_images(
            request=artifactregistry.ListDockerImagesRequest(parent=REPOSITORY, order_by="name")
        )
    with pytest.raises(exceptions.MethodNotImplemented, match="ListPackages"):
        registry.list_packages(parent=REPOSITORY)
    with pytest.raises(exceptions.InvalidArgument):
        registry.get_docker_image(name="shop")
    with pytest.raises(ApiError, match="already exists"):
        cloud.artifact_registry.add_repository(REPOSITORY)


@pytest.mark.parametrize(
    ("image", "digest", "tag"),
    [
        ("Shop", FIRST, "a"),
        ("shop/", FIRST, "a"),
        ("shop", "sha256:1", "a"),
        ("shop", FIRST, "-a"),
        ("a", FIRST, "a:b"),
    ],
)
def test_what_cannot_be_pushed(cloud: LocalCloud, image: str, digest: str, tag: str) -> None:
    with pytest.raises(ApiError, match="is no "):
        cloud.artifact_registry.push_image(REPOSITORY, image, digest, [tag])


def test_a_snapshot_puts_images_and_tags_back(
    cloud: LocalCloud, registry: artifactregistry.ArtifactRegistryClient
) -> None:
    cloud.artifact_registry.push_image(REPOSITORY, "shop", FIRST, ["a"])
    snapshot = Snapshot(cloud)
    for _ in range(2):
        cloud.artifact_registry.push_image(REPOSITORY, "shop", SECOND, ["a"])
        cloud.artifact_registry.delete_image(REPOSITORY, "shop", FIRST)
        snapshot.restore()
        (image,) = registry.list_docker_images(parent=REPOSITORY)
        assert (image.uri, image.tags) == (f"{HOST}/shop@{FIRST}", ["a"])


def test_repositories_are_created_changed_and_deleted(registry: artifactregistry.ArtifactRegistryClient) -> None:
    parent, name = REPOSITORY.partition("/repositories/")[0], REPOSITORY.replace("images", "more")
    request = {"parent": parent, "repository_id": "more", "repository": {"format_": "DOCKER", "labels": {"a": "b"}}}
    created = registry.create_repository(request=request).result()
    assert (created.name, created.registry_uri, created.create_time) == (name, f"{HOST[:-6]}more", NOW)
    assert [one.name for one in registry.list_repositories(parent=parent)] == [REPOSITORY, name]
    with pytest.raises(exceptions.AlreadyExists):
        registry.create_repository(request=request)
    with pytest.raises(exceptions.MethodNotImplemented, match="Docker"):
        registry.create_repository(request={**request, "repository": {"format_": "NPM"}})
    mask = {"paths": ["description"]}
    changed = registry.update_repository(
        request={"repository": {"name": name, "description": "ours"}, "update_mask": mask}
    )
    assert (changed.description, changed.labels) == ("ours", {"a": "b"})
    registry.delete_repository(name=name).result()
    with pytest.raises(exceptions.NotFound):
        registry.get_repository(name=name)


def test_images_go_with_their_repository(cloud: LocalCloud, registry: artifactregistry.ArtifactRegistryClient) -> None:
    cloud.artifact_registry.push_image(REPOSITORY, "shop", FIRST, ["v1"])
    registry.delete_repository(name=REPOSITORY).result()
    cloud.artifact_registry.add_repository(REPOSITORY)
    assert list(registry.list_docker_images(parent=REPOSITORY)) == []
