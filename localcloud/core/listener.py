"""Listens for HTTP on loopback, and stops at once."""

import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Listener(ThreadingHTTPServer):
    """A server on a port of loopback (0: any free one), in a thread of its own, from the moment that it is made."""

    daemon_threads = True
    # Every run asks for the time. Connections beyond what may queue are tried again by the kernel, after a second.
    request_queue_size = 128

    def __init__(
        self,
        name: str,
        handler: type[BaseHTTPRequestHandler],
        context: ssl.SSLContext | None = None,
        *,
        port: int = 0,
    ) -> None:
        super().__init__(("127.0.0.1", port), handler)
        if context:
            # The TLS handshake runs in the connection's thread: in the accepting thread it would block all others.
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self._is_stopping = False
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The address it listens on."""
        return f"http://127.0.0.1:{self.server_port}"

    def stop(self) -> None:
        """Stop at once, where ``shutdown`` waits for the server to look up: it is woken by one more connection."""
        self._is_stopping = True
        socket.create_connection(("127.0.0.1", self.server_port)).close()
        self._thread.join()
        self.server_close()

    def _serve(self) -> None:
        while not self._is_stopping:
            self.handle_request()
