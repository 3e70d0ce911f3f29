"""The backup to prove: the newest that is complete."""

import re

from google.api_core.exceptions import NotFound

from jobs.bucket import Bucket, StoredObject
from jobs.job import ExitCode, JobFailed
from shared.backup_metadata import is_complete

NAME = r"\d{8}T\d{6}Z\.dump"
"""The names of `back_up_database`'s objects after their prefix: their order is that of time."""


class NoBackup(JobFailed):
    """There is no complete backup."""

    exit_code = ExitCode.NO_BACKUP


def newest_backup(bucket: Bucket, prefix: str) -> StoredObject:
    """The newest complete backup with this prefix. Raises ``NoBackup``, or what Google's clients raise."""
    named = re.compile(re.escape(prefix) + NAME)
    names = sorted(filter(named.fullmatch, bucket.names(prefix)), reverse=True)
    for name in names:
        try:
            stored = bucket.read(name)
        except NotFound:  # it has been deleted since
            continue
        if is_complete(stored.metadata, int(stored.size)):
            return stored
    others = f", though {len(names)} that are not complete" if names else ""
    raise NoBackup(f"there is no backup at gs://{bucket.name}/{prefix}{others}")
