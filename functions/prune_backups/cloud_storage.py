"""Backups that are objects of Cloud Storage, by its JSON API: https://cloud.google.com/storage/docs/json_api/v1."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from http import HTTPStatus
from urllib.parse import quote, urlencode

import msgspec

from functions.prune_backups import batch
from functions.prune_backups.batch import Part
from functions.prune_backups.changes import DeleteBackups, RestoreBackups
from functions.prune_backups.formatting import printable
from functions.prune_backups.inventory import Backup, Inventory
from functions.prune_backups.messages import AlreadyDeleted, ExistsAgain, NoLongerRestorable, Overwritten, Protected
from functions.prune_backups.names import name_pattern
from functions.prune_backups.progress import Progress
from functions.prune_backups.settings import Proof
from functions.prune_backups.world import EXAMPLES, Listing, ListingOf, NoBucket, Restorable, UnknownNames
from shared import rest
from shared.backup_metadata import is_complete, verified_at
from shared.clients import Clients
from shared.clock import format_time
from shared.decision import Message
from shared.rest import UnknownAnswer

API = "https://storage.googleapis.com/storage/v1"
KEEP = "caretaker-keep"
"""The key of custom metadata by which an owner pins a backup; its value is a note of theirs."""
FIELDS = "name,generation,size,timeCreated,temporaryHold,eventBasedHold,retentionExpirationTime,metadata"
"""What is listed of an object, and nothing else."""
FIELDS_OF_DELETED = "name,generation,size,timeCreated,softDeleteTime"
PAGE_SIZE = 5000
"""The service may give less, and gives 1000 where it does not say otherwise."""
LOGGED_EVERY = 100_000

_HELD = "is under active"


class StoredObject(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """An object as it is listed. Numbers are texts in the API."""

    name: str
    generation: str
    size: str = "0"
    time_created: datetime | None = None
    temporary_hold: bool = False
    event_based_hold: bool = False
    retention_expiration_time: datetime | None = None
    metadata: dict[str, str] = {}
    soft_delete_time: datetime | None = None


class Page(msgspec.Struct, frozen=True, rename="camel"):
    """One page of a list."""

    items: tuple[StoredObject, ...] = ()
    next_page_token: str = ""


def listed(need: ListingOf, clients: Clients) -> Listing | NoBucket:
    """See `BackupSource`."""
    from google.api_core.exceptions import NotFound

    inventory = Inventory()
    unknown = 0
    examples: list[str] = []
    try:
        for stored in _objects(need, clients):
            backup = _backup(stored, need)
            if backup is not None:
                inventory.add(backup)
            elif not _is_folder(stored):
                unknown += 1
                examples += [stored.name] if unknown <= EXAMPLES else []
    except NotFound:
        return NoBucket()
    restorable = tuple(_restorable(need, inventory, clients)) if need.deleted_since else ()
    return Listing(inventory, UnknownNames(unknown, tuple(examples)), restorable)


def delete(change: DeleteBackups, clients: Clients) -> Sequence[Message]:
    """See `BackupSource`."""
    backups = list(change.backups())
    calls = [
        f"DELETE {_path(change.bucket, backup.name)}?{urlencode({'ifGenerationMatch': backup.generation})}"
        for backup in backups
    ]
    kept: dict[str, Message] = {}
    gone: list[str] = []
    for name, part in _answers([backup.name for backup in backups], batch.send(clients, calls)):
        if part.status == HTTPStatus.PRECONDITION_FAILED:
            kept[name] = Overwritten(change.bucket, name)
        elif part.status == HTTPStatus.FORBIDDEN:
            kept[name] = Protected(change.bucket, name, part.refused.message)
        elif part.status == HTTPStatus.NOT_FOUND:
            gone.append(name)
    deleted = [backup.name for backup in backups if backup.name not in kept and backup.name not in gone]
    what = f"prune_backups: {change.scope}: {len(deleted)} deleted in this request; processed"
    Progress(what, change.earlier + len(backups), change.total).log(bucket=change.bucket, deleted=deleted)
    return [*kept.values(), *([AlreadyDeleted(change.bucket, gone[0], len(gone))] if gone else [])]


def restore(change: RestoreBackups, clients: Clients) -> Sequence[Message]:
    """See `BackupSource`."""
    calls = [
        f"POST {_path(change.bucket, one.name)}/restore?"
        + urlencode({"generation": one.generation, "ifGenerationMatch": 0})
        for one in change.objects
    ]
    left: list[Message] = []
    for name, part in _answers([one.name for one in change.objects], batch.send(clients, calls)):
        if part.status == HTTPStatus.PRECONDITION_FAILED:
            left.append(ExistsAgain(change.bucket, name))
        elif part.status == HTTPStatus.NOT_FOUND:
            left.append(NoLongerRestorable(change.bucket, name))
    return left


def _answers(names: Sequence[str], parts: Sequence[Part]) -> list[tuple[str, Part]]:
    """The answers by name. Raises what Google's client would if a call failed for another reason than the object."""
    from google.api_core.exceptions import from_http_status

    answers = list(zip(names, parts, strict=True))
    failed = [(name, part) for name, part in answers if part.status >= HTTPStatus.BAD_REQUEST and not _is_final(part)]
    if failed:
        name, part = failed[0]
        error = f"{len(failed)} of {len(names)} calls failed, such as that for {printable(name)}: "
        raise from_http_status(part.status, error + part.refused.message)
    return answers


def _is_final(part: Part) -> bool:
    """Whether an error is about the object, which another one has overwritten, deleted or protected."""
    is_protected = part.status == HTTPStatus.FORBIDDEN and _is_protected(part)
    return is_protected or part.status in {HTTPStatus.PRECONDITION_FAILED, HTTPStatus.NOT_FOUND}


def _is_protected(part: Part) -> bool:
    """Whether a 403 is a hold's or a retention's, and not that of a missing permission.

    A hold is documented to have the reason objectUnderActiveHold, and was measured to have no reason of its own.
    """
    reasons = {error.reason for error in part.refused.errors}
    return bool(reasons & {"retentionPolicyNotMet", "objectUnderActiveHold"}) or _HELD in part.refused.message


def _path(bucket: str, name: str) -> str:
    return f"/storage/v1/b/{quote(bucket, safe='')}/o/{quote(name, safe='')}"


def _objects(need: ListingOf, clients: Clients, **more: str) -> Iterator[StoredObject]:
    """Every object of a set, in order of name. Raises ``UnknownAnswer`` for a list that goes in circles."""
    fields = FIELDS_OF_DELETED if "softDeleted" in more else FIELDS
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


def _backup(stored: StoredObject, need: ListingOf) -> Backup | None:
    """What an object is a backup of; None if its name does not fit."""
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
        is_verified=not asks or verified_at(stored.metadata) is not None,
    )


def _pins(stored: StoredObject, now: datetime) -> Iterator[str]:
    """Why an object is to stay, whatever the policy says."""
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


def _restorable(need: ListingOf, inventory: Inventory, clients: Clients) -> Iterator[Restorable]:
    """The newest version of each backup that was deleted since, and is not there again, in order of name."""
    live = {backup.name for backup in inventory}
    newest: dict[str, StoredObject] = {}
    for stored in _objects(need, clients, softDeleted="true"):
        deleted, since = stored.soft_delete_time, need.deleted_since
        if deleted and since and deleted >= since and stored.name not in live and _backup(stored, need) is not None:
            known = newest.get(stored.name)
            if known is None or int(stored.generation) > int(known.generation):
                newest[stored.name] = stored
    return (Restorable(name, int(stored.generation)) for name, stored in sorted(newest.items()))
