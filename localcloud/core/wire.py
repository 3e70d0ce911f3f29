"""HTTP on the wire: requests to the local cloud itself, and as to a proxy before all of Google's hosts.

A proxy is asked in two ways: by absolute URLs, and by CONNECT for what is inside TLS. It answers for the hosts that are
served here, and refuses all others, so that nothing reaches the world. In a tunnel, gRPC is spoken to the gRPC port.
"""

import select
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from io import BufferedIOBase
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from localcloud.core.http import HttpAnswer, HttpServer

NO_CONTENT = 204
CHUNK = 64 * 1024
GRPC = "h2"


def handler(http: "HttpServer", host: str = "") -> type[BaseHTTPRequestHandler]:
    """Answers requests; those to ``host``, if one is named, without the host before their paths."""
    return type("Handler", (_Handler,), {"http": http, "host": host})


@dataclass(frozen=True)
class Target:
    """The target of a request: host, path and query, and the URL before the paths of that host."""

    path: str
    api_url: str


class _Handler(BaseHTTPRequestHandler):
    http: ClassVar["HttpServer"]
    host: ClassVar[str]

    protocol_version = "HTTP/1.1"
    # Head and body go out together, and a body that is too long for that does not wait until the client has
    # acknowledged the head, as it does 40 ms later.
    wbufsize = -1
    disable_nagle_algorithm = True

    def handle_any(self) -> None:
        """Hand the request on, and its answer back."""
        body = _body(self.headers, self.rfile)
        try:
            target = self._target()
        except _NotServed as refused:
            self._refuse(refused.host)
            return
        headers = dict(self.headers.items())
        self._send(self.http.answer(self.command, target.path, body, headers, base=target.api_url))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 - the base class's names

    def do_CONNECT(self) -> None:
        """Open a tunnel to a host that is served here, and answer for it."""
        name = self.path.rpartition(":")[0]
        if self.host or not self.http.serves(name):
            self._refuse(name)
            return
        self.send_response(HTTPStatus.OK, "Connection established")
        self.end_headers()
        self.wfile.flush()
        self.close_connection = True
        try:
            with self.http.authority.context(name).wrap_socket(self.connection, server_side=True) as inside:
                if inside.selected_alpn_protocol() == GRPC:
                    _join(inside, self.http.grpc_port)
                else:
                    handler(self.http, name)(inside, self.client_address, self.server)
        except (ssl.SSLError, ConnectionError):
            """The client went, or does not trust the certificate, which is its to report."""

    def _target(self) -> Target:
        """Raises _NotServed if a proxy is asked for a host that is not here."""
        if self.host:
            return Target(f"/{self.host}{self.path}", f"https://{self.host}")
        asked = urlsplit(self.path)
        path = self.path[len(f"{asked.scheme}://{asked.netloc}") :] if asked.netloc else self.path
        if not asked.netloc or asked.netloc == _address(self.connection):
            served = path.lstrip("/").partition("/")[0]
            return Target(path, f"http://{self.headers.get('Host', '')}/{served}")
        if not self.http.serves(asked.hostname or ""):
            raise _NotServed(asked.hostname or "")
        return Target(f"/{asked.hostname}{path}", f"http://{asked.netloc}")

    def _refuse(self, name: str) -> None:
        text = f"{name} is not served by the local cloud, which as a proxy leads nowhere else\n".encode()
        # Clients show no more than the first line of an answer to CONNECT.
        self.send_response(HTTPStatus.FORBIDDEN, "Not served by the local cloud")
        self._send_body("text/plain; charset=utf-8", text)

    def _send(self, answer: "HttpAnswer") -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status == NO_CONTENT:  # it has no length either: https://www.rfc-editor.org/rfc/rfc9110#section-8.6
            self.end_headers()
        else:
            self._send_body(answer.content_type, answer.body)

    def _send_body(self, kind: str, body: bytes) -> None:
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


class _NotServed(Exception):
    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.host = host


def _address(connection: socket.socket) -> str:
    """Our own side of a connection, as URLs name it."""
    host, port = connection.getsockname()[:2]
    return f"{host}:{port}"


def _join(inside: ssl.SSLSocket, port: int) -> None:
    """Hand bytes on between a tunnel and the gRPC port until either ends.

    In one thread: OpenSSL does not let one read while another writes.
    """
    with socket.create_connection(("127.0.0.1", port)) as grpc:
        ends: dict[socket.socket, Callable[[bytes], None]] = {inside: grpc.sendall, grpc: inside.sendall}
        while True:
            ready = [inside] if inside.pending() else select.select(list(ends), [], [])[0]
            for one in ready:
                data = _received(one)
                if data == b"":
                    return
                if data:
                    ends[one](data)


def _received(end: socket.socket) -> bytes | None:
    """The bytes received; empty at the end, None if they were TLS's own."""
    end.settimeout(0)
    try:
        return end.recv(CHUNK)
    except ssl.SSLWantReadError:
        return None
    finally:
        end.settimeout(None)


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
