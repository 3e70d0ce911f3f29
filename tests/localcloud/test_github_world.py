"""GitHub and Artifact Registry in a world, seen through their APIs."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from google.cloud import artifactregistry_v1 as artifactregistry

from localcloud import LocalCloud
from localcloud.world import seed, world_from
from shared.clients import Clients
from shared.errors import SettingsError
from tests.localcloud.github_client import GitHubClient

pytestmark = pytest.mark.one_python

SHA, DIGEST = "1" * 40, "sha256:" + "1" * 64
GITHUB = {
    "repositories": {
        "acme/shop": {
            "permissions": {"alice": "write"},
            "pull_requests": {
                7: {
                    "head_sha": SHA,
                    "login": "alice",
                    "labels": ["preview"],
                    "draft": True,
                    "title": "Sale",
                    "comments": [{"login": "alice", "body": "/preview"}],
                },
                8: {"head_sha": SHA, "head_repository": "mallory/shop", "head_ref": "patch"},
                9: {"head_sha": SHA, "state": "closed"},
            },
            "deployments": [{"environment": "staging", "sha": SHA, "login": "ci", "environment_url": "https://a.test"}],
        },
        "acme/site": {"private": False, "default_branch": "trunk"},
    },
    "tokens": {
        "ghp_all": {"login": "root"},
        "ghp_shop": {"login": "bot", "repositories": ["acme/shop"], "permissions": {"pull_requests": "read"}},
    },
    "apps": {12: {"public_key": "PEM", "installations": {99: {"permissions": {"issues": "write"}}}}},
}


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=datetime(2026, 11, 1, tzinfo=UTC)) as cloud:
        yield cloud


def test_github_comes_true(cloud: LocalCloud) -> None:
    seed(cloud, world_from({"github": GITHUB}))
    assert cloud.server.calls == []
    with GitHubClient(cloud, "ghp_shop") as client:
        pulls = client.ok("GET", "repos/acme/shop/pulls", direction="asc")
        assert [(one["number"], one["draft"], one["head"]["repo"]["full_name"]) for one in pulls] == [
            (7, True, "acme/shop"),
            (8, False, "mallory/shop"),
        ]
        assert client.ok("GET", "repos/acme/shop/pulls/9")["state"] == "closed"
        assert client.ok("GET", "repos/acme/shop/collaborators/alice/permission")["permission"] == "write"
        assert client.send("GET", "repos/acme/site").status_code == 404
        assert client.send("GET", "repos/acme/shop/deployments").status_code == 403
    with GitHubClient(cloud, "ghp_all") as client:
        (comment,) = client.ok("GET", "repos/acme/shop/issues/7/comments")
        assert (comment["user"]["login"], comment["body"]) == ("alice", "/preview")
        (deployment,) = client.ok("GET", "repos/acme/shop/deployments")
        assert (deployment["environment"], deployment["sha"], deployment["creator"]["login"]) == ("staging", SHA, "ci")
        (status,) = client.ok("GET", deployment["statuses_url"])
        assert (status["state"], status["environment_url"]) == ("success", "https://a.test")
    assert cloud.github.state.installations[99].permissions == {"issues": "write"}


def test_images_come_true(cloud: LocalCloud) -> None:
    repositories = {"images": {"images": {"shop": {DIGEST: ["latest"]}}}, "us/others": {}}
    seed(cloud, world_from({"projects": {"demo-project": {"location": "europe-west1", "repositories": repositories}}}))
    assert cloud.server.calls == []
    clients = Clients("demo-project", endpoint=cloud.address)
    registry = clients.of(artifactregistry.ArtifactRegistryClient)
    parent = "projects/demo-project/locations/{}/repositories/{}"
    (image,) = registry.list_docker_images(parent=parent.format("europe-west1", "images"))
    assert (image.uri, image.tags) == (f"europe-west1-docker.pkg.dev/demo-project/images/shop@{DIGEST}", ["latest"])
    assert list(registry.list_docker_images(parent=parent.format("us", "others"))) == []
    clients.close()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"github": {"repositories": {"shop": {}}}}, r"github\.repositories"),
        ({"github": {"repositories": {"a/b": {"pull_requests": {7: {"head_sha": "1"}}}}}}, "'1' for .*head_sha"),
        (
            {"github": {"repositories": {"a/b": {"permissions": {"alice": "owner"}}}}},
            "'owner' for .*maintain",
        ),
        ({"github": {"repositories": {"a/b": {}, "A/b": {}}}}, r"github\.repositories\.A/b; .* is there already"),
        (
            {"github": {"repositories": {"a/b": {"deployments": [{"environment": "x", "sha": SHA}]}}}},
            r"a/b\.deployments\[0\]; .* has no commit 111",
        ),
        ({"projects": {"p": {"location": "us", "repositories": {"Images": {}}}}}, r"repositories\.Images; .* no name"),
        (
            {"projects": {"p": {"location": "us", "repositories": {"images": {"images": {"shop": {"1": []}}}}}}},
            r"repositories\.images; '1' is no digest",
        ),
    ],
)
def test_what_cannot_be(cloud: LocalCloud, data: object, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        seed(cloud, world_from(data))
