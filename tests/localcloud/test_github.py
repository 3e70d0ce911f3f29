"""GitHub's REST API on the local cloud: repositories, pull requests, comments, deployments, webhooks.

Every good answer is checked against GitHub's own description (`tests.localcloud.github_client`).
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from localcloud import LocalCloud
from localcloud.core.snapshot import Snapshot
from localcloud.github.access import PERMISSIONS
from localcloud.github.schema import description
from localcloud.github.service import OPERATIONS
from localcloud.github.state import Head
from tests.localcloud.github_client import GitHubClient, refusal

pytestmark = pytest.mark.one_python

SHOP = "repos/acme/shop"
FIRST, SECOND = "1" * 40, "2" * 40
MINUTE = timedelta(minutes=1)


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=datetime(2026, 11, 1, tzinfo=UTC)) as cloud:
        cloud.github.add_repository("acme/shop")
        cloud.github.open_pull_request("acme/shop", 7, Head(FIRST), login="alice", title="Sale", labels=["preview"])
        cloud.github.add_token("ghp_all", "caretaker-bot")
        yield cloud


@pytest.fixture
def client(cloud: LocalCloud) -> Iterator[GitHubClient]:
    with GitHubClient(cloud, "ghp_all") as client:
        yield client


def test_every_operation_is_served() -> None:
    assert set(OPERATIONS) == PERMISSIONS.keys() == description().operations.keys()


def test_a_repository_in_any_case(client: GitHubClient) -> None:
    repository = client.ok("GET", SHOP)
    assert (repository["full_name"], repository["private"], repository["default_branch"]) == ("acme/shop", True, "main")
    assert client.ok("GET", "repos/ACME/Shop") == repository


def test_a_pull_request_from_a_branch(client: GitHubClient) -> None:
    pull = client.ok("GET", f"{SHOP}/pulls/7")
    assert (pull["state"], pull["title"], pull["draft"], pull["merged"]) == ("open", "Sale", False, False)
    assert (pull["head"]["sha"], pull["head"]["ref"], pull["head"]["label"]) == (FIRST, "topic", "acme:topic")
    assert pull["head"]["repo"]["full_name"] == pull["base"]["repo"]["full_name"] == "acme/shop"
    assert pull["user"]["login"] == "alice"
    assert [one["name"] for one in pull["labels"]] == ["preview"]
    assert client.ok("GET", pull["url"])["number"] == 7
    assert client.ok("GET", pull["comments_url"]) == []


def test_a_pull_request_from_a_fork(cloud: LocalCloud, client: GitHubClient) -> None:
    cloud.github.open_pull_request("acme/shop", 8, Head(SECOND, repository="mallory/shop"), login="mallory")
    pull = client.ok("GET", f"{SHOP}/pulls/8")
    assert (pull["head"]["repo"]["full_name"], pull["head"]["repo"]["fork"]) == ("mallory/shop", True)
    assert pull["head"]["user"]["login"] == "mallory"
    assert client.ok("GET", f"{SHOP}/commits/{SECOND}")["sha"] == SECOND
    assert [one["number"] for one in client.ok("GET", f"{SHOP}/pulls", head="mallory:topic")] == [8]


def test_a_deleted_fork_is_null_whatever_the_description_says(cloud: LocalCloud, client: GitHubClient) -> None:
    cloud.github.open_pull_request("acme/shop", 8, Head(SECOND, repository="mallory/shop"))
    cloud.github.delete_fork("acme/shop", 8)
    head = client.session.get(f"{client.url}/{SHOP}/pulls/8", timeout=10).json()["head"]
    assert (head["repo"], head["sha"]) == (None, SECOND)


def test_the_life_of_a_pull_request(cloud: LocalCloud, client: GitHubClient) -> None:
    github, path = cloud.github, f"{SHOP}/pulls/7"
    cloud.clock.advance(MINUTE)
    github.push("acme/shop", 7, SECOND)
    pull = client.ok("GET", path)
    assert (pull["head"]["sha"], pull["updated_at"]) == (SECOND, "2026-11-01T00:01:00Z")
    assert client.ok("GET", f"{SHOP}/commits/topic")["sha"] == SECOND
    github.label("acme/shop", 7, "urgent")
    github.unlabel("acme/shop", 7, "preview")
    assert [one["name"] for one in client.ok("GET", f"{SHOP}/issues/7/labels")] == ["urgent"]
    github.set_draft("acme/shop", 7, draft=True)
    assert client.ok("GET", path)["draft"]
    github.close("acme/shop", 7)
    closed = client.ok("GET", path)
    assert (closed["state"], closed["closed_at"], closed["merged"]) == ("closed", "2026-11-01T00:01:00Z", False)
    assert client.ok("GET", f"{SHOP}/pulls") == []
    github.reopen("acme/shop", 7)
    assert (client.ok("GET", path)["state"], client.ok("GET", path)["closed_at"]) == ("open", None)
    github.close("acme/shop", 7, merged=True)
    assert client.ok("GET", path)["merged"]


def test_pages_of_pull_requests(cloud: LocalCloud, client: GitHubClient) -> None:
    for number in range(8, 13):
        cloud.clock.advance(MINUTE)
        cloud.github.open_pull_request("acme/shop", number, Head(FIRST, f"branch-{number}"))
    answer, seen = client.send("GET", f"{SHOP}/pulls", per_page=2, state="all"), []
    assert set(answer.links) == {"next", "last"}
    assert answer.links["last"]["url"].endswith("per_page=2&state=all&page=3")
    while True:
        seen += [one["number"] for one in answer.json()]
        if "next" not in answer.links:
            break
        answer = client.send("GET", answer.links["next"]["url"])
    assert seen == [12, 11, 10, 9, 8, 7]
    assert set(answer.links) == {"prev", "first"}
    assert set(client.send("GET", f"{SHOP}/pulls", per_page=2, page=2).links) == {"prev", "next", "last", "first"}
    assert "link" not in client.send("GET", f"{SHOP}/pulls").headers
    assert client.ok("GET", f"{SHOP}/pulls", page=9) == []


def test_a_page_has_at_most_a_hundred(cloud: LocalCloud, client: GitHubClient) -> None:
    for number in range(100, 201):
        cloud.github.open_pull_request("acme/shop", number, Head(FIRST))
    assert len(client.session.get(f"{client.url}/{SHOP}/pulls?per_page=500", timeout=10).json()) == 100
    assert len(client.session.get(f"{client.url}/{SHOP}/pulls", timeout=10).json()) == 30


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"direction": "asc"}, [7, 8, 9]),
        ({"sort": "updated"}, [9, 7, 8]),
        ({"sort": "updated", "direction": "desc"}, [8, 7, 9]),
        ({"state": "closed"}, [10]),
        ({"state": "all"}, [10, 9, 8, 7]),
        ({"base": "other"}, []),
        ({"head": "acme:branch-8"}, [8]),
    ],
)
def test_a_list_as_it_is_asked_for(
    cloud: LocalCloud, client: GitHubClient, query: dict[str, str], expected: list[int]
) -> None:
    for number in (8, 9, 10):
        cloud.github.open_pull_request("acme/shop", number, Head(FIRST, f"branch-{number}"))
    cloud.github.close("acme/shop", 10)
    cloud.clock.advance(MINUTE)
    cloud.github.push("acme/shop", 7, SECOND)
    cloud.clock.advance(MINUTE)
    cloud.github.label("acme/shop", 8, "urgent")
    assert [one["number"] for one in client.ok("GET", f"{SHOP}/pulls", **query)] == expected


def test_comments(cloud: LocalCloud, client: GitHubClient) -> None:
    theirs = cloud.github.comment("acme/shop", 7, "alice", "/preview")
    cloud.clock.advance(MINUTE)
    made = client.send("POST", f"{SHOP}/issues/7/comments", {"body": "Waiting."})
    assert made.status_code == 201
    ours = made.json()
    assert (ours["body"], ours["user"]["login"], ours["created_at"]) == (
        "Waiting.",
        "caretaker-bot",
        "2026-11-01T00:01:00Z",
    )
    listed = client.ok("GET", f"{SHOP}/issues/7/comments")
    assert [one["id"] for one in listed] == [theirs, ours["id"]]
    since = client.ok("GET", f"{SHOP}/issues/7/comments", since="2026-11-01T00:00:30Z")
    assert [one["id"] for one in since] == [ours["id"]]
    cloud.clock.advance(MINUTE)
    changed = client.ok("PATCH", ours["url"], {"body": "Ready."})
    assert (changed["body"], changed["updated_at"]) == ("Ready.", "2026-11-01T00:02:00Z")
    assert client.ok("GET", ours["url"]) == changed
    assert cloud.github.comments("acme/shop", 7) == ["/preview", "Ready."]
    assert client.send("DELETE", ours["url"]).status_code == 204
    assert client.send("GET", ours["url"]).status_code == 404
    assert client.ok("GET", f"{SHOP}/pulls/7")["comments"] == 1


def test_comments_of_all_pull_requests(cloud: LocalCloud, client: GitHubClient) -> None:
    cloud.github.open_pull_request("acme/shop", 8, Head(SECOND))
    first, second = (cloud.github.comment("acme/shop", number, "alice", "/preview") for number in (7, 8))
    cloud.clock.advance(MINUTE)
    third = client.ok("POST", f"{SHOP}/issues/7/comments", {"body": "Waiting."})["id"]
    cloud.clock.advance(MINUTE)
    client.ok("PATCH", f"{SHOP}/issues/comments/{first}", {"body": "/preview stop"})

    def listed(**query: object) -> list[int]:
        return [one["id"] for one in client.ok("GET", f"{SHOP}/issues/comments", **query)]

    assert listed() == [first, second, third]
    assert listed(sort="created", direction="asc", per_page=2) == [first, second]
    assert listed(sort="updated") == [first, third, second]
    assert listed(since="2026-11-01T00:00:30Z") == [first, third]
    assert client.send("GET", f"{SHOP}/issues/comments", since="yesterday").status_code == 422


def test_a_deployment_and_its_statuses(client: GitHubClient) -> None:
    asked = {"ref": FIRST, "environment": "preview/7", "transient_environment": True, "auto_merge": False}
    made = client.send("POST", f"{SHOP}/deployments", {**asked, "required_contexts": [], "payload": {"image": "x"}})
    assert made.status_code == 201
    deployment = made.json()
    assert (deployment["sha"], deployment["task"], deployment["payload"]) == (FIRST, "deploy", {"image": "x"})
    assert (deployment["transient_environment"], deployment["production_environment"]) == (True, False)
    url = "https://pr-7.example.com"
    client.ok("POST", deployment["statuses_url"], {"state": "in_progress"})
    status = client.ok("POST", deployment["statuses_url"], {"state": "success", "environment_url": url})
    assert (status["environment_url"], status["environment"], status["log_url"]) == (url, "preview/7", "")
    statuses = client.ok("GET", f"{SHOP}/deployments/{deployment['id']}/statuses")
    assert [one["state"] for one in statuses] == ["success", "in_progress"]
    assert client.ok("GET", deployment["url"])["id"] == deployment["id"]


def test_the_first_deployment_makes_its_environment_which_stays_until_it_is_deleted(client: GitHubClient) -> None:
    for name in ("staging", "pr/7", "staging"):
        client.ok("POST", f"{SHOP}/deployments", {"ref": "topic", "environment": name, "required_contexts": []})
    found = client.ok("GET", f"{SHOP}/environments")
    assert [one["name"] for one in found["environments"]] == ["staging", "pr/7"]
    assert found["total_count"] == 2
    client.ok("DELETE", f"{SHOP}/environments/pr%2F7")
    assert client.send("DELETE", f"{SHOP}/environments/pr%2F7").status_code == 404
    assert [one["name"] for one in client.ok("GET", f"{SHOP}/environments")["environments"]] == ["staging"]
    assert len(client.ok("GET", f"{SHOP}/deployments", environment="pr/7")) == 1


def test_deployments_are_listed_by_what_they_are(client: GitHubClient) -> None:
    ids = [
        client.ok("POST", f"{SHOP}/deployments", {"ref": "topic", "environment": name})["id"]
        for name in ("a", "b", "a")
    ]
    assert [one["id"] for one in client.ok("GET", f"{SHOP}/deployments")] == ids[::-1]
    assert [one["id"] for one in client.ok("GET", f"{SHOP}/deployments", environment="a")] == [ids[2], ids[0]]
    assert len(client.ok("GET", f"{SHOP}/deployments", environment="none", ref="topic")) == 3
    assert client.ok("GET", f"{SHOP}/deployments", sha=SECOND) == []


@pytest.mark.parametrize(
    ("environment", "said", "expected"),
    [
        ({}, {}, "inactive"),
        ({}, {"auto_inactive": False}, "success"),
        ({"transient_environment": True}, {}, "success"),
        ({"production_environment": True}, {}, "success"),
    ],
)
def test_a_success_makes_earlier_ones_inactive(
    client: GitHubClient, environment: dict[str, bool], said: dict[str, bool], expected: str
) -> None:
    earlier, later = (
        client.ok("POST", f"{SHOP}/deployments", {"ref": "topic", "environment": "staging", **environment})
        for _ in range(2)
    )
    for one in (earlier, later):
        client.ok("POST", one["statuses_url"], {"state": "success", **said})
    assert client.ok("GET", earlier["statuses_url"])[0]["state"] == expected
    assert client.ok("GET", later["statuses_url"])[0]["state"] == "success"


@pytest.mark.parametrize(
    ("level", "permission"),
    [("admin", "admin"), ("maintain", "write"), ("write", "write"), ("triage", "read"), ("read", "read")],
)
def test_what_a_collaborator_may(cloud: LocalCloud, client: GitHubClient, level: str, permission: str) -> None:
    cloud.github.set_permission("acme/shop", "Alice", level)
    found = client.ok("GET", f"{SHOP}/collaborators/aLiCe/permission")
    assert (found["permission"], found["role_name"], found["user"]["login"]) == (permission, level, "alice")
    assert found["user"]["permissions"]["push"] == (permission in ("admin", "write"))


def test_what_a_stranger_may(cloud: LocalCloud, client: GitHubClient) -> None:
    assert client.ok("GET", f"{SHOP}/collaborators/alice/permission")["permission"] == "none"
    cloud.github.add_repository("acme/site", private=False)
    assert client.ok("GET", "repos/acme/site/collaborators/alice/permission")["permission"] == "read"
    answer = client.send("GET", f"{SHOP}/collaborators/nobody/permission")
    assert refusal(answer) == (404, "nobody is not a user")
    with pytest.raises(ValueError, match="'owner' is no role"):
        cloud.github.set_permission("acme/shop", "alice", "owner")


def test_the_secret_of_a_webhook_is_changed_and_not_returned(cloud: LocalCloud, client: GitHubClient) -> None:
    hook_id = cloud.github.add_hook("acme/shop", "https://example.com/hook", "old")
    (hook,) = client.ok("GET", f"{SHOP}/hooks")
    assert client.ok("GET", f"{SHOP}/hooks/{hook_id}") == hook
    assert hook["config"] == client.ok("GET", f"{SHOP}/hooks/{hook_id}/config")
    assert (hook["config"]["secret"], hook["config"]["url"]) == ("********", "https://example.com/hook")
    changed = client.send("PATCH", f"{SHOP}/hooks/{hook_id}/config", {"secret": "new"})
    assert changed.json() == hook["config"]
    assert cloud.github.hook_secret("acme/shop", hook_id) == "new"


@pytest.mark.parametrize(
    ("request_line", "body", "status", "message"),
    [
        ("POST issues/7/comments", {}, 422, "'body' is a required property"),
        ("POST issues/7/comments", {"body": 5}, 422, "properties/body"),
        ("POST issues/7/comments", {"body": " "}, 422, "Validation Failed"),
        ("POST issues/7/comments", {"body": "x" * 65537}, 422, "Validation Failed"),
        ("POST issues/7/comments", ["body"], 400, "JSON object"),
        ("POST issues/8/comments", {"body": "x"}, 404, "Not Found"),
        ("POST deployments", {"ref": "gone"}, 422, "No ref found for: gone"),
        ("POST deployments", {"ref": "topic", "required_contexts": "all"}, 422, "required_contexts"),
        ("POST deployments/1/statuses", {"state": "success"}, 404, "Not Found"),
        ("GET pulls/seven", None, 404, "Not Found"),
        ("GET pulls?state=opened", None, 422, "'state'"),
        ("GET pulls?per_page=many", None, 422, "'per_page'"),
        ("GET pulls?perpage=3", None, 422, "does not know the query parameter 'perpage'"),
        ("GET pulls?sort=popularity", None, 501, "popularity"),
        ("GET issues/7/comments?since=yesterday", None, 422, "yesterday"),
        (f"GET commits/{SECOND}", None, 422, f"No commit found for SHA: {SECOND}"),
        ("PATCH hooks/1/config", {"token": "x"}, 422, "token"),
    ],
)
def test_what_is_refused(client: GitHubClient, request_line: str, body: object, status: int, message: str) -> None:
    verb, path = request_line.split(" ")
    code, text = refusal(client.send(verb, f"{SHOP}/{path}", body))
    assert code == status
    assert message in text


def test_more_that_is_refused(cloud: LocalCloud, client: GitHubClient) -> None:
    url = f"{client.url}/{SHOP}"
    broken = client.session.post(f"{url}/issues/7/comments", data="{", timeout=10)
    assert refusal(broken) == (400, "Problems parsing JSON")
    deployment = client.ok("POST", f"{SHOP}/deployments", {"ref": "topic"})
    for body in ({"state": "done"}, {"state": "success", "description": "x" * 141}, {}):
        assert client.send("POST", deployment["statuses_url"], body).status_code == 422
    with pytest.raises(ValueError, match="has a pull request 7 already"):
        cloud.github.open_pull_request("acme/shop", 7, Head(FIRST))
    with pytest.raises(ValueError, match="is there already"):
        cloud.github.add_repository("Acme/Shop")


def test_a_branch_with_a_slash(cloud: LocalCloud, client: GitHubClient) -> None:
    cloud.github.open_pull_request("acme/shop", 8, Head(SECOND, "feature/sale #1"))
    for ref in ("feature/sale%20%231", "feature%2Fsale%20%231", "heads/feature/sale%20%231"):
        assert client.ok("GET", f"{SHOP}/commits/{ref}")["sha"] == SECOND


def test_what_is_not_served_says_so(client: GitHubClient) -> None:
    answer = client.session.get(f"{client.url}/{SHOP}/branches", timeout=10)
    assert answer.status_code == 404
    assert "is not served by the local cloud" in answer.text


def test_a_snapshot_puts_all_of_it_back(cloud: LocalCloud, client: GitHubClient) -> None:
    cloud.github.comment("acme/shop", 7, "alice", "before")
    client.ok("POST", f"{SHOP}/deployments", {"ref": "topic"})
    snapshot = Snapshot(cloud)
    for _ in range(2):
        client.ok("POST", f"{SHOP}/issues/7/comments", {"body": "after"})
        client.ok("POST", f"{SHOP}/deployments", {"ref": "topic"})
        cloud.github.close("acme/shop", 7)
        snapshot.restore()
        assert cloud.github.comments("acme/shop", 7) == ["before"]
        assert len(client.ok("GET", f"{SHOP}/deployments")) == 1
        assert client.ok("GET", f"{SHOP}/pulls/7")["state"] == "open"
