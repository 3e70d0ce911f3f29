"""What `prune_backups` remembers: which sets a person wants restored. All else it reads in the buckets."""

from datetime import datetime

import msgspec

from functions.prune_backups.commands import Restore
from functions.prune_backups.settings import Settings
from shared import automation
from shared.events import Command, Dated, Tick

Event = Tick | Command
Occasion = automation.Occasion[Settings, "Event", "Records"]


class Restoring(msgspec.Struct, frozen=True):
    """What was deleted of a set since then is to be there again, and nothing is deleted until then; said when."""

    deleted_since: datetime
    until: datetime
    said: datetime


class Records(automation.Records, frozen=True, kw_only=True):
    """The document `records/prune_backups`."""

    restoring: dict[str, Restoring] = {}
    """By the owner's key of a set."""

    def is_restoring(self, key: str, now: datetime) -> bool:
        """Whether a person wants what was deleted of a set back, and nothing deleted."""
        return key in self.restoring and now < self.restoring[key].until


def fold(records: Records, event: Dated[Event], settings: Settings) -> Records:
    """The records with what the event says: of two words on a set, the one that was said last counts."""
    del settings
    if not isinstance(event.event, Restore):
        return records
    said = Restoring(event.event.deleted_since, event.event.until, event.published)
    known = records.restoring.get(event.event.set)
    if known is not None and _order(known) >= _order(said):
        return records
    return msgspec.structs.replace(
        records, restoring=dict(sorted({**records.restoring, event.event.set: said}.items()))
    )


def _order(one: Restoring) -> tuple[datetime, datetime, datetime]:
    return one.said, one.until, one.deleted_since
