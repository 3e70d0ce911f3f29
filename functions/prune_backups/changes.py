"""The changes that `prune_backups` makes: batches of objects, as many as Cloud Storage takes in one request."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from functions.prune_backups.inventory import Backup, Inventory
from functions.prune_backups.world import Restorable
from shared.decision import Change

BATCH = 100
"""https://cloud.google.com/storage/docs/batch#overview"""


class DeleteBackups(Change, frozen=True, kw_only=True):
    """Delete some backups of a set, each in the version that was listed."""

    guard: ClassVar[str] = "below_floor"

    bucket: str
    inventory: Inventory
    places: Sequence[int]
    """Their indexes in the inventory."""
    earlier: int
    """The number of objects of the set in earlier batches."""
    total: int
    """The number of objects of the set to delete in all."""

    @property
    def count(self) -> int:
        """The number of objects."""
        return len(self.places)

    def backups(self) -> Iterator[Backup]:
        """The backups."""
        return (self.inventory[place] for place in self.places)


class RestoreBackups(Change, frozen=True, kw_only=True):
    """Restore some backups of a set that were deleted, where no object has their name."""

    bucket: str
    objects: tuple[Restorable, ...]

    @property
    def count(self) -> int:
        """The number of objects."""
        return len(self.objects)


PruneChange = DeleteBackups | RestoreBackups
