"""Access to GitHub in the local cloud: tokens, apps, permissions, rate limits, errors on demand."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import crypt, jwt
from google.protobuf.json_format import MessageToJson

from localcloud import LocalCloud
from localcloud.core.snapshot import Snapshot
from localcloud.github.state import Head
from tests.localcloud.github_client import GitHubClient, refusal

pytestmark = pytest.mark.one_python

NOW = datetime(2031, 11, 1, tzinfo=UTC)
SHOP = "repos/acme/shop"
COMMENTS = f"{SHOP}/issues/7/comments"
APP_ID, INSTALLATION = 1234, 99
TOKENS = f"app/installations/{INSTALLATION}/access_tokens"
MINUTE = timedelta(minutes=1)


class Key:
    """An RSA key in PEM, both halves."""

    def __init__(self) -> None:
        key = rsa.generate_private_key(65537, 2048)
        self.private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.public = (
            key.public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            .decode()
        )

    def sign(self, **claims: object) -> str:
        """A JWT; without claims a good one."""
        issued = {"iat": int((NOW - MINUTE).timestamp()), "exp": int((NOW + 9 * MINUTE).timestamp())}
        signer = crypt.RSASigner.from_string(self.private)
        signed: bytes = jwt.encode(signer, {**issued, "iss": str(APP_ID), **claims})
        return signed.decode()


@pytest.fixture(scope="module")
def key() -> Key:
    return Key()


@pytest.fixture
def cloud(key: Key) -> Iterator[LocalCloud]:
    with LocalCloud(now=NOW) as cloud:
        cloud.github.add_repository("acme/shop")
        cloud.github.add_repository("acme/secret-plans")
        cloud.github.open_pull_request("acme/shop", 7, Head("1" * 40))
        cloud.github.add_token("ghp_all", "bot")
        cloud.github.add_app(APP_ID, key.public)
        permissions = {"pull_requests": "write", "deployments": "write"}
        cloud.github.add_installation(INSTALLATION, APP_ID, repositories=["acme/shop"], permissions=permissions)
        yield cloud


def test_who_does_not_say_who_it_is(cloud: LocalCloud) -> None:
    with GitHubClient(cloud) as client:
        assert refusal(client.send("GET", SHOP)) == (401, "Requires authentication")
    with GitHubClient(cloud, "ghp_unknown") as client:
        assert refusal(client.send("GET", SHOP)) == (401, "Bad credentials")
        client.session.headers["Authorization"] = "Basic ghp_all"
        assert refusal(client.send("GET", SHOP)) == (401, "Bad credentials")
        client.session.headers["Authorization"] = "token ghp_all"
        assert client.send("GET", SHOP).ok


def test_a_token_ends(cloud: LocalCloud) -> None:
    cloud.github.add_token("ghp_short", "bot", expires_at=NOW + MINUTE)
    with GitHubClient(cloud, "ghp_short") as client:
        assert client.send("GET", SHOP).ok
        cloud.clock.advance(MINUTE)
        assert refusal(client.send("GET", SHOP)) == (401, "Bad credentials")
    cloud.github.revoke_token("ghp_all")
    with GitHubClient(cloud, "ghp_all") as client:
        assert client.send("GET", SHOP).status_code == 401


def test_a_repository_that_a_token_does_not_reach_is_not_there(cloud: LocalCloud) -> None:
    cloud.github.add_token("ghp_one", "bot", repositories=["Acme/Shop"])
    with GitHubClient(cloud, "ghp_one") as client:
        assert client.send("GET", SHOP).ok
        hidden, unknown = (refusal(client.send("GET", f"repos/acme/{name}")) for name in ("secret-plans", "gone"))
        assert hidden == unknown == (404, "Not Found")


def test_a_token_that_only_reads(cloud: LocalCloud) -> None:
    cloud.github.add_token("ghp_read", "bot", permissions={"issues": "read", "pull_requests": "read"})
    with GitHubClient(cloud, "ghp_read") as client:
        assert client.ok("GET", f"{SHOP}/pulls")
        assert client.ok("GET", f"{SHOP}/collaborators/octocat/permission")
        answer = client.send("POST", COMMENTS, {"body": "x"})
        assert refusal(answer) == (403, "Resource not accessible by personal access token")
        assert answer.headers["x-accepted-github-permissions"] == "issues=write; pull_requests=write"
        assert client.send("GET", f"{SHOP}/deployments").status_code == 403
    assert cloud.github.comments("acme/shop", 7) == []


def test_an_app_gets_a_token_for_an_hour(cloud: LocalCloud, key: Key) -> None:
    with GitHubClient(cloud, key.sign()) as app:
        answer = app.send("POST", TOKENS)
    assert answer.status_code == 201
    granted = answer.json()
    assert granted["expires_at"] == "2031-11-01T01:00:00Z"
    assert granted["permissions"] == {"pull_requests": "write", "deployments": "write"}
    assert granted["repository_selection"] == "selected"
    with GitHubClient(cloud, granted["token"]) as client:
        comment = client.ok("POST", COMMENTS, {"body": "Here."})
        assert (comment["user"]["login"], comment["user"]["type"]) == ("caretaker[bot]", "Bot")
        app = comment["performed_via_github_app"]
        assert (app["id"], app["slug"], app["client_id"]) == (APP_ID, "caretaker", f"Iv1.{APP_ID:016x}")
        assert client.send("GET", "repos/acme/secret-plans").status_code == 404
        assert refusal(client.send("GET", f"{SHOP}/hooks")) == (403, "Resource not accessible by integration")
        cloud.clock.advance(timedelta(hours=1))
        assert refusal(client.send("GET", SHOP)) == (401, "Bad credentials")


def test_who_one_is(cloud: LocalCloud, key: Key) -> None:
    cloud.github.add_token("ghp_nothing", "Alice", permissions={})
    with GitHubClient(cloud, "ghp_nothing") as client:
        user = client.ok("GET", "user")
        assert (user["login"], user["type"]) == ("Alice", "User")
    with GitHubClient(cloud, key.sign()) as app:
        assert (app.ok("GET", "app")["id"], app.ok("GET", "app")["slug"]) == (APP_ID, "caretaker")
        assert refusal(app.send("GET", "user")) == (401, "Bad credentials")
        token = app.ok("POST", TOKENS)["token"]
    with GitHubClient(cloud, token) as client:
        assert refusal(client.send("GET", "user")) == (403, "Resource not accessible by integration")
        assert client.send("GET", "app").status_code == 401


def test_what_is_not_written_for_an_app(cloud: LocalCloud) -> None:
    cloud.github.comment("acme/shop", 7, "alice", "Nice.")
    with GitHubClient(cloud, "ghp_all") as client:
        client.ok("POST", COMMENTS, {"body": "Waiting."})
        assert [one["performed_via_github_app"] for one in client.ok("GET", COMMENTS)] == [None, None]


def test_asking_for_a_token_changes_nothing(cloud: LocalCloud, key: Key) -> None:
    with GitHubClient(cloud, key.sign()) as app:
        app.ok("POST", TOKENS)
    with GitHubClient(cloud, "ghp_all") as client:
        client.ok("POST", COMMENTS, {"body": "Waiting."})
    assert [call.mutating for call in cloud.server.calls] == [False, True]


def test_a_token_for_less(cloud: LocalCloud, key: Key) -> None:
    cloud.github.add_installation(INSTALLATION, APP_ID, permissions={"issues": "write", "contents": "read"})
    with GitHubClient(cloud, key.sign(iss=f"Iv1.{APP_ID:016x}")) as app:
        asked = {"repositories": ["shop"], "permissions": {"issues": "read"}}
        granted = app.ok("POST", TOKENS, asked)
        assert app.ok("POST", TOKENS)["repository_selection"] == "all"
        assert app.send("POST", TOKENS, {"repositories": ["gone"]}).status_code == 422
        assert app.send("POST", TOKENS, {"permissions": {"deployments": "write"}}).status_code == 422
        assert app.send("POST", TOKENS, {"permissions": {"issues": "all"}}).status_code == 422
        assert app.send("POST", "app/installations/1/access_tokens").status_code == 404
    with GitHubClient(cloud, granted["token"]) as client:
        assert client.send("GET", COMMENTS).ok
        assert client.send("POST", COMMENTS, {"body": "x"}).status_code == 403
        assert client.send("GET", "repos/acme/secret-plans").status_code == 404


def test_an_installation_that_loses_a_repository(cloud: LocalCloud, key: Key) -> None:
    with GitHubClient(cloud, key.sign()) as app:
        token = app.ok("POST", TOKENS)["token"]
    cloud.github.add_installation(INSTALLATION, APP_ID, repositories=[], permissions={})
    with GitHubClient(cloud, token) as client:
        assert client.send("GET", SHOP).status_code == 404


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"iss": "1"}, "could not be decoded"),
        ({"exp": int(NOW.timestamp())}, r"'Expiration time' claim ('exp') must be"),
        ({"exp": "soon"}, r"'Expiration time' claim ('exp') must be"),
        ({"exp": int((NOW + 12 * MINUTE).timestamp())}, "too far in the future"),
        ({"iat": int((NOW + 2 * MINUTE).timestamp())}, "'Issued at' claim"),
    ],
)
def test_a_jwt_that_will_not_do(cloud: LocalCloud, key: Key, claims: Mapping[str, object], message: str) -> None:
    with GitHubClient(cloud, key.sign(**claims)) as app:
        code, text = refusal(app.send("POST", TOKENS))
    assert code == 401
    assert message in text


def test_a_jwt_is_timely_by_the_wall_clock_too(cloud: LocalCloud, key: Key) -> None:
    now = int(datetime.now(UTC).timestamp())
    with GitHubClient(cloud, key.sign(iat=now - 60, exp=now + 540)) as app:
        assert app.send("POST", TOKENS).ok


@pytest.mark.parametrize("value", ["ghp_all", "a.b.c", "e30.e30.e30", "%.%.%", "e30.e30"])
def test_what_is_no_jwt(cloud: LocalCloud, value: str) -> None:
    with GitHubClient(cloud, value) as app:
        assert refusal(app.send("POST", TOKENS)) == (401, "A JSON web token could not be decoded")


def test_a_jwt_of_another_key(cloud: LocalCloud) -> None:
    with GitHubClient(cloud, Key().sign()) as app:
        assert refusal(app.send("POST", TOKENS)) == (401, "A JSON web token could not be decoded")


@pytest.mark.parametrize("status", [403, 429])
def test_the_primary_rate_limit(cloud: LocalCloud, status: int) -> None:
    cloud.github.limits.an_hour, cloud.github.limits.status = 2, status
    cloud.github.add_token("ghp_other", "other")
    with GitHubClient(cloud, "ghp_all") as client, GitHubClient(cloud, "ghp_other") as other:
        first = client.send("GET", SHOP)
        assert (first.headers["x-ratelimit-limit"], first.headers["x-ratelimit-remaining"]) == ("2", "1")
        cloud.clock.advance(MINUTE)
        client.ok("GET", SHOP)
        answer = client.send("POST", COMMENTS, {"body": "x"})
        assert refusal(answer) == (status, "API rate limit exceeded.")
        assert answer.headers["x-ratelimit-remaining"] == "0"
        assert answer.headers["x-ratelimit-reset"] == str(int((NOW + timedelta(hours=1)).timestamp()))
        assert other.send("GET", SHOP).ok
        cloud.clock.advance(59 * MINUTE)
        assert client.send("GET", SHOP).headers["x-ratelimit-remaining"] == "1"
    assert cloud.github.comments("acme/shop", 7) == []


@pytest.mark.parametrize("status", [403, 429])
def test_the_secondary_rate_limit(cloud: LocalCloud, status: int) -> None:
    cloud.github.limits.status = status
    cloud.github.limit_for(MINUTE)
    with GitHubClient(cloud, "ghp_all") as client:
        cloud.clock.advance(timedelta(seconds=15.5))
        answer = client.send("GET", SHOP)
        assert answer.status_code == status
        assert answer.headers["retry-after"] == "45"
        assert answer.headers["x-ratelimit-remaining"] == "5000"
        cloud.clock.advance(timedelta(seconds=44.5))
        assert client.send("GET", SHOP).ok


def test_errors_count_and_tell_what_is_left(cloud: LocalCloud) -> None:
    with GitHubClient(cloud, "ghp_all") as client:
        answer = client.send("GET", "repos/acme/gone")
    assert (answer.status_code, answer.headers["x-ratelimit-remaining"]) == (404, "4999")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, 401),
        (grpc.StatusCode.PERMISSION_DENIED, 403),
        (grpc.StatusCode.NOT_FOUND, 404),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, 429),
        (grpc.StatusCode.INTERNAL, 500),
        (grpc.StatusCode.UNAVAILABLE, 503),
    ],
)
def test_errors_on_demand_are_githubs_json(cloud: LocalCloud, code: grpc.StatusCode, status: int) -> None:
    cloud.server.fail(f"GET api.github.com/{SHOP}/pulls", code, message="as it is")
    with GitHubClient(cloud, "ghp_all") as client:
        assert refusal(client.send("GET", f"{SHOP}/pulls")) == (status, "as it is")
        assert client.send("GET", f"{SHOP}/pulls").ok


def test_an_answer_that_is_lost_after_the_effect(cloud: LocalCloud) -> None:
    cloud.server.fail(f"POST api.github.com/{COMMENTS}", grpc.StatusCode.UNAVAILABLE, after_effect=True)
    with GitHubClient(cloud, "ghp_all") as client:
        assert client.send("POST", COMMENTS, {"body": "x"}).status_code == 503
    assert cloud.github.comments("acme/shop", 7) == ["x"]


def test_calls_are_recorded_without_credentials(cloud: LocalCloud) -> None:
    with GitHubClient(cloud, "ghp_all") as client:
        client.send("GET", SHOP)
        client.send("POST", COMMENTS, {"body": 5})
        client.send("DELETE", "repos/acme/shop/issues/comments/1")
    assert [(one.method, one.mutating, one.code) for one in cloud.server.calls] == [
        (f"GET api.github.com/{SHOP}", False, grpc.StatusCode.OK),
        (f"POST api.github.com/{COMMENTS}", True, grpc.StatusCode.INVALID_ARGUMENT),
        (f"DELETE api.github.com/{SHOP}/issues/comments/1", True, grpc.StatusCode.NOT_FOUND),
    ]
    assert "ghp_all" not in "".join(MessageToJson(one.request) for one in cloud.server.calls)


def test_a_snapshot_puts_tokens_and_limits_back(cloud: LocalCloud, key: Key) -> None:
    snapshot = Snapshot(cloud)
    with GitHubClient(cloud, key.sign()) as app, GitHubClient(cloud, "ghp_all") as client:
        for _ in range(2):
            token = app.ok("POST", TOKENS)["token"]
            assert client.send("GET", SHOP).headers["x-ratelimit-used"] == "1"
            cloud.github.limit_for(MINUTE)
            snapshot.restore()
            with GitHubClient(cloud, token) as expired:
                assert expired.send("GET", SHOP).status_code == 401
