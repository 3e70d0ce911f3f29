"""The protocol behind which backups are, so that those of Cloud SQL, or snapshots of disks, can be pruned alike."""

from collections.abc import Sequence
from typing import Protocol

from functions.prune_backups.changes import DeleteBackups, RestoreBackups
from functions.prune_backups.world import Listing, ListingOf, NoBucket
from shared.clients import Clients
from shared.decision import Message


class BackupSource(Protocol):
    """A place where backups are: how they are listed, deleted and restored."""

    def listed(self, need: ListingOf, clients: Clients) -> Listing | NoBucket:
        """A set to its end.

        Raises what a call raises: a list that failed is never a short one.
        """

    def delete(self, change: DeleteBackups, clients: Clients) -> Sequence[Message]:
        """Delete backups, each in the version that was listed; returns what was not deleted, and why.

        Raises what a call raises, also if only one of the backups could not be deleted.
        """

    def restore(self, change: RestoreBackups, clients: Clients) -> Sequence[Message]:
        """Restore backups where nothing has their name. Returns and raises as `delete`."""
