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
    return _WRITTEN[type(value)](value)


def _from_value(value: Fields) -> Builtins:
    ((kind, plain),) = value.items()
    if kind in _AS_IT_IS:
        return cast("Builtins", plain)
    if kind not in _READ:
        raise ValueError(f"{kind} is not a kind of value that the suite stores")
    return _READ[kind](plain)


_NAMES = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
"""Of the numbers that JSON has none for."""
_AS_IT_IS = frozenset(("nullValue", "booleanValue", "stringValue"))
_READ: Mapping[str, Callable[[Any], Builtins]] = {
    "integerValue": int,
    "doubleValue": float,
    # Of more than microseconds, which Firestore does not keep, Python reads just those.
    "timestampValue": datetime.fromisoformat,
    "mapValue": lambda plain: from_fields(plain.get("fields", {})),
    "arrayValue": lambda plain: [_from_value(item) for item in plain.get("values", ())],
}
"""The reader of each other kind of value: https://firebase.google.com/docs/firestore/reference/rest/v1/Value."""
_WRITTEN: Mapping[type, Callable[[Any], Fields]] = {
    type(None): lambda _: {"nullValue": None},
    bool: lambda plain: {"booleanValue": plain},
    str: lambda plain: {"stringValue": plain},
    int: lambda plain: {"integerValue": str(plain)},
    float: lambda plain: {"doubleValue": plain if math.isfinite(plain) else _NAMES[str(plain)]},
    datetime: lambda plain: {"timestampValue": plain.astimezone(UTC).isoformat().replace("+00:00", "Z")},
    dict: lambda plain: {"mapValue": {"fields": to_fields(plain)}},
    list: lambda plain: {"arrayValue": {"values": [_to_value(item) for item in plain]}},
    tuple: lambda plain: _to_value(list(plain)),
}
"""The writer of each kind of value."""
