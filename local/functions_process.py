"""The functions' process: it starts, and imports what functions are made of, before it knows what to run.

So its imports take their time while the local cloud and the database start.
"""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from infra.suite.automations import ROOT

STOP_SECONDS = 10.0
BACKLOG = 128


class FunctionsProcess:
    """One process after another at one address, which outlives them: a push that arrives between two waits."""

    def __init__(self, error_log: Path, imports: Sequence[str] = ()) -> None:
        """Start the first one, with the modules of these automations."""
        self.error_log = error_log
        self._imports = imports
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._runs = False
        self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def run(self, environment: Mapping[str, str]) -> None:
        """Have it run what these environment variables say, without waiting for it; in a new process if it runs."""
        if self._runs:
            self.stop()
        process = self._process or self._open()
        self._runs = True
        if process.stdin:
            with suppress(BrokenPipeError):  # it has ended: `wait` says so
                process.stdin.write(json.dumps(environment).encode() + b"\n")
                process.stdin.flush()

    def wait(self, on_line: Callable[[bytes], None]) -> None:
        """Wait until it listens; from then on each line that it writes to standard output is handed on.

        Raises ``RuntimeError`` if it ends before, with the end of what it wrote.
        """
        process = self._process
        if process is None or not (process.stdout and process.stdout.readline()):
            raise RuntimeError(f"the functions did not start: {self._last_words() or 'no output'}")
        self._reader = threading.Thread(target=_read, args=(process.stdout, on_line), daemon=True)
        self._reader.start()

    def end_soon(self) -> None:
        """Let the process end, without waiting for it; `stop` does."""
        if self._process and self._process.stdin:
            with suppress(BrokenPipeError):
                self._process.stdin.close()

    def stop(self) -> None:
        """End the process; the address stays, and takes what comes meanwhile."""
        self.end_soon()
        process, self._process = self._process, None
        reader, self._reader = self._reader, None
        self._runs = False
        if process is None:
            return
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if reader:
            reader.join(STOP_SECONDS)
        if process.stdout:
            process.stdout.close()

    def close(self) -> None:
        """End the process, and give up the address."""
        self.stop()
        self._socket.close()

    @property
    def failure(self) -> str:
        """The error for a person if the process has ended by itself; "" while it is up."""
        code = self._process.poll() if self._process else None
        if code is None:
            return ""
        last = self._last_words()
        return f"the functions' process ended with exit code {code}{f': {last}' if last else ''} ({self.error_log})"

    @property
    def process_id(self) -> int:
        """The process; 0 if there is none."""
        return self._process.pid if self._process else 0

    def _open(self) -> "subprocess.Popen[bytes]":
        """A process that waits for its environment."""
        listening = self._socket.fileno()
        with self.error_log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "local.functions_host", str(listening), *self._imports],
                pass_fds=[listening],
                cwd=ROOT,
                env=os.environ | {"MALLOC_ARENA_MAX": "1"},  # as deploy.sh has it for this process
                stdin=subprocess.PIPE,  # it ends when this does
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        return self._process

    def _last_words(self) -> str:
        """The last line of what it wrote before it ended."""
        if self._process:
            self._process.wait()
        lines = self.error_log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""


def _read(output: IO[bytes], on_line: Callable[[bytes], None]) -> None:
    for line in output:
        on_line(line)
