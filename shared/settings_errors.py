"""Turns msgspec's message about settings into the key, the value and what would do.

msgspec says ``Expected `float`, got `str` - at `$.budgets[...].ladder[0].at` ``: it does not name the key of a
mapping, nor the value, nor which keys there are.
"""

import difflib
import re
from collections.abc import Iterator, Mapping

import msgspec
import msgspec.inspect

from shared.errors import SettingsError

_MESSAGE = re.compile(r"^(?P<what>.*?)(?: - at (?P<key>`key` in )?`\$(?P<path>.*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>\d+)\]|(?P<some>\[\.\.\.\])")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>.*)`")


def settings_error(error: msgspec.ValidationError, data: object, key: str, type_: type) -> SettingsError:
    """The error to show for ``data`` under ``key`` of the settings that is not of the type."""
    message = _MESSAGE.match(str(error))
    what, path = (message["what"], message["path"] or "") if message else (str(error), "")
    steps = list(_steps(path, data, type_))
    value = _follow(data, steps)
    place = key + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    if isinstance(error.__cause__, SettingsError):
        cause = error.__cause__
        return SettingsError(f"{place}.{cause.key}", cause.value, cause.what_would_do)
    if message and message["key"]:
        return SettingsError(place, _culprit(data, steps, type_), f"as a key, {what[:1].lower()}{what[1:]}")
    if unknown := _UNKNOWN.match(what):
        name = unknown["name"]
        found = value.get(name) if isinstance(value, Mapping) else None
        known = _keys(type_, steps, value)
        return SettingsError(f"{place}.{name}", found, f"there is no such key; {_hint(name, known)}")
    if missing := _MISSING.match(what):
        return SettingsError(f"{place}.{missing['name']}", None, "it is required")
    if choices := _choices(_kind(type_, steps)):
        return SettingsError(place, value, f"it is one of {', '.join(choices)}")
    return SettingsError(place, value, what[:1].lower() + what[1:])


def _steps(path: str, data: object, type_: type) -> Iterator[str | int]:
    """The keys and positions of msgspec's path, with each ``[...]`` replaced by the key that is meant."""
    taken: list[str | int] = []
    for step in _STEP.finditer(path):
        if step["some"]:
            taken.append(_culprit(data, taken, type_))
        else:
            taken.append(step["name"] or int(step["index"]))
        yield taken[-1]


def _culprit(data: object, taken: list[str | int], type_: type) -> str:
    """The key of the mapping at ``taken`` whose value is wrong: alone in its mapping, it still fails."""
    mapping = _follow(data, taken)
    keys = [str(key) for key in mapping] if isinstance(mapping, Mapping) else []
    for key in keys:
        try:
            msgspec.json.decode(msgspec.json.encode(_only(data, taken, key)), type=type_)
        except msgspec.ValidationError:
            return key
    return keys[0]


def _only(data: object, taken: list[str | int], key: str) -> object:
    """A copy of the data in which the mapping at ``taken`` holds nothing but ``key``."""
    if isinstance(data, Mapping):
        if not taken:
            return {name: value for name, value in data.items() if str(name) == key}
        return {name: _only(value, taken[1:], key) if name == taken[0] else value for name, value in data.items()}
    if isinstance(data, list):
        return [_only(value, taken[1:], key) if place == taken[0] else value for place, value in enumerate(data)]
    return data


def _follow(data: object, steps: list[str | int]) -> object:
    for step in steps:
        if isinstance(step, int) and isinstance(data, list):
            data = data[step]
        elif isinstance(data, Mapping):
            data = data.get(step)
    return data


def _keys(type_: type, steps: list[str | int], value: object) -> list[str]:
    """The keys that the settings type knows at this place; of several kinds, those of the kind that the value says."""
    said = value if isinstance(value, Mapping) else {}
    kinds = _structs(_kind(type_, steps))
    structs = [one for one in kinds if one.tag_field is None or said.get(one.tag_field) == one.tag]
    return [field.encode_name for struct in structs for field in struct.fields]


def _kind(type_: type, steps: list[str | int]) -> msgspec.inspect.Type:
    kind = msgspec.inspect.type_info(type_)
    for step in steps:
        kind = _inside(kind, step)
    return kind


def _choices(kind: msgspec.inspect.Type) -> list[str]:
    """The values that an enumeration, a literal or the name of a kind knows; none for any other type."""
    if isinstance(kind, msgspec.inspect.UnionType):
        return [choice for one in kind.types for choice in _choices(one)]
    if isinstance(kind, msgspec.inspect.LiteralType):
        return [str(value) for value in kind.values]
    return [str(one.value) for one in kind.cls] if isinstance(kind, msgspec.inspect.EnumType) else []


def _inside(kind: msgspec.inspect.Type, step: str | int) -> msgspec.inspect.Type:
    if isinstance(kind, msgspec.inspect.UnionType):
        inner = [_inside(one, step) for one in kind.types if not isinstance(one, msgspec.inspect.NoneType)]
        return msgspec.inspect.UnionType(tuple(inner))
    if isinstance(kind, msgspec.inspect.StructType):
        if kind.tag_field == step and kind.tag is not None:
            return msgspec.inspect.LiteralType((kind.tag,))
        return next((one.type for one in kind.fields if one.encode_name == step), kind)
    if isinstance(kind, msgspec.inspect.DictType):
        return kind.value_type
    if isinstance(kind, msgspec.inspect.ListType | msgspec.inspect.VarTupleType):
        return kind.item_type
    return kind


def _structs(kind: msgspec.inspect.Type) -> Iterator[msgspec.inspect.StructType]:
    if isinstance(kind, msgspec.inspect.UnionType):
        for one in kind.types:
            yield from _structs(one)
    elif isinstance(kind, msgspec.inspect.StructType):
        yield kind


def _hint(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean `{close[0]}`?" if close else f"known keys here are {', '.join(known) or 'none'}"
