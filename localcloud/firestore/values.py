"""Firestore's values: what may be stored, how large it is, and which of two sorts first.

https://firebase.google.com/docs/firestore/quotas, .../storage-size and .../manage-data/data-types
"""

import functools
import itertools
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from google.cloud.firestore_v1 import types

from localcloud.core.messages import invalid
from localcloud.firestore.raw import RawFields, RawValue

LARGEST_DOCUMENT = 1_048_576
LARGEST_REQUEST = 10_485_760
LONGEST_TEXT = 1_048_487
LONGEST_NAME = 1500
DEEPEST = 20
RESERVED = re.compile(r"__.*__", re.DOTALL)
KEPT_VALUES = 8192
CHECKED_NAMES = 4096
"""The names of fields that are known to be valid: documents have the same ones over and over."""
ORDER = (
    ("null_value",),
    ("boolean_value",),
    ("integer_value", "double_value"),
    ("timestamp_value",),
    ("string_value",),
    ("bytes_value",),
    ("reference_value",),
    ("geo_point_value",),
    ("array_value",),
    ("map_value",),
)
"""The kinds of values in the order in which they sort."""
SIZES = {
    "null_value": 1,
    "boolean_value": 1,
    "integer_value": 8,
    "double_value": 8,
    "timestamp_value": 8,
    "geo_point_value": 16,
}
"""The sizes in bytes of those that are all alike."""
RANK = {kind: rank for rank, kinds in enumerate(ORDER) for kind in kinds}


def check_request(size: int) -> None:
    """Raise INVALID_ARGUMENT for a request of too many bytes, as they were sent: of JSON or of protobuf."""
    if size > LARGEST_REQUEST:
        raise invalid(f"Request payload size exceeds the limit: {LARGEST_REQUEST} bytes.")


def kind_of(value: RawValue) -> str:
    """The kind of a value, such as ``string_value``. INVALID_ARGUMENT for a value of no kind."""
    kind: str | None = value.WhichOneof("value_type")
    if kind is None:
        raise invalid("Cannot convert firestore.v1.Value with type unset.")
    if kind not in RANK:
        raise invalid(f"The local cloud does not store a {kind}.")
    return kind


def normalize(fields: RawFields, stored: RawFields | None = None, depth: int = 1) -> None:
    """Make fields what Firestore stores, in place: times lose what is below a microsecond.

    What is as it is among the ``stored`` fields needs nothing. Raises INVALID_ARGUMENT for a name or value that cannot
    be stored.
    """
    for name, value in fields.items():
        known = stored[name] if stored is not None and name in stored else None
        if known is None or value != known:
            _check_name(name)
            _normalize(name, value, known, depth)


@functools.lru_cache(CHECKED_NAMES)
def _check_name(name: str) -> None:
    if not name:
        raise invalid("The property.name is the empty string.")
    if len(name.encode()) > LONGEST_NAME:
        raise invalid(f"The property.name is longer than {LONGEST_NAME} bytes.")
    if RESERVED.fullmatch(name):
        raise invalid(f"field name {name} is reserved")


def _normalize(name: str, value: RawValue, known: RawValue | None, depth: int) -> None:
    kind = kind_of(value)
    # A character takes four bytes at most.
    if kind == "string_value" and 4 * len(value.string_value) > LONGEST_TEXT < len(value.string_value.encode()):
        raise invalid(f'The value of property "{name}" is longer than {LONGEST_TEXT} bytes.')
    if kind == "timestamp_value":
        value.timestamp_value.nanos -= value.timestamp_value.nanos % 1000
    if kind in {"array_value", "map_value"} and depth > DEEPEST:
        raise invalid("Property contains an invalid nested entity.")
    if kind == "map_value":
        normalize(value.map_value.fields, known.map_value.fields if known is not None else None, depth + 1)
    if kind == "array_value":
        stored = known.array_value.values if known is not None else ()
        for item, same in itertools.zip_longest(value.array_value.values, stored[: len(value.array_value.values)]):
            if same is not None and item == same:
                continue  # most arrays only grow
            if kind_of(item) == "array_value":
                raise invalid("Cannot convert an array value in an array value.")
            _normalize(name, item, None, depth + 1)


def size_of(path: Sequence[str], fields: RawFields) -> int:
    """The size in bytes by which a document at a path (collections and ids) is limited."""
    return sum(_text(part) for part in path) + 16 + _fields_size(fields) + 32


def _fields_size(fields: RawFields) -> int:
    return sum(_text(name) + _value_size(value) for name, value in fields.items())


def _value_size(value: RawValue) -> int:
    match value.WhichOneof("value_type"):
        case "string_value":
            size = _text(value.string_value)
        case "bytes_value":
            size = len(value.bytes_value)
        case "reference_value":
            size = sum(_text(part) for part in value.reference_value.split("/")[5:]) + 16
        case "array_value":
            size = sum(_kept(item.SerializeToString()).size for item in value.array_value.values)
        case "map_value":
            size = _fields_size(value.map_value.fields)
        case kind:
            size = SIZES[kind]
    return size


def _text(text: str) -> int:
    return len(text.encode()) + 1


class _Kept(NamedTuple):
    hash: int
    size: int


@functools.lru_cache(KEPT_VALUES)
def _kept(serialized: bytes) -> _Kept:
    """The hash and the size of a value, by its bytes: an array that grows is compared and added up again and again."""
    value = types.Value.pb(types.Value.deserialize(serialized))
    return _Kept(hash(sort_key(value)), _value_size(value))


def hash_of(value: RawValue) -> int:
    """A number that equal values share."""
    return _kept(value.SerializeToString()).hash


def sort_key(value: RawValue) -> tuple[Any, ...]:
    """A tuple by which values sort as in Firestore; equal values have equal ones, as 1 and 1.0 do."""
    kind = kind_of(value)
    plain = getattr(value, kind)
    match kind:
        case "timestamp_value":
            plain = (plain.seconds, plain.nanos)
        case "string_value":
            # By code point, as UTF-8 sorts.
            plain = plain.encode()
        case "reference_value":
            plain = tuple(part.encode() for part in plain.split("/"))
        case "geo_point_value":
            plain = (plain.latitude, plain.longitude)
        case "array_value":
            plain = tuple(sort_key(item) for item in plain.values)
        case "map_value":
            plain = tuple((name.encode(), sort_key(plain.fields[name])) for name in sorted(plain.fields))
    return RANK[kind], plain
