"""Databases as people have them: what plain `pg_dump` backs up is backed up, and what is whole is proved."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import psycopg
import pytest

from jobs.back_up_database.__main__ import back_up_database
from jobs.job import ExitCode
from jobs.prove_backup.__main__ import prove_backup
from shared import postgres_server
from shared.backup_metadata import Locale, read_backup
from shared.postgres_server import PostgresMissing, PostgresServer, find_program, free_port
from tests.jobs.stage import NAME, Job, Stage, job_runner, staged

pytestmark = pytest.mark.one_python

PARTITIONS = 200
"""Each with its three indexes."""
ENGLISH = "ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LC_COLLATE 'C' LC_CTYPE 'C'"


@pytest.fixture
def remade(stage: Stage) -> Iterator[Stage]:
    """A stage whose database a test makes anew."""
    yield stage
    remake(stage, "")


def remake(stage: Stage, options: str) -> None:
    """Make the database of a stage anew, with these options."""
    with psycopg.connect(stage.server.conninfo(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {stage.database} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {stage.database} TEMPLATE template0 {options}".encode())


@pytest.mark.parametrize(
    ("options", "statements"),
    [
        pytest.param(
            ENGLISH,
            (
                "CREATE TABLE customers (name text NOT NULL) PARTITION BY RANGE (name)",
                "CREATE TABLE customers_a_m PARTITION OF customers FOR VALUES FROM ('a') TO ('n')",
                "INSERT INTO customers VALUES ('Anna'), ('bob')",
            ),
            id="partitions by text",
        ),
        pytest.param(
            "ENCODING 'UTF8' LOCALE 'C.utf8'",
            (
                "CREATE TABLE people (name text CHECK (name ~ '^[[:alpha:] ]+$'))",
                "INSERT INTO people VALUES ('Müller')",
            ),
            id="classes of characters",
        ),
        pytest.param(
            ENGLISH,
            (
                "CREATE EXTENSION citext",
                "CREATE TABLE users (email citext PRIMARY KEY)",
                "CREATE TABLE orders (email citext REFERENCES users)",
                "INSERT INTO users VALUES ('ÉVA@example.com')",
                "INSERT INTO orders VALUES ('éva@example.com')",
            ),
            id="keys of citext",
        ),
        pytest.param(
            ENGLISH,
            (
                "CREATE TABLE tags (name text, low text GENERATED ALWAYS AS (lower(name)) STORED)",
                "ALTER TABLE tags ADD CHECK (low = 'ärger')",
                "INSERT INTO tags VALUES ('ÄRGER')",
            ),
            id="generated columns",
        ),
        pytest.param(
            "ENCODING 'LATIN1' LOCALE 'C'",
            ("CREATE TABLE \"Größe\" AS SELECT 'Müller' AS name",),
            id="another encoding",
        ),
    ],
)
def test_a_database_is_proved_with_its_own_locale(
    remade: Stage, back_up: Job, prove: Job, options: str, statements: tuple[str, ...]
) -> None:
    remake(remade, options)
    remade.execute(*statements)
    assert back_up().exit_code == ExitCode.DONE
    said = prove()
    assert (said.exit_code, said.why) == (ExitCode.DONE, "")


def test_the_locale_is_recorded(remade: Stage, back_up: Job) -> None:
    remake(remade, ENGLISH)
    back_up()
    assert read_backup(remade.blob().metadata).locale == Locale("UTF8", "icu", "C", "C", "en-US")


def test_a_locale_that_is_not_on_the_machine_is_no_damage(stage: Stage, back_up: Job, prove: Job) -> None:
    back_up()
    blob = stage.blob()
    blob.metadata = {"caretaker-locale": '{"encoding":"UTF8","provider":"libc","collate":"xx_XX","ctype":"xx_XX"}'}
    blob.patch()
    said = prove()
    assert said.exit_code == ExitCode.WRONG_SETTINGS
    assert said.why.startswith("a database with the backup's locale (UTF8, libc, xx_XX) cannot be created here: ")
    assert "locales-all" in said.why


def test_roles_that_a_dump_names_exist_where_it_is_restored(stage: Stage, back_up: Job, prove: Job) -> None:
    role = f"reader_{stage.database}"
    stage.execute(
        f"CREATE ROLE {role}",
        "CREATE TABLE orders (id int PRIMARY KEY)",
        "ALTER TABLE orders ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY p ON orders FOR SELECT TO {role} USING (true)",
        "CREATE TABLE jobs (id int, owner regrole)",
        f"INSERT INTO jobs VALUES (1, '{role}')",  # noqa: S608 - a name of this test's own
    )
    try:
        assert back_up().exit_code == ExitCode.DONE
        stage.execute("DROP POLICY p ON orders", f"DROP ROLE {role}")
        said = prove()
    finally:
        stage.execute(f"DROP ROLE IF EXISTS {role}")
    assert (said.exit_code, said.why) == (ExitCode.DONE, "")


def test_text_without_an_encoding(remade: Stage, back_up: Job, prove: Job) -> None:
    remake(remade, "ENCODING 'SQL_ASCII' LOCALE 'C'")
    with psycopg.connect(remade.server.conninfo(dbname=remade.database), autocommit=True) as connection:
        connection.execute("SET client_encoding = 'SQL_ASCII'")
        connection.execute(b'CREATE TABLE "Gr\xf6\xdfe" (n text)')
        connection.execute(b"INSERT INTO \"Gr\xf6\xdfe\" VALUES ('M\xfcller')")
    assert back_up().exit_code == ExitCode.DONE
    assert read_backup(remade.blob().metadata).tables == {"public.Gr\\xf6\\xdfe": 1}
    said = prove()
    assert (said.exit_code, said.why) == (ExitCode.DONE, "")


@pytest.fixture
def small_server(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresServer]:
    """A server with room for few locks."""
    del postgres  # it shows that there is PostgreSQL on this machine
    monkeypatch.setattr(
        postgres_server,
        "SETTINGS",
        postgres_server.SETTINGS | {"max_locks_per_transaction": "10", "max_connections": "9"},
    )
    with PostgresServer() as server:
        yield server


def test_counting_takes_no_more_locks_than_pg_dump(
    small_server: PostgresServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with staged(small_server, "postgres") as stage:
        stage.execute("CREATE TABLE m (d int NOT NULL, a int, b int) PARTITION BY RANGE (d)")
        stage.execute(*(f"CREATE INDEX ON m ({column})" for column in "dab"))
        for number in range(PARTITIONS):
            stage.execute(f"CREATE TABLE m_{number} PARTITION OF m FOR VALUES FROM ({number}) TO ({number + 1})")
        said = job_runner("back_up_database", back_up_database, stage, monkeypatch, capsys)()
        assert (said.exit_code, said.why) == (ExitCode.DONE, "")
        assert said.details["tables"] == PARTITIONS


@contextmanager
def standby_of(server: PostgresServer) -> Iterator[int]:
    """A hot standby of a server, in the same folder: its port."""
    data, port = server.folder / "standby", free_port()
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute("SELECT pg_backup_start('standby', true)")
        shutil.copytree(server.folder / "data", data, ignore=shutil.ignore_patterns("postmaster.*"))
        label = connection.execute("SELECT labelfile FROM pg_backup_stop(false)").fetchone()
        connection.execute("SELECT pg_switch_wal()")
    assert label
    (data / "backup_label").write_text(label[0])
    (data / "standby.signal").touch()
    owner = (server.folder / "data").stat().st_uid
    for path in (data, *data.rglob("*")):
        shutil.chown(path, owner)
    log = (server.folder / "standby.log").open("wb")
    command = (
        find_program("postgres"),
        *(
            "-D",
            data,
            "-c",
            f"port={port}",
            "-c",
            "listen_addresses=",
            "-c",
            f"unix_socket_directories={server.folder}",
        ),
        *("-c", f"hba_file={server.folder}/access", "-c", f"restore_command=cp {server.folder}/data/pg_wal/%f %p"),
    )
    with subprocess.Popen(command, user=owner, stdout=log, stderr=log) as process:
        try:
            _wait_for(server, port, Path(log.name))
            yield port
        finally:
            process.terminate()
            log.close()


def _wait_for(server: PostgresServer, port: int, log: Path) -> None:
    deadline = monotonic() + 60
    while True:
        try:
            psycopg.connect(server.conninfo(port=str(port))).close()
        except psycopg.OperationalError:
            assert monotonic() < deadline, log.read_text()
            sleep(0.05)
        else:
            return


def test_an_unlogged_table_on_a_hot_standby(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del postgres
    with PostgresServer() as server, staged(server, "postgres") as stage:
        stage.execute(
            "CREATE UNLOGGED TABLE cache (k text PRIMARY KEY)",
            "INSERT INTO cache VALUES ('x')",
            "CREATE TABLE orders AS SELECT 1 AS id",
            "CHECKPOINT",
        )
        with standby_of(server) as port:
            back_up = job_runner("back_up_database", back_up_database, stage, monkeypatch, capsys)
            said = back_up(PGPORT=str(port))
        assert (said.exit_code, said.why) == (ExitCode.DONE, "")
        assert read_backup(stage.blob(NAME).metadata).tables == {"public.cache": 0, "public.orders": 1}
        said = job_runner("prove_backup", prove_backup, stage, monkeypatch, capsys)()
        assert (said.exit_code, said.why) == (ExitCode.DONE, "")


def test_a_transaction_timeout_of_the_database(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del postgres
    try:
        find_program("postgres", 17)
    except PostgresMissing as missing:
        pytest.skip(f"transaction_timeout came with PostgreSQL 17: {missing}")
    with PostgresServer(major=17) as server, staged(server, "postgres") as stage:
        stage.execute(
            "CREATE TABLE noise AS SELECT i FROM generate_series(1, 3000000) i",
            "ALTER DATABASE postgres SET transaction_timeout = '50ms'",
        )
        for name, work in (("back_up_database", back_up_database), ("prove_backup", prove_backup)):
            said = job_runner(name, work, stage, monkeypatch, capsys)()
            assert (said.exit_code, said.why) == (ExitCode.DONE, "")


def test_a_large_object_of_another_owner(stage: Stage, back_up: Job) -> None:
    role = f"reader_{stage.database}"
    stage.execute("SELECT lo_from_bytea(0, 'hello')", f"CREATE ROLE {role} LOGIN IN ROLE pg_read_all_data")
    stage.execute(f"ALTER ROLE {role} PASSWORD 'correct horse'")
    variables = {"PGUSER": role, "PGPASSWORD": "correct horse"}
    try:
        said = back_up(**variables)
        assert said.exit_code == ExitCode.FAILED
        assert "permission denied for large object" in said.why
        assert said.why.endswith(f'; as a superuser: ALTER ROLE "{role}" SET lo_compat_privileges = on')
        stage.execute(f"ALTER ROLE {role} SET lo_compat_privileges = on")
        assert back_up(**variables).exit_code == ExitCode.DONE
    finally:
        stage.execute(f"DROP ROLE {role}")
