"""The Logging query language as far as the suite writes it: comparisons that all have to hold, or NOT to.

https://cloud.google.com/logging/docs/view/logging-query-language. OR, parentheses, functions and bare words are
refused. A comparison with a repeated field holds if it holds for any of its values.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from localcloud.core.messages import invalid

SEVERITIES = ("DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY")

_COMPARISON = re.compile(
    r"\s*(?P<negation>NOT\s+)?(?P<field>[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)\s*(?P<operator>=~|!~|>=|<=|!=|=|>|<|:)\s*"
    r'(?:"(?P<text>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s"()]+))'
)
_AND = re.compile(r"\s+AND\s+|\s*\n\s*|\s+(?=[A-Za-z_])")


@dataclass(frozen=True)
class Comparison:
    """One thing that has to hold of an entry."""

    field: str
    operator: str
    value: str
    is_negated: bool = False

    def holds(self, entry: Mapping[str, object]) -> bool:
        """Whether it holds of an entry, as JSON has one; of a field that is not there nothing does but a negation."""
        return self._is_met(entry) is not self.is_negated

    def _is_met(self, entry: Mapping[str, object]) -> bool:
        found = list(_values(entry, self.field.split(".")))
        if self.operator == "!=":
            return not any(_is_equal(value, self.value) for value in found)
        if self.operator == "!~":
            return not any(re.search(self.value, _text(value)) for value in found)
        return any(self._holds_of(value) for value in found)

    def _holds_of(self, value: object) -> bool:
        match self.operator:
            case "=":
                return _is_equal(value, self.value)
            case ":":
                return self.value == "*" or self.value.lower() in _text(value).lower()
            case "=~":
                return re.search(self.value, _text(value)) is not None
            case _:
                return _is_ordered(self.field, _text(value), self.operator, self.value)


def parse_filter(text: str) -> tuple[Comparison, ...]:
    """The comparisons of a filter. Raises INVALID_ARGUMENT for what is not understood."""
    comparisons = []
    rest = text.strip()
    while rest:
        found = _COMPARISON.match(rest)
        if found is None:
            raise invalid(f"Unparseable filter: {rest!r} is not understood.")
        value = re.sub(r"\\(.)", r"\1", found["text"]) if found["text"] is not None else found["bare"]
        comparisons.append(Comparison(found["field"], found["operator"], value, bool(found["negation"])))
        after = rest[found.end() :]
        joined = _AND.match(after)
        if after and joined is None:
            raise invalid(f"Unparseable filter: {after!r} is not understood.")
        rest = after[joined.end() :] if joined else ""
    return tuple(comparisons)


def _values(value: object, path: list[str]) -> Iterator[object]:
    """The values at a path, with every element of a list."""
    if isinstance(value, list):
        for one in value:
            yield from _values(one, path)
    elif not path:
        yield value
    elif isinstance(value, Mapping) and path[0] in value:
        yield from _values(value[path[0]], path[1:])


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _is_equal(value: object, wanted: str) -> bool:
    return _text(value).lower() == wanted.lower()


def _is_ordered(field: str, value: str, operator: str, wanted: str) -> bool:
    """Whether two values are in this order: severities by their rank, times, or else numbers."""
    try:
        left, right = (_rank(field, one) for one in (value, wanted))
    except ValueError:
        return False
    return {">": left > right, ">=": left >= right, "<": left < right, "<=": left <= right}[operator]


def _rank(field: str, value: str) -> float:
    if field == "severity":
        return float(SEVERITIES.index(value.upper()))
    if field == "timestamp":
        return datetime.fromisoformat(value).timestamp()
    return float(value)


def all_hold(comparisons: Iterable[Comparison], entry: Mapping[str, object]) -> bool:
    """Whether all comparisons hold of an entry."""
    return all(comparison.holds(entry) for comparison in comparisons)
