"""List the objects of a set: https://cloud.google.com/storage/docs/json_api/v1/objects/list."""

from collections.abc import Iterator
from urllib.parse import quote

import msgspec

from functions.prune_backups.inventory import Inventory
from functions.prune_backups.objects import ObjectReader, StoredObject
from functions.prune_backups.progress import Progress
from functions.prune_backups.world import EXAMPLES, Listing, ListingOf, NoBucket, Restorable, UnknownNames
from shared import rest
from shared.clients import Clients
from shared.errors import not_found_errors
from shared.rest import UnknownAnswer

API = "https://storage.googleapis.com/storage/v1"
FIELDS = "name,generation,metageneration,size,timeCreated,temporaryHold,eventBasedHold,retentionExpirationTime,metadata"
"""The fields of an object that are listed."""
FIELDS_OF_DELETED = "name,generation,size,timeCreated,timeDeleted,softDeleteTime"
PAGE_SIZE = 5000
"""The service may give less, and gives 1000 where it does not say otherwise."""
LOGGED_EVERY = 100_000
NO_SOFT_DELETE = "soft delete policy"
"""Part of what a bucket without one answers to a list of soft-deleted objects."""


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
    inventory, reader = Inventory(), ObjectReader(need)
    unknown, misdated = _Others(), _Others()
    live: set[str] = set()
    try:
        for stored in _objects(need, clients):
            if need.deleted_since:
                live.add(stored.name)
            backup = reader.backup(stored)
            if backup is None:
                if not stored.is_folder:
                    unknown.add(stored.name)
            elif reader.is_dated(stored, backup):
                inventory.add(backup)
            else:
                misdated.add(stored.name)
    except not_found_errors():
        return NoBucket()
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


def _restorable(need: ListingOf, live: set[str], clients: Clients) -> Iterator[Restorable]:
    """The newest version of each backup that was deleted since, and is not there again, in order of name.

    Where a bucket keeps versions, a deleted object is a noncurrent version first, and soft-deleted when that goes too.
    """
    newest: dict[str, StoredObject] = {}
    reader = ObjectReader(need)
    for stored in _deleted_objects(need, clients):
        gone, since = stored.gone_since, need.deleted_since
        if gone is None or since is None or gone < since or stored.name in live:
            continue
        backup, known = reader.backup(stored), newest.get(stored.name)
        if (backup and reader.is_dated(stored, backup)) and (
            known is None or int(stored.generation) > int(known.generation)
        ):
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
