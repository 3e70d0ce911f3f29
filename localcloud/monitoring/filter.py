"""The filters of Cloud Monitoring as far as the suite writes them: comparisons that all have to hold.

https://cloud.google.com/monitoring/api/v3/filters. OR, NOT, parentheses around comparisons, groups, metadata and
operators other than = and != are refused.
"""

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from localcloud.core.messages import invalid

_TEXT = r'"(?:[^"\\]|\\["\\])*"'
_COMPARISON = re.compile(
    r"\s*(?P<selector>[A-Za-z]\w*(?:\.\w+)*)\s*(?P<operator>!=|=)\s*"
    rf"(?:(?P<function>[a-z_.]+)\s*\(\s*(?P<arguments>{_TEXT}(?:\s*,\s*{_TEXT})*)\s*\)|(?P<text>{_TEXT}))",
    re.ASCII,
)
_AND = re.compile(r"\s+(?:AND\s+)?(?=\S)")
_SELECTOR = re.compile(r"project|metric\.type|resource\.type|(?:metric|resource)\.labels?\.[A-Za-z]\w*", re.ASCII)

_FUNCTIONS: dict[str, Callable[[str, tuple[str, ...]], bool]] = {
    "starts_with": lambda value, given: value.startswith(given[0]),
    "ends_with": lambda value, given: value.endswith(given[0]),
    "has_substring": lambda value, given: given[0] in value,
    "one_of": lambda value, given: value in given,
    "monitoring.regex.full_match": lambda value, given: re.fullmatch(given[0], value) is not None,
}


@dataclass(frozen=True)
class Comparison:
    """One thing that has to hold: a selector such as ``resource.labels.location`` against text, or by a function."""

    selector: str
    function: str
    given: tuple[str, ...]
    is_negated: bool

    def holds(self, fields: Mapping[str, str]) -> bool:
        """Whether it holds for a series, whose fields are by selector; a label that it lacks is an empty one."""
        value = fields.get(self.selector, "")
        is_so = _FUNCTIONS[self.function](value, self.given) if self.function else value == self.given[0]
        return is_so != self.is_negated


def selector(text: str) -> str:
    """A selector as series have it (``labels``, not ``label``). Raises INVALID_ARGUMENT for what is none."""
    if not _SELECTOR.fullmatch(text):
        raise invalid(f"{text!r} is not understood: expected metric.labels.KEY, resource.labels.KEY, or another field.")
    return text.replace(".label.", ".labels.", 1)


@functools.lru_cache
def parse_filter(text: str) -> tuple[Comparison, ...]:
    """The comparisons of a filter. Raises INVALID_ARGUMENT for what is not understood, or has no one metric type."""
    comparisons = []
    rest = text.rstrip()
    while rest:
        found = _COMPARISON.match(rest)
        if found is None:
            raise invalid(f"Could not parse filter {text!r}: {rest.strip()!r} is not understood.")
        comparisons.append(_comparison(found, text))
        after = rest[found.end() :]
        joined = _AND.match(after)
        if after and joined is None:
            raise invalid(f"Could not parse filter {text!r}: {after!r} is not understood.")
        rest = after[joined.end() :] if joined else ""
    types = [one for one in comparisons if one.selector == "metric.type"]
    if len(types) != 1 or types[0].function or types[0].is_negated:
        raise invalid(f'Filter {text!r} must specify exactly one metric type: metric.type = "...".')
    return tuple(comparisons)


def _comparison(found: re.Match[str], text: str) -> Comparison:
    name, is_negated = selector(found["selector"]), found["operator"] == "!="
    function = found["function"] or ""
    given = tuple(_unquoted(one) for one in re.findall(_TEXT, found["arguments"] or found["text"]))
    if function and (function not in _FUNCTIONS or (len(given) > 1 and function != "one_of")):
        raise invalid(f"Could not parse filter {text!r}: {function}({found['arguments']}) is not understood.")
    if function == "monitoring.regex.full_match":
        _check_pattern(given[0], text)
    return Comparison(name, function, given, is_negated)


def _check_pattern(pattern: str, text: str) -> None:
    """Refuse what is no regular expression; Google's are RE2's, whose syntax is nearly Python's."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise invalid(f"Could not parse filter {text!r}: {pattern!r} is no regular expression: {error}.") from error


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])
