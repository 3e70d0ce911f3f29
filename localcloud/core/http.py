"""Serves the HTTP APIs of the local cloud on one port, recorded and failed like the gRPC ones.

Each API has its own prefix: what is ``https://compute.googleapis.com/compute/v1/...`` in the world is
``http://127.0.0.1:PORT/compute.googleapis.com/compute/v1/...`` here.
"""

import json
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from io import BufferedIOBase
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

import grpc
from google.protobuf.struct_pb2 import Struct

from localcloud.core.listener import Listener
from localcloud.core.server import ApiError, Method, Server

NO_CONTENT = 204
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
"""How Google's APIs put a status code over HTTP: https://cloud.google.com/apis/design/errors#handling_errors"""


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
    """Which requests a handler answers: with what JSON can hold, or with an `HttpAnswer` of its own.

    An `ApiError`, raised by it or injected, becomes what ``refusal`` makes of it: Google's JSON, if nothing is said.
    """

    verb: str
    pattern: re.Pattern[str]
    handle: Callable[[HttpRequest], object]
    refusal: Callable[[ApiError], HttpAnswer] = google_refusal


class HttpService(Protocol):
    """An API that is served over HTTP."""

    @property
    def routes(self) -> tuple[Route, ...]:
        """What it answers."""


class HttpServer:
    """The HTTP server on which all such APIs are served; it listens from the first time that it is asked for."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._routes: list[Route] = []
        self._listener: Listener | None = None
        self._others: list[Listener] = []

    def add(self, *services: HttpService) -> None:
        """Serve APIs."""
        for service in services:
            self.add_routes(*service.routes)

    def add_routes(self, *routes: Route) -> None:
        """Serve what these answer."""
        self._routes += routes

    def answer(self, verb: str, target: str, body: bytes, headers: Mapping[str, str] | None = None) -> HttpAnswer:
        """Answer one request to ``target`` (path and query), recorded among the calls as ``VERB host/path``."""
        parts = urlsplit(target)
        path = parts.path.lstrip("/")
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        route, captured = self._route(verb, path)
        named = {name.lower(): value for name, value in (headers or {}).items()}
        request = HttpRequest(verb, path, query, body, captured, named)
        method = Method(f"{verb} {path}", route.handle if route else None)
        try:
            found = self._server.perform(method, request, _recorded(request))
        except ApiError as error:
            return route.refusal(error) if route else google_refusal(error)
        return found if isinstance(found, HttpAnswer) else HttpAnswer(200, json.dumps(found).encode())

    @property
    def url(self) -> str:
        """Where the APIs are served."""
        if self._listener is None:
            self._listener = Listener("http", _handler(self))
        return self._listener.url

    def serve_host(self, host: str, context: ssl.SSLContext) -> int:
        """Serve the API of one host by HTTPS, without the host before its paths, and return the port.

        There are clients that speak to an address of their own in no other way, such as gsutil.
        """
        self._others.append(Listener("https", _handler(self, f"/{host}"), context))
        return self._others[-1].server_port

    def stop(self) -> None:
        """Stop listening."""
        for listener in (*self._others, *([self._listener] if self._listener else [])):
            listener.stop()

    def _route(self, verb: str, path: str) -> tuple[Route | None, Mapping[str, str]]:
        for route in self._routes:
            if route.verb == verb and (found := route.pattern.fullmatch(path)):
                return route, found.groupdict()
        return None, {}


def _handler(http: HttpServer, before: str = "") -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body go out together, and a body that is too long for that does not wait until the client has
        # acknowledged the head, as it does 40 ms later.
        wbufsize = -1
        disable_nagle_algorithm = True

        def handle_any(self) -> None:
            """Hand the request on, and its answer back."""
            body = _body(self.headers, self.rfile)
            answer = http.answer(self.command, before + self.path, body, dict(self.headers.items()))
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            # An answer without content has neither: https://www.rfc-editor.org/rfc/rfc9110#section-8.6
            if answer.status != NO_CONTENT:
                self.send_header("Content-Type", answer.content_type)
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 - the base class's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    return Handler


def _body(headers: Message, stream: BufferedIOBase) -> bytes:
    """The body of a request, of a length that is said, or in chunks until an empty one."""
    if headers.get("Transfer-Encoding", "").lower() != "chunked":
        return stream.read(int(headers.get("Content-Length", 0)))
    chunks = []
    while size := int(stream.readline().partition(b";")[0], 16):
        chunks.append(stream.read(size))
        stream.readline()
    while stream.readline().strip():
        """Trailers say nothing that is used here."""
    return b"".join(chunks)


def _recorded(request: HttpRequest) -> Struct:
    is_long = len(request.body) > LARGEST_RECORDED
    body = f"SHA-256 {sha256(request.body).hexdigest()}" if is_long else request.body.decode(errors="replace")
    recorded = Struct()
    recorded.update({"path": request.path, "query": dict(request.query), "body": body})
    return recorded
