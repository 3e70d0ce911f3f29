"""Reads the bodies of requests within a deadline, and few large ones at once: any stranger may send slowly."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import msgspec
from flask import Request

LARGEST_BODY = 25 * 1024 * 1024
"""Bytes: GitHub sends no more (https://docs.github.com/webhooks/webhook-events-and-payloads#payload-cap)."""
LARGE_BODY = 1024 * 1024
"""Bytes: a webhook about a pull request or a comment is smaller."""
LARGE_BODIES = 4
"""As many large ones are read at once as fit into the function's memory."""
BODY_SECONDS = 3.0
"""From the headers to the last byte. GitHub waits ten seconds for the answer, of which publishing may take 6.5."""


class Refused(msgspec.Struct, frozen=True):
    """Why a request is answered with an error, and goes no further."""

    status: HTTPStatus
    why: str


TOO_LARGE = Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {LARGEST_BODY} bytes")
CUT_OFF = Refused(HTTPStatus.BAD_REQUEST, "the body ended too early")
TOO_SLOW = Refused(HTTPStatus.REQUEST_TIMEOUT, f"the body did not arrive within {BODY_SECONDS:g} s")
TOO_BUSY = Refused(HTTPStatus.SERVICE_UNAVAILABLE, "too many large bodies at once: redeliver it at GitHub")


class Deadline:
    """The deadline for the body of one request."""

    def __init__(self, connection: socket.socket, at: float) -> None:
        self.connection = connection
        self.at = at
        self.passed = False

    def enforce(self) -> None:
        """End the waiting for the body; the answer can still be sent."""
        self.passed = True
        try:
            self.connection.shutdown(socket.SHUT_RD)
        except OSError:
            return  # the sender has closed the connection


class Bodies:
    """Reads bodies, for all threads of a process.

    A timeout of the socket would not do: it begins anew with each byte. So one thread ends the waiting of all.
    """

    def __init__(self, seconds: float = BODY_SECONDS) -> None:
        self._seconds = seconds
        self._large = threading.BoundedSemaphore(LARGE_BODIES)
        self._waiting: dict[int, Deadline] = {}
        self._lock = threading.Lock()
        self._process = 0

    def read(self, request: Request) -> bytes | Refused:
        """The raw bytes of a body, of which no more is read than a webhook may have."""
        length = _length(request)
        if length is not None and length > LARGEST_BODY:
            return TOO_LARGE
        if length is not None and length <= LARGE_BODY:
            return self._read(request, length)
        if not self._large.acquire(timeout=self._seconds):
            return TOO_BUSY
        try:
            return self._read(request, length)
        finally:
            self._large.release()

    def _read(self, request: Request, length: int | None) -> bytes | Refused:
        # Of a body in chunks one byte more is read than it may have. Without chunks or a length there is none.
        chunks = LARGEST_BODY + 1 if "wsgi.input_terminated" in request.environ else 0
        size = chunks if length is None else length
        with self._deadline(request) as deadline:
            try:
                # From the server: werkzeug's own way takes longer.
                body: bytes = request.environ["wsgi.input"].read(size)
            except OSError:
                return CUT_OFF  # the sender is gone
        if deadline and deadline.passed:
            return TOO_SLOW
        if length is None:
            return TOO_LARGE if len(body) > LARGEST_BODY else body
        return body if len(body) == length else CUT_OFF

    @contextmanager
    def _deadline(self, request: Request) -> Iterator[Deadline | None]:
        """The deadline, while the body is read; None if the server does not say by which connection it comes."""
        connection = request.environ.get("gunicorn.socket")
        if connection is None:
            yield None
            return
        deadline = Deadline(connection, time.monotonic() + self._seconds)
        with self._lock:
            self._start()
            self._waiting[id(deadline)] = deadline
        try:
            yield deadline
        finally:
            with self._lock:
                self._waiting.pop(id(deadline), None)

    def _start(self) -> None:
        """Start the thread, once in each process: a thread does not survive a fork."""
        if self._process != os.getpid():
            self._process = os.getpid()
            threading.Thread(target=self._enforce, name="deadlines of bodies", daemon=True).start()

    def _enforce(self) -> None:
        while True:
            time.sleep(self._seconds / 10)
            now = time.monotonic()
            with self._lock:  # a connection is shut down only while its body is still waited for
                late = [deadline for deadline in self._waiting.values() if now >= deadline.at]
                for deadline in late:
                    deadline.enforce()
                    del self._waiting[id(deadline)]


def _length(request: Request) -> int | None:
    """The request's content length; None for a chunked body."""
    said: str = request.environ.get("CONTENT_LENGTH", "")
    return int(said) if said.isdecimal() and "HTTP_TRANSFER_ENCODING" not in request.environ else None
