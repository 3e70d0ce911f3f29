"""The decision on each set as a table: what stays, with every reason, and what goes between."""

from array import array
from collections.abc import Iterator, Sequence

from functions.prune_backups.formatting import printable
from functions.prune_backups.inventory import Inventory
from functions.prune_backups.retention import KeepReasons
from functions.prune_backups.settings import BackupSet
from functions.prune_backups.world import Listing
from shared.clock import format_time

MOST_ROWS = 80
"""Of one set; a report holds a hundred lines."""


def table_of(key: str, settings: BackupSet, listing: Listing, reasons: KeepReasons, deleted: int) -> list[str]:
    """A line for the set, and from the newest to the oldest one for each that stays, and each run of those that go."""
    inventory = listing.inventory
    head = f"{key} ({settings.full_name}): {len(inventory) - deleted:,} stay, {deleted:,} go"
    unknown = f", {listing.unknown.count:,} names do not fit" if listing.unknown.count else ""
    if listing.misdated.count:
        unknown += f", {listing.misdated.count:,} {'is' if listing.misdated.count == 1 else 'are'} not as old as "
        unknown += "its name says" if listing.misdated.count == 1 else "their names say"
    rows: list[str] = []
    for row in _rows(inventory, reasons):
        if len(rows) == MOST_ROWS:
            rows.append("  ... and more")
            break
        rows.append(row)
    return [head + unknown, *rows]


def _rows(inventory: Inventory, reasons: KeepReasons) -> Iterator[str]:
    for group, places in inventory.places_by_group().items():
        if group:
            yield f"  {printable(group)}"
        going = array("I")
        for place in places:
            if not reasons.is_kept(place):
                going.append(place)
                continue
            yield from _gone(inventory, going)
            going = array("I")
            backup = inventory[place]
            why = ", ".join(reasons.reasons(place))
            yield f"  stays  {format_time(backup.time)}  {backup.size:>15,}  {printable(backup.name)}  {why}"
        yield from _gone(inventory, going)


def _gone(inventory: Inventory, places: Sequence[int]) -> Iterator[str]:
    if places:
        newest, oldest = inventory[places[0]], inventory[places[-1]]
        count = "1 backup" if len(places) == 1 else f"{len(places):,} backups"
        size = sum(inventory.sizes[place] for place in places)
        span = "" if len(places) == 1 else f"  back to {format_time(oldest.time)}"
        yield f"  goes   {format_time(newest.time)}  {size:>15,}  {count}{span}"
