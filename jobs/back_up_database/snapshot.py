"""One moment of a database, and the rows that its tables have in it, counted beside whatever else reads it."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager, suppress

import msgspec
import psycopg

from jobs.database import count_rows, database_error, exported_snapshot, locale_of, prepare, roles_of
from shared.backup_metadata import Locale

CANCEL_SECONDS = 0.1


class Snapshot(msgspec.Struct, frozen=True):
    """One moment of a database: every reader that uses its id sees the same rows."""

    id: str
    server_version: str
    """Such as ``17.6``."""
    major: int
    user: str
    """As whom it is read."""
    locale: Locale
    roles: list[str]


@contextmanager
def snapshot_of(variables: Mapping[str, str]) -> Iterator[Snapshot]:
    """A snapshot of the database that libpq's variables lead to, which lasts as long as the ``with``.

    https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-SNAPSHOT-SYNCHRONIZATION.
    The connection that exports it holds no lock: others read tables. Raises ``JobFailed``.
    """
    with closing(_connected(variables)) as connection:
        try:
            snapshot = _take(connection)
        except psycopg.Error as error:
            raise database_error("the database cannot be read", error) from None
        yield snapshot


def _connected(variables: Mapping[str, str]) -> psycopg.Connection:
    try:
        return psycopg.connect(connect_timeout=variables["PGCONNECT_TIMEOUT"])
    except psycopg.Error as error:
        raise database_error("the database cannot be reached", error) from None


def _take(connection: psycopg.Connection) -> Snapshot:
    prepare(connection)
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    version = connection.info.parameter_status("server_version") or ""
    return Snapshot(
        id=exported_snapshot(connection),
        server_version=version.partition(" ")[0],
        major=connection.info.server_version // 10_000,
        user=connection.info.user,
        locale=locale_of(connection),
        roles=roles_of(connection),
    )


@contextmanager
def counting(
    snapshot: Snapshot, variables: Mapping[str, str], *, lock_seconds: int
) -> Iterator["Future[dict[str, int]]"]:
    """The rows by table of a snapshot, which are counted while the ``with`` lasts; its end stops a count that runs.

    The count raises ``JobFailed``, as does a connection that cannot be made.
    """

    def count() -> dict[str, int]:
        try:
            prepare(connection, lock_seconds=lock_seconds)
            return count_rows(connection, snapshot.id)
        except psycopg.Error as error:
            raise database_error("the tables cannot be counted", error) from None

    with closing(_connected(variables)) as connection, ThreadPoolExecutor(1) as counter:
        counted = counter.submit(count)
        try:
            yield counted
        finally:
            # Between two statements there is nothing to cancel: the next one is.
            while not counted.done():
                with suppress(psycopg.Error):
                    connection.cancel_safe()
                wait([counted], CANCEL_SECONDS)
