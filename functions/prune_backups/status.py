"""Where things stand with each set: the answer to the command ``status``."""

from collections.abc import Iterator

from functions.prune_backups.commands import Status
from functions.prune_backups.records import Occasion
from functions.prune_backups.retention import verdicts_on
from functions.prune_backups.table import table_of
from functions.prune_backups.told import told_time
from functions.prune_backups.world import World


def status(occasion: Occasion, world: World) -> tuple[str, ...]:
    """The table of each set; nothing if the event does not ask."""
    return tuple(_lines(occasion, world)) if isinstance(occasion.event.event, Status) else ()


def _lines(occasion: Occasion, world: World) -> Iterator[str]:
    for key, listing in world.sets.items():
        settings = occasion.settings.sets[key]
        if listing is None:
            yield f"{key}: there is no bucket {settings.bucket}"
            continue
        if occasion.records.is_restoring(key, occasion.now):
            yield f"{key}: nothing is deleted until {told_time(occasion.records.restoring[key].until)}"
        yield from table_of(key, settings, listing, verdicts_on(listing.inventory, settings.retention, settings.zone))
