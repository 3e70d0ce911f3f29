"""Restores a backup into a server of its own, and looks at what has come of it."""

import contextlib
import hashlib
import secrets
from contextlib import closing

import msgspec
import psycopg
from psycopg import sql

from jobs.bucket import Bucket, StoredObject
from jobs.database import count_rows, database_error
from jobs.job import ExitCode, JobFailed
from jobs.program import ProgramFailed, running
from shared.backup_metadata import BackupMetadata, TableCounts, Tables, short
from shared.postgres_server import SUPERUSER, PostgresServer

DATABASE = "restored"
MOST_TOLD = 5
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


class Restorer(msgspec.Struct, frozen=True):
    """As whom a backup is restored and asked."""

    user: str = SUPERUSER
    password: str = ""


def new_restorer(server: PostgresServer, *, is_trusted: bool) -> Restorer:
    """A role of a server that may do as it likes in a database of its own, but nothing to the machine.

    Restoring runs code that is in the backup, with all the rights of who restores. Whoever may write a function
    into the database would have those of this job, if that were a superuser, who may run programs.
    """
    if is_trusted:
        return Restorer()
    made = Restorer("restorer", secrets.token_hex(16))
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        # Rows that a policy hides from their owner are to be counted too.
        role = sql.SQL("CREATE ROLE {} LOGIN BYPASSRLS PASSWORD {}")
        connection.execute(role.format(sql.Identifier(made.user), sql.Literal(made.password)))
    return made


def restore(
    bucket: Bucket, stored: StoredObject, backup: BackupMetadata, server: PostgresServer, restorer: Restorer
) -> None:
    """Stream a backup into a new database of a server. Raises ``NotProved``, or what Google's clients raise."""
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        database = sql.SQL("CREATE DATABASE {} TEMPLATE template0 OWNER {}")
        connection.execute(database.format(sql.Identifier(DATABASE), sql.Identifier(restorer.user)))
    variables = {
        "PGHOST": str(server.folder),
        "PGPORT": str(server.port),
        "PGUSER": restorer.user,
        "PGPASSWORD": restorer.password,
    }
    sha256 = hashlib.sha256()
    with running("pg_restore", OPTIONS, environment=variables, is_fed=True) as program:
        for piece in bucket.content(stored):
            sha256.update(piece)
            # When it has ended early its exit code says why, and the checksum is wanted all the same.
            with contextlib.suppress(BrokenPipeError):
                program.input.write(piece)
        if sha256.hexdigest() != backup.sha256:
            raise NotProved(f"its SHA-256 is {sha256.hexdigest()}, not {backup.sha256}: it is not what was uploaded")
        try:
            program.finish()
        except ProgramFailed as failed:
            raise NotProved(f"it cannot be restored: {failed}{_what_would_do(str(failed), restorer)}") from None


def _what_would_do(said: str, restorer: Restorer) -> str:
    """A hint, where a superuser could have restored it."""
    is_denied = "permission denied" in said or "superuser" in said
    return "; if its code is trusted, set BACKUP_IS_TRUSTED" if is_denied and restorer.user != SUPERUSER else ""


def compare(backup: BackupMetadata, server: PostgresServer) -> None:
    """Look whether the restored tables are those of the backup. Raises ``NotProved``."""
    with psycopg.connect(server.conninfo(dbname=DATABASE)) as connection:
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
    """What differs between the tables of a backup and those that were restored, in words."""
    if isinstance(expected, TableCounts):
        if short(found) == expected:
            return []
        return [f"{len(found)} tables with {sum(found.values())} rows, not {expected.tables} with {expected.rows}"]
    names = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    told = [f"{name} has {_rows(found.get(name))}, not {_rows(expected.get(name))}" for name in names[:MOST_TOLD]]
    return told + ([f"and {len(names) - MOST_TOLD} more"] if len(names) > MOST_TOLD else [])


def _rows(count: int | None) -> str:
    return "no table" if count is None else f"{count} rows"
