"""An HTTP endpoint on this machine that takes in pushes, for tests."""

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Push:
    """One request that came in: its path and query, header fields, body, and when."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    at: datetime


class Inbox:
    """Answers pushes to a path with the given statuses, one after the other, and with 200 when there are none left."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.pushes: list[Push] = []
        self._statuses: defaultdict[str, list[int]] = defaultdict(list)
        self._changed = threading.Condition()

    def answer_with(self, statuses: Iterable[int], path: str = "/") -> None:
        """Answer the next pushes to a path with these statuses."""
        with self._changed:
            self._statuses[path].extend(statuses)

    def take(self, push: Push) -> int:
        """Take in a push, and give the status to answer with."""
        with self._changed:
            self.pushes.append(push)
            self._changed.notify_all()
            return self._statuses[push.path].pop(0) if self._statuses[push.path] else 200

    def wait_for(self, count: int) -> list[Push]:
        """The pushes, when there are that many. Fails if that takes too long."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.pushes) >= count, PATIENCE_SECONDS), self.pushes
            return list(self.pushes)


@contextmanager
def open_inbox(now: Callable[[], datetime]) -> Iterator[Inbox]:
    """Serve an inbox on a free port of the loopback interface."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Take the push in."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = inbox.take(Push(self.path, dict(self.headers), json.loads(body), now()))
            self.send_response_only(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        # As many pushes may come at a time as the local cloud sends.
        request_queue_size = 128

    server = Server(("127.0.0.1", 0), Handler)
    inbox = Inbox(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield inbox
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
