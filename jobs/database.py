"""A PostgreSQL database as the jobs see it: tables and their rows."""

import psycopg
from psycopg import sql

from jobs.job import JobFailed

TABLES = """
    SELECT n.nspname, c.relname
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence <> 't'
      AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
      AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY n.nspname, c.relname
"""
"""The tables whose rows are in a dump: partitions and no parents of them, and not what an extension brings with it."""


def count_rows(connection: psycopg.Connection) -> dict[str, int]:
    """How many rows each table has, by ``schema.table``, in the connection's transaction. Raises ``psycopg.Error``."""
    # A policy that would hide rows is an error, to pg_dump too.
    connection.execute("SET LOCAL row_security = off")
    return {
        table_name(schema, table): _count(connection, sql.Identifier(schema, table))
        for schema, table in connection.execute(TABLES).fetchall()
    }


def table_name(schema: str, table: str) -> str:
    """``schema.table``, with quotes where a name has a dot or quotes itself."""
    return ".".join('"' + part.replace('"', '""') + '"' if {".", '"'} & set(part) else part for part in (schema, table))


def database_error(what: str, error: psycopg.Error) -> JobFailed:
    """An error of the database, as a report tells it: without values of rows, which may follow in its details."""
    said = error.diag.message_primary or str(error).strip().partition("\n")[0]
    return JobFailed(f"{what}: {said or type(error).__name__}")


def _count(connection: psycopg.Connection, table: sql.Identifier) -> int:
    row = connection.execute(sql.SQL("SELECT count(*) FROM ONLY {}").format(table)).fetchone()
    return int(row[0]) if row else 0
