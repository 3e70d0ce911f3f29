"""List the objects of a set: https://cloud.google.com/storage/docs/json_api/v1/objects/list."""

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import quote

import msgspec

from functions.prune_backups.durations import read_duration
from functions.prune_backups.formatting import printable
from functions.prune_backups.inventory import Backup, Inventory
from functions.prune_backups.names import name_pattern
from functions.prune_backups.progress import Progress
from functions.prune_backups.settings import CLOCK_SKEW, BackupSet, Proof
from functions.prune_backups.world import EXAMPLES, Listing, ListingOf, NoBucket, Restorable, UnknownNames
from shared import rest
from shared.backup_metadata import is_complete, verified_at
from shared.clients import Clients
from shared.clock import format_time
from shared.errors import is_not_found
from shared.rest import UnknownAnswer

API = "https://storage.googleapis.com/storage/v1"
KEEP = "caretaker-keep"
"""The key of custom metadata by which an owner pins a backup; its value is a note of theirs."""
FIELDS = "name,generation,metageneration,size,timeCreated,temporaryHold,eventBasedHold,retentionExpirationTime,metadata"
"""The fields of an object that are listed."""
FIELDS_OF_DELETED = "name,generation,size,timeCreated,timeDeleted,softDeleteTime"
PAGE_SIZE = 5000
"""The service may give less, and gives 1000 where it does not say otherwise."""
LOGGED_EVERY = 100_000
NO_SOFT_DELETE = "soft delete policy"
"""Part of what a bucket without one answers to a list of soft-deleted objects."""


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


class Page(msgspec.Struct, frozen=True, rename="camel"):
    """One page of a list."""

    items: tuple[StoredObject, ...] = ()
    next_page_token: str = ""


class _Others:
    """Objects that do not count, by number and some names."""

    def __init__(self) -> None:
        self.count = 0
        self.examples: list[str] = []

    def add(self, name: str) -> None:
        """One more."""
        self.count += 1
        self.examples += [name] if self.count <= EXAMPLES else []

    @property
    def found(self) -> UnknownNames:
        """All of them."""
        return UnknownNames(self.count, tuple(self.examples))


def listed(need: ListingOf, clients: Clients) -> Listing | NoBucket:
    """See `BackupSource`."""
    inventory = Inventory()
    unknown, misdated = _Others(), _Others()
    restored = frozenset(need.restored)
    live: set[str] = set()
    try:
        for stored in _objects(need, clients):
            if need.deleted_since:
                live.add(stored.name)
            backup = _backup(stored, need, is_restored=stored.name in restored)
            if backup is None:
                if not _is_folder(stored):
                    unknown.add(stored.name)
            elif stored.name in restored or _is_written_in_time(stored, backup, need.settings):
                inventory.add(backup)
            else:
                misdated.add(stored.name)
    except Exception as error:
        if is_not_found(error):
            return NoBucket()
        raise
    restorable = tuple(_restorable(need, live, clients)) if need.deleted_since else ()
    return Listing(inventory, unknown.found, misdated.found, restorable)


def _objects(need: ListingOf, clients: Clients, **more: str) -> Iterator[StoredObject]:
    """Every object of a set, in order of name. Raises ``UnknownAnswer`` for a list that goes in circles."""
    fields = FIELDS_OF_DELETED if more else FIELDS
    parameters = {
        "prefix": need.settings.prefix,
        "maxResults": str(PAGE_SIZE),
        "fields": f"items({fields}),nextPageToken",
        "projection": "noAcl",
        **more,
    }
    address = f"{API}/b/{quote(need.settings.bucket, safe='')}/o"
    count = 0
    while True:
        page = rest.get(clients, address, parameters, Page)
        yield from page.items
        if (count + len(page.items)) // LOGGED_EVERY > count // LOGGED_EVERY:
            Progress(f"prune_backups: {need.key}: listed", count + len(page.items)).log()
        count += len(page.items)
        if not page.next_page_token:
            return
        if page.next_page_token == parameters.get("pageToken"):
            raise UnknownAnswer(f"{address}: the list goes in circles")
        parameters["pageToken"] = page.next_page_token


def _backup(stored: StoredObject, need: ListingOf, *, is_restored: bool = False) -> Backup | None:
    """The backup that an object is; None if its name does not match the pattern."""
    settings = need.settings
    if not stored.name.startswith(settings.prefix):
        raise UnknownAnswer(f"{printable(stored.name)} was listed under {settings.full_name}")
    name = stored.name[len(settings.prefix) :]
    parsed = name_pattern(settings.name).read(name, settings.zone) if settings.name else None
    time = parsed.time if parsed and parsed.time else stored.time_created
    if (settings.name and parsed is None) or time is None or (not settings.name and _is_folder(stored)):
        return None
    asks = settings.proof is not Proof.NONE
    size = int(stored.size)
    return Backup(
        name=stored.name,
        generation=int(stored.generation),
        time=time,
        size=size,
        group=parsed.group if parsed else "",
        pins=tuple(_pins(stored, need.now)),
        is_complete=not asks or is_complete(stored.metadata, size),
        is_verified=not asks or _is_verified(stored, time, need.now, is_restored=is_restored),
    )


def _is_written_in_time(stored: StoredObject, backup: Backup, settings: BackupSet) -> bool:
    """Whether an object was written near the time in its name, which may be any time."""
    written, within = stored.time_created or backup.time, read_duration(settings.written_within)
    if abs(written - backup.time) <= within.shortest:
        return True
    first, last = sorted((written, backup.time))
    return within.before(last) <= first


def _is_verified(stored: StoredObject, time: datetime, now: datetime, *, is_restored: bool) -> bool:
    """Whether a proof counts: dated between the backup and now, and added after the object was written.

    A permission to create objects includes their first metadata, and none to change it: what is there from the
    beginning is the word of the writer alone. A restored copy begins anew, and was looked at before it was deleted.
    """
    verified = verified_at(stored.metadata)
    if verified is None or not time <= verified <= now + CLOCK_SKEW:
        return False
    return is_restored or int(stored.metageneration) > 1


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


def _is_folder(stored: StoredObject) -> bool:
    """Whether an object only makes a folder show in the console."""
    return stored.name.endswith("/") and stored.size == "0"


def _restorable(need: ListingOf, live: set[str], clients: Clients) -> Iterator[Restorable]:
    """The newest version of each backup that was deleted since, and is not there again, in order of name.

    Where a bucket keeps versions, a deleted object is a noncurrent version first, and soft-deleted when that goes too.
    """
    newest: dict[str, StoredObject] = {}
    for stored in _deleted_objects(need, clients):
        gone, since = stored.gone_since, need.deleted_since
        if gone is None or since is None or gone < since or stored.name in live:
            continue
        backup, known = _backup(stored, need), newest.get(stored.name)
        is_own = backup and (stored.name in need.restored or _is_written_in_time(stored, backup, need.settings))
        if is_own and (known is None or int(stored.generation) > int(known.generation)):
            newest[stored.name] = stored
    for name, stored in sorted(newest.items()):
        yield Restorable(name, int(stored.generation), is_noncurrent=stored.soft_delete_time is None)


def _deleted_objects(need: ListingOf, clients: Clients) -> Iterator[StoredObject]:
    """Noncurrent versions, then soft-deleted objects.

    Raises what a call raises; a bucket without a soft delete policy must have a noncurrent version at least.
    """
    from google.api_core.exceptions import BadRequest

    keeps_versions = False
    for stored in _objects(need, clients, versions="true"):
        if stored.time_deleted:
            keeps_versions = True
            yield stored
    try:
        yield from _objects(need, clients, softDeleted="true")
    except BadRequest as error:
        if not keeps_versions or NO_SOFT_DELETE not in str(error).lower():
            raise
