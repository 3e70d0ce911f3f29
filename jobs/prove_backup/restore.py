"""Restores a backup into a server of its own, and looks at what has come of it."""

import contextlib
import hashlib
from collections.abc import Iterable
from contextlib import closing

import psycopg

from jobs.database import count_rows, database_error, prepare
from jobs.job import ExitCode, JobFailed
from jobs.program import ProgramFailed, running
from jobs.prove_backup.restorer import Restorer
from jobs.prove_backup.target import DATABASE, Target, WrongMachine
from shared.backup_metadata import BackupMetadata, TableCounts, Tables, short
from shared.postgres_server import SUPERUSER, PostgresServer

MOST_NAMED = 5
UNKNOWN_FORMAT = "unsupported version"
"""`pg_restore`'s error for an archive that is newer than itself."""
OPTIONS = (
    f"--dbname={DATABASE}",
    "--exit-on-error",
    "--no-password",
    # These belong to the server that was backed up.
    "--no-owner",
    "--no-privileges",
    "--no-subscriptions",
    "--no-tablespaces",
)


class NotProved(JobFailed):
    """The backup is not what it says it is, or cannot be restored."""

    exit_code = ExitCode.NOT_PROVED


def restore(
    content: Iterable[bytes], backup: BackupMetadata, server: PostgresServer, restorer: Restorer, target: Target
) -> None:
    """Stream a backup into the database of a server. Raises ``NotProved``, or what reading its content raises."""
    variables = {
        "PGHOST": str(server.folder),
        "PGPORT": str(server.port),
        "PGUSER": restorer.user,
        "PGPASSWORD": restorer.password,
    }
    sha256 = hashlib.sha256()
    with running(target.pg_restore, OPTIONS, environment=variables, is_fed=True) as program:
        for piece in content:
            sha256.update(piece)
            # When it has ended early its exit code says why, and the checksum is still needed.
            with contextlib.suppress(BrokenPipeError):
                program.input.write(piece)
        if sha256.hexdigest() != backup.sha256:
            raise NotProved(f"its SHA-256 is {sha256.hexdigest()}, not {backup.sha256}: it is not what was uploaded")
        try:
            program.finish()
        except ProgramFailed as failed:
            if UNKNOWN_FORMAT in str(failed):
                raise WrongMachine(
                    f"it was written by a pg_dump that is newer than PostgreSQL {target.major}, whose pg_restore "
                    f"cannot read it ({failed}): take a new backup, or set BACKUP_RESTORE_INTO to that newer version"
                ) from None
            raise NotProved(f"it cannot be restored: {failed}{_hint(str(failed), restorer, target)}") from None


def _hint(error: str, restorer: Restorer, target: Target) -> str:
    """A remedy, where the backup itself may be good."""
    hints = []
    if ("permission denied" in error or "superuser" in error) and restorer.user != SUPERUSER:
        hints.append("if its code is trusted, set BACKUP_IS_TRUSTED")
    if target.locale is None:
        hints.append("it does not record its locale, so it was restored with C: the next backup records it")
    return "".join(f"; {hint}" for hint in hints)


def compare(backup: BackupMetadata, server: PostgresServer) -> None:
    """Look whether the restored tables are those of the backup. Raises ``NotProved``."""
    with psycopg.connect(server.conninfo(dbname=DATABASE)) as connection:
        prepare(connection)
        found = count_rows(connection)
    if wrong := _differences(backup.tables, found):
        raise NotProved(f"what is restored is not what was backed up: {'; '.join(wrong)}")


def ask(query: str, server: PostgresServer, restorer: Restorer) -> None:
    """Ask the restored database the owner's query. Raises ``NotProved`` unless the answer is true."""
    conninfo = server.conninfo(dbname=DATABASE, user=restorer.user, password=restorer.password)
    try:
        with closing(psycopg.connect(conninfo)) as connection:
            connection.read_only = True
            answer = connection.execute(query.encode()).fetchall()
    except psycopg.Error as error:
        raise NotProved(str(database_error("the check query failed", error))) from None
    if answer != [(True,)]:
        found = answer[0][0] if len(answer) == 1 and len(answer[0]) == 1 else f"{len(answer)} rows"
        raise NotProved(f"the check query's answer is {str(found)[:80]!r}, and only true will do")


def _differences(expected: Tables, found: dict[str, int]) -> list[str]:
    """The differences between the tables of a backup and the restored ones, in words."""
    if isinstance(expected, TableCounts):
        if short(found) == expected:
            return []
        return [f"{len(found)} tables with {sum(found.values())} rows, not {expected.tables} with {expected.rows}"]
    names = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    named = [f"{name} has {_rows(found.get(name))}, not {_rows(expected.get(name))}" for name in names[:MOST_NAMED]]
    return named + ([f"and {len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else [])


def _rows(count: int | None) -> str:
    return "no table" if count is None else f"{count} rows"
