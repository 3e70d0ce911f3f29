"""What `prune_backups` remembers: which sets a person wants restored. All else it reads in the buckets."""

from datetime import datetime

import msgspec

from functions.prune_backups.commands import Restore, sets_of
from functions.prune_backups.settings import Settings
from shared import automation
from shared.events import Command, Dated, Tick

Event = Tick | Command
Context = automation.RunContext[Settings, "Event", "Records"]


class Restoring(msgspec.Struct, frozen=True):
    """What was deleted of a set since then is to be there again, and nothing is deleted until then; said when."""

    deleted_since: datetime
    until: datetime
    said: datetime


class Records(automation.Records, frozen=True, kw_only=True):
    """The document `records/prune_backups`."""

    restoring: dict[str, Restoring] = {}
    """By the owner's key of a set."""

    def restoring_now(self, key: str, now: datetime) -> Restoring | None:
        """The request to restore what was deleted of a set, if it is in force: nothing is deleted meanwhile."""
        restoring = self.restoring.get(key)
        return restoring if restoring and now < restoring.until else None


def fold(records: Records, event: Dated[Event], settings: Settings) -> Records:
    """The records with what the event says: of two words on a set, the one that was said last counts."""
    if not isinstance(event.event, Restore):
        return records
    said = Restoring(event.event.deleted_since, event.event.until, event.published)
    newer = {key: said for key in sets_of(event.event, settings) if _is_newer(said, records.restoring.get(key))}
    return msgspec.structs.replace(records, restoring=dict(sorted((records.restoring | newer).items())))


def _is_newer(said: Restoring, known: Restoring | None) -> bool:
    return known is None or (said.said, said.until, said.deleted_since) > (known.said, known.until, known.deleted_since)
