"""Requests over HTTP: one session, pointed at an endpoint or authorized as the function, and watched."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from google.auth.transport.requests import AuthorizedSession

from localcloud import LocalCloud
from localcloud.core.http import Route
from shared.clients import HTTP_ENDPOINT_VARIABLE, Clients

THINGS = "things.example.com/v1/things"


class Things:
    """An API that answers with the query that it was asked with."""

    routes = (Route("GET", re.compile(re.escape(THINGS)), lambda request: dict(request.query)),)


class Watcher:
    """Records what it sees."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    def before(self, method: str) -> None:
        """The request is about to be sent."""
        self.calls.append(("before", method))

    def after(self, method: str) -> None:
        """The request has been answered."""
        self.calls.append(("after", method))


class Stop(BaseException):
    """Ends a run."""


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=datetime(2026, 11, 15, 12, tzinfo=UTC)) as cloud:
        cloud.http.add(Things())
        yield cloud


@pytest.fixture
def watcher() -> Watcher:
    return Watcher()


@pytest.fixture
def clients(cloud: LocalCloud, watcher: Watcher) -> Iterator[Clients]:
    clients = Clients("p", http_endpoint=cloud.http_address, watcher=watcher)
    yield clients
    clients.close()


def ask(clients: Clients) -> object:
    """The answer to one request."""
    answer = clients.session.get(clients.url(f"https://{THINGS}"), params={"view": "full"}, timeout=10)
    return answer.json()


def test_a_request_goes_to_the_endpoint_and_a_watcher_sees_it(
    cloud: LocalCloud, clients: Clients, watcher: Watcher
) -> None:
    assert ask(clients) == {"view": "full"}
    assert [call.method for call in cloud.server.calls] == [f"GET {THINGS}"]
    assert watcher.calls == [("before", f"GET {THINGS}"), ("after", f"GET {THINGS}")]


def test_a_watcher_that_raises_stops_the_request_where_it_stands(cloud: LocalCloud) -> None:
    class Stopper(Watcher):
        def before(self, method: str) -> None:
            raise Stop(method)

    clients = Clients("p", http_endpoint=cloud.http_address, watcher=Stopper())
    with pytest.raises(Stop, match=THINGS):
        ask(clients)
    assert cloud.server.calls == []
    clients.close()


def test_no_proxy_stands_before_an_endpoint(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert ask(clients) == {"view": "full"}


def test_there_is_one_session(clients: Clients) -> None:
    first = clients.session
    assert clients.session is first
    clients.close()
    assert clients.session is not first
    assert ask(clients) == {"view": "full"}


def test_the_environment_says_where_http_goes(monkeypatch: pytest.MonkeyPatch, cloud: LocalCloud) -> None:
    monkeypatch.setenv(HTTP_ENDPOINT_VARIABLE, cloud.http_address)
    clients = Clients.from_environment()
    assert ask(clients) == {"view": "full"}
    clients.close()


def test_without_an_endpoint_a_session_is_authorized_as_the_functions_own_account(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    account = {"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "mine"}
    file = tmp_path / "account.json"
    file.write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    clients = Clients("p")
    session = clients.session
    assert isinstance(session, AuthorizedSession)
    assert session.credentials.refresh_token == account["refresh_token"]
    assert clients.url(f"https://{THINGS}") == f"https://{THINGS}"
    clients.close()
