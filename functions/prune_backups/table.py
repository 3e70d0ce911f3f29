"""The decision on each set as a table: what stays, with every reason, and what goes between."""

from array import array
from collections.abc import Iterator, Sequence

from functions.prune_backups.inventory import Inventory
from functions.prune_backups.retention import Verdicts
from functions.prune_backups.settings import BackupSet
from functions.prune_backups.told import shown, told_time
from functions.prune_backups.world import Listing

MOST_ROWS = 80
"""Of one set; a report holds a hundred lines."""


def table_of(key: str, settings: BackupSet, listing: Listing, verdicts: Verdicts) -> list[str]:
    """A line for the set, and from the newest to the oldest one for each that stays, and each run of those that go."""
    inventory = listing.inventory
    deleted = len(verdicts.deleted())
    head = f"{key} ({settings.full_name}): {len(inventory) - deleted:,} stay, {deleted:,} go"
    unknown = f", {listing.unknown.count:,} names do not fit" if listing.unknown.count else ""
    rows: list[str] = []
    for row in _rows(inventory, verdicts):
        if len(rows) == MOST_ROWS:
            rows.append("  ... and more")
            break
        rows.append(row)
    return [head + unknown, *rows]


def _rows(inventory: Inventory, verdicts: Verdicts) -> Iterator[str]:
    for group, places in inventory.places_by_group().items():
        if group:
            yield f"  {shown(group)}"
        going = array("I")
        for place in places:
            if not verdicts.is_kept(place):
                going.append(place)
                continue
            yield from _gone(inventory, going)
            going = array("I")
            backup = inventory[place]
            reasons = ", ".join(verdicts.reasons(place))
            yield f"  stays  {told_time(backup.time)}  {backup.size:>15,}  {shown(backup.name)}  {reasons}"
        yield from _gone(inventory, going)


def _gone(inventory: Inventory, places: Sequence[int]) -> Iterator[str]:
    if places:
        newest, oldest = inventory[places[0]], inventory[places[-1]]
        size = sum(inventory.sizes[place] for place in places)
        span = "" if len(places) == 1 else f"  back to {told_time(oldest.time)}"
        yield f"  goes   {told_time(newest.time)}  {size:>15,}  {len(places):,} backups{span}"
