"""A PostgreSQL server of our own in a temporary folder: what a backup is restored into, and what tests log in to.

It is made by the machine's own PostgreSQL programs, is empty at first, and is gone without trace in the end, which
comes at the latest when this process dies.
"""

import contextlib
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import msgspec

from shared import supervisor
from shared.errors import CaretakerError

SUPERUSER = "postgres"
ENDING = "SIGQUIT"
"""Nothing is kept: it need not wait for anybody (https://www.postgresql.org/docs/current/server-shutdown.html)."""
LOOPBACK = "127.0.0.1"
READY_SECONDS = 60.0
POLL_SECONDS = 0.01
ATTEMPTS = 5
FOLDERS = (
    "/usr/lib/postgresql/*/bin",  # Debian and Ubuntu
    "/usr/pgsql-*/bin",  # Red Hat
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",  # Homebrew on Intel
)
UNPRIVILEGED = ("postgres", "nobody")
"""The server's user where we are root, as which it refuses to run: the first of these that exists."""
# Nothing here outlives the process, let alone the machine.
SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class PostgresMissing(CaretakerError):
    """A program of PostgreSQL is not on this machine."""


class PostgresFailed(CaretakerError):
    """A PostgreSQL server could not be made or started; the text is what its programs said."""


class Certificate(msgspec.Struct, frozen=True):
    """A server's certificate and its key, both in PEM format."""

    certificate: bytes
    key: bytes


class PostgresServer:
    """One server, from ``with`` or ``start`` to its end.

    It listens on a Unix socket in ``folder``, where ``postgres`` needs no password: the folder is closed to all but its
    owner and root. With ``is_on_loopback`` it listens on a free port of 127.0.0.1 too, where every role needs its
    password, and with a certificate a connection by TLS besides. ``major`` is the version of its programs; 0 is the
    first that is found. ``port`` is one that is kept free for it; 0 is any.
    """

    def __init__(
        self, *, is_on_loopback: bool = True, certificate: Certificate | None = None, major: int = 0, port: int = 0
    ) -> None:
        self._major = major
        self._is_on_loopback = is_on_loopback
        self._certificate = certificate
        self._keeper: subprocess.Popen[bytes] | None = None
        self._kept_port = port
        self.folder = Path()
        self.port = port

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def conninfo(self, **parameters: str) -> str:
        """The superuser's address by the socket, with these parameters of libpq added or replaced.

        https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
        """
        own = {"host": str(self.folder), "port": str(self.port), "user": SUPERUSER, "dbname": SUPERUSER}
        # Said to be empty, or the environment's would count: it must never lead to another server.
        own |= {"hostaddr": "", "options": ""}
        return " ".join(f"{name}='{_escaped(value)}'" for name, value in (own | parameters).items())

    @property
    def version(self) -> str:
        """Of the machine's programs, such as ``17.6``. Raises ``PostgresMissing``."""
        answer = subprocess.run(
            (find_program("postgres", self._major), "--version"), capture_output=True, text=True, check=True
        ).stdout
        return answer.partition("(PostgreSQL)")[2].split()[0]

    def start(self) -> None:
        """Make it and start it: returns when it can be connected to.

        Raises ``PostgresMissing``, or ``PostgresFailed`` with what its programs said.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._start()
            except PostgresFailed as failed:
                self.stop()
                # Between looking for a free port and listening on it another process may have taken it.
                if "Address already in use" not in str(failed) or attempt == ATTEMPTS:
                    raise
            except BaseException:
                self.stop()
                raise
            else:
                return

    def stop(self) -> None:
        """End it at once, and remove all that it kept; nothing if it does not run."""
        process, self._keeper = self._keeper, None
        if process:
            with process:
                process.communicate()
        if self.folder != Path():
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = Path()

    def _start(self) -> None:
        initdb, postgres = find_program("initdb", self._major), find_program("postgres", self._major)
        user = _unprivileged_user()
        self.folder = Path(tempfile.mkdtemp(prefix="caretaker-pg-"))
        self.port = self._kept_port or free_port()
        if user:
            shutil.chown(self.folder, user)
        data = self.folder / "data"
        self._make(initdb, data, user)
        settings = SETTINGS | {
            "listen_addresses": LOOPBACK if self._is_on_loopback else "",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            "hba_file": str(self._write("access", self._access(), user)),
            **self._encryption(user),
        }
        options = (f"--{name}={value}" for name, value in settings.items())
        with self._log.open("wb") as log:
            self._keeper = self._keep(user, (postgres, "-D", data, *options), log)
        self._wait(data / "postmaster.pid", self._keeper)

    def _make(self, initdb: Path, data: Path, user: str) -> None:
        """Make the files of an empty server."""
        # Our own file says who may connect; without it no one could.
        options = ("--no-sync", "--no-instructions", "--auth=reject", "--encoding=UTF8", "--no-locale")
        command = (initdb, "-D", data, f"--username={SUPERUSER}", *options)
        with self._log.open("wb") as log, self._keep(user, command, log) as process:
            code = process.wait()
        if code:
            raise PostgresFailed(f"initdb failed: {self._log.read_text(errors='replace').strip()}")

    def _keep(self, user: str, command: Sequence[str | Path], log: IO[bytes]) -> "subprocess.Popen[bytes]":
        """Run a program as this user, for as long as this process lives and its standard input is open."""
        return subprocess.Popen(
            (sys.executable, "-I", supervisor.__file__, ENDING, user, self.folder, *command),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=_environment(),
            start_new_session=True,  # Ctrl-C is for us: it ends when we do
        )

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def _access(self) -> str:
        """The rules of access (https://www.postgresql.org/docs/current/auth-pg-hba-conf.html)."""
        by_network = "hostssl" if self._certificate else "host"
        return (
            f"local all {SUPERUSER} trust\n"
            "local all all scram-sha-256\n"
            f"{by_network} all all {LOOPBACK}/32 scram-sha-256\n"
        )

    def _encryption(self, user: str) -> dict[str, str]:
        if self._certificate is None:
            return {}
        certificate = self._write("certificate.pem", self._certificate.certificate.decode(), user)
        key = self._write("key.pem", self._certificate.key.decode(), user)
        return {"ssl": "on", "ssl_cert_file": str(certificate), "ssl_key_file": str(key)}

    def _write(self, name: str, text: str, user: str) -> Path:
        """A file that its owner alone can read."""
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text)
        if user:
            shutil.chown(path, user)
        return path

    def _wait(self, status: Path, process: subprocess.Popen[bytes]) -> None:
        """Wait until the server says in its own file that it is ready, which is where ``pg_ctl`` looks too."""
        deadline = time.monotonic() + READY_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(FileNotFoundError):
                if status.read_text().splitlines()[-1:] == ["ready   "]:
                    return
            # It is a process of its own: there is nothing to wait on.
            time.sleep(POLL_SECONDS)
        raise PostgresFailed(f"the PostgreSQL server did not start: {self._log.read_text(errors='replace').strip()}")


def find_program(name: str, major: int = 0) -> Path:
    """One of PostgreSQL's programs, of this major version or if that is 0, the one on the PATH, else the newest.

    Raises ``PostgresMissing``.
    """
    if major:
        return _program_of(name, major)
    if found := shutil.which(name):
        return Path(found)
    if found := shutil.which(name, path=os.pathsep.join(map(str, _folders()))):
        return Path(found)
    raise PostgresMissing(f"{name} is not on this machine: it comes with PostgreSQL, which is to be 14 or newer")


def find_dumper(major: int) -> Path:
    """The ``pg_dump`` for a server of this major version: its own, so that its ``pg_restore`` reads what it writes.

    Without one, whichever is found first: it refuses a server that is newer than itself. Raises ``PostgresMissing``.
    """
    with contextlib.suppress(PostgresMissing):
        return find_program("pg_dump", major)
    return find_program("pg_dump")


def _program_of(name: str, major: int) -> Path:
    """The program of just this major version, in the usual folders or on the PATH."""
    for folder in _folders():
        if _version(folder) == major and (found := shutil.which(name, path=str(folder))):
            return Path(found)
    if (found := shutil.which(name)) and major_of(Path(found)) == major:
        return Path(found)
    versions = ", ".join(map(str, sorted({_version(folder) for folder in _folders()}))) or "none in the usual folders"
    raise PostgresMissing(
        f"{name} of PostgreSQL {major} is not on this machine (versions found: {versions}): "
        f"install PostgreSQL {major}, Debian's package postgresql-{major}"
    )


def major_of(program: Path) -> int:
    """The major version of one of PostgreSQL's programs, by its own word."""
    answer = subprocess.run((program, "--version"), capture_output=True, text=True, check=True).stdout
    found = re.search(r"\(PostgreSQL\) (\d+)", answer)
    return int(found[1]) if found else 0


def _folders() -> list[Path]:
    """The usual folders that there are, the newest version first."""
    there = [folder for pattern in FOLDERS for folder in Path("/").glob(pattern.removeprefix("/"))]
    return sorted(there, key=_version, reverse=True)


def _version(folder: Path) -> int:
    digits = re.findall(r"\d+", str(folder))
    return int(digits[-1]) if digits else 0


def _unprivileged_user() -> str:
    """The user that the server runs as; empty if that is ours."""
    if os.geteuid() != 0:
        return ""
    for name in UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise PostgresFailed(f"PostgreSQL does not run as root, and there is no user {' or '.join(UNPRIVILEGED)}")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


def _environment() -> dict[str, str]:
    """The environment of PostgreSQL's programs: nothing that points them elsewhere or changes their language."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def free_port() -> int:
    """A port of 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def kept_port() -> Iterator[int]:
    """A port that no other program is given, for a server that reuses addresses, as PostgreSQL and uvicorn do."""
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind((LOOPBACK, 0))
        port: int = kept.getsockname()[1]
        yield port
