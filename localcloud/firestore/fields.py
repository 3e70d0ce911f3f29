"""Field paths, masks and transforms of Firestore."""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from localcloud.core.messages import invalid
from localcloud.firestore.raw import RawFields, RawValue
from localcloud.firestore.values import hash_of, kind_of, sort_key

# Firestore's client publishes no types for its raw protobuf messages.
RawTimestamp = Any
RawTransform = Any

_PART = re.compile(r"`((?:[^`\\]|\\.)+)`|([A-Za-z_][A-Za-z0-9_]*)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
NUMBERS = frozenset({"integer_value", "double_value"})
SMALLEST_INTEGER, LARGEST_INTEGER = -(2**63), 2**63 - 1


def parts_of(path: str) -> list[str]:
    """The names that a field path is made of: plain ones, or any text between backquotes. INVALID_ARGUMENT if wrong."""
    parts: list[str] = []
    position = 0
    while match := _PART.match(path, position):
        parts.append(match[2] or _ESCAPED.sub(r"\1", match[1]))
        position = match.end()
        if position == len(path):
            return parts
        if path[position] != ".":
            break
        position += 1
    raise invalid(
        f'Invalid property path "{path}". Unquoted property paths must match regex ([a-zA-Z_][a-zA-Z_0-9]*), and quoted'
        r" property paths must match regex (`(?:[^`\\]|(?:\\.))+`)"
    )


def find(fields: RawFields, parts: Sequence[str]) -> RawValue | None:
    """The value at a path, or None if there is none."""
    *outer, leaf = parts
    for part in outer:
        if part not in fields or fields[part].WhichOneof("value_type") != "map_value":
            return None
        fields = fields[part].map_value.fields
    return fields.get(leaf)


def place(fields: RawFields, parts: Sequence[str]) -> RawValue:
    """The value to set at a path: any other value on the way becomes a map."""
    *outer, leaf = parts
    for part in outer:
        fields[part].map_value.SetInParent()
        fields = fields[part].map_value.fields
    return fields[leaf]


def merge_fields(target: RawFields, source: RawFields, paths: Iterable[str]) -> None:
    """Take over the fields at ``paths``; one that ``source`` lacks is deleted from ``target``."""
    for path in paths:
        parts = parts_of(path)
        value = find(source, parts)
        if value is not None:
            place(target, parts).CopyFrom(value)
        elif find(target, parts) is not None:
            *outer, leaf = parts
            del (place(target, outer).map_value.fields if outer else target)[leaf]


def apply_transform(fields: RawFields, transform: RawTransform, moment: RawTimestamp) -> RawValue:
    """Apply one transform to a document's fields, and return its result: a field's new value, or null for arrays."""
    parts = parts_of(transform.field_path)
    kind = transform.WhichOneof("transform_type")
    if kind is None:
        raise invalid("Operation type must be specified for field transformation.")
    result = type(transform.increment)()
    if kind == "set_to_server_value":
        result.timestamp_value.CopyFrom(moment)
        place(fields, parts).CopyFrom(result)
    elif kind in {"append_missing_elements", "remove_all_from_array"}:
        _change_array(place(fields, parts), getattr(transform, kind).values, adds=kind == "append_missing_elements")
        result.null_value = 0
    else:
        old = find(fields, parts)
        result.CopyFrom(_combine(kind, old, getattr(transform, kind)))
        place(fields, parts).CopyFrom(result)
    return result


def _change_array(value: RawValue, items: Sequence[RawValue], *, adds: bool) -> None:
    """Add the items that an array lacks, or remove all that are equal to one of them; what is no array is replaced."""
    if value.WhichOneof("value_type") != "array_value":
        value.array_value.SetInParent()
    known = value.array_value.values
    if adds:
        hashes = set(map(hash_of, known))
        for item in items:
            if not _is_among(item, known, hashes):
                known.append(item)
                hashes.add(hash_of(item))
    else:
        hashes = set(map(hash_of, items))
        for place in reversed(range(len(known))):
            if _is_among(known[place], items, hashes):
                del known[place]


def _is_among(item: RawValue, values: Sequence[RawValue], hashes: Collection[int]) -> bool:
    """Whether a value equals one of those that have these hashes."""
    return hash_of(item) in hashes and sort_key(item) in map(sort_key, values)


def _combine(kind: str, old: RawValue | None, operand: RawValue) -> RawValue:
    """A field's value after an increment, maximum or minimum; what was no number gives way to the operand."""
    if kind_of(operand) not in NUMBERS:
        raise invalid("Input must be int64 or double.")
    if old is None or old.WhichOneof("value_type") not in NUMBERS:
        return operand
    first, second = sort_key(old)[1], sort_key(operand)[1]
    if kind == "maximum":
        return operand if second > first else old
    if kind == "minimum":
        return operand if second < first else old
    total = type(operand)()
    if isinstance(first, int) and isinstance(second, int):
        total.integer_value = max(SMALLEST_INTEGER, min(first + second, LARGEST_INTEGER))
    else:
        total.double_value = float(first) + float(second)
    return total
