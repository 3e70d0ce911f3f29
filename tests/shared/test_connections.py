"""Connections to Google's APIs: whose credentials they bear, whom they trust, and how they get there."""

import json
import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import google.auth
import pytest
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import RefreshError, TransportError
from google.oauth2.credentials import Credentials
from urllib3 import ProxyManager

from localcloud import LocalCloud
from localcloud.core.http import Route
from shared import rest
from shared.clients import Clients, RetryPolicy
from shared.connections import Connections
from tests.shared.test_rest import LAMP, Thing, Things

HEADERS = "things.example.com/v1/headers"


class Account(AnonymousCredentials):
    """Credentials whose token cannot be fetched a few times."""

    def __init__(self, *failures: Exception) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._failures = list(failures)

    def before_request(self, request: object, method: str, url: str, headers: dict[str, str]) -> None:
        """Bear a token."""
        del request, method, url
        if self._failures:
            raise self._failures.pop()
        headers["authorization"] = "Bearer a-token"


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud() as cloud:
        cloud.http.add(Things())
        cloud.http.add_routes(Route("GET", re.compile(re.escape(HEADERS)), lambda request: dict(request.headers)))
        yield cloud


def test_the_functions_own_account_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    account = {"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "mine"}
    file = tmp_path / "account.json"
    file.write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    opened = Connections.to_google(1, 1.0)
    assert isinstance(opened.credentials, Credentials)
    assert opened.credentials.refresh_token == account["refresh_token"]
    opened.close()


def test_a_request_to_google_bears_the_token(monkeypatch: pytest.MonkeyPatch, cloud: LocalCloud) -> None:
    monkeypatch.setattr(google.auth, "default", lambda scopes: (Account(), scopes))
    connections = Connections.to_google(1, 5.0)
    answer = connections.send("GET", f"{cloud.http_address}/{HEADERS}", None, {})
    connections.close()
    assert answer.status == HTTPStatus.OK
    assert json.loads(answer.content)["authorization"] == "Bearer a-token"


@pytest.mark.parametrize(
    ("failures", "error"),
    [
        ([TransportError("no route", retryable=True)] * 2, None),
        ([RefreshError("no such account")], RefreshError),
    ],
)
def test_a_token_that_cannot_be_fetched_is_tried_again_if_that_may_pass(
    monkeypatch: pytest.MonkeyPatch, cloud: LocalCloud, failures: list[Exception], error: type[Exception] | None
) -> None:
    monkeypatch.setattr(google.auth, "default", lambda scopes: (Account(*failures), scopes))
    clients = Clients("p", retry=RetryPolicy(first=0.001, longest=0.002))
    address = f"{cloud.http_address}/{LAMP.removeprefix('https://')}"
    if error:
        with pytest.raises(error):
            rest.get(clients, address, {}, Thing)
    else:
        assert rest.get(clients, address, {}, Thing) == Thing("lamp")
    clients.close()


@pytest.mark.parametrize(
    ("variables", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://proxy.example:3128"}, "proxy.example"),
        ({"https_proxy": "http://proxy.example:3128", "no_proxy": "example.com"}, "proxy.example"),
        ({"HTTPS_PROXY": "http://proxy.example:3128", "NO_PROXY": ".googleapis.com"}, None),
    ],
)
def test_a_proxy_is_the_environments(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], proxy: str | None
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(google.auth, "default", lambda scopes: (Account(), scopes))
    pool = Connections.to_google(1, 1.0).pool
    found = pool.proxy.host if isinstance(pool, ProxyManager) and pool.proxy else None
    assert found == proxy


def test_nothing_reaches_google_where_only_grpc_has_an_endpoint() -> None:
    with pytest.raises(ValueError, match="set CARETAKER_HTTP_ENDPOINT too"):
        rest.get(Clients("p", endpoint="127.0.0.1:1"), LAMP, {}, Thing)
