"""Takes a backup of a database into a bucket: `python -m jobs.back_up_database`."""

import msgspec

from jobs.back_up_database.dump import dump, snapshot_of
from jobs.back_up_database.settings import Settings, connection_variables
from jobs.bucket import Bucket
from jobs.job import PATIENT, Result, main
from jobs.settings import from_environment
from shared.backup_metadata import BackupMetadata, backup_to_metadata, fitting, short
from shared.clients import Clients
from shared.clock import now


class Taken(msgspec.Struct, frozen=True):
    """The backup that was taken."""

    object: str
    size: int
    sha256: str
    server_version: str
    tables: int
    rows: int
    seconds: float


def back_up_database() -> Result:
    """Take a backup. Raises ``SettingsError``, ``JobFailed``, or what Google's clients raise."""
    settings, variables = from_environment(Settings), connection_variables()
    bucket = Bucket(Clients.from_environment(retry=PATIENT), settings.bucket)
    started = now()
    name = f"{settings.prefix}{started:%Y%m%dT%H%M%SZ}.dump"
    with snapshot_of(variables, lock_seconds=settings.lock_seconds) as snapshot:
        dumped = dump(bucket, name, snapshot, variables, lock_seconds=settings.lock_seconds)
    backup = BackupMetadata(
        sha256=dumped.sha256,
        size=int(dumped.stored.size),
        server_version=snapshot.server_version,
        tables=short(snapshot.tables),
        locale=snapshot.locale,
        roles=fitting(snapshot.roles),
        started=started,
        finished=now(),
    )
    # Until it says of itself what it is, it does not count.
    bucket.set_metadata(dumped.stored, backup_to_metadata(backup))
    return _result(f"gs://{settings.bucket}/{name}", backup, snapshot.tables)


def _result(object_: str, backup: BackupMetadata, tables: dict[str, int]) -> Result:
    taken = Taken(
        object=object_,
        size=backup.size,
        sha256=backup.sha256,
        server_version=backup.server_version,
        tables=len(tables),
        rows=sum(tables.values()),
        seconds=(backup.finished - backup.started).total_seconds(),
    )
    tables_ = "1 table" if taken.tables == 1 else f"{taken.tables} tables"
    words = f"{taken.size:,} bytes, {tables_}, {taken.rows:,} rows, in {taken.seconds:.1f} s"
    return Result(f"{object_}: {words}", taken)


if __name__ == "__main__":
    main("back_up_database", back_up_database)
