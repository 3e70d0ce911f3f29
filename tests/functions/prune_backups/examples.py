"""Backups, sets and decisions as tests write them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from functions.prune_backups.changes import DeleteBackups, PruneChange
from functions.prune_backups.commands import Prune
from functions.prune_backups.inventory import Backup, Inventory
from functions.prune_backups.plan import guards, plan
from functions.prune_backups.records import Occasion, Records
from functions.prune_backups.settings import BackupSet, Settings
from functions.prune_backups.world import Listing, World
from shared.automation import NOT_READ
from shared.events import Dated
from shared.plan import Plan, guarded
from shared.restrictions import SpendingRestrictions

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
    return msgspec.convert({"bucket": "my-backups", "retention": {"keep_last": 3}, **fields}, BackupSet)


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


def occasion(sets: Mapping[str, BackupSet], now: datetime = NOW, records: Records | None = None) -> Occasion:
    """What a run knows before it looks."""
    return Occasion(
        event=Dated(Prune(), "m1", now),
        records=records or Records(),
        restrictions=SpendingRestrictions(),
        settings=Settings(sets=dict(sets)),
        now=now,
        project="caretaker-home",
        restrictions_document=NOT_READ,
    )


def decided(
    settings: BackupSet, backups: Iterable[Backup], now: datetime = NOW, **listing: object
) -> Plan[PruneChange]:
    """The plan for one set, guarded."""
    known = occasion({"shop": settings}, now)
    world = World({"shop": msgspec.structs.replace(Listing(inventory(backups)), **listing)})
    return guarded(plan(known, world), guards(known, world))


def deleted(plan_: Plan[PruneChange]) -> list[str]:
    """The names of what a plan would delete."""
    changes = [change for change in plan_.changes if isinstance(change, DeleteBackups)]
    return [backup.name for change in changes for backup in change.backups()]
