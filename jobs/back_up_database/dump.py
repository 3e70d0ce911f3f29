"""A dump of a database on its way into an upload, with what is in it: nothing of it is ever kept here."""

import hashlib
import io
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import IO

import msgspec
import psycopg

from jobs.back_up_database.upload import CHUNK, uploading
from jobs.bucket import Bucket, StoredObject
from jobs.database import count_rows, database_error, exported_snapshot, locale_of, prepare, roles_of
from jobs.program import ProgramFailed, running
from shared.backup_metadata import Locale
from shared.postgres_server import find_dumper

PIECE = 256 * 1024
"""Bytes of a chunk that are read at a time."""


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
    It holds no lock on a table. Raises ``JobFailed``.
    """
    with closing(_connected(variables)) as connection:
        try:
            snapshot = _take(connection, lock_seconds)
        except psycopg.Error as error:
            raise database_error("the tables cannot be counted", error) from None
        yield snapshot


def _connected(variables: Mapping[str, str]) -> psycopg.Connection:
    try:
        return psycopg.connect(connect_timeout=variables["PGCONNECT_TIMEOUT"])
    except psycopg.Error as error:
        raise database_error("the database cannot be reached", error) from None


def _take(connection: psycopg.Connection, lock_seconds: int) -> Snapshot:
    prepare(connection, lock_seconds=lock_seconds)
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    version = connection.info.parameter_status("server_version") or ""
    return Snapshot(
        id=exported_snapshot(connection),
        server_version=version.partition(" ")[0],
        major=connection.info.server_version // 10_000,
        user=connection.info.user,
        tables=count_rows(connection),
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
    content = _Content()
    # On any failure the upload is given up first, then the program, which the reader waits for.
    with (
        ThreadPoolExecutor(1) as reader,
        running(find_dumper(snapshot.major), options, environment=variables) as program,
    ):
        # The next chunk comes in while one is sent; the first while the upload begins.
        coming = reader.submit(content.next_chunk, program.output)
        with uploading(bucket, name) as upload:
            while len(data := coming.result()) == CHUNK:
                coming = reader.submit(content.next_chunk, program.output)
                upload.send(data)
            try:
                program.finish()
            except ProgramFailed as failed:
                raise ProgramFailed(f"{failed}{_hint(str(failed), snapshot.user)}") from None
            return Dumped(upload.finish(data, content.md5.digest()), content.sha256.hexdigest())


class _Content:
    """The checksums of a dump as far as it has been read."""

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()
        self.md5 = hashlib.md5(usedforsecurity=False)

    def next_chunk(self, output: IO[bytes]) -> bytes:
        """The next chunk; one that is shorter is the last. Once it has come, little of it is left to be summed up."""
        chunk = io.BytesIO()
        while piece := output.read(min(PIECE, CHUNK - chunk.tell())):
            self.sha256.update(piece)
            self.md5.update(piece)
            chunk.write(piece)
        return chunk.getvalue()


def _hint(error: str, user: str) -> str:
    """The remedy for large objects: `pg_read_all_data` does not cover them."""
    if "large object" not in error or "permission denied" not in error:
        return ""
    name = user.replace('"', '""')
    return f'; as a superuser: ALTER ROLE "{name}" SET lo_compat_privileges = on'
