"""Proves the newest backup by restoring it: `python -m jobs.prove_backup`."""

import re
import sys
import time

import msgspec

from jobs.bucket import Bucket, StoredObject
from jobs.job import PATIENT, ExitCode, JobFailed, Result, run_job
from jobs.prove_backup.newest import newest_backup
from jobs.prove_backup.restore import NotProved, ask, compare, new_restorer, restore
from jobs.prove_backup.settings import Settings
from jobs.settings import from_environment
from shared.backup_metadata import (
    RESTORE_SECONDS,
    VERIFIED,
    BackupMetadata,
    IncompleteMetadata,
    Proof,
    proof_to_metadata,
    read_backup,
    verified_at,
)
from shared.clients import Clients
from shared.clock import now
from shared.postgres_server import PostgresServer


class Proved(msgspec.Struct, frozen=True):
    """The backup that was proved."""

    object: str
    size: int
    server_version: str
    age_hours: float
    restore_seconds: float
    """From the first byte asked for to the last row restored: the figure to plan a recovery with."""


class WrongVersion(JobFailed):
    """The programs on this machine are too old for the backup."""

    exit_code = ExitCode.WRONG_SETTINGS


def prove_backup() -> Result:
    """Prove the newest backup. Raises ``SettingsError``, ``JobFailed``, or what Google's clients raise."""
    settings = from_environment(Settings)
    bucket = Bucket(Clients.from_environment(retry=PATIENT), settings.bucket)
    stored = newest_backup(bucket, settings.prefix)
    address = f"gs://{settings.bucket}/{stored.name}"
    try:
        backup = _backup(stored)
        seconds = _restored(bucket, stored, backup, settings)
    except NotProved as failed:
        if verified_at(stored.metadata):
            bucket.set_metadata(stored, {VERIFIED: None, RESTORE_SECONDS: None})
        raise NotProved(f"{address}: {failed}") from None
    verified = now()
    bucket.set_metadata(stored, proof_to_metadata(Proof(verified, seconds)))
    age = (verified - backup.started).total_seconds() / 3600
    words = f"{address}, {age:.1f} hours old, is proved: restored in {seconds:.1f} s"
    return Result(words, Proved(address, backup.size, backup.server_version, age, seconds))


def _backup(stored: StoredObject) -> BackupMetadata:
    try:
        return read_backup(stored.metadata)
    except IncompleteMetadata as error:
        raise NotProved(str(error)) from None


def _restored(bucket: Bucket, stored: StoredObject, backup: BackupMetadata, settings: Settings) -> float:
    """Restore a backup and look at it; the seconds that restoring took."""
    server = PostgresServer(is_on_loopback=False)
    _check_version(server.version, backup.server_version)
    with server:
        restorer = new_restorer(server, is_trusted=settings.is_trusted)
        began = time.monotonic()
        restore(bucket, stored, backup, server, restorer)
        seconds = time.monotonic() - began
        compare(backup, server)
        if settings.check_query:
            ask(settings.check_query, server, restorer)
    return seconds


def _check_version(ours: str, theirs: str) -> None:
    """Raises ``WrongVersion``: an older server does not understand what a newer one has dumped."""
    if _major(ours) < _major(theirs):
        raise WrongVersion(f"the backup is of PostgreSQL {theirs}, and this machine has {ours}: it needs as new a one")


def _major(version: str) -> int:
    """The first number of a version, which may be a beta; 0 if it has none."""
    digits = re.match(r"\d+", version)
    return int(digits[0]) if digits else 0


if __name__ == "__main__":
    sys.exit(run_job("prove_backup", prove_backup))
