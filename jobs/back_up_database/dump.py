"""A dump of a database on its way into an upload, with what is in it: nothing of it is ever kept here."""

import hashlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import msgspec
import psycopg

from jobs.back_up_database.upload import CHUNK, uploading
from jobs.bucket import Bucket, StoredObject
from jobs.database import count_rows, database_error
from jobs.program import running


class Snapshot(msgspec.Struct, frozen=True):
    """One moment of a database: whatever reads by its id sees the very same rows."""

    id: str
    server_version: str
    tables: dict[str, int]
    """Rows by table."""


@contextmanager
def snapshot_of(variables: Mapping[str, str], *, lock_seconds: int) -> Iterator[Snapshot]:
    """A snapshot of the database that libpq's variables lead to, which lasts as long as the ``with``.

    https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-SNAPSHOT-SYNCHRONIZATION.
    Raises ``JobFailed``.
    """
    try:
        connection = psycopg.connect(connect_timeout=variables["PGCONNECT_TIMEOUT"])
    except psycopg.Error as error:
        raise database_error("the database cannot be reached", error) from None
    with closing(connection):
        try:
            snapshot = _take(connection, lock_seconds)
        except psycopg.Error as error:
            raise database_error("the tables cannot be counted", error) from None
        yield snapshot


def _take(connection: psycopg.Connection, lock_seconds: int) -> Snapshot:
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    # However long it takes, the snapshot has to last; only a lock is not waited for without end.
    connection.execute("SET LOCAL statement_timeout = 0")
    connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    connection.execute("SELECT set_config('lock_timeout', %s, true)", [f"{lock_seconds}s"])
    row = connection.execute("SELECT pg_export_snapshot()").fetchone()
    version = connection.info.parameter_status("server_version") or ""
    return Snapshot(str(row[0]) if row else "", version.partition(" ")[0], count_rows(connection))


class Dumped(msgspec.Struct, frozen=True):
    """What has become of a dump."""

    stored: StoredObject
    sha256: str


def dump(bucket: Bucket, name: str, snapshot: Snapshot, variables: Mapping[str, str], *, lock_seconds: int) -> Dumped:
    """Stream a dump of a snapshot into a new object. Raises ``JobFailed``, or what Google's clients raise.

    The object comes to be only after `pg_dump` has ended well.
    """
    options = (
        "--format=custom",
        f"--snapshot={snapshot.id}",
        f"--lock-wait-timeout={lock_seconds * 1000}",
        "--no-password",  # it would ask a person
    )
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    # Whatever fails, the upload is given up first, then the program, which the reader waits for.
    with (
        ThreadPoolExecutor(1) as reader,
        running("pg_dump", options, environment=variables) as program,
        uploading(bucket, name) as upload,
    ):
        # The next chunk comes in while one is sent.
        coming = reader.submit(program.output.read, CHUNK)
        while True:
            data = coming.result()
            sha256.update(data)
            md5.update(data)
            if len(data) < CHUNK:
                break
            coming = reader.submit(program.output.read, CHUNK)
            upload.send(data)
        program.finish()
        return Dumped(upload.finish(data, md5.digest()), sha256.hexdigest())
