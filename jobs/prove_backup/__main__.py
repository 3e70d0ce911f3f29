"""Proves the newest backup by restoring it: `python -m jobs.prove_backup`."""

import time

import msgspec

from jobs.bucket import Bucket, StoredObject
from jobs.job import PATIENT, Result, main
from jobs.prove_backup.newest import newest_backup
from jobs.prove_backup.restore import NotProved, ask, compare, restore
from jobs.prove_backup.restorer import new_restorer
from jobs.prove_backup.settings import Settings
from jobs.prove_backup.target import new_database, target_for
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
    target = target_for(backup, settings.restore_into)
    with PostgresServer(is_on_loopback=False, major=target.major) as server:
        restorer = new_restorer(server, backup.roles, is_trusted=settings.is_trusted)
        new_database(server, restorer, target)
        began = time.monotonic()
        restore(bucket.content(stored), backup, server, restorer, target)
        seconds = time.monotonic() - began
        compare(backup, server)
        if settings.check_query:
            ask(settings.check_query, server, restorer)
    return seconds


if __name__ == "__main__":
    main("prove_backup", prove_backup)
