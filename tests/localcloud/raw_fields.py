"""Python values in the messages of Firestore's official client, for tests."""

from collections.abc import Mapping
from datetime import UTC, datetime

from localcloud.firestore.raw import RawFields, RawValue
from shared.firestore_values import Builtins


def to_fields(values: Mapping[str, Builtins], fields: RawFields) -> None:
    """Write a mapping into the ``fields`` of a Firestore document or map value (as protobuf)."""
    for key, value in values.items():
        _to_value(value, fields[key])


def from_fields(fields: RawFields) -> dict[str, Builtins]:
    """The mapping that the ``fields`` of a Firestore document or map value (as protobuf) hold."""
    return {key: _from_value(value) for key, value in fields.items()}


def _to_value(value: Builtins, into: RawValue) -> None:
    match value:
        case None:
            into.null_value = 0
        case bool():
            into.boolean_value = value
        case int():
            into.integer_value = value
        case float():
            into.double_value = value
        case str():
            into.string_value = value
        case datetime():
            into.timestamp_value.FromDatetime(value.astimezone(UTC))
        case dict():
            into.map_value.SetInParent()
            to_fields(value, into.map_value.fields)
        case _:
            into.array_value.SetInParent()
            for item in value:
                _to_value(item, into.array_value.values.add())


def _from_value(value: RawValue) -> Builtins:
    match value.WhichOneof("value_type"):
        case "null_value" | None:
            return None
        case "timestamp_value":
            moment: datetime = value.timestamp_value.ToDatetime(UTC)
            return moment
        case "map_value":
            return from_fields(value.map_value.fields)
        case "array_value":
            return [_from_value(item) for item in value.array_value.values]
        case kind:
            plain: Builtins = getattr(value, kind)
            return plain
