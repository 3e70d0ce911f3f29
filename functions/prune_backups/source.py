"""The protocol behind which backups stand, so that those of Cloud SQL, or snapshots of disks, can be pruned alike."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from functions.prune_backups.changes import DeleteBackups, RestoreBackups
from functions.prune_backups.settings import BackupSet
from functions.prune_backups.world import Listing
from shared.clients import Clients


class Query(msgspec.Struct, frozen=True):
    """Which set is asked for, and when."""

    key: str
    settings: BackupSet
    now: datetime
    deleted_since: datetime | None = None
    """Also what can be restored that was deleted since, if a person wants that."""


class BackupSource(Protocol):
    """A place where backups are: how they are listed, deleted and restored."""

    def listed(self, query: Query, clients: Clients) -> Listing | None:
        """A set to its end; None if there is no such place.

        Raises what a call raises: a list that failed is never a short one.
        """

    def delete(self, change: DeleteBackups, clients: Clients) -> Sequence[str]:
        """Delete backups, each in the version that was listed; what was left alone, and why.

        Raises what a call raises, also if only one of the backups could not be deleted.
        """

    def restore(self, change: RestoreBackups, clients: Clients) -> Sequence[str]:
        """Restore backups where nothing has their name. Answers and raises as `delete`."""
