"""The records of `prune_backups`: people's commands, by bucket and prefix. All else is in the buckets."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from functions.prune_backups.changes import RestoreBackups
from functions.prune_backups.commands import Restore, Retire, sets_of
from functions.prune_backups.parse import Event
from functions.prune_backups.settings import BackupSet, Settings
from shared import automation
from shared.decision import Change
from shared.events import Dated

MOST_RESTORED = 5_000
"""So many names are remembered of a set: a document holds 1 MiB. More than these are treated as misdated later, so that
nothing is deleted until the owner looks."""

Context = automation.RunContext[Settings, Event, "Records"]


class Restoring(msgspec.Struct, frozen=True):
    """A command to restore what was deleted since a time, and to delete nothing until another; with its own time."""

    deleted_since: datetime
    until: datetime
    said: datetime
    restored: tuple[str, ...] = ()
    """Names of objects that were restored, which are newer than the time in their names."""


class Retired(msgspec.Struct, frozen=True):
    """Whether a group gets no more backups; said when."""

    retired: bool
    said: datetime


class Records(automation.Records, frozen=True, kw_only=True):
    """The document `records/prune_backups`."""

    restoring: dict[str, Restoring] = {}
    """By the full name of a set, such as ``gs://my-backups/shop``; by the owner's key before that."""
    retired: dict[str, Retired] = {}
    """By the full name of a set, ``#``, and the group."""

    def restoring_now(self, settings: BackupSet, now: datetime) -> Restoring | None:
        """The request to restore what was deleted of a set, if it is in force: nothing is deleted meanwhile."""
        restoring = self.restoring.get(settings.full_name)
        return restoring if restoring and now < restoring.until else None

    def retired_since(self, settings: BackupSet) -> Mapping[str, datetime]:
        """The groups of a set that get no more backups, and since when."""
        of_set = f"{settings.full_name}#"
        return {
            key.removeprefix(of_set): one.said
            for key, one in self.retired.items()
            if key.startswith(of_set) and one.retired
        }

    def before(self, changes: Sequence[Change]) -> "Records":
        """With the names of what is about to be restored."""
        restoring = dict(self.restoring)
        for change in changes:
            if isinstance(change, RestoreBackups) and (known := restoring.get(change.target)):
                names = sorted({*known.restored, *(one.name for one in change.objects)})[:MOST_RESTORED]
                restoring[change.target] = msgspec.structs.replace(known, restored=tuple(names))
        return msgspec.structs.replace(self, restoring=restoring)


def fold(records: Records, event: Dated[Event], settings: Settings) -> Records:
    """The records with what the event says: of two commands on a set, the one that was published last counts."""
    records = _by_full_name(records, settings)
    match event.event:
        case Restore() as restore:
            names = [settings.sets[key].full_name for key in sets_of(restore, settings)]
            said = Restoring(restore.deleted_since, restore.until, event.published)
            newer = {name: _newer(said, records.restoring.get(name)) for name in names}
            return msgspec.structs.replace(records, restoring=dict(sorted((records.restoring | newer).items())))
        case Retire(set=key, group=group, retired=retired) if key in settings.sets:
            name, newest = f"{settings.sets[key].full_name}#{group}", Retired(retired, event.published)
            known = records.retired.get(name, newest)
            newest = max(newest, known, key=lambda one: (one.said, one.retired))
            return msgspec.structs.replace(records, retired=dict(sorted((records.retired | {name: newest}).items())))
    return records


def _by_full_name(records: Records, settings: Settings) -> Records:
    """The records of a version that filed requests under the owner's key, filed under the full name of the set."""
    keys = records.restoring.keys() & settings.sets.keys()
    if not keys:
        return records
    restoring = {name: one for name, one in records.restoring.items() if name not in keys}
    for key in keys:
        name = settings.sets[key].full_name
        restoring[name] = _newer(records.restoring[key], restoring.get(name))
    return msgspec.structs.replace(records, restoring=dict(sorted(restoring.items())))


def _newer(said: Restoring, known: Restoring | None) -> Restoring:
    if known is None:
        return said
    restored = tuple(sorted({*said.restored, *known.restored})[:MOST_RESTORED])
    newer = max(said, known, key=lambda one: (one.said, one.until, one.deleted_since))
    return msgspec.structs.replace(newer, restored=restored)
