"""The decision of `prune_backups`, pure: which backups stay and why, and what is to be deleted or restored."""

from collections.abc import Iterator

from functions.prune_backups.changes import BATCH, DeleteBackups, PruneChange, RestoreBackups
from functions.prune_backups.guards import guards
from functions.prune_backups.inventory import Inventory
from functions.prune_backups.records import Occasion, Records
from functions.prune_backups.retention import Verdicts, verdicts_on
from functions.prune_backups.settings import BackupSet
from functions.prune_backups.table import table_of
from functions.prune_backups.told import shown, told_time
from functions.prune_backups.world import Listing, World
from shared.legacy import Settled
from shared.plan import Plan

__all__ = ["guards", "intend", "plan", "settle"]


def plan(occasion: Occasion, world: World) -> Plan[PruneChange]:
    """What to do now: what no rule keeps is deleted, or if a person wants it, what was deleted is restored."""
    changes: list[PruneChange] = []
    table: list[str] = []
    following: list[str] = []
    for key, listing in world.sets.items():
        settings = occasion.settings.sets[key]
        if listing is None:
            continue
        if occasion.records.is_restoring(key, occasion.now):
            changes += _restores(key, settings, listing)
            following.append(f"{key}: nothing is deleted until {told_time(occasion.records.restoring[key].until)}")
            continue
        verdicts = verdicts_on(listing.inventory, settings.retention, settings.zone)
        changes += _deletes(key, settings, listing.inventory, verdicts)
        table += table_of(key, settings, listing, verdicts)
    return Plan(changes=tuple(changes), next=tuple(following), table=tuple(table))


def settle(occasion: Occasion, world: World, applied: tuple[PruneChange, ...]) -> Settled[Records]:
    """The records as they are: what has been done shows in the bucket."""
    del world, applied
    return Settled(occasion.records)


def intend(occasion: Occasion, changes: tuple[PruneChange, ...]) -> Records:
    """The records as they are: a delete overwrites nothing that would have to be remembered."""
    del changes
    return occasion.records


def _deletes(key: str, settings: BackupSet, inventory: Inventory, verdicts: Verdicts) -> Iterator[DeleteBackups]:
    places = verdicts.deleted()
    for start in range(0, len(places), BATCH):
        batch = places[start : start + BATCH]
        first, last = inventory[batch[0]], inventory[batch[-1]]
        span = _told(first.name, first.generation)
        span += f" to {_told(last.name, last.generation)}" if len(batch) > 1 else ""
        yield DeleteBackups(
            target=settings.full_name,
            field="backups",
            before=f"{len(batch)}: {span}",
            after="deleted",
            reason="no rule keeps them",
            scope=key,
            bucket=settings.bucket,
            inventory=inventory,
            places=batch,
            earlier=start,
            total=len(places),
        )


def _restores(key: str, settings: BackupSet, listing: Listing) -> Iterator[RestoreBackups]:
    for start in range(0, len(listing.restorable), BATCH):
        batch = listing.restorable[start : start + BATCH]
        span = _told(batch[0].name, batch[0].generation)
        span += f" to {_told(batch[-1].name, batch[-1].generation)}" if len(batch) > 1 else ""
        yield RestoreBackups(
            target=settings.full_name,
            field="backups",
            before="deleted",
            after=f"{len(batch)}: {span}",
            reason="a person wants them back",
            scope=key,
            bucket=settings.bucket,
            objects=batch,
        )


def _told(name: str, generation: int) -> str:
    """A version of an object, as Google's tools write it."""
    return f"{shown(name)}#{generation}"
