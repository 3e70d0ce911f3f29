"""A backup is proved by restoring it, and by nothing else."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import psycopg
import pytest

from jobs.job import ExitCode
from jobs.prove_backup.restore import NotProved, restore
from jobs.prove_backup.restorer import Restorer
from jobs.prove_backup.target import DATABASE, WrongMachine, new_database, target_for
from shared import postgres_server
from shared.backup_metadata import (
    FINISHED,
    RESTORE_SECONDS,
    SERVER_VERSION,
    TABLES,
    VERIFIED,
    BackupMetadata,
    read_backup,
    read_proof,
)
from shared.postgres_server import PostgresServer
from tests.jobs.stage import BUCKET, NAME, NOW, PREFIX, Job, Stage, without

pytestmark = pytest.mark.one_python

LATER = NOW + timedelta(hours=6)
TWO = f"{PREFIX}20261125T040000Z.dump"


@pytest.fixture
def backed_up(stage: Stage, back_up: Job) -> Stage:
    """A database with 10 orders, backed up six hours ago."""
    stage.execute("CREATE TABLE orders AS SELECT i AS id, 'new' AS state FROM generate_series(1, 10) i")
    assert back_up().exit_code == ExitCode.DONE
    stage.cloud.clock.advance(LATER - NOW)
    return stage


def test_a_backup_that_can_be_restored_is_marked(backed_up: Stage, prove: Job) -> None:
    before = backed_up.blob().metadata
    said = prove(BACKUP_CHECK_QUERY="SELECT count(*) = 10 FROM orders WHERE state = 'new'")
    assert (said.outcome, said.exit_code) == ("applied", ExitCode.DONE)
    blob = backed_up.blob()
    proof = read_proof(blob.metadata)
    assert proof
    assert proof.verified == LATER
    assert proof.restore_seconds >= 0.0
    assert without(blob.metadata, VERIFIED, RESTORE_SECONDS) == before
    assert (said.details["object"], said.details["age_hours"]) == (f"gs://{BUCKET}/{NAME}", 6.0)


def test_a_proof_that_fails_takes_an_earlier_mark_away(backed_up: Stage, prove: Job) -> None:
    mark(backed_up, {VERIFIED: "2026-11-25T04:00:00Z", RESTORE_SECONDS: "1.0", "caretaker-keep": "true"})
    said = prove(BACKUP_CHECK_QUERY="SELECT count(*) > 10 FROM orders")
    assert (said.exit_code, said.why) == (
        ExitCode.NOT_PROVED,
        f"gs://{BUCKET}/{NAME}: the check query's answer is 'False', and only true will do",
    )
    metadata = backed_up.blob().metadata
    assert VERIFIED not in metadata
    assert RESTORE_SECONDS not in metadata
    assert metadata["caretaker-keep"] == "true"


def test_whatever_the_environment_says_it_restores_into_a_server_of_its_own(backed_up: Stage, prove: Job) -> None:
    said = prove(PGHOSTADDR="192.0.2.1", PGDATABASE="production", PGOPTIONS="-c search_path=nowhere", PGUSER="owner")
    assert said.exit_code == ExitCode.DONE
    assert VERIFIED in backed_up.blob().metadata


def test_without_any_backup_there_is_nothing_to_prove(stage: Stage, prove: Job) -> None:
    stage.bucket.blob(f"{PREFIX}notes.txt").upload_from_string(b"")
    stage.bucket.blob("elsewhere/20261125T030000Z.dump").upload_from_string(b"")
    said = prove()
    assert (said.exit_code, said.why) == (ExitCode.NO_BACKUP, f"there is no backup at gs://{BUCKET}/{PREFIX}")


def test_what_is_not_complete_is_no_backup(backed_up: Stage, prove: Job) -> None:
    blob = backed_up.blob()
    blob.metadata = {FINISHED: None}
    blob.patch()
    truncate(backed_up)
    said = prove()
    assert said.exit_code == ExitCode.NO_BACKUP
    assert said.why == f"there is no backup at gs://{BUCKET}/{PREFIX}, though 2 that are not complete"


def test_the_newest_that_is_complete_is_proved(backed_up: Stage, prove: Job) -> None:
    truncate(backed_up)
    assert prove().details["object"] == f"gs://{BUCKET}/{NAME}"


def test_a_backup_of_a_postgresql_that_is_not_here(backed_up: Stage, prove: Job) -> None:
    mark(backed_up, {SERVER_VERSION: "99beta1"})
    said = prove()
    assert said.exit_code == ExitCode.WRONG_SETTINGS
    assert said.why.startswith("the backup is of PostgreSQL 99beta1: initdb of PostgreSQL 99 is not on this machine")


@pytest.mark.parametrize(
    ("version", "why"),
    [
        ("14", "BACKUP_RESTORE_INTO is 14, but the backup is of PostgreSQL "),
        ("99", "the backup is of PostgreSQL "),
    ],
)
def test_a_version_to_restore_into_that_will_not_do(backed_up: Stage, prove: Job, version: str, why: str) -> None:
    said = prove(BACKUP_RESTORE_INTO=version)
    assert said.exit_code == ExitCode.WRONG_SETTINGS
    assert said.why.startswith(why)
    assert VERIFIED not in backed_up.blob().metadata


def test_metadata_that_cannot_be_read_proves_nothing(backed_up: Stage, prove: Job) -> None:
    mark(backed_up, {TABLES: "all of them"})
    said = prove()
    assert said.exit_code == ExitCode.NOT_PROVED
    assert "caretaker-tables is 'all of them'" in said.why


def test_a_machine_without_postgresql_says_so(backed_up: Stage, prove: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_server, "FOLDERS", ())
    said = prove(PATH="")
    assert said.exit_code == ExitCode.WRONG_SETTINGS
    assert "is not on this machine (versions found: none in the usual folders): install PostgreSQL " in said.why
    assert VERIFIED not in backed_up.blob().metadata


def test_content_that_is_not_what_was_uploaded(backed_up: Stage) -> None:
    content = bytearray(backed_up.blob().download_as_bytes())
    content[-10] ^= 1
    with pytest.raises(NotProved, match=r"its SHA-256 is .*: it is not what was uploaded"):
        restore_as(backed_up, [bytes(content)], read_backup(backed_up.blob().metadata))


def test_an_archive_of_a_newer_pg_dump_is_no_damage(backed_up: Stage) -> None:
    content = bytearray(backed_up.blob().download_as_bytes())
    content[len("PGDMP") + 1] = 99  # the second number of the archive's version
    backup = msgspec.structs.replace(read_backup(backed_up.blob().metadata), sha256=hashlib.sha256(content).hexdigest())
    with pytest.raises(WrongMachine, match="it was written by a pg_dump that is newer than PostgreSQL"):
        restore_as(backed_up, [bytes(content)], backup)


@pytest.mark.parametrize("length", [3, 200, -100])
def test_a_dump_that_was_cut_off_cannot_be_restored(backed_up: Stage, length: int) -> None:
    content = backed_up.blob().download_as_bytes()[:length]
    backup = msgspec.structs.replace(
        read_backup(backed_up.blob().metadata), sha256=hashlib.sha256(content).hexdigest(), size=len(content)
    )
    with pytest.raises(NotProved, match="it cannot be restored: pg_restore ended with 1: error: "):
        restore_as(backed_up, [content], backup)


def test_what_cannot_be_restored_is_reported_without_its_rows(backed_up: Stage, back_up: Job) -> None:
    # Rows that break a constraint which was made later without looking at them.
    backed_up.execute(
        "CREATE FUNCTION is_public(text) RETURNS bool LANGUAGE sql AS 'SELECT true'",
        "ALTER TABLE orders ADD CONSTRAINT no_secrets CHECK (is_public(state))",
        "UPDATE orders SET state = 'secret of a customer'",
        "CREATE OR REPLACE FUNCTION is_public(text) RETURNS bool LANGUAGE sql AS 'SELECT $1 !~ ''secret'''",
    )
    back_up()
    stored = backed_up.its_bucket().read(f"{PREFIX}20261125T090000Z.dump")
    with pytest.raises(NotProved) as caught:
        restore_as(backed_up, backed_up.its_bucket().content(stored), read_backup(stored.metadata))
    assert 'violates check constraint "no_secrets"' in str(caught.value)
    assert "secret of a customer" not in str(caught.value)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can write to."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


def test_code_in_a_backup_does_not_run_as_the_job_unless_it_is_trusted(
    backed_up: Stage, back_up: Job, prove: Job, open_folder: Path
) -> None:
    # A constraint calls a function; the function is replaced by one that runs a program.
    proof = open_folder / "was-here"
    backed_up.execute(
        "CREATE FUNCTION is_fine(int) RETURNS bool LANGUAGE sql AS 'SELECT true'",
        "ALTER TABLE orders ADD CONSTRAINT fine CHECK (is_fine(id))",
        "CREATE OR REPLACE FUNCTION is_fine(int) RETURNS bool LANGUAGE plpgsql AS $$"
        f"BEGIN COPY (SELECT 1) TO PROGRAM 'cat > {proof}'; RETURN true; END $$",
    )
    back_up()
    said = prove()
    assert said.exit_code == ExitCode.NOT_PROVED
    assert "external program" in said.why
    assert said.why.endswith("; if its code is trusted, set BACKUP_IS_TRUSTED")
    assert not proof.exists()
    assert prove(BACKUP_IS_TRUSTED="true").exit_code == ExitCode.DONE
    assert proof.exists()


def mark(stage: Stage, metadata: dict[str, str]) -> None:
    """Let the backup say this of itself."""
    blob = stage.blob()
    blob.metadata = metadata
    blob.patch()


def truncate(stage: Stage) -> None:
    """A newer backup, of which the last part is missing: it does not have the size that it says."""
    whole = stage.blob()
    newer = stage.bucket.blob(TWO)
    newer.metadata = whole.metadata
    newer.upload_from_string(whole.download_as_bytes()[:-10])


def restore_as(stage: Stage, content: Iterable[bytes], backup: BackupMetadata) -> None:
    """Restore some content as if it were this backup."""
    target = target_for(backup, 0)
    new_database(stage.server, Restorer(), target)
    with dropping(stage.server):
        restore(content, backup, stage.server, Restorer(), target)


@contextmanager
def dropping(server: PostgresServer) -> Iterator[None]:
    """Takes what was restored into the shared server away again."""
    try:
        yield
    finally:
        with psycopg.connect(server.conninfo(), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)".encode())
