"""Backups, sets and decisions as tests write them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from functions.prune_backups.automation import AUTOMATION
from functions.prune_backups.changes import DeleteBackups
from functions.prune_backups.commands import Prune
from functions.prune_backups.decide import PruneDecision
from functions.prune_backups.inventory import Backup, Inventory
from functions.prune_backups.needs import listing_of
from functions.prune_backups.records import Context, Records
from functions.prune_backups.settings import BackupSet, Settings
from functions.prune_backups.world import Listing, NoBucket
from shared.automation import NOT_READ
from shared.events import Dated
from shared.looking import guarded
from shared.restrictions import SpendingRestrictions
from shared.world import World

NOW = datetime(2026, 11, 15, 4, tzinfo=UTC)
DAY = timedelta(days=1)
LENIENT: dict[str, object] = {
    "floor": 1,
    "fresh_within": "999y",
    "min_size_ratio": 0,
    "max_delete_fraction": 1,
    "max_unknown_names": 1_000_000,
}
"""Brakes that let almost anything pass."""


def a_set(**fields: object) -> BackupSet:
    """A set of backups, as ``caretaker.yaml`` has it."""
    time_from = {} if "name" in fields else {"time_from": "creation"}
    return msgspec.convert({"bucket": "my-backups", "retention": {"keep_last": 3}, **time_from, **fields}, BackupSet)


def backup(time: datetime, group: str = "", *, size: int = 1000, **more: object) -> Backup:
    """A backup that is named for its time."""
    name = f"{group}/{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"
    return msgspec.structs.replace(Backup(name=name, generation=1, time=time, size=size, group=group), **more)


def nightly(count: int, *, newest: datetime = NOW - timedelta(hours=2), group: str = "") -> list[Backup]:
    """A backup of each night, the newest first."""
    return [backup(newest - number * DAY, group) for number in range(count)]


def inventory(backups: Iterable[Backup]) -> Inventory:
    """Backups as they are listed: by name."""
    return Inventory(sorted(backups, key=lambda one: one.name))


def context(sets: Mapping[str, BackupSet], now: datetime = NOW, records: Records | None = None) -> Context:
    """The context of a run before it looks."""
    return Context(
        event=Dated(Prune(), "m1", now),
        records=records or Records(),
        restrictions=SpendingRestrictions(),
        settings=Settings(sets=dict(sets)),
        now=now,
        project="caretaker-home",
        restrictions_document=NOT_READ,
    )


def decided_on(known: Context, listings: Mapping[str, Listing | NoBucket]) -> PruneDecision:
    """The decision on sets that were listed like this, guarded."""
    world = World({listing_of(key, known): listing for key, listing in listings.items()})
    return guarded(AUTOMATION, known, world, AUTOMATION.decide(known, world, ()))


def decided(settings: BackupSet, backups: Iterable[Backup], now: datetime = NOW, **listing: object) -> PruneDecision:
    """The decision on one set, guarded."""
    return decided_on(
        context({"shop": settings}, now), {"shop": msgspec.structs.replace(Listing(inventory(backups)), **listing)}
    )


def deleted(decision: PruneDecision) -> list[str]:
    """The names of what a decision would delete."""
    changes = [change for change in decision.changes if isinstance(change, DeleteBackups)]
    return [backup.name for change in changes for backup in change.backups()]
