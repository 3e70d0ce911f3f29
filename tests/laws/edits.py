"""An owner's edits of a section of the settings: every key dropped or renamed, and every text altered."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from shared.automation import AnyAutomation
from shared.errors import CaretakerError
from shared.settings import Configuration, Mode, parse

Path = tuple[str | int, ...]
OTHER_REGION = "europe-north1"


class Edit(msgspec.Struct, frozen=True):
    """One edit that leaves valid settings."""

    what: str
    section: dict[str, Any]
    settings: Configuration[Any]


def edits_of(settings: Mapping[str, Any], automation: AnyAutomation) -> Iterator[Edit]:
    """Each edit that the types of the settings accept, once, however it is made; and from acting to observing."""
    name = automation.name
    before = parse(settings, name, automation.section)
    yield Edit("mode becomes observe", settings[name], Configuration(Mode.OBSERVE, before.section))
    known = {repr(before)}
    for what, section in _edited(settings[name]):
        try:
            after = parse({**settings, name: section}, name, automation.section)
            after.section.check_complete()
        except CaretakerError:
            continue
        if repr(after) not in known:
            known.add(repr(after))
            yield Edit(what, section, after)


def _edited(section: Any) -> Iterator[tuple[str, Any]]:
    for path in _paths(section):
        key = ".".join(map(str, path))
        *above, last = path
        edited = copy.deepcopy(section)
        within = _at(edited, above)
        value = within.pop(last)
        yield f"{key} is dropped", edited
        if isinstance(within, dict):
            yield (
                f"{key} is renamed",
                _put(section, above, {_other(last) if k == last else k: v for k, v in _at(section, above).items()}),
            )
        if isinstance(value, str):
            yield f"{key} is altered", _put(section, path, _other(value))


def _paths(value: Any, above: Path = ()) -> Iterator[Path]:
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if _is_list(value) else ()
    for key, inner in items:
        yield (*above, key)
        yield from _paths(inner, (*above, key))


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _at(value: Any, path: Sequence[str | int]) -> Any:
    for key in path:
        value = value[key]
    return value


def _put(section: Any, path: Sequence[str | int], value: Any) -> Any:
    """A copy of the section with another value at a path."""
    if not path:
        return copy.deepcopy(value)
    edited = copy.deepcopy(section)
    _at(edited, path[:-1])[path[-1]] = copy.deepcopy(value)
    return edited


def _other(text: Any) -> Any:
    """Another text of the same kind: a region for a region."""
    if not isinstance(text, str):
        return text
    return OTHER_REGION if text.startswith(("europe-", "us-")) and text[-1].isdigit() else f"{text}2"
