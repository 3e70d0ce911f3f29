"""A dump of a database on its way into an upload, with what is in it: nothing of it is ever kept here."""

import hashlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import msgspec
import psycopg

from jobs.back_up_database.upload import CHUNK, uploading
from jobs.bucket import Bucket, StoredObject
from jobs.database import count_rows, database_error, exported_snapshot, locale_of, prepare, roles_of
from jobs.program import ProgramFailed, running
from shared.backup_metadata import Locale
from shared.postgres_server import find_dumper


class Snapshot(msgspec.Struct, frozen=True):
    """One moment of a database: every reader that uses its id sees the same rows."""

    id: str
    server_version: str
    """Such as ``17.6``."""
    major: int
    user: str
    """As whom it is read."""
    tables: dict[str, int]
    """Rows by table."""
    locale: Locale
    roles: list[str]


@contextmanager
def snapshot_of(variables: Mapping[str, str], *, lock_seconds: int) -> Iterator[Snapshot]:
    """A snapshot of the database that libpq's variables lead to, which lasts as long as the ``with``.

    https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-SNAPSHOT-SYNCHRONIZATION.
    The connection that exports it holds no lock: tables are counted by another one. Raises ``JobFailed``.
    """
    with closing(_connected(variables)) as connection:
        try:
            snapshot = _take(connection, variables, lock_seconds)
        except psycopg.Error as error:
            raise database_error("the tables cannot be counted", error) from None
        yield snapshot


def _connected(variables: Mapping[str, str]) -> psycopg.Connection:
    try:
        return psycopg.connect(connect_timeout=variables["PGCONNECT_TIMEOUT"])
    except psycopg.Error as error:
        raise database_error("the database cannot be reached", error) from None


def _take(connection: psycopg.Connection, variables: Mapping[str, str], lock_seconds: int) -> Snapshot:
    prepare(connection, lock_seconds=lock_seconds)
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    exported = exported_snapshot(connection)
    with closing(_connected(variables)) as counting:
        prepare(counting, lock_seconds=lock_seconds)
        tables = count_rows(counting, exported)
    version = connection.info.parameter_status("server_version") or ""
    return Snapshot(
        id=exported,
        server_version=version.partition(" ")[0],
        major=connection.info.server_version // 10_000,
        user=connection.info.user,
        tables=tables,
        locale=locale_of(connection),
        roles=roles_of(connection),
    )


class Dumped(msgspec.Struct, frozen=True):
    """The result of a dump."""

    stored: StoredObject
    sha256: str


def dump(bucket: Bucket, name: str, snapshot: Snapshot, variables: Mapping[str, str], *, lock_seconds: int) -> Dumped:
    """Stream a dump of a snapshot into a new object. Raises ``JobFailed``, or what Google's clients raise.

    The object exists only after `pg_dump` has succeeded.
    """
    options = (
        "--format=custom",
        f"--snapshot={snapshot.id}",
        f"--lock-wait-timeout={lock_seconds * 1000}",
        "--no-password",  # it would ask a person
    )
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    # On any failure the upload is given up first, then the program, which the reader waits for.
    with (
        ThreadPoolExecutor(1) as reader,
        running(find_dumper(snapshot.major), options, environment=variables) as program,
    ):
        # The next chunk comes in while one is sent; the first while the upload begins.
        coming = reader.submit(program.output.read, CHUNK)
        with uploading(bucket, name) as upload:
            while True:
                data = coming.result()
                sha256.update(data)
                md5.update(data)
                if len(data) < CHUNK:
                    break
                coming = reader.submit(program.output.read, CHUNK)
                upload.send(data)
            try:
                program.finish()
            except ProgramFailed as failed:
                raise ProgramFailed(f"{failed}{_hint(str(failed), snapshot.user)}") from None
            return Dumped(upload.finish(data, md5.digest()), sha256.hexdigest())


def _hint(error: str, user: str) -> str:
    """The remedy for large objects: `pg_read_all_data` does not cover them."""
    if "large object" not in error or "permission denied" not in error:
        return ""
    name = user.replace('"', '""')
    return f'; as a superuser: ALTER ROLE "{name}" SET lo_compat_privileges = on'
