"""A PostgreSQL database as the jobs see it: tables and their rows, its locale, the roles of its server."""

import msgspec
import psycopg

from jobs.job import JobFailed
from shared.backup_metadata import Locale
from shared.decoding import decoded

TABLES = """
    SELECT textsend(n.nspname::text), textsend(c.relname::text),
      c.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery()
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence <> 't'
      AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
      AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY n.nspname, c.relname
"""
"""The tables whose rows are in a dump: partitions and no parents of them, and not what an extension brings with it; and
whether a table is unlogged on a standby, where it has no rows. Names are bytes: in SQL_ASCII they may be anything."""
DATABASE = """
    SELECT textsend((to_jsonb(d) || jsonb_build_object('encoding', pg_catalog.pg_encoding_to_char(d.encoding)))::text)
    FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
"""
ROLES = """
    SELECT textsend(r.rolname::text) FROM pg_catalog.pg_roles r
    WHERE r.rolname NOT LIKE 'pg\\_%'
    ORDER BY r.oid NOT IN (
        SELECT unnest(polroles) FROM pg_catalog.pg_policy UNION SELECT umuser FROM pg_catalog.pg_user_mappings),
      r.rolname
"""
"""The roles of the server, first those that policies and user mappings name."""
PROVIDERS = {"c": "libc", "i": "icu", "b": "builtin"}
TRANSACTION_TIMEOUT_SINCE = 170000


class _Database(msgspec.Struct, frozen=True):
    """A row of ``pg_database``, whose columns differ by version."""

    encoding: str
    datcollate: str
    datctype: str
    datlocprovider: str = "c"
    daticulocale: str | None = None
    datlocale: str | None = None
    daticurules: str | None = None


def prepare(connection: psycopg.Connection, *, lock_seconds: int = 0) -> None:
    """Let a connection read everything, however long that takes; only a lock is not waited for without end.

    Raises ``psycopg.Error``.
    """
    # Names of a database without an encoding of its own cannot be converted to another.
    is_ascii = connection.info.parameter_status("server_encoding") == "SQL_ASCII"
    connection.autocommit = True
    connection.execute(b"SET client_encoding = " + (b"'SQL_ASCII'" if is_ascii else b"'UTF8'"))
    connection.execute("SET statement_timeout = 0")
    connection.execute("SET idle_in_transaction_session_timeout = 0")
    if connection.info.server_version >= TRANSACTION_TIMEOUT_SINCE:
        connection.execute("SET transaction_timeout = 0")
    connection.execute(f"SET lock_timeout = {lock_seconds * 1000}".encode())
    # A policy that would hide rows is an error, to pg_dump too.
    connection.execute("SET row_security = off")
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True


def count_rows(connection: psycopg.Connection) -> dict[str, int]:
    """The number of rows of each table, by ``schema.table``.

    A lock on a table, and on each of its indexes, lasts no longer than its count, also within a transaction, as rolling
    back to a savepoint releases locks. The connection is a prepared one. Raises ``psycopg.Error``.
    """
    counts = {}
    with connection.transaction(force_rollback=True):
        tables = connection.execute(TABLES).fetchall()
    for schema, table, has_no_rows in tables:
        with connection.transaction(force_rollback=True):
            counts[table_name(_text(schema), _text(table))] = 0 if has_no_rows else _count(connection, schema, table)
    return counts


def locale_of(connection: psycopg.Connection) -> Locale:
    """The encoding and the locale of the database. Raises ``psycopg.Error``."""
    found = decoded(_only(connection, DATABASE), _Database)
    return Locale(
        encoding=found.encoding,
        provider=PROVIDERS.get(found.datlocprovider, found.datlocprovider),
        collate=found.datcollate,
        ctype=found.datctype,
        locale=found.datlocale or found.daticulocale or "",
        icu_rules=found.daticurules or "",
    )


def roles_of(connection: psycopg.Connection) -> list[str]:
    """The names of the server's roles, the most likely ones of a dump first. Raises ``psycopg.Error``."""
    return [_text(name) for (name,) in connection.execute(ROLES).fetchall()]


def exported_snapshot(connection: psycopg.Connection) -> str:
    """The id of the snapshot of the connection's transaction. Raises ``psycopg.Error``."""
    return _text(_only(connection, "SELECT textsend(pg_catalog.pg_export_snapshot())"))


def table_name(schema: str, table: str) -> str:
    """``schema.table``, with quotes where a name has a dot or quotes itself."""
    return ".".join('"' + part.replace('"', '""') + '"' if {".", '"'} & set(part) else part for part in (schema, table))


def database_error(what: str, error: psycopg.Error) -> JobFailed:
    """An error of the database for a report: without values of rows, which may follow in its details."""
    message = error.diag.message_primary or str(error).strip().partition("\n")[0]
    return JobFailed(f"{what}: {message or type(error).__name__}")


def _count(connection: psycopg.Connection, schema: bytes, table: bytes) -> int:
    name = b".".join(b'"' + part.replace(b'"', b'""') + b'"' for part in (schema, table))
    row = connection.execute(b"SELECT count(*) FROM ONLY " + name).fetchone()
    return int(row[0]) if row else 0


def _only(connection: psycopg.Connection, query: str) -> bytes:
    row = connection.execute(query.encode()).fetchone()
    return bytes(row[0]) if row else b""


def _text(name: bytes) -> str:
    """A name; bytes that are no UTF-8 are escaped."""
    return bytes(name).decode(errors="backslashreplace")
