"""Serves the HTTP APIs of the local cloud on one port, recorded and failed like the gRPC ones.

Each API has its own prefix: what is ``https://compute.googleapis.com/compute/v1/...`` in the world is
``http://127.0.0.1:PORT/compute.googleapis.com/compute/v1/...`` here. Clients for which this port is the proxy use the
world's URLs.
"""

import functools
import json
import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qsl, urlsplit

import grpc
from google.protobuf.struct_pb2 import Struct

from localcloud.core.calls import Method
from localcloud.core.listener import Listener
from localcloud.core.server import ApiError, Server
from localcloud.core.wire import NO_CONTENT as NO_CONTENT  # noqa: PLC0414 - it is what answers are made with
from localcloud.core.wire import handler

if TYPE_CHECKING:
    from localcloud.core.certificates import Authority

LARGEST_RECORDED = 64 * 1024
"""Of longer bodies only the checksum is recorded."""
STATUSES = {
    grpc.StatusCode.INVALID_ARGUMENT: (400, "INVALID_ARGUMENT"),
    grpc.StatusCode.FAILED_PRECONDITION: (400, "FAILED_PRECONDITION"),
    grpc.StatusCode.UNAUTHENTICATED: (401, "UNAUTHENTICATED"),
    grpc.StatusCode.PERMISSION_DENIED: (403, "PERMISSION_DENIED"),
    grpc.StatusCode.NOT_FOUND: (404, "NOT_FOUND"),
    grpc.StatusCode.ALREADY_EXISTS: (409, "ALREADY_EXISTS"),
    grpc.StatusCode.ABORTED: (409, "ABORTED"),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (429, "RESOURCE_EXHAUSTED"),
    grpc.StatusCode.INTERNAL: (500, "INTERNAL"),
    grpc.StatusCode.UNIMPLEMENTED: (501, "UNIMPLEMENTED"),
    grpc.StatusCode.UNAVAILABLE: (503, "UNAVAILABLE"),
    grpc.StatusCode.DEADLINE_EXCEEDED: (504, "DEADLINE_EXCEEDED"),
}
"""Google's HTTP status for each gRPC code: https://cloud.google.com/apis/design/errors#handling_errors"""


@dataclass(frozen=True)
class HttpRequest:
    """One request: ``path`` begins with the API's host; ``captured`` is what the route's pattern names."""

    verb: str
    path: str
    query: Mapping[str, str]
    body: bytes
    captured: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)
    """By their names in lower case. They are not recorded among the calls: credentials are in them."""
    arguments: Sequence[tuple[str, str]] = ()
    """The query in its order, with those parameters that are repeated."""
    api_url: str = ""
    """The URL at which the client reaches this host's API, for links in answers."""


@dataclass(frozen=True)
class HttpAnswer:
    """One answer."""

    status: int
    body: bytes
    content_type: str = "application/json; charset=UTF-8"
    headers: Mapping[str, str] = field(default_factory=dict)


def google_refusal(error: ApiError) -> HttpAnswer:
    """An error as Google's APIs answer it."""
    code, name = STATUSES.get(error.code, (500, error.code.name))
    body: dict[str, object] = {"code": code, "message": error.message, "status": name}
    if error.reason:
        kind = "type.googleapis.com/google.rpc.ErrorInfo"
        info = {"@type": kind, "reason": error.reason, "domain": "googleapis.com", "metadata": error.metadata}
        body["details"] = [info]
    return HttpAnswer(code, json.dumps({"error": body}).encode())


@dataclass(frozen=True)
class Route:
    """The requests that a handler answers, with a JSON value or with an `HttpAnswer` of its own.

    An `ApiError`, raised by it or injected, becomes the answer of ``refusal``: by default Google's JSON.
    The pattern is one of host and path; what is before its first slash is a pattern of its own, for the host.
    """

    verb: str
    pattern: re.Pattern[str]
    handle: Callable[[HttpRequest], object]
    refusal: Callable[[ApiError], HttpAnswer] = google_refusal
    takes: Callable[[Mapping[str, str]], bool] = lambda _query: True
    """Whether a request with this query is one of its own, where the path alone does not tell."""

    @functools.cached_property
    def host(self) -> re.Pattern[str]:
        """The hosts whose requests it answers."""
        return re.compile(self.pattern.pattern.partition("/")[0])


class Surface(Protocol):
    """Many APIs at once, asked for what no route answers. It records its calls itself."""

    def serves(self, host: str) -> bool:
        """Whether it answers for a host."""

    def answer(self, request: HttpRequest) -> HttpAnswer | None:
        """Its answer, or None to a request that is none of its own."""


class HttpService(Protocol):
    """An API that is served over HTTP."""

    @property
    def routes(self) -> tuple[Route, ...]:
        """The routes that it answers."""


class HttpServer:
    """The HTTP server on which all such APIs are served; it listens from the first time that it is asked for."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._routes: list[Route] = []
        self._by_host: dict[str, tuple[Route, ...]] = {}
        """The routes that answer for a host, of each host that was asked for."""
        self._surfaces: list[Callable[[], Surface]] = []
        self._listener: Listener | None = None
        self._others: list[Listener] = []

    def add(self, *services: HttpService) -> None:
        """Serve APIs."""
        for service in services:
            self.add_routes(*service.routes)

    def add_routes(self, *routes: Route) -> None:
        """Serve what these answer."""
        self._routes += routes
        self._by_host.clear()

    def add_later(self, *surfaces: Callable[[], Surface]) -> None:
        """Serve what these make; they are called at the first request that no route answers."""
        self._surfaces += surfaces

    def answer(
        self, verb: str, target: str, body: bytes, headers: Mapping[str, str] | None = None, *, base: str = ""
    ) -> HttpAnswer:
        """Answer one request to ``target`` (path and query), recorded among the calls as ``VERB host/path``.

        ``base`` is where the client finds the API of this host, if not at the world's own URL.
        """
        parts = urlsplit(target)
        path = parts.path.lstrip("/")
        arguments = parse_qsl(parts.query, keep_blank_values=True)
        route, captured = self._route(verb, path, dict(arguments))
        named = {name.lower(): value for name, value in (headers or {}).items()}
        url = base or f"https://{path.partition('/')[0]}"
        request = HttpRequest(verb, path, dict(arguments), body, captured, named, arguments, url)
        if route is None and (found := self._on_a_surface(request)):
            return found
        method = Method(f"{verb} {path}", route.handle if route else None)
        try:
            answered = self._server.perform(method, request, _recorded(request))
        except ApiError as error:
            return route.refusal(error) if route else _unknown(error)
        return answered if isinstance(answered, HttpAnswer) else HttpAnswer(200, json.dumps(answered).encode())

    def serves(self, host: str) -> bool:
        """Whether anything is answered for a host."""
        return bool(self._routes_of(host)) or any(surface.serves(host) for surface in self._loaded)

    @functools.cached_property
    def authority(self) -> "Authority":
        """Vouches for the hosts that are served, in the tunnels of a proxy."""
        from localcloud.core.certificates import Authority

        return Authority()

    @property
    def grpc_port(self) -> int:
        """The address of gRPC."""
        return self._server.port

    @property
    def url(self) -> str:
        """The address of the APIs."""
        if self._listener is None:
            self._listener = Listener("http", handler(self))
        return self._listener.url

    def listen(self, port: int) -> None:
        """Listen on this port rather than on any free one, before anything has asked where. Raises OSError."""
        self._listener = Listener("http", handler(self), port=port)

    def serve_host(self, host: str, context: ssl.SSLContext) -> int:
        """Serve the API of one host by HTTPS, without the host before its paths, and return the port.

        There are clients that speak to an address of their own in no other way, such as gsutil.
        """
        self._others.append(Listener("https", handler(self, host), context))
        return self._others[-1].server_port

    def stop(self) -> None:
        """Stop listening."""
        for listener in (*self._others, *([self._listener] if self._listener else [])):
            listener.stop()

    def _route(self, verb: str, path: str, query: Mapping[str, str]) -> tuple[Route | None, Mapping[str, str]]:
        asked = "GET" if verb == "HEAD" else verb
        for route in self._routes_of(path.partition("/")[0]):
            if route.verb == asked and (found := route.pattern.fullmatch(path)) and route.takes(query):
                return route, found.groupdict()
        return None, {}

    def _routes_of(self, host: str) -> tuple[Route, ...]:
        if host not in self._by_host:
            self._by_host[host] = tuple(route for route in self._routes if route.host.fullmatch(host))
        return self._by_host[host]

    def _on_a_surface(self, request: HttpRequest) -> HttpAnswer | None:
        return next((found for surface in self._loaded if (found := surface.answer(request))), None)

    @functools.cached_property
    def _loaded(self) -> tuple[Surface, ...]:
        return tuple(make() for make in self._surfaces)


def _unknown(error: ApiError) -> HttpAnswer:
    """The answer to a path that nothing serves: Google's is 404 too, and a 501 is repeated by clients for a while."""
    if error.code is not grpc.StatusCode.UNIMPLEMENTED:
        return google_refusal(error)
    return google_refusal(ApiError(grpc.StatusCode.NOT_FOUND, error.message))


def _recorded(request: HttpRequest) -> Struct:
    is_long = len(request.body) > LARGEST_RECORDED
    body = f"SHA-256 {sha256(request.body).hexdigest()}" if is_long else request.body.decode(errors="replace")
    recorded = Struct()
    recorded.update({"path": request.path, "query": dict(request.query), "body": body})
    return recorded
