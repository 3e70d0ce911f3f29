"""Google's REST APIs: the same errors and retries as those of Google's clients, and no answer that is only believed."""

import re
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import grpc
import msgspec
import pytest
from google.api_core import exceptions

from localcloud import LocalCloud
from localcloud.core.http import HttpRequest, Route
from shared import rest
from shared.clients import Clients, RetryPolicy
from shared.errors import cloud_errors

LAMP = "https://things.example.com/v1/things/lamp"
# Python 3.14 limits the stack and not the depth, so msgspec gets to the end of what was sent.
TOO_DEEP = "Input data was truncated" if sys.version_info >= (3, 14) else "maximum recursion depth exceeded"
QUICK = RetryPolicy(first=0.001, longest=0.002)


class Thing(msgspec.Struct, frozen=True):
    """The API's answer."""

    name: str
    size: int = 0


class Things:
    """An API with one method, which answers whatever a test has put there."""

    def __init__(self) -> None:
        self.answer: object = {"name": "lamp"}
        self.queries: list[dict[str, str]] = []
        self.holds_back = threading.Event()
        self.holds_back.set()

    @property
    def routes(self) -> tuple[Route, ...]:
        """Reading one."""
        one = re.compile(r"things\.example\.com/v1/things/[^/]+")
        return Route("GET", one, self.get), Route("POST", one, self.post)

    def post(self, request: HttpRequest) -> object:
        """The request that was sent."""
        return {"name": request.body.decode(), "size": len(request.headers["content-type"])}

    def get(self, request: HttpRequest) -> object:
        """The answer, as soon as it is not held back."""
        self.queries.append(dict(request.query))
        self.holds_back.wait(10)
        return self.answer


@pytest.fixture
def things() -> Things:
    return Things()


@pytest.fixture
def cloud(things: Things) -> Iterator[LocalCloud]:
    with LocalCloud(now=datetime(2026, 11, 1, tzinfo=UTC)) as cloud:
        cloud.http.add(things)
        yield cloud


@pytest.fixture
def clients(cloud: LocalCloud) -> Iterator[Clients]:
    with at(cloud.http_address) as clients:
        yield clients


@contextmanager
def at(address: str, retry: RetryPolicy = QUICK) -> Iterator[Clients]:
    """Clients whose HTTP requests go there."""
    clients = Clients("p", http_endpoint=address, retry=retry)
    try:
        yield clients
    finally:
        clients.close()


@contextmanager
def server(*answers: bytes) -> Iterator[str]:
    """A server that gives each connection one of these answers, byte for byte; all of them are asked for."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for answer in answers:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(5)
        assert not thread.is_alive()


def as_http(status: str, body: bytes, length: int | None = None) -> bytes:
    """An answer with this status line and body, which says to be of this length."""
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n".encode() + body


GOOD = as_http("200 OK", b'{"name": "lamp"}')


def test_an_answer_is_a_typed_value(clients: Clients, things: Things) -> None:
    things.answer = {"name": "lämp", "size": 3, "kind": "of no interest"}
    assert rest.get(clients, LAMP, {"fields": "name,size", "view": "a b&c"}, Thing) == Thing("lämp", 3)
    assert things.queries == [{"fields": "name,size", "view": "a b&c"}]


def test_each_status_is_the_error_that_grpc_would_raise() -> None:
    codes = set(grpc.StatusCode) - {grpc.StatusCode.OK}
    assert {code.name: type(exceptions.from_grpc_status(code, "")).__name__ for code in codes} == rest.ERRORS


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, exceptions.BadRequest),
        (grpc.StatusCode.FAILED_PRECONDITION, exceptions.BadRequest),
        (grpc.StatusCode.UNAUTHENTICATED, exceptions.Unauthorized),
        (grpc.StatusCode.PERMISSION_DENIED, exceptions.Forbidden),
        (grpc.StatusCode.NOT_FOUND, exceptions.NotFound),
        (grpc.StatusCode.ABORTED, exceptions.Conflict),
        (grpc.StatusCode.UNIMPLEMENTED, exceptions.MethodNotImplemented),
    ],
)
def test_an_error_is_raised_as_googles_clients_do_and_not_tried_again(
    cloud: LocalCloud, clients: Clients, code: grpc.StatusCode, error: type[Exception]
) -> None:
    cloud.server.fail("GET things", code, message="as it is")
    with pytest.raises(error, match="as it is") as raised:
        rest.get(clients, LAMP, {}, Thing)
    assert isinstance(raised.value, cloud_errors())
    assert len(cloud.server.calls) == 1


@pytest.mark.parametrize(
    "code",
    [
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    ],
)
def test_an_error_that_passes_is_waited_out(cloud: LocalCloud, clients: Clients, code: grpc.StatusCode) -> None:
    cloud.server.fail("GET things", code, times=3)
    assert rest.get(clients, LAMP, {}, Thing) == Thing("lamp")
    assert [call.code for call in cloud.server.calls] == [code] * 3 + [grpc.StatusCode.OK]


def test_an_error_that_does_not_pass_is_given_up(cloud: LocalCloud) -> None:
    cloud.server.fail("GET things", grpc.StatusCode.UNAVAILABLE, times=10_000)
    policy = RetryPolicy(first=0.001, longest=0.002, give_up=0.03)
    with at(cloud.http_address, policy) as clients, pytest.raises(exceptions.RetryError) as raised:
        rest.get(clients, LAMP, {}, Thing)
    assert isinstance(raised.value.cause, exceptions.ServiceUnavailable)
    assert isinstance(raised.value, cloud_errors())


@pytest.mark.parametrize(
    ("passing"),
    [
        pytest.param(as_http("502 Bad Gateway", b"<html>try again in 30 seconds</html>"), id="a page of the front end"),
        pytest.param(as_http("503 Service Unavailable", b""), id="no body"),
        pytest.param(as_http("200 OK", b'{"name": "la', length=16), id="an answer that breaks off"),
        pytest.param(b"", id="a connection that is closed"),
    ],
)
def test_what_comes_of_a_bad_connection_is_tried_again(passing: bytes) -> None:
    with server(passing, passing, GOOD) as address, at(address) as clients:
        assert rest.get(clients, LAMP, {}, Thing) == Thing("lamp")


def test_a_refused_connection_is_an_error_of_the_cloud() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    policy = RetryPolicy(first=0.001, longest=0.002, give_up=0.03)
    with at(address, policy) as clients, pytest.raises(exceptions.RetryError) as raised:
        rest.get(clients, LAMP, {}, Thing)
    assert isinstance(raised.value.cause, exceptions.ServiceUnavailable)
    assert raised.value.cause.message == f"GET {LAMP}: NewConnectionError"


def test_an_answer_that_does_not_come_is_waited_for_no_longer_than_the_policy_says(
    cloud: LocalCloud, things: Things
) -> None:
    things.holds_back.clear()
    policy = RetryPolicy(first=0.001, longest=0.002, give_up=0.05, timeout=0.02)
    try:
        with at(cloud.http_address, policy) as clients, pytest.raises(exceptions.RetryError) as raised:
            rest.get(clients, LAMP, {}, Thing)
    finally:
        things.holds_back.set()
    assert isinstance(raised.value.cause, exceptions.ServiceUnavailable)
    assert raised.value.cause.message == f"GET {LAMP}: ReadTimeoutError"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "Input data was truncated"),
        (b"<html>", "JSON is malformed: invalid character (byte 0)"),
        (b'{"name": "lamp"', "Input data was truncated"),
        (b'{"name": "lamp"} {}', "JSON is malformed: trailing characters"),
        (b'{"name": "\xff"}', "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (b'{"x": ' + b"[" * 100_000, TOO_DEEP),
        (b"{}", "Object missing required field `name`"),
        (b'{"name": null}', "Expected `str`, got `null` - at `$.name`"),
        (b'{"name": "lamp", "size": "3"}', "Expected `int`, got `str` - at `$.size`"),
        (b'["lamp"]', "Expected `object`, got `array`"),
    ],
)
def test_an_answer_of_another_shape_is_not_believed(body: bytes, said: str) -> None:
    with server(as_http("200 OK", body)) as address, at(address) as clients:
        with pytest.raises(rest.UnknownAnswer) as raised:
            rest.get(clients, LAMP, {}, Thing)
        assert str(raised.value).startswith(f"GET {LAMP}: {said}")
        assert isinstance(raised.value, cloud_errors())


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"code": 403, "message": "no", "status": "PERMISSION_DENIED"}}', "no"),
        (b'[{"error": {"message": "no"}}]', "no"),
        (b"<html>no</html>", "<html>no</html>"),
        (b"", "unknown error"),
        (b"{}", "{}"),
        (b'{"error": "invalid_grant"}', "invalid_grant"),
        (b'"no"', "no"),
        (b"5", "5"),
    ],
)
def test_an_error_of_another_shape_is_an_error_still(body: bytes, said: str) -> None:
    with server(as_http("403 Forbidden", body)) as address, at(address) as clients:
        with pytest.raises(exceptions.Forbidden) as raised:
            rest.get(clients, LAMP, {}, Thing)
        assert said in raised.value.message


def test_only_google_says_that_something_is_not_there() -> None:
    """A proxy, or a wrong address, answers 404 too, and says nothing about the resource."""
    shaped = b'{"error": {"code": 404, "message": "no lamp", "status": "NOT_FOUND"}}'
    with server(as_http("404 Not Found", shaped)) as address, at(address) as clients:
        with pytest.raises(exceptions.NotFound) as raised:
            rest.get(clients, LAMP, {}, Thing)
        assert rest.said_by(raised.value) == "no lamp"
    for body in (b"<html>no such page</html>", b"", b"{}"):
        with (
            server(as_http("404 Not Found", body)) as address,
            at(address) as clients,
            pytest.raises(rest.UnknownAnswer),
        ):
            rest.get(clients, LAMP, {}, Thing)


class ThingsPage(rest.Page, frozen=True):
    """A page of a list."""

    names: tuple[str, ...] = ()
    total: rest.Int64 = "0"


def test_a_list_is_read_page_by_page(clients: Clients, things: Things) -> None:
    things.answer = {"names": ["lamp"], "nextPageToken": "2", "total": "3"}
    pages = rest.pages(clients, LAMP, {"pageSize": "1"}, ThingsPage)
    first = next(pages)
    assert (first.names, first.total) == (("lamp",), "3")
    things.answer = {"nextPageToken": "3"}  # an empty page is not the last
    assert next(pages).names == ()
    things.answer = {"names": ["bulb"]}
    assert [page.names for page in pages] == [("bulb",)]
    assert [query.get("pageToken") for query in things.queries] == [None, "2", "3"]
    assert {query["pageSize"] for query in things.queries} == {"1"}


def test_what_is_posted_is_sent_once(cloud: LocalCloud, clients: Clients) -> None:
    answer = rest.post(clients, LAMP, b"on", "text/plain")
    assert msgspec.json.decode(answer.content) == {"name": "on", "size": len("text/plain")}
    cloud.server.clear_calls()
    cloud.server.fail("POST things.example.com", grpc.StatusCode.UNAVAILABLE)
    with pytest.raises(exceptions.ServiceUnavailable):
        rest.post(clients, LAMP, b"on", "text/plain")
    assert len(cloud.server.calls) == 1
