"""What a run knows of the world: for each set what is in its bucket."""

import msgspec

from functions.prune_backups.inventory import Inventory

EXAMPLES = 3


class UnknownNames(msgspec.Struct, frozen=True):
    """Objects that are no backups by their names: how many, and what some are called."""

    count: int = 0
    examples: tuple[str, ...] = ()


class Restorable(msgspec.Struct, frozen=True):
    """A deleted object that can be restored, and is not there again."""

    name: str
    generation: int


class Listing(msgspec.Struct, frozen=True):
    """A set as it was listed, to its end."""

    inventory: Inventory
    unknown: UnknownNames = UnknownNames()
    restorable: tuple[Restorable, ...] = ()
    """What is to be restored, while a person wants that."""


class World(msgspec.Struct, frozen=True):
    """Every set, by the owner's key; None for one whose bucket does not exist."""

    sets: dict[str, Listing | None]
