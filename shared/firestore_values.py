"""Python values as Firestore's JSON spells them, so that a person reads them in the console as what they are.

https://firebase.google.com/docs/firestore/reference/rest/v1/Value
"""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Union, cast

Builtins = Union[None, bool, int, float, str, datetime, "list[Builtins]", "tuple[Builtins, ...]", "dict[str, Builtins]"]

Fields = dict[str, Any]
"""The ``fields`` of a document or map value: by name, a mapping with the kind of value as its one key."""


Write = Mapping[str, object]
"""One of the writes of a commit: https://firebase.google.com/docs/firestore/reference/rest/v1/Write."""


def to_fields(values: Mapping[str, Builtins]) -> Fields:
    """A mapping as the ``fields`` of a document or map value."""
    return {key: _to_value(value) for key, value in values.items()}


def from_fields(fields: Fields) -> dict[str, Builtins]:
    """The mapping that the ``fields`` of a document or map value hold. Raises ``ValueError`` for what is no value."""
    return {key: _from_value(value) for key, value in fields.items()}


def _to_value(value: Builtins) -> Fields:
    plain: object
    match value:
        case None | bool():
            kind, plain = "nullValue" if value is None else "booleanValue", value
        case str():
            kind, plain = "stringValue", value
        case int():
            kind, plain = "integerValue", str(value)
        case float():
            kind, plain = "doubleValue", value if math.isfinite(value) else _NAMES[str(value)]
        case datetime():
            kind, plain = "timestampValue", value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case dict():
            kind, plain = "mapValue", {"fields": to_fields(value)}
        case _:
            kind, plain = "arrayValue", {"values": [_to_value(item) for item in value]}
    return {kind: plain}


_NAMES = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
"""Of the numbers that JSON has none for."""


def _from_value(value: Fields) -> Builtins:
    ((kind, plain),) = value.items()
    if kind in _AS_IT_IS:
        return cast("Builtins", plain)
    if kind not in _READ:
        raise ValueError(f"{kind} is not a kind of value that the suite stores")
    return _READ[kind](plain)


def _to_microseconds(text: str) -> str:
    """A time without what Python cannot hold of it: Firestore itself keeps no more than microseconds."""
    seconds, point, rest = text.rstrip("Z").partition(".")
    return f"{seconds}{point}{rest[:6].ljust(6, '0') if point else ''}+00:00"


_AS_IT_IS = frozenset(("nullValue", "booleanValue", "stringValue"))
_READ: Mapping[str, Callable[[Any], Builtins]] = {
    "integerValue": int,
    "doubleValue": float,
    "timestampValue": lambda plain: datetime.fromisoformat(_to_microseconds(plain)),
    "mapValue": lambda plain: from_fields(plain.get("fields", {})),
    "arrayValue": lambda plain: [_from_value(item) for item in plain.get("values", ())],
}
"""The reader of each other kind of value: https://firebase.google.com/docs/firestore/reference/rest/v1/Value."""
