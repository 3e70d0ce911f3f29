"""Read objects of Cloud Storage as backups, by their names, times and metadata."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from functions.prune_backups.durations import read_duration
from functions.prune_backups.formatting import printable
from functions.prune_backups.inventory import Backup
from functions.prune_backups.names import name_pattern
from functions.prune_backups.settings import CLOCK_SKEW, Proof
from functions.prune_backups.world import ListingOf
from shared.backup_metadata import is_complete, verified_at
from shared.clock import format_time
from shared.rest import UnknownAnswer

KEEP = "caretaker-keep"
"""The key of custom metadata by which an owner pins a backup; its value is a note of theirs."""


class StoredObject(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """An object as it is listed. Numbers are texts in the API."""

    name: str
    generation: str
    metageneration: str = "1"
    """Counts changes of its metadata: 1 is as it was written."""
    size: str = "0"
    time_created: datetime | None = None
    temporary_hold: bool = False
    event_based_hold: bool = False
    retention_expiration_time: datetime | None = None
    metadata: dict[str, str] = {}
    time_deleted: datetime | None = None
    """Since when it is an older version."""
    soft_delete_time: datetime | None = None

    @property
    def gone_since(self) -> datetime | None:
        """The time it was deleted, in whichever way."""
        return self.soft_delete_time or self.time_deleted

    @property
    def is_folder(self) -> bool:
        """Whether it only makes a folder show in the console."""
        return self.name.endswith("/") and self.size == "0"


class ObjectReader:
    """Reads the objects of one set. There may be a million: what is the same for all is worked out once."""

    def __init__(self, need: ListingOf) -> None:
        settings = need.settings
        self._settings = settings
        self._now = need.now
        self._restored = frozenset(need.restored)
        self._pattern = name_pattern(settings.name) if settings.name else None
        self._prefix = settings.prefix
        self._zone = settings.zone
        self._asks = settings.proof is not Proof.NONE
        self._within = read_duration(settings.written_within)
        self._shortest_within = self._within.shortest

    def backup(self, stored: StoredObject) -> Backup | None:
        """The backup that an object is; None if its name does not match the pattern.

        Raises ``UnknownAnswer`` for an object that is not under the prefix.
        """
        name = stored.name
        if not name.startswith(self._prefix):
            raise UnknownAnswer(f"{printable(name)} was listed under {self._settings.full_name}")
        group, time = "", stored.time_created
        if self._pattern:
            parsed = self._pattern.read(name[len(self._prefix) :], self._zone)
            if parsed is None:
                return None
            group, time = parsed.group, parsed.time or time
        elif stored.is_folder:
            return None
        if time is None:
            return None
        size = int(stored.size)
        return Backup(
            name=name,
            generation=int(stored.generation),
            time=time,
            size=size,
            group=group,
            pins=tuple(_pins(stored, self._now)) if _may_be_pinned(stored) else (),
            is_complete=not self._asks or is_complete(stored.metadata, size),
            is_verified=not self._asks or self._is_verified(stored, time),
        )

    def is_dated(self, stored: StoredObject, backup: Backup) -> bool:
        """Whether an object was written near the time in its name, which may be any time; or was restored later."""
        written = stored.time_created or backup.time
        if abs(written - backup.time) <= self._shortest_within or stored.name in self._restored:
            return True
        first, last = sorted((written, backup.time))
        return self._within.before(last) <= first

    def _is_verified(self, stored: StoredObject, time: datetime) -> bool:
        """Whether a proof counts: dated between the backup and now, and added after the object was written.

        A permission to create objects includes their first metadata, and none to change it: what is there from the
        beginning is the word of the writer alone. A restored copy begins anew, and was looked at before it was deleted.
        """
        verified = verified_at(stored.metadata)
        if verified is None or not time <= verified <= self._now + CLOCK_SKEW:
            return False
        return stored.name in self._restored or int(stored.metageneration) > 1


def _may_be_pinned(stored: StoredObject) -> bool:
    return bool(stored.metadata or stored.temporary_hold or stored.event_based_hold or stored.retention_expiration_time)


def _pins(stored: StoredObject, now: datetime) -> Iterator[str]:
    """Why an object must stay regardless of the policy."""
    if stored.temporary_hold:
        yield "pinned by a temporary hold"
    if stored.event_based_hold:
        yield "pinned by an event-based hold"
    if KEEP in stored.metadata:
        yield f"pinned by {KEEP}"
    if stored.retention_expiration_time and stored.retention_expiration_time > now:
        yield f"retained until {format_time(stored.retention_expiration_time)}"
