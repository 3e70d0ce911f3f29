"""The restored tables equal those backed up, and the owner's check query is true."""

import re
from collections.abc import Iterator

import msgspec
import psycopg
import pytest

from jobs.prove_backup.restore import NotProved, ask, compare
from jobs.prove_backup.restorer import Restorer
from jobs.prove_backup.target import DATABASE
from shared.backup_metadata import BackupMetadata, Tables, short
from shared.postgres_server import PostgresServer
from tests.jobs.stage import NOW

pytestmark = pytest.mark.one_python

BACKUP = BackupMetadata(
    sha256="0" * 64, size=1, server_version="15.18", tables={"public.orders": 10}, started=NOW, finished=NOW
)


@pytest.fixture(scope="module")
def server(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """A server into which 10 orders have been restored."""
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE}".encode())
        with psycopg.connect(postgres.conninfo(dbname=DATABASE)) as restored:
            restored.execute("CREATE TABLE orders AS SELECT i AS id FROM generate_series(1, 10) i")
        yield postgres
        connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)".encode())


def test_what_is_as_it_was_and_true_is_proved(server: PostgresServer) -> None:
    compare(BACKUP, server)
    ask("SELECT count(*) = 10 FROM orders", server, Restorer())


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"public.orders": 11}, "public.orders has 10 rows, not 11 rows"),
        ({"public.orders": 10, "public.gone": 0}, "public.gone has no table, not 0 rows"),
        ({}, "public.orders has 10 rows, not no table"),
        (short({f"public.t{number}": 1 for number in range(1_000)}), "1 tables with 10 rows, not 1000 with 1000"),
        ({f"public.t{number}": 1 for number in range(9)}, "public.t3 has no table, not 1 rows; and 5 more"),
    ],
)
def test_tables_that_differ_are_named(server: PostgresServer, tables: Tables, said: str) -> None:
    with pytest.raises(NotProved, match=re.escape(said)):
        compare(msgspec.structs.replace(BACKUP, tables=tables), server)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT count(*) FROM orders", "the check query's answer is '10', and only true will do"),
        ("SELECT 't'::text", "the check query's answer is 't', and only true will do"),
        ("SELECT NULL::bool", "the check query's answer is 'None', and only true will do"),
        ("SELECT true FROM orders", "the check query's answer is '10 rows', and only true will do"),
        ("SELECT true WHERE false", "the check query's answer is '0 rows', and only true will do"),
        ("SELECT true, true", "the check query's answer is '1 rows', and only true will do"),
        ("SELECT", "the check query's answer is '1 rows', and only true will do"),
        ("SELECT true FROM nothing", 'the check query failed: relation "nothing" does not exist'),
        (
            "DELETE FROM orders RETURNING true",
            "the check query failed: cannot execute DELETE in a read-only transaction",
        ),
        ("SET search_path = public", "the check query failed: the last operation didn't produce records"),
    ],
)
def test_only_true_is_an_answer_to_the_check_query(server: PostgresServer, query: str, said: str) -> None:
    with pytest.raises(NotProved, match=re.escape(said)):
        ask(query, server, Restorer())
