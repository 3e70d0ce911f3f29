"""Reads from the name of an object when the backup was taken, and of what.

A pattern is text with fields: ``{group}``, ``{time:FORMAT}`` with directives of `strftime`, and ``{*}`` for any
text. ``{group}-{time:%Y%m%dT%H%M%S%z}.dump`` reads ``orders-20261101T023000Z.dump``.
"""

import functools
import re
from datetime import UTC, datetime, tzinfo

import msgspec

FIELD = re.compile(r"\{(?P<field>\*|group|time:(?P<format>[^{}]*))\}")
DIRECTIVES = {
    "%Y": r"(?P<year>\d{4})",
    "%m": r"(?P<month>\d{2})",
    "%d": r"(?P<day>\d{2})",
    "%H": r"(?P<hour>\d{2})",
    "%M": r"(?P<minute>\d{2})",
    "%S": r"(?P<second>\d{2})",
    "%z": r"(?P<offset>Z|[+-]\d{2}:?\d{2})",
    "%%": "%",
}
"""The directives allowed in a time's format, and what each matches in a name."""
NOT_UTC = "`%z` in place of `Z`, which is an offset: as text it would be read on the clock of `time_zone`"
NEEDED = ("%Y", "%m", "%d")
PARTS = ("year", "month", "day", "hour", "minute", "second", "offset")
ISO = "{year}-{month}-{day}T{hour}:{minute}:{second}{offset}"
ABSENT = dict.fromkeys(PARTS, "00") | {"offset": ""}
MIDNIGHT = "T24"
"""An hour that Python takes for the next day, from 3.14 on."""
YEARS = range(1970, 9000)


class ParsedName(msgspec.Struct, frozen=True, gc=False):
    """The values in a name: ``time`` is None if the pattern has none."""

    group: str = ""
    time: datetime | None = None


class NamePattern:
    """A pattern, ready to read names. Raises ``ValueError`` for an invalid one."""

    def __init__(self, pattern: str) -> None:
        fields = [field["field"].partition(":")[0] for field in FIELD.finditer(pattern)]
        if any(fields.count(field) > 1 for field in fields):
            raise ValueError("each field once")
        self.has_time = "time" in fields
        place = 0
        expression: list[str] = []
        for field in FIELD.finditer(pattern):
            expression += [_literal(pattern[place : field.start()]), _matching(field)]
            place = field.end()
            if field["format"] is not None and "%z" not in field["format"] and pattern[place:].startswith("Z"):
                raise ValueError(NOT_UTC)
        expression.append(_literal(pattern[place:]))
        self._expression = re.compile("".join(expression), re.DOTALL | re.ASCII)
        self._has_group = "group" in fields
        self._parts = [part for part in PARTS if part in self._expression.groupindex]
        self._iso = ISO.format_map(ABSENT | dict.fromkeys(self._parts, "%s"))
        """The time in ISO 8601, of the parts that names have: it is read at once, as there may be a million."""

    def read(self, name: str, zone: tzinfo) -> ParsedName | None:
        """The values in a name, None if it does not match. A time without an offset is local time in ``zone``."""
        found = self._expression.fullmatch(name)
        if not found:
            return None
        group = found["group"] if self._has_group else ""
        if not self.has_time:
            return ParsedName(group)
        time = self._time(found, zone)
        return ParsedName(group, time) if time else None

    def _time(self, found: re.Match[str], zone: tzinfo) -> datetime | None:
        """The time of a name, in UTC; None if there is none such. Of the two of a clock that is set back, the first."""
        text = self._iso % found.group(*self._parts)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return None
        if moment.year not in YEARS or MIDNIGHT in text:
            return None
        if moment.tzinfo is UTC:
            return moment
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


@functools.lru_cache(maxsize=64)
def name_pattern(pattern: str) -> NamePattern:
    """The pattern of a text. Raises ``ValueError`` for an invalid one."""
    return NamePattern(pattern)


def _literal(text: str) -> str:
    if "{" in text or "}" in text:
        raise ValueError("`{group}`, `{time:...}` and `{*}`, and no other braces")
    return re.escape(text)


def _matching(field: re.Match[str]) -> str:
    if field["field"] == "group":
        return "(?P<group>.+?)"
    if field["format"] is None:
        return ".*?"
    parts = re.findall(r"%.?|[^%]+", field["format"], re.DOTALL)
    directives = [part for part in parts if part.startswith("%") and part != "%%"]
    if unknown := [part for part in directives if part not in DIRECTIVES]:
        raise ValueError(f"the directives {', '.join(DIRECTIVES)}, and not {unknown[0]}")
    if "%z" not in directives and any("Z" in part for part in parts if part not in DIRECTIVES):
        raise ValueError(NOT_UTC)
    if any(part not in directives for part in NEEDED) or len(set(directives)) < len(directives):
        raise ValueError(f"a time with {', '.join(NEEDED)}, each directive once")
    return "".join(DIRECTIVES.get(part) or re.escape(part) for part in parts)
