"""Field masks and transforms of Firestore's writes."""

import re
from typing import Any

import grpc

from local.cloud.engine import ApiError

_PATH_PART = re.compile(r"`((?:[^`\\]|\\.)*)`|([A-Za-z_][A-Za-z0-9_]*)")


def path_of(text: str) -> list[str]:
    """The parts of a field path: simple names, or any text between backquotes."""
    parts, position = [], 0
    while position <= len(text):
        match = _PATH_PART.match(text, position)
        if not match:
            raise ApiError(grpc.StatusCode.INVALID_ARGUMENT, f'Invalid field path "{text}".')
        parts.append(re.sub(r"\\(.)", r"\1", match[1]) if match[1] is not None else match[2])
        position = match.end()
        if position == len(text):
            return parts
        if text[position] != ".":
            raise ApiError(grpc.StatusCode.INVALID_ARGUMENT, f'Invalid field path "{text}".')
        position += 1
    return parts


def merge_fields(target: Any, source: Any, paths: Any) -> None:
    """Take over the masked fields; one that ``source`` lacks is deleted from ``target``."""
    for text in paths:
        *outer, leaf = path_of(text)
        into, out_of = target, source
        for part in outer:
            into = into[part].map_value.fields
            out_of = out_of[part].map_value.fields if part in out_of else {}
        if leaf in out_of:
            into[leaf].CopyFrom(out_of[leaf])
        elif leaf in into:
            del into[leaf]


def apply_transform(fields: Any, transform: Any, moment: Any) -> Any:
    """Apply one transform to a document's fields, and return the field's new value."""
    *outer, leaf = path_of(transform.field_path)
    for part in outer:
        fields = fields[part].map_value.fields
    value = fields[leaf]
    match transform.WhichOneof("transform_type"):
        case "set_to_server_value":
            value.timestamp_value.CopyFrom(moment)
        case "increment":
            _set_number(value, _number(value) + _number(transform.increment))
        case "maximum":
            _set_number(value, max(_number(value), _number(transform.maximum)))
        case "minimum":
            _set_number(value, min(_number(value), _number(transform.minimum)))
        case "append_missing_elements":
            known = list(value.array_value.values)
            value.array_value.values.extend(one for one in transform.append_missing_elements.values if one not in known)
        case "remove_all_from_array":
            kept = [one for one in value.array_value.values if one not in transform.remove_all_from_array.values]
            value.array_value.SetInParent()
            del value.array_value.values[:]
            value.array_value.values.extend(kept)
        case kind:
            raise ApiError(grpc.StatusCode.UNIMPLEMENTED, f"the transform {kind} is not served by the local cloud")
    return value


def _number(value: Any) -> int | float:
    number: int | float = (
        value.double_value if value.WhichOneof("value_type") == "double_value" else value.integer_value
    )
    return number


def _set_number(value: Any, number: float) -> None:
    if isinstance(number, int):
        value.integer_value = number
    else:
        value.double_value = number
