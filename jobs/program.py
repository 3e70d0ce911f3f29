"""Runs one of PostgreSQL's programs at the other end of a pipe, and reports what it printed when it failed."""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from jobs.job import JobFailed

PASSED_ON = ("PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
MOST_SAID = 1_000
FOLLOWS_AN_ERROR = ("DETAIL:", "CONTEXT:", "HINT:", "STATEMENT:", "LINE ", "Command was:")
"""Output that may quote rows of a table, and is not reported."""


class ProgramFailed(JobFailed):
    """A program of PostgreSQL ended with an error."""


class Program:
    """One run of a program."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], said: IO[bytes]) -> None:
        self.name = name
        self._process = process
        self._said = said

    @property
    def output(self) -> IO[bytes]:
        """Its output."""
        return _there(self._process.stdout)

    @property
    def input(self) -> IO[bytes]:
        """Its input."""
        return _there(self._process.stdin)

    def finish(self) -> None:
        """Let it come to its end. Raises ``ProgramFailed`` with what it said, if that was not a good one."""
        if self._process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        code = self._process.wait()
        if code:
            how = f"was ended by signal {-code}" if code < 0 else f"ended with {code}"
            raise ProgramFailed(f"{self.name} {how}: {self._errors()}")

    def end(self) -> None:
        """End it if it still runs."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def _errors(self) -> str:
        """The last of what it said, without what may quote rows."""
        self._said.seek(0)
        errors, is_error = [], True
        for line in self._said.read().decode(errors="replace").splitlines():
            if line.startswith(FOLLOWS_AN_ERROR):
                is_error = False  # for any number of lines, as a value may have them
            elif line.startswith(f"{self.name}: "):
                is_error = True
            if is_error:
                errors.append(line.removeprefix(f"{self.name}: "))
        return "; ".join(errors)[-MOST_SAID:] or "it printed no error"


@contextmanager
def running(
    path: Path, options: Sequence[str], *, environment: Mapping[str, str], is_fed: bool = False
) -> Iterator[Program]:
    """Run a program for as long as the ``with`` lasts: its output is a pipe, or if it is fed, its input.

    Of our own environment it sees little besides what it is given.
    """
    own = {variable: os.environ[variable] for variable in PASSED_ON if variable in os.environ}
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            (path, *options),
            env={**own, "LC_ALL": "C", **environment},
            stdin=subprocess.PIPE if is_fed else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if is_fed else subprocess.PIPE,
            stderr=said,
        )
        program = Program(path.name, process, said)
        try:
            yield program
        finally:
            program.end()


def _there(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise TypeError("the program was started the other way round")
    return pipe
