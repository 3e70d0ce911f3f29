"""The filters of Cloud Monitoring as far as the suite writes them: comparisons that all have to hold.

https://cloud.google.com/monitoring/api/v3/filters. OR, NOT and parentheses around comparisons are refused.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from local.cloud.messages import invalid

_COMPARISON = re.compile(
    r"\s*(?P<selector>[a-z_]+(?:\.[a-z_]+)*)\s*(?P<operator>!=|=)\s*"
    r'(?:"(?P<text>(?:[^"\\]|\\.)*)"|(?P<function>[a-z_.]+)\((?P<arguments>(?:[^")]|"(?:[^"\\]|\\.)*")*)\))'
)
_AND = re.compile(r"\s+AND(?=\s)|(?=\s)")
_QUOTED = re.compile(r'\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')
_SELECTOR = re.compile(r"project|metric\.type|resource\.type|(?:metric|resource)\.labels?\.[a-z_]+")

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

    def holds(self, fields: dict[str, str]) -> bool:
        """Whether it holds for a series, whose fields are by selector."""
        value = fields.get(self.selector, "")
        is_so = _FUNCTIONS[self.function](value, self.given) if self.function else value == self.given[0]
        return is_so != self.is_negated


def parse_filter(text: str) -> tuple[Comparison, ...]:
    """The comparisons of a filter. Raises INVALID_ARGUMENT for what is not understood, or has no one metric type."""
    comparisons = []
    rest = text
    while rest.strip():
        found = _COMPARISON.match(rest)
        if found is None or not _SELECTOR.fullmatch(found["selector"]):
            raise invalid(f"Could not parse filter {text!r}: {rest.strip()!r} is not understood.")
        comparisons.append(_comparison(found, text))
        rest = rest[found.end() :]
        if rest and not (joined := _AND.match(rest)):
            raise invalid(f"Could not parse filter {text!r}: {rest!r} is not understood.")
        rest = rest[joined.end() :] if rest and joined else rest
    types = [one for one in comparisons if one.selector == "metric.type"]
    if len(types) != 1 or types[0].function or types[0].is_negated:
        raise invalid(f'Filter {text!r} must specify exactly one metric type: metric.type = "...".')
    return tuple(comparisons)


def _comparison(found: re.Match[str], text: str) -> Comparison:
    selector = found["selector"].replace(".label.", ".labels.")
    is_negated = found["operator"] == "!="
    if found["function"] is None:
        return Comparison(selector, "", (_unescaped(found["text"]),), is_negated)
    given = tuple(_unescaped(one) for one in _QUOTED.findall(found["arguments"]))
    if found["function"] not in _FUNCTIONS or not given:
        raise invalid(f"Could not parse filter {text!r}: {found['function']}({found['arguments']}) is not understood.")
    return Comparison(selector, found["function"], given, is_negated)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
