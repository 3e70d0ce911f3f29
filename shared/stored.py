"""Stored documents outlive the version that wrote them: what this version cannot read, it neither trips over nor drops.

An entry that cannot be read (an unknown enum value, a missing field) is left out of the value, and named, so that its
subject is left alone. On the next write, fields that this version does not know are kept as stored.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from shared.decoding import converted
from shared.errors import StoredUnreadable
from shared.firestore_values import Builtins

ValueT = TypeVar("ValueT")
Fields = Mapping[str, Builtins]
Path = tuple[str, ...]


class UnreadableEntry(msgspec.Struct, frozen=True):
    """One entry of a stored document that this version cannot read."""

    document: str
    field: str
    key: str
    error: str
    """The expected type, without the value."""

    def __str__(self) -> str:
        return f"{self.field}.{self.key} in {self.document} cannot be read by this version: {self.error}"


_LAST: dict[tuple[str, type], tuple[Fields | None, Any]] = {}
"""By document and type, the last fields, and what they were read as: most runs read what the one before has read."""


def read_stored(path: str, fields: Fields | None, type_: type[ValueT]) -> tuple[ValueT, tuple[UnreadableEntry, ...]]:
    """A document's value without the entries that cannot be read, and those; the type's empty value if there is none.

    The same fields are the same value. Raises ``StoredUnreadable`` if more than entries of maps cannot be read.
    """
    known = _LAST.get((path, type_))
    if known is None or known[0] is not fields:
        known = _LAST[path, type_] = fields, _read(path, fields, type_)
    read: tuple[ValueT, tuple[UnreadableEntry, ...]] = known[1]
    return read


def _read(path: str, fields: Fields | None, type_: type[ValueT]) -> tuple[ValueT, tuple[UnreadableEntry, ...]]:
    stored = fields or {}
    try:
        return converted(stored, type_, strict=False), ()
    except msgspec.ValidationError:
        unreadable = tuple(_unreadable_entries(path, stored, type_))
    bad = {(one.field, one.key) for one in unreadable}
    readable = {
        field: {key: entry for key, entry in value.items() if (field, key) not in bad}
        if isinstance(value, dict)
        else value
        for field, value in stored.items()
    }
    try:
        return converted(readable, type_, strict=False), unreadable
    except msgspec.ValidationError as error:
        raise StoredUnreadable(f"{path} cannot be read by this version: {error}") from None


def with_unknown(path: str, stored: Fields | None, value: msgspec.Struct) -> dict[str, Builtins]:
    """The value as it is to be stored, with everything that is stored now and that its type does not know."""
    fields: dict[str, Builtins] = msgspec.to_builtins(value, builtin_types=(datetime,))
    if stored:
        known, _ = read_stored(path, stored, type(value))
        for place, unknown in _missing(stored, msgspec.to_builtins(known, builtin_types=(datetime,))):
            _put(fields, place, unknown)
    return fields


def _unreadable_entries(path: str, stored: Fields, type_: type[ValueT]) -> Iterator[UnreadableEntry]:
    for field, value in stored.items():
        for key, entry in value.items() if isinstance(value, dict) else ():
            try:
                converted({field: {key: entry}}, type_, strict=False)
            except msgspec.ValidationError as error:
                yield UnreadableEntry(path, field, key, str(error).partition(" - at")[0])


def _missing(stored: Fields, known: Fields, above: Path = ()) -> Iterator[tuple[Path, Builtins]]:
    """The places of everything that is in one mapping and not in the other. Lists are not looked into."""
    for key, value in stored.items():
        if key not in known:
            yield (*above, key), value
        elif isinstance(value, dict) and isinstance(below := known[key], dict):
            yield from _missing(value, below, (*above, key))


def _put(fields: dict[str, Builtins], place: Path, value: Builtins) -> None:
    """Put a value where it was, unless what held it is gone or something else is there now."""
    *above, last = place
    for key in above:
        below = fields.get(key)
        if not isinstance(below, dict):
            return
        fields = below
    fields.setdefault(last, value)
