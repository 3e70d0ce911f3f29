"""The objects that `prune_backups` reads for each set, as typed values."""

from datetime import datetime

import msgspec

from functions.prune_backups.inventory import Inventory
from functions.prune_backups.settings import BackupSet
from shared.world import Need, World

EXAMPLES = 3


class UnknownNames(msgspec.Struct, frozen=True):
    """Objects that do not count as backups: how many, and what some are called."""

    count: int = 0
    examples: tuple[str, ...] = ()


class Restorable(msgspec.Struct, frozen=True):
    """A deleted object that can be restored, and is not there again."""

    name: str
    generation: int
    is_noncurrent: bool = False
    """Whether it is an older version of a bucket that keeps versions, and not a soft-deleted object."""


class Listing(msgspec.Struct, frozen=True):
    """A set as it was listed, to its end."""

    inventory: Inventory
    unknown: UnknownNames = UnknownNames()
    misdated: UnknownNames = UnknownNames()
    """Objects that were written at another time than their names say."""
    restorable: tuple[Restorable, ...] = ()
    """The objects to restore, while a person asks for that."""


class NoBucket(msgspec.Struct, frozen=True):
    """The bucket of a set does not exist."""


class ListingOf(Need[Listing | NoBucket], frozen=True, kw_only=True):
    """The whole list of a set."""

    key: str
    settings: BackupSet
    now: datetime
    deleted_since: datetime | None = None
    """Also what can be restored that was deleted since, if a person asks for that."""
    restored: tuple[str, ...] = ()
    """The names of what was restored: it counts although it was written later than its name says."""

    @property
    def resource(self) -> str:
        """The set's place."""
        return self.settings.full_name


def listings_in(world: World) -> dict[str, Listing]:
    """Every set that could be listed, by the owner's key."""
    return {
        need.key: answer
        for need, answer in world.answers.items()
        if isinstance(need, ListingOf) and isinstance(answer, Listing)
    }
