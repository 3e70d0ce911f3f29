"""Tells the local cloud's time to the functions' process, over plain HTTP."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from local.cloud.clock import Clock


class NowServer:
    """Answers ``GET /now`` with the clock's time in ISO 8601."""

    def __init__(self, clock: Clock) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                """Answer the time, or 404 for any other path."""
                is_now = self.path == "/now"
                body = clock.now().isoformat().replace("+00:00", "Z").encode() if is_now else b"only /now is here\n"
                self.send_response(200 if is_now else 404)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="now", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where the time is told."""
        return f"http://127.0.0.1:{self._server.server_port}/now"

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
