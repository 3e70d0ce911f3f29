"""A dump of a database on its way into an upload: nothing of it is ever kept here."""

import hashlib
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec

from jobs.back_up_database.snapshot import Snapshot
from jobs.back_up_database.upload import CHUNK, uploading
from jobs.bucket import Bucket, StoredObject
from jobs.program import ProgramFailed, running
from shared.postgres_server import find_dumper


class Dumped(msgspec.Struct, frozen=True):
    """The result of a dump."""

    stored: StoredObject
    sha256: str
    tables: dict[str, int]
    """Rows by table."""


def dump(
    bucket: Bucket,
    name: str,
    snapshot: Snapshot,
    counted: "Future[dict[str, int]]",
    variables: Mapping[str, str],
    *,
    lock_seconds: int,
) -> Dumped:
    """Stream a dump of a snapshot into a new object. Raises ``JobFailed``, or what Google's clients raise.

    The object exists only after `pg_dump` has succeeded, and the rows are ``counted``. If both fail, which the same
    cause may do, the error is that of the count: `pg_dump` says less plainly what is wrong with a table.
    """
    options = (
        "--format=custom",
        f"--snapshot={snapshot.id}",
        f"--lock-wait-timeout={lock_seconds * 1000}",
        "--no-password",  # it would ask a person
    )
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    # On any failure the upload is given up first, then the program, which the reader waits for.
    with (
        ThreadPoolExecutor(1) as reader,
        running(find_dumper(snapshot.major), options, environment=variables) as program,
    ):
        # The next chunk comes in while one is sent; the first while the upload begins.
        coming = reader.submit(program.output.read, CHUNK)
        with uploading(bucket, name) as upload:
            while True:
                data = coming.result()
                sha256.update(data)
                md5.update(data)
                if len(data) < CHUNK:
                    break
                coming = reader.submit(program.output.read, CHUNK)
                if counted.done():
                    counted.result()  # a count that has failed is not found out hours later
                upload.send(data)
            try:
                program.finish()
            except ProgramFailed as failed:
                counted.result()
                raise ProgramFailed(f"{failed}{_hint(str(failed), snapshot.user)}") from None
            tables = counted.result()
            return Dumped(upload.finish(data, md5.digest()), sha256.hexdigest(), tables)


def _hint(error: str, user: str) -> str:
    """The remedy for large objects: `pg_read_all_data` does not cover them."""
    if "large object" not in error or "permission denied" not in error:
        return ""
    name = user.replace('"', '""')
    return f'; as a superuser: ALTER ROLE "{name}" SET lo_compat_privileges = on'
