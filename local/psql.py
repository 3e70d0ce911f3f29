"""PostgreSQL's own ``psql``, for what the story does in databases: a client in this process would be 13 MiB of it."""

import os
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

from shared.postgres_server import PostgresFailed, PostgresServer, find_program

OPTIONS = ("--no-psqlrc", "--no-password", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1")
REFUSED = 2
"""Its exit code for a connection that it did not get: https://www.postgresql.org/docs/current/app-psql.html."""


def program() -> Path:
    """The one beside the server's programs: what Debian has on the PATH is a script that looks for it.

    Raises ``PostgresMissing``.
    """
    beside = find_program("initdb").with_name("psql")
    return beside if beside.is_file() else find_program("psql")


def execute(server: PostgresServer, *statements: str) -> None:
    """Execute statements as the superuser, each by itself. Raises ``PostgresFailed``."""
    done = _run(server.conninfo(), "".join(f"{one};\n" for one in statements), {})
    if done.returncode:
        raise PostgresFailed(done.stderr.strip())


def user_at(address: str) -> str | None:
    """The user that an address (``postgresql://user:password@host:port/database``) logs in as; None if it may not."""
    parts = urlsplit(address)
    password = {"PGPASSWORD": unquote(parts.password or "")}  # others can read the arguments of a process
    without = parts._replace(netloc=f"{parts.username}@{parts.hostname}:{parts.port}").geturl()
    done = _run(without, "SELECT session_user", password)
    if done.returncode not in (0, REFUSED):
        raise PostgresFailed(done.stderr.strip())
    return None if done.returncode else done.stdout.strip()


def _run(conninfo: str, statements: str, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    variables = {"PATH": os.environ.get("PATH", os.defpath), "PGCONNECT_TIMEOUT": "10", **environment}
    command = (program(), *OPTIONS, f"--dbname={conninfo}")
    return subprocess.run(command, input=statements, env=variables, capture_output=True, text=True, check=False)
