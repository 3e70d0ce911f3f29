"""The HTTP APIs of the local cloud: recorded and failed like the gRPC ones."""

import http.client
import json
import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import grpc
import pytest
import requests
from google.protobuf.json_format import MessageToDict

from localcloud import LocalCloud
from localcloud.core.http import STATUSES, HttpAnswer, HttpRequest, Route
from localcloud.core.server import ApiError

THINGS = "things.example.com/v1/things"


class Things:
    """An API with one kind of resource, whose values are kept."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    @property
    def routes(self) -> tuple[Route, ...]:
        """Reading and writing one."""
        one = re.compile(rf"{re.escape(THINGS)}/(?P<name>[^/]+)")
        return Route("GET", one, self.get), Route("PUT", one, self.put), Route("DELETE", one, self.delete, in_words)

    def get(self, request: HttpRequest) -> object:
        """A thing, and the query that it was asked for with."""
        name = request.captured["name"]
        if name not in self.kept:
            raise ApiError(grpc.StatusCode.NOT_FOUND, f"There is no thing {name!r}.")
        return {"value": self.kept[name], "query": dict(request.query)}

    def put(self, request: HttpRequest) -> object:
        """Keep a thing."""
        self.kept[request.captured["name"]] = request.body.decode()
        return {}

    def delete(self, request: HttpRequest) -> object:
        """Forget a thing, which answers with nothing but a header."""
        if request.headers.get("authorization") != "Bearer key":
            raise ApiError(grpc.StatusCode.PERMISSION_DENIED, "not yours")
        del self.kept[request.captured["name"]]
        return HttpAnswer(204, b"", headers={"X-Left": str(len(self.kept))})


def in_words(error: ApiError) -> HttpAnswer:
    """An error as this API returns it."""
    return HttpAnswer(418, error.message.encode(), "text/plain", {"Retry-After": "7"})


@pytest.fixture
def things() -> Things:
    return Things()


@pytest.fixture
def cloud(things: Things) -> Iterator[LocalCloud]:
    with LocalCloud(now=datetime(2026, 11, 1, tzinfo=UTC)) as cloud:
        cloud.http.add(things)
        yield cloud


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def test_an_api_is_served_under_its_host(cloud: LocalCloud, session: requests.Session, things: Things) -> None:
    url = f"{cloud.http_address}/{THINGS}/lamp"
    assert session.put(url, data="är", timeout=10).json() == {}
    assert things.kept == {"lamp": "är"}
    answer = session.get(url, params={"view": "a b", "empty": ""}, timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json() == {"value": "är", "query": {"view": "a b", "empty": ""}}


def test_calls_are_recorded(cloud: LocalCloud, session: requests.Session) -> None:
    url = f"{cloud.http_address}/{THINGS}/lamp"
    session.get(url, params={"view": "full"}, timeout=10)
    session.put(url, data="on", timeout=10)
    assert [(call.method, call.mutating, call.code, call.at) for call in cloud.server.calls] == [
        (f"GET {THINGS}/lamp", False, grpc.StatusCode.NOT_FOUND, cloud.clock.now()),
        (f"PUT {THINGS}/lamp", True, grpc.StatusCode.OK, cloud.clock.now()),
    ]
    read, written = (MessageToDict(call.request) for call in cloud.server.calls)
    assert read["query"] == {"view": "full"}
    assert written["body"] == "on"


@pytest.mark.parametrize("code", STATUSES)
def test_an_error_is_googles_json(cloud: LocalCloud, session: requests.Session, code: grpc.StatusCode) -> None:
    cloud.server.fail(f"GET {THINGS}", code, message="as it is")
    answer = session.get(f"{cloud.http_address}/{THINGS}/lamp", timeout=10)
    status, name = STATUSES[code]
    assert answer.status_code == status
    assert answer.json() == {"error": {"code": status, "message": "as it is", "status": name}}
    assert name == code.name


def test_the_reason_of_an_error_is_among_its_details(cloud: LocalCloud, session: requests.Session) -> None:
    def refuse(_: HttpRequest) -> object:
        raise ApiError(grpc.StatusCode.PERMISSION_DENIED, "off", reason="BILLING_DISABLED", metadata={"service": "x"})

    class Refusing:
        routes = (Route("GET", re.compile("example.com/off"), refuse),)

    cloud.http.add(Refusing())
    error = session.get(f"{cloud.http_address}/example.com/off").json()["error"]
    assert error["status"] == "PERMISSION_DENIED"
    (info,) = error["details"]
    assert (info["@type"], info["reason"]) == ("type.googleapis.com/google.rpc.ErrorInfo", "BILLING_DISABLED")
    assert (info["domain"], info["metadata"]) == ("googleapis.com", {"service": "x"})


def test_an_answer_and_an_error_of_an_apis_own(cloud: LocalCloud, session: requests.Session, things: Things) -> None:
    url = f"{cloud.http_address}/{THINGS}/lamp"
    things.kept["lamp"] = "on"
    refused = session.delete(url, timeout=10)
    assert (refused.status_code, refused.text, refused.headers["Retry-After"]) == (418, "not yours", "7")
    cloud.server.fail(f"DELETE {THINGS}", grpc.StatusCode.UNAVAILABLE, message="injected")
    assert session.delete(url, timeout=10).text == "injected"
    gone = session.delete(url, headers={"Authorization": "Bearer key"}, timeout=10)
    assert (gone.status_code, gone.content, gone.headers["X-Left"]) == (204, b"", "0")
    assert "Content-Length" not in gone.headers
    assert things.kept == {}
    assert [call.code for call in cloud.server.calls] == [
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.OK,
    ]


def test_a_fault_after_the_effect(cloud: LocalCloud, session: requests.Session, things: Things) -> None:
    cloud.server.fail(THINGS, grpc.StatusCode.UNAVAILABLE, after_effect=True)
    url = f"{cloud.http_address}/{THINGS}/lamp"
    assert session.put(url, data="on", timeout=10).status_code == 503
    assert things.kept == {"lamp": "on"}
    assert session.put(url, data="off", timeout=10).status_code == 200


@pytest.mark.parametrize(
    ("verb", "path"),
    [("PATCH", f"{THINGS}/lamp"), ("GET", THINGS), ("GET", "other.example.com/v1/things/lamp"), ("POST", "")],
)
def test_what_is_not_served_is_refused_by_name(
    cloud: LocalCloud, session: requests.Session, verb: str, path: str
) -> None:
    answer = session.request(verb, f"{cloud.http_address}/{path}", timeout=10)
    assert answer.status_code == 404  # a 501 is repeated by clients, by gcloud for half a minute
    assert answer.json()["error"]["message"] == f"{verb} {path} is not served by the local cloud"
    assert cloud.server.calls[-1].code == grpc.StatusCode.UNIMPLEMENTED


def test_head_is_get_without_the_content(cloud: LocalCloud, session: requests.Session, things: Things) -> None:
    things.kept["lamp"] = "on"
    url = f"{cloud.http_address}/{THINGS}/lamp"
    head, got = session.head(url, timeout=10), session.get(url, timeout=10)
    assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", str(len(got.content)))
    assert [call.mutating for call in cloud.server.calls] == [False, False]


def test_a_connection_is_kept(cloud: LocalCloud) -> None:
    connection = http.client.HTTPConnection(urlsplit(cloud.http_address).netloc, timeout=10)
    connection.connect()
    kept = connection.sock
    for value in ("on", "off", ""):
        connection.request("PUT", f"/{THINGS}/lamp", value)
        assert connection.getresponse().read() == b"{}"
        connection.request("GET", f"/{THINGS}/lamp")
        assert json.loads(connection.getresponse().read())["value"] == value
    assert connection.sock is kept
    connection.close()


def test_it_listens_only_when_asked_for_and_no_longer_than_the_cloud() -> None:
    with LocalCloud(now=datetime(2026, 11, 1, tzinfo=UTC)) as cloud:
        address = urlsplit(cloud.http_address)
        assert cloud.http_address == address.geturl()
        assert address.hostname == "127.0.0.1"
        assert address.port
    with pytest.raises(ConnectionRefusedError), socket.create_connection((address.hostname, address.port), timeout=10):
        pass
    with LocalCloud(now=datetime(2026, 11, 1, tzinfo=UTC)):
        pass
