"""GitHub's REST API: by a token and as an app, typed answers, pages, errors in Google's words; no secret in them."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import grpc
import msgspec
import pytest
from google.api_core import exceptions
from google.auth.transport.requests import AuthorizedSession

from localcloud import LocalCloud
from localcloud.github.state import Head
from localcloud.world import seed, world_from
from shared.clients import Clients
from shared.direct_clients import DirectClients
from shared.errors import CaretakerError, SettingsError, cloud_errors
from shared.github import Author, ByApp, GitHub, RateLimited
from shared.github_access import App, GitHubAccess
from shared.rest import UnknownAnswer
from tests.laws.probe import Switchboard
from tests.localcloud.test_github_access import Key

NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
TOKEN = "github_pat_canary_9a7e"  # noqa: S105 - of the local GitHub
SHOP = "/repos/acme/shop"
BY_TOKEN = GitHubAccess(token_secret="projects/home/secrets/github-token")  # noqa: S106 - its name
AS_APP = GitHubAccess(app=App(id=1234, installation=99, private_key_secret="projects/home/secrets/github-key"))  # noqa: S106 - its name


class Pull(msgspec.Struct, frozen=True):
    """A pull request."""

    number: int


class Comment(msgspec.Struct, frozen=True):
    """A comment."""

    user: Author
    performed_via_github_app: ByApp | None = None


@pytest.fixture(scope="module")
def key() -> Key:
    return Key()


@pytest.fixture
def cloud(key: Key) -> Iterator[LocalCloud]:
    cloud = LocalCloud(now=NOW)
    secrets = {"github-token": {"versions": [TOKEN + "\n"]}, "github-key": {"versions": [key.private.decode()]}}
    seed(cloud, world_from({"projects": {"home": {"secrets": secrets}}}))
    cloud.github.add_repository("acme/shop")
    for number in range(1, 131):
        cloud.github.open_pull_request("acme/shop", number, Head(f"{number:040x}"))
    cloud.github.add_token(TOKEN, "caretaker-bot")
    cloud.github.add_app(1234, key.public)
    cloud.github.add_installation(99, 1234, permissions={"pull_requests": "write", "metadata": "read"})
    yield cloud
    cloud.stop()


@pytest.fixture
def clients(cloud: LocalCloud) -> Clients:
    return DirectClients("home", cloud, watcher=Switchboard())


@pytest.fixture(params=[BY_TOKEN, AS_APP], ids=["token", "app"])
def github(request: pytest.FixtureRequest, clients: Clients) -> GitHub:
    return GitHub(request.param, clients)


def methods(cloud: LocalCloud) -> list[str]:
    return [call.method.rpartition(".")[2] for call in cloud.server.calls]


def test_all_pages_of_a_list(github: GitHub, cloud: LocalCloud) -> None:
    assert sorted(pull.number for pull in github.list(f"{SHOP}/pulls", Pull)) == list(range(1, 131))
    assert [name for name in methods(cloud) if name.endswith("/pulls")] == ["com/repos/acme/shop/pulls"] * 2


def test_one_thing_and_a_change(github: GitHub) -> None:
    assert github.get(f"{SHOP}/pulls/7", Pull) == Pull(7)
    comment = github.send("POST", f"{SHOP}/issues/7/comments", {"body": "hello"}, Comment)
    assert github.is_mine(comment.user, comment.performed_via_github_app)


def test_what_others_write_is_not_mine(cloud: LocalCloud, clients: Clients) -> None:
    cloud.github.comment("acme/shop", 7, "octocat", "hello")
    for access in (BY_TOKEN, AS_APP):
        github = GitHub(access, clients)
        (comment,) = github.list(f"{SHOP}/issues/7/comments", Comment)
        assert not github.is_mine(comment.user, comment.performed_via_github_app)


def test_an_app_with_the_login_of_a_person_is_not_that_person(clients: Clients) -> None:
    assert not GitHub(BY_TOKEN, clients).is_mine(Author("caretaker-bot"), ByApp(5))
    assert not GitHub(AS_APP, clients).is_mine(Author("caretaker[bot]"), ByApp(5))
    assert GitHub(AS_APP, clients).is_mine(Author("caretaker[bot]"), ByApp(1234))


def test_secret_and_token_are_asked_for_once_in_a_run(cloud: LocalCloud, clients: Clients) -> None:
    run = clients.for_one_run()
    for _ in range(3):
        GitHub(AS_APP, run).get(f"{SHOP}/pulls/7", Pull)
    assert len([name for name in methods(cloud) if "AccessSecretVersion" in name or "access_tokens" in name]) == 2
    GitHub(AS_APP, clients.for_one_run()).get(f"{SHOP}/pulls/7", Pull)
    assert len([name for name in methods(cloud) if "access_tokens" in name]) == 2, "the next run asks anew"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, exceptions.Unauthorized),
        (grpc.StatusCode.PERMISSION_DENIED, exceptions.Forbidden),
        (grpc.StatusCode.NOT_FOUND, exceptions.NotFound),
        (grpc.StatusCode.ABORTED, exceptions.Conflict),
        (grpc.StatusCode.INVALID_ARGUMENT, exceptions.BadRequest),
    ],
)
def test_errors_are_googles_and_not_tried_again(
    github: GitHub, cloud: LocalCloud, code: grpc.StatusCode, error: type[Exception]
) -> None:
    github.get(f"{SHOP}/pulls/7", Pull)
    cloud.server.fail("GET api.github.com", code)
    cloud.server.clear_calls()
    with pytest.raises(error, match="GET /repos/acme/shop/pulls/7"):
        github.get(f"{SHOP}/pulls/7", Pull)
    assert len(cloud.server.calls) == 1


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL])
def test_a_read_is_tried_again_and_a_write_is_not(github: GitHub, cloud: LocalCloud, code: grpc.StatusCode) -> None:
    github.get(f"{SHOP}/pulls/8", Pull)
    cloud.server.fail("GET api.github.com", code)
    assert github.get(f"{SHOP}/pulls/7", Pull) == Pull(7)
    cloud.server.fail("POST api.github.com/repos", code)
    with pytest.raises(cloud_errors()):
        github.send("POST", f"{SHOP}/issues/7/comments", {"body": "hello"}, Comment)
    assert cloud.github.comments("acme/shop", 7) == []


def test_what_github_finds_invalid_is_said(github: GitHub) -> None:
    with pytest.raises(exceptions.GoogleAPICallError, match="body"):
        github.send("POST", f"{SHOP}/issues/7/comments", {"body": " "}, Comment)


@pytest.mark.parametrize("status", [403, 429])
def test_a_rate_limit_is_not_knocked_at(cloud: LocalCloud, clients: Clients, status: int) -> None:
    cloud.github.limits.status = status
    cloud.github.limit_for(timedelta(seconds=90))
    now = cloud.clock.now()
    for _ in range(2):
        with pytest.raises(RateLimited, match="secondary rate limit") as raised:
            GitHub(BY_TOKEN, clients).get(f"{SHOP}/pulls/7", Pull)
        assert raised.value.until(now) == now + timedelta(seconds=90)
    assert len([name for name in methods(cloud) if "pulls" in name]) == 1
    assert issubclass(RateLimited, CaretakerError), "so that the run fails, and is delivered again"


def test_an_answer_of_another_shape_is_not_believed(github: GitHub) -> None:
    with pytest.raises(UnknownAnswer, match="GET /repos/acme/shop/pulls/7"):
        github.get(f"{SHOP}/pulls/7", list[Pull])


def test_a_key_that_is_none_is_named_and_not_shown(cloud: LocalCloud, clients: Clients) -> None:
    access = GitHubAccess(app=App(id=1234, installation=99, private_key_secret=BY_TOKEN.token_secret or ""))
    with pytest.raises(UnknownAnswer, match="projects/home/secrets/github-token: no private key in PEM") as raised:
        GitHub(access, clients).get(f"{SHOP}/pulls/7", Pull)
    assert TOKEN not in str(raised.value)
    assert cloud.github.comments("acme/shop", 7) == []


def test_no_credential_is_logged_or_in_an_error(
    github: GitHub, cloud: LocalCloud, key: Key, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    github.get(f"{SHOP}/pulls/7", Pull)
    cloud.github.revoke_token(next(reversed(cloud.github.state.tokens)))
    cloud.server.fail("GET api", grpc.StatusCode.UNAUTHENTICATED)
    with pytest.raises(exceptions.Unauthorized) as raised:
        github.get(f"{SHOP}/pulls/7", Pull)
    shown = caplog.text + repr(raised.value) + repr(raised.value.__cause__)
    tokens = [TOKEN, "ghs_", key.private.decode()[100:140]]
    assert not [token for token in tokens if token in shown]


def test_googles_credentials_go_to_google_alone(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    del tmp_path
    monkeypatch.setattr("google.auth.default", lambda **_: (_anonymous(), "home"))
    clients = Clients("home")
    assert isinstance(clients.session, AuthorizedSession)
    assert not isinstance(clients.public_session, AuthorizedSession)
    clients.close()


def _anonymous() -> object:
    from google.auth.credentials import AnonymousCredentials

    return AnonymousCredentials()


@pytest.mark.parametrize("given", [{}, {"token_secret": "projects/p/secrets/s", "app": None, "x": 1}])
def test_access_is_a_token_or_an_app(given: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError) as raised:
        msgspec.json.decode(json.dumps(given), type=GitHubAccess)
    assert isinstance(raised.value.__cause__, SettingsError) or "unknown field" in str(raised.value)


def test_github_enterprise_is_asked_at_its_own_address(cloud: LocalCloud, clients: Clients) -> None:
    access = GitHubAccess(token_secret=BY_TOKEN.token_secret, api="https://github.example.com/api/v3")
    with pytest.raises(exceptions.GoogleAPICallError):  # no such server is here
        GitHub(access, clients).get(f"{SHOP}/pulls/7", Pull)
    assert not [name for name in methods(cloud) if "api.github.com" in name]
