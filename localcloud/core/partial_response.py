"""Partial responses: what the query parameter ``fields`` of Google's REST APIs selects of an answer.

The syntax is Google's: https://cloud.google.com/compute/docs/api/using-rest#partial-responses
``items/*/instanceGroupManagers(name,zone),nextPageToken`` names fields, fields of fields (``/`` or brackets), and all
keys of a map (``*``). Fields of a list are those of each of its items.
"""

import re
from collections.abc import Mapping
from typing import Union
from urllib.parse import unquote

from localcloud.core.messages import invalid

Selection = Mapping[str, Union["Selection", None]]
"""The selected fields, with the selection within each: None is all of it."""

TOKEN = re.compile(r"[^\s/(),]+|[/(),]")
EVERY_KEY = "*"


def selection(fields: str, known: Selection) -> Selection:
    """Read ``fields``. Raises INVALID_ARGUMENT if it is malformed, or selects what is not among ``known``."""
    tokens = TOKEN.findall(fields)
    if "".join(tokens) != fields:
        raise _malformed(fields)
    tokens.reverse()
    selected = _list(tokens, fields)
    if tokens:
        raise _malformed(fields)
    _check(selected, known)
    return selected


def select(answer: object, selected: Selection | None) -> object:
    """The selected fields of an answer; fields that it does not have are left out."""
    if selected is None:
        return answer
    if isinstance(answer, list):
        return [select(one, selected) for one in answer]
    if not isinstance(answer, dict):
        return answer
    return {key: select(value, _of(selected, key)) for key, value in answer.items() if _names(selected, key)}


def _list(tokens: list[str], fields: str) -> dict[str, Selection | None]:
    """Read fields up to a closing bracket or the end, taking their tokens (the next one is the last)."""
    selected: dict[str, Selection | None] = {}
    while True:
        name, inner = _field(tokens, fields)
        selected[name] = _both(selected[name], inner) if name in selected else inner
        if not tokens or tokens[-1] != ",":
            return selected
        tokens.pop()


def _field(tokens: list[str], fields: str) -> tuple[str, Selection | None]:
    if not tokens or tokens[-1] in "/(),":
        raise _malformed(fields)
    name = unquote(tokens.pop())
    if tokens and tokens[-1] == "/":
        tokens.pop()
        inner, further = _field(tokens, fields)
        return name, {inner: further}
    if tokens and tokens[-1] == "(":
        tokens.pop()
        selected = _list(tokens, fields)
        if not tokens or tokens.pop() != ")":
            raise _malformed(fields)
        return name, selected
    return name, None


def _both(one: Selection | None, other: Selection | None) -> Selection | None:
    """The union of two selections."""
    if one is None or other is None:
        return None
    only = {name: inner for name, inner in other.items() if name not in one}
    return {name: _both(inner, other[name]) if name in other else inner for name, inner in one.items()} | only


def _check(selected: Selection, known: Selection) -> None:
    for name, inner in selected.items():
        is_everything = name == EVERY_KEY and inner is None and known
        if not _names(known, name) and not is_everything:
            raise invalid(f"Invalid field selection {name}")
        if inner is not None:
            _check(inner, _of(known, name) or {})


def _names(selected: Selection, key: str) -> bool:
    return key in selected or EVERY_KEY in selected


def _of(selected: Selection, key: str) -> Selection | None:
    """The selection within the value at ``key``, by its name or by a wildcard."""
    if key in selected and EVERY_KEY in selected:
        return _both(selected[key], selected[EVERY_KEY])
    return selected[key] if key in selected else selected[EVERY_KEY]


def _malformed(fields: str) -> Exception:
    return invalid(f"Invalid value for the query parameter 'fields': {fields!r} is not a list of fields.")
