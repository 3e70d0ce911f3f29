# ruff: noqa: ANN401 - JSON of any kind
"""Turns the path, the query and the JSON body of a REST request into the request of an RPC.

The JSON mapping of protobuf: https://protobuf.dev/programming-guides/json/. Update masks may have their paths in
either spelling, as Google takes both.
"""

import functools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from localcloud.core.messages import invalid
from localcloud.rest.rules import Rule

SYSTEM = frozenset(
    ("access_token", "alt", "callback", "fields", "key", "oauth_token", "prettyPrint", "quotaUser", "uploadType")
)
"""https://cloud.google.com/apis/docs/system-parameters; each may have a ``$`` before it."""
MASK = "google.protobuf.FieldMask"
_FLAGS = {"true": True, "false": False, "1": True, "0": False}

Json = dict[str, Any]


def system_parameters(arguments: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """The parameters that are of no method, by their names without ``$``."""
    return {name.removeprefix("$"): value for name, value in arguments if _is_system(name)}


def message_from(
    kind: type[Message],
    rule: Rule,
    captured: Mapping[str, str],
    arguments: Iterable[tuple[str, str]],
    body: bytes,
) -> Message:
    """The request of a rule's RPC. Raises INVALID_ARGUMENT for a value that does not match its type."""
    in_path, in_query = tuple(captured.items()), tuple(arguments)
    if body:
        return _parsed(kind, rule, in_path, in_query, body)
    hashable: Any = kind  # which mypy does not know of a class of messages
    return kind.FromString(_without_body(hashable, rule, in_path, in_query))


Pairs = tuple[tuple[str, str], ...]


@functools.lru_cache(maxsize=256)
def _without_body(kind: Any, rule: Rule, captured: Pairs, arguments: Pairs) -> bytes:
    """A request in protobuf, by its path and query: most lists are asked for again and again."""
    return _parsed(kind, rule, captured, arguments, b"").SerializeToString()


def _parsed(kind: type[Message], rule: Rule, captured: Pairs, arguments: Pairs, body: bytes) -> Message:
    described = cast("Descriptor", kind.DESCRIPTOR)
    content: Json = {}
    if rule.body:
        content = _body(body, rule.body)
    elif body.strip() not in (b"", b"{}"):
        raise invalid(f"A request of {rule.verb} {rule.template} has no body.")
    given: dict[str, list[str]] = {}
    for name, value in arguments:
        if not _is_system(name):
            given.setdefault(name, []).append(value)
    for name, values in (*given.items(), *((name, [value]) for name, value in captured)):
        _put(content, described, name, values)
    message = kind()
    try:
        json_format.ParseDict(_with_camel_masks(content, described), message)
    except json_format.ParseError as error:
        raise invalid(f"Invalid JSON payload received. {error}") from error
    return message


def _is_system(name: str) -> bool:
    return name.removeprefix("$") in SYSTEM or name.startswith("$.")


def _body(body: bytes, field: str) -> Json:
    try:
        content = json.loads(body or b"{}")
    except ValueError as error:
        raise invalid(f"Invalid JSON payload received. {error}") from error
    if field != "*":
        return {_camel(field): content}
    if not isinstance(content, dict):
        raise invalid("Invalid JSON payload received. Expected an object.")
    return content


def _put(content: Json, kind: Descriptor, name: str, values: Sequence[str]) -> None:
    """Put the values of a field (``interval.startTime``, ``topic.name``) to where it is in the request's JSON."""
    *outer, last = name.split(".")
    at, of = content, kind
    for part in outer:
        field = _field(of, part, name)
        if field.message_type is None or field.is_repeated:
            raise _unknown(name)
        at, of = at.setdefault(field.json_name, {}), field.message_type
        if not isinstance(at, dict):
            raise invalid(f"Invalid JSON payload received. {name!r}: expected an object.")
    field = _field(of, last, name)
    converted = [_value(field, value, name) for value in values]
    at.pop(field.name, None)
    at[field.json_name] = converted if field.is_repeated else converted[-1]


def _field(kind: Descriptor, part: str, name: str) -> FieldDescriptor:
    field = kind.fields_by_name.get(part) or kind.fields_by_camelcase_name.get(part) or _by_json_name(kind, part)
    if field is None:
        raise _unknown(name)
    return field


def _by_json_name(kind: Descriptor, part: str) -> FieldDescriptor | None:
    return next((field for field in kind.fields if field.json_name == part), None)


def _value(field: FieldDescriptor, text: str, name: str) -> object:
    if field.type == FieldDescriptor.TYPE_BOOL or (
        field.message_type is not None and field.message_type.full_name == "google.protobuf.BoolValue"
    ):
        if text.lower() not in _FLAGS:
            raise invalid(f"Invalid value at {name!r} (TYPE_BOOL), {text!r}")
        return _FLAGS[text.lower()]
    if field.enum_type is not None and text.lstrip("-").isdecimal():
        return int(text)
    return text


def _with_camel_masks(content: Any, kind: Descriptor) -> Any:
    """The JSON with the paths of all update masks in camel case, which alone protobuf's JSON takes."""
    if kind.full_name == MASK and isinstance(content, str):
        return ",".join(_camel(path) for path in content.split(","))
    if isinstance(content, list):
        return [_with_camel_masks(one, kind) for one in content]
    if not isinstance(content, dict) or kind.full_name.startswith("google.protobuf."):
        return content
    known = {name: field for field in kind.fields for name in (field.json_name, field.name)}
    return {
        name: _with_camel_masks(value, field.message_type)
        if (field := known.get(name)) and field.message_type is not None and not _is_map(field)
        else value
        for name, value in content.items()
    }


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


def _unknown(name: str) -> Exception:
    return invalid(
        f"Invalid JSON payload received. Unknown name {name!r}: Cannot bind query parameter. Field {name!r} could not "
        "be found in request message."
    )
