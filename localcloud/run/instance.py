"""One instance of a Cloud Run service: a process that listens on loopback."""

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlencode

from localcloud.core.http import HttpAnswer, HttpRequest
from shared import supervisor

START_SECONDS = 20.0
"""For it to listen; Cloud Run waits four minutes (https://cloud.google.com/run/docs/configuring/healthchecks)."""
LOOPBACK = "127.0.0.1"
ANSWER_SECONDS = 30.0
POLL_SECONDS = 0.02
ENDING = "SIGTERM"
"""Ten seconds later by force (https://cloud.google.com/run/docs/container-contract#instance-shutdown)."""
NOT_PASSED_ON = frozenset({"accept-encoding", "connection", "content-length", "host", "transfer-encoding"})


@dataclass(frozen=True)
class Program:
    """The content of an image: its command, and its environment variables.

    The command listens on port ``PORT`` of 127.0.0.1. One that ``waits`` gets that, and its other variables, as a
    line of JSON on its standard input: so a process of it can be started before a revision needs it.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    waits: bool = False


class Instance:
    """A process with a folder of its own; both are gone at the latest when this process ends."""

    def __init__(self, program: Program, environment: Mapping[str, str] | None = None) -> None:
        """Start it with this environment and nothing of our own but PATH; one that waits has no other yet."""
        self._port = _free_port()
        variables = {
            "PATH": os.environ.get("PATH", os.defpath),
            **program.environment,
            **(environment or {}),
            "PORT": str(self._port),
        }
        self._folder = tempfile.mkdtemp(prefix="caretaker-instance-")
        self._process = subprocess.Popen(
            (sys.executable, "-I", supervisor.__file__, ENDING, "", self._folder, *program.command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=variables,
            start_new_session=True,  # Ctrl-C is for us: it ends when we do
        )
        self._reader: threading.Thread | None = None

    def begin(self, environment: Mapping[str, str]) -> None:
        """Let one that waits run, with this environment besides."""
        self._port = _free_port()  # of the one at its start another program may have taken hold
        line = json.dumps({**environment, "PORT": str(self._port)}).encode() + b"\n"
        if self._process.stdin:
            with suppress(BrokenPipeError):  # it has ended: it will not come up
                self._process.stdin.write(line)
                self._process.stdin.flush()

    def read(self, on_line: Callable[[bytes], None]) -> None:
        """From now on hand on each line that it writes."""
        self._reader = threading.Thread(target=self._read, args=(on_line,), daemon=True)
        self._reader.start()

    def has_come_up(self) -> bool:
        """Wait until it listens; False if it ended before it did, or takes too long."""
        deadline = time.monotonic() + START_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex((LOOPBACK, self._port)) == 0:
                    return True
            time.sleep(POLL_SECONDS)
        return False

    def ask(self, request: HttpRequest) -> HttpAnswer:
        """Pass a request on, as Google's front end does. Raises ``OSError``, ``HTTPException`` without an answer."""
        host, _, path = request.path.partition("/")
        target = f"/{path}?{urlencode(request.query)}" if request.query else f"/{path}"
        passed_on = {name: value for name, value in request.headers.items() if name not in NOT_PASSED_ON}
        connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=ANSWER_SECONDS)
        try:
            connection.request(
                request.verb, target, request.body, passed_on | {"host": host, "x-forwarded-proto": "https"}
            )
            answer = connection.getresponse()
            return HttpAnswer(answer.status, answer.read(), answer.headers.get("content-type", ""))
        finally:
            connection.close()

    def end(self) -> None:
        """Tell it to end, and wait until it has."""
        with self._process:
            if self._process.stdin:
                self._process.stdin.close()
            self._process.wait()
            if self._reader:
                self._reader.join()
        shutil.rmtree(self._folder, ignore_errors=True)  # it is still there, if the program has ended by itself

    def _read(self, on_line: Callable[[bytes], None]) -> None:
        if self._process.stdout:
            for line in self._process.stdout:
                on_line(line)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
