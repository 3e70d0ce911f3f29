"""The decision on each set as a table: what stays, with every reason, and what goes between.

A row becomes text when it is shown: of many sets few are, and while acting none.
"""

import itertools
from array import array
from collections.abc import Iterator, Sequence

from functions.prune_backups.formatting import printable
from functions.prune_backups.inventory import Inventory
from functions.prune_backups.retention import KeepReasons
from functions.prune_backups.settings import BackupSet
from functions.prune_backups.world import Listing
from shared.clock import format_time
from shared.decision import Message

MOST_ROWS = 80
"""Of one set; a report holds a hundred lines."""


class Stays(Message, frozen=True):
    """A backup that stays."""

    inventory: Inventory
    reasons: KeepReasons
    place: int

    def __str__(self) -> str:
        backup = self.inventory[self.place]
        why = ", ".join(self.reasons.reasons(self.place))
        return f"  stays  {format_time(backup.time)}  {backup.size:>15,}  {printable(backup.name)}  {why}"


class Go(Message, frozen=True):
    """Backups that go, the newest first, with none that stays between them."""

    inventory: Inventory
    places: Sequence[int]

    def __str__(self) -> str:
        newest, oldest = self.inventory[self.places[0]], self.inventory[self.places[-1]]
        one = len(self.places) == 1
        count = "1 backup" if one else f"{len(self.places):,} backups"
        size = sum(self.inventory.sizes[place] for place in self.places)
        span = "" if one else f"  back to {format_time(oldest.time)}"
        return f"  goes   {format_time(newest.time)}  {size:>15,}  {count}{span}"


def table_of(
    key: str, settings: BackupSet, listing: Listing, reasons: KeepReasons, deleted: int
) -> list[Message | str]:
    """A line for the set, and from the newest to the oldest one for each that stays, and each run of those that go."""
    inventory = listing.inventory
    head = f"{key} ({settings.full_name}): {len(inventory) - deleted:,} stay, {deleted:,} go"
    unknown = f", {listing.unknown.count:,} names do not fit" if listing.unknown.count else ""
    if listing.misdated.count:
        unknown += f", {listing.misdated.count:,} {'is' if listing.misdated.count == 1 else 'are'} not as old as "
        unknown += "its name says" if listing.misdated.count == 1 else "their names say"
    rows = list(itertools.islice(_rows(inventory, reasons), MOST_ROWS + 1))
    more = ["  ... and more"] if len(rows) > MOST_ROWS else []
    return [head + unknown, *rows[:MOST_ROWS], *more]


def _rows(inventory: Inventory, reasons: KeepReasons) -> Iterator[Message | str]:
    for group, places in inventory.places_by_group().items():
        if group:
            yield f"  {printable(group)}"
        going = array("I")
        for place in places:
            if not reasons.is_kept(place):
                going.append(place)
                continue
            if going:
                yield Go(inventory, going)
                going = array("I")
            yield Stays(inventory, reasons, place)
        if going:
            yield Go(inventory, going)
