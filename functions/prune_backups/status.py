"""The answer to a command: where things stand with each set, or what becomes of it."""

from collections.abc import Iterator

from functions.prune_backups.commands import Prune, Restore, Status, sets_of
from functions.prune_backups.records import Occasion
from functions.prune_backups.retention import verdicts_on
from functions.prune_backups.table import table_of
from functions.prune_backups.told import told_time
from functions.prune_backups.world import World


def status(occasion: Occasion, world: World) -> tuple[str, ...]:
    """For `status` the table of each set; nothing for an event that is no command."""
    match occasion.event.event:
        case Status():
            return tuple(_lines(occasion, world))
        case Prune():
            return (f"looked at now: {', '.join(world.sets)}",)
        case Restore() as restore:
            named = [restore.set] if restore.set else occasion.settings.sets
            return tuple(_heard(key, restore, occasion) for key in named)
    return ()


def _heard(key: str, restore: Restore, occasion: Occasion) -> str:
    """What becomes of a person's word on a set, the newest that there is."""
    if key not in sets_of(restore, occasion.settings):
        return f"{key}: it cannot be restored, as its names tell no time"
    said = occasion.records.restoring[key]
    until = told_time(said.until)
    if not occasion.records.is_restoring(key, occasion.now):
        return f"{key}: what no rule keeps is deleted again, as {until} has gone by"
    return f"{key}: what was deleted since {told_time(said.deleted_since)} comes back; nothing is deleted until {until}"


def _lines(occasion: Occasion, world: World) -> Iterator[str]:
    for key, listing in world.sets.items():
        settings = occasion.settings.sets[key]
        if listing is None:
            yield f"{key}: there is no bucket {settings.bucket}"
            continue
        if occasion.records.is_restoring(key, occasion.now):
            yield f"{key}: nothing is deleted until {told_time(occasion.records.restoring[key].until)}"
        yield from table_of(key, settings, listing, verdicts_on(listing.inventory, settings.retention, settings.zone))
