"""A backup is the whole of one moment of a database, or it does not count."""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import grpc
import psycopg
import pytest

from jobs.back_up_database.__main__ import back_up_database
from jobs.back_up_database.dump import dump, snapshot_of
from jobs.back_up_database.settings import connection_variables
from jobs.job import ExitCode
from shared.backup_metadata import BackupMetadata, Locale, backup_to_metadata, is_complete, read_backup
from shared.postgres_server import PostgresServer
from tests.jobs.stage import BUCKET, NAME, NOW, Disaster, Job, Stage, job_runner, staged

pytestmark = pytest.mark.one_python

ORDERS = (
    "CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL)",
    "CREATE TABLE orders (id serial PRIMARY KEY, customer int REFERENCES customers, made timestamptz DEFAULT now())",
    "INSERT INTO customers SELECT i, 'customer ' || i FROM generate_series(1, 3) i",
    "INSERT INTO orders (customer) SELECT 1 + i % 3 FROM generate_series(1, 1000) i",
)
PASSWORD = "correct horse battery staple"  # noqa: S105 - of a role that lives for one test


def test_a_backup_says_what_it_is(stage: Stage, back_up: Job) -> None:
    stage.execute(*ORDERS)
    said = back_up()
    assert (said.outcome, said.exit_code) == ("applied", ExitCode.DONE)
    blob = stage.blob()
    content = blob.download_as_bytes()
    assert content.startswith(b"PGDMP")
    backup = BackupMetadata(
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        server_version=stage.server.version,
        tables={"public.customers": 3, "public.orders": 1000},
        locale=Locale("UTF8", "libc", "C", "C"),
        roles=("postgres",),
        started=NOW,
        finished=NOW,
    )
    assert blob.metadata == backup_to_metadata(backup)
    assert is_complete(blob.metadata, blob.size)
    assert said.details == {
        "object": f"gs://{BUCKET}/{NAME}",
        "size": len(content),
        "sha256": backup.sha256,
        "server_version": backup.server_version,
        "tables": 2,
        "rows": 1003,
        "seconds": 0.0,
    }


def test_an_empty_database_can_be_backed_up(stage: Stage, back_up: Job) -> None:
    assert back_up().exit_code == ExitCode.DONE
    assert read_backup(stage.blob().metadata).tables == {}


def test_what_is_counted_and_dumped_is_of_one_moment(stage: Stage, prove: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.execute(*ORDERS)
    for name, value in stage.environment.items():
        monkeypatch.setenv(name, value)
    variables = connection_variables()
    with snapshot_of(variables, lock_seconds=5) as snapshot:
        # What needs a table for itself does not wait for the snapshot.
        stage.execute("BEGIN; LOCK TABLE customers, orders IN ACCESS EXCLUSIVE MODE NOWAIT; COMMIT")
        stage.execute("DELETE FROM orders WHERE id > 10", "CREATE TABLE later (id int)")
        dumped = dump(stage.its_bucket(), NAME, snapshot, variables, lock_seconds=5)
    assert snapshot.tables == {"public.customers": 3, "public.orders": 1000}
    backup = BackupMetadata(
        sha256=dumped.sha256,
        size=int(dumped.stored.size),
        server_version=snapshot.server_version,
        tables=snapshot.tables,
        started=NOW,
        finished=NOW,
    )
    stage.its_bucket().set_metadata(dumped.stored, backup_to_metadata(backup))
    assert prove().outcome == "applied"


def test_a_time_of_another_zone_is_named_in_utc(stage: Stage, back_up: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    stage.cloud.clock.advance(datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC) - NOW)
    back_up(BACKUP_PREFIX=None)
    assert stage.names() == ["20261231T235959Z.dump"]


def test_an_object_of_the_same_name_is_left_as_it_is(stage: Stage, back_up: Job) -> None:
    stage.bucket.blob(NAME).upload_from_string(b"something else")
    said = back_up()
    assert (said.exit_code, said.why) == (
        ExitCode.FAILED,
        f"gs://{BUCKET}/{NAME} is there already, and is left as it is",
    )
    assert stage.blob().download_as_bytes() == b"something else"


def test_hard_names_and_kinds_of_tables(stage: Stage, back_up: Job, prove: Job) -> None:
    stage.execute(
        'CREATE SCHEMA "a.b"',
        'CREATE TABLE "a.b"."c" (x int)',
        "CREATE SCHEMA a",
        'CREATE TABLE a."b.c" (x int)',
        'INSERT INTO a."b.c" VALUES (1)',
        'CREATE TABLE "Größe; DROP TABLE ""a""" (x int)',
        "CREATE TABLE parent (x int)",
        "CREATE TABLE child () INHERITS (parent)",
        "INSERT INTO child VALUES (1), (2)",
        "CREATE TABLE measured (at date) PARTITION BY RANGE (at)",
        "CREATE TABLE measured_2026 PARTITION OF measured FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
        "INSERT INTO measured VALUES ('2026-11-25')",
        "CREATE UNLOGGED TABLE cache (x int)",
        "INSERT INTO cache VALUES (1)",
        "CREATE MATERIALIZED VIEW sums AS SELECT count(*) FROM parent",
        "CREATE VIEW everything AS SELECT * FROM parent",
    )
    assert back_up().exit_code == ExitCode.DONE
    assert read_backup(stage.blob().metadata).tables == {
        '"a.b".c': 0,
        'a."b.c"': 1,
        'public."Größe; DROP TABLE ""a"""': 0,
        "public.parent": 0,
        "public.child": 2,
        "public.measured_2026": 1,
        "public.cache": 1,
    }
    assert prove().exit_code == ExitCode.DONE


def test_more_tables_than_metadata_can_tell(stage: Stage, back_up: Job, prove: Job) -> None:
    stage.execute(*(f"CREATE TABLE t{number}{'_with_a_long_name' * 3} AS SELECT 1" for number in range(100, 200)))
    assert back_up().details["rows"] == 100
    assert '"tables":100,"rows":100' in stage.blob().metadata["caretaker-tables"]
    assert prove().exit_code == ExitCode.DONE


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({"PGDATABASE": "elsewhere"}, 'the database cannot be reached: .*database "elsewhere" does not exist'),
        ({"PGHOST": "127.0.0.1", "PGPASSWORD": PASSWORD}, "the database cannot be reached: .*authentication failed"),
        ({"PGHOST": "127.0.0.1", "PGPORT": "1"}, "the database cannot be reached: .*[Cc]onnection refused"),
    ],
)
def test_a_database_that_cannot_be_reached(stage: Stage, back_up: Job, variables: dict[str, str], why: str) -> None:
    said = back_up(**variables)
    assert said.exit_code == ExitCode.FAILED
    assert re.match(why, said.why), said.why
    assert stage.names() == []


@pytest.fixture
def reader(stage: Stage) -> Iterator[str]:
    """A role that may read all tables, but is no superuser."""
    role = f"reader_{stage.database}"
    stage.execute(
        *ORDERS, f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'", f"GRANT SELECT ON customers, orders TO {role}"
    )
    yield role
    stage.execute(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_a_table_that_may_not_be_read(stage: Stage, back_up: Job, reader: str) -> None:
    stage.execute("CREATE TABLE secrets (x int)")
    said = back_up(PGUSER=reader, PGPASSWORD=PASSWORD)
    assert (said.exit_code, said.why) == (
        ExitCode.FAILED,
        "the tables cannot be counted: permission denied for table secrets",
    )
    assert stage.names() == []


def test_rows_that_a_policy_would_hide(stage: Stage, back_up: Job, reader: str) -> None:
    stage.execute("ALTER TABLE orders ENABLE ROW LEVEL SECURITY")
    said = back_up(PGUSER=reader, PGPASSWORD=PASSWORD)
    assert said.exit_code == ExitCode.FAILED
    assert 'row-level security policy for table "orders"' in said.why
    assert stage.names() == []


def test_a_dump_that_fails_leaves_no_object(stage: Stage, back_up: Job, reader: str) -> None:
    said = back_up(PGUSER=reader, PGPASSWORD=PASSWORD)
    assert said.exit_code == ExitCode.FAILED
    assert re.match("pg_dump ended with 1: error: .*permission denied for sequence orders_id_seq", said.why), said.why
    assert stage.names() == []


def test_a_table_that_another_session_has_locked_is_not_waited_for_without_end(stage: Stage, back_up: Job) -> None:
    stage.execute(*ORDERS)
    with psycopg.connect(stage.server.conninfo(dbname=stage.database)) as other:
        other.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        said = back_up(BACKUP_LOCK_SECONDS="1")
    assert (said.exit_code, said.why) == (
        ExitCode.FAILED,
        "the tables cannot be counted: canceling statement due to lock timeout",
    )


def test_an_object_whose_metadata_could_not_be_written_does_not_count(stage: Stage, back_up: Job) -> None:
    stage.cloud.server.fail("PATCH storage", grpc.StatusCode.UNAVAILABLE, times=10_000)
    said = back_up()
    assert said.exit_code == ExitCode.FAILED
    assert said.why.startswith("RetryError: Timeout of ")
    assert said.why.endswith(f", last ServiceUnavailable: PATCH gs://{BUCKET}: injected UNAVAILABLE")
    blob = stage.blob()
    assert not is_complete(blob.metadata or {}, blob.size)


def test_a_bucket_that_is_not_there(back_up: Job) -> None:
    said = back_up(BACKUP_BUCKET="another-bucket")
    assert said.exit_code == ExitCode.FAILED
    assert said.why == "NotFound: POST gs://another-bucket: The specified bucket does not exist."


def test_a_server_that_goes_away_in_the_middle_leaves_no_object(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del postgres  # it shows that there is PostgreSQL on this machine
    with PostgresServer() as server, staged(server, "postgres") as stage:
        stage.execute("CREATE TABLE noise AS SELECT md5(i::text) AS x FROM generate_series(1, 100000) i")
        stage.let_happen(monkeypatch, Disaster("PUT", 2, server.stop))
        said = job_runner("back_up_database", back_up_database, stage, monkeypatch, capsys)()
        assert re.match("pg_dump ended with 1: .*(server closed the connection|terminat)", said.why), said.why
        assert stage.names() == []
        assert len(stage.calls("PUT")) >= 3
        assert len(stage.calls("DELETE")) == 1
