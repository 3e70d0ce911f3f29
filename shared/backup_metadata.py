"""A backup's own description, in its object's custom metadata: written by the jobs, read before anything is pruned.

An object is a backup only when its metadata is complete, and that is written after its content: what an upload left
that did not complete says nothing of itself, and does not count.
"""

import contextlib
import hashlib
import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final, TypeVar

import msgspec

from shared.decoding import decoded
from shared.errors import CaretakerError

SHA256: Final = "caretaker-sha256"
SIZE: Final = "caretaker-size"
SERVER_VERSION: Final = "caretaker-server-version"
TABLES: Final = "caretaker-tables"
LOCALE: Final = "caretaker-locale"
ROLES: Final = "caretaker-roles"
STARTED: Final = "caretaker-started"
FINISHED: Final = "caretaker-finished"
VERIFIED: Final = "caretaker-verified"
RESTORE_SECONDS: Final = "caretaker-restore-seconds"

MOST_TABLE_BYTES = 6 * 1024
"""The maximum size of the list of tables: custom metadata holds 8 KiB in all (https://cloud.google.com/storage/quotas#objects)."""
MOST_ROLE_BYTES = 1024
"""And so the list of roles."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
ValueT = TypeVar("ValueT")
_WHOLE_NUMBER = re.compile(r"[0-9]{1,18}")


class IncompleteMetadata(CaretakerError):
    """An object does not say of itself what a backup says."""


class TableCounts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The numbers of tables and rows of a database, where there are too many tables to list each."""

    digest: str
    """Of each table's rows: `counts_digest`."""
    tables: int
    rows: int


class Locale(msgspec.Struct, frozen=True, omit_defaults=True):
    """A database's encoding and locale, which a restored copy must share.

    https://www.postgresql.org/docs/current/locale.html
    """

    encoding: str
    provider: str
    """``libc``, ``icu`` or ``builtin``."""
    collate: str
    ctype: str
    locale: str = ""
    """Of the provider, if that is not libc."""
    icu_rules: str = ""


Tables = dict[str, int] | TableCounts
"""Rows by table, named ``schema.table``, as they were in the backup's snapshot."""


class BackupMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """The description of a complete backup."""

    sha256: str
    size: int
    """In bytes."""
    server_version: str
    """Of the PostgreSQL server that was backed up, such as ``17.6``."""
    tables: Tables
    locale: Locale | None = None
    """None for a backup that was taken before this was recorded."""
    roles: tuple[str, ...] = ()
    """Roles of the server that the dump may name, as policies do."""
    started: datetime
    finished: datetime


class Proof(msgspec.Struct, frozen=True):
    """That a backup has been restored, when, and how long that took."""

    verified: datetime
    restore_seconds: float


def is_complete(metadata: Mapping[str, str], size: int) -> bool:
    """Whether an object of this size in bytes says that it is a whole backup, and of just this size."""
    return (
        bool(_SHA256.fullmatch(metadata.get(SHA256, "")))
        and metadata.get(SIZE) == str(size)
        and _time(metadata.get(FINISHED, "")) is not None
    )


def verified_at(metadata: Mapping[str, str]) -> datetime | None:
    """The time a backup was last proved by restoring it; None if it has not been."""
    return _time(metadata.get(VERIFIED, ""))


def backup_to_metadata(backup: BackupMetadata) -> dict[str, str]:
    """A backup as custom metadata."""
    more: dict[str, Locale | tuple[str, ...]] = {LOCALE: backup.locale} if backup.locale else {}
    more |= {ROLES: backup.roles} if backup.roles else {}
    return {
        SHA256: backup.sha256,
        SIZE: str(backup.size),
        SERVER_VERSION: backup.server_version,
        TABLES: msgspec.json.encode(backup.tables).decode(),
        **{key: msgspec.json.encode(value).decode() for key, value in more.items()},
        STARTED: _text(backup.started),
        FINISHED: _text(backup.finished),
    }


def proof_to_metadata(proof: Proof) -> dict[str, str]:
    """A proof as custom metadata."""
    return {VERIFIED: _text(proof.verified), RESTORE_SECONDS: f"{proof.restore_seconds:.1f}"}


def read_backup(metadata: Mapping[str, str]) -> BackupMetadata:
    """The backup that custom metadata describes. Raises ``IncompleteMetadata`` with the first invalid key."""
    size, sha256 = _of(metadata, SIZE), _of(metadata, SHA256)
    if not _WHOLE_NUMBER.fullmatch(size):
        raise IncompleteMetadata(f"{SIZE} is {size!r}, which is no size")
    if not _SHA256.fullmatch(sha256):
        raise IncompleteMetadata(f"{SHA256} is {sha256!r}, which is no SHA-256")
    return BackupMetadata(
        sha256=sha256,
        size=int(size),
        server_version=_of(metadata, SERVER_VERSION),
        tables=_tables(_of(metadata, TABLES)),
        locale=_decoded(metadata, LOCALE, Locale),
        roles=_decoded(metadata, ROLES, tuple[str, ...]) or (),
        started=_time_of(metadata, STARTED),
        finished=_time_of(metadata, FINISHED),
    )


def read_proof(metadata: Mapping[str, str]) -> Proof | None:
    """The last proof in custom metadata, if there is one that can be read."""
    verified = verified_at(metadata)
    try:
        seconds = float(metadata.get(RESTORE_SECONDS, ""))
    except ValueError:
        return None
    return Proof(verified, seconds) if verified and math.isfinite(seconds) else None


def short(tables: dict[str, int]) -> Tables:
    """The tables as custom metadata has room for them: each with its rows, or how many there are and a digest."""
    if len(msgspec.json.encode(tables)) <= MOST_TABLE_BYTES:
        return tables
    return TableCounts(counts_digest(tables), len(tables), sum(tables.values()))


def fitting(roles: Iterable[str]) -> tuple[str, ...]:
    """As many of the roles, from the first, as custom metadata has room for."""
    found: list[str] = []
    for role in roles:
        if len(msgspec.json.encode([*found, role])) > MOST_ROLE_BYTES:
            break
        found.append(role)
    return tuple(found)


def counts_digest(tables: Mapping[str, int]) -> str:
    """A digest that differs when any table has another name or another number of rows."""
    lines = (msgspec.json.encode((name, rows)) for name, rows in sorted(tables.items()))
    return hashlib.sha256(b"\n".join(lines)).hexdigest()


def _tables(text: str) -> Tables:
    with contextlib.suppress(msgspec.DecodeError):
        return decoded(text, TableCounts)
    with contextlib.suppress(msgspec.DecodeError):
        return decoded(text, dict[str, int])
    raise IncompleteMetadata(f"{TABLES} is {text[:80]!r}, which is no JSON of tables and their rows")


def _decoded(metadata: Mapping[str, str], key: str, type_: type[ValueT]) -> ValueT | None:
    """The value of a key that older backups do not have."""
    if key not in metadata:
        return None
    try:
        return decoded(metadata[key], type_)
    except msgspec.DecodeError as error:
        raise IncompleteMetadata(f"{key} is {metadata[key][:80]!r}: {error}") from None


def _of(metadata: Mapping[str, str], key: str) -> str:
    if key not in metadata:
        raise IncompleteMetadata(f"{key} is missing")
    return metadata[key]


def _time_of(metadata: Mapping[str, str], key: str) -> datetime:
    time = _time(_of(metadata, key))
    if time is None:
        raise IncompleteMetadata(f"{key} is {metadata[key]!r}, which is no time")
    return time


def _time(text: str) -> datetime | None:
    """A time with its offset, in UTC."""
    try:
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC) if time.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")
