"""Finds out how the backups of a bucket are named: what is before the time, the time's format, and what follows."""

import re
from collections import Counter
from collections.abc import Iterable

from functions.prune_backups.names import name_pattern
from infra.deploy.init.contents import BackupNames

TIMES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\d{8}T\d{6}(?:Z|[+-]\d{2}:?\d{2})"), "%Y%m%dT%H%M%S%z"),
    (re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:Z|[+-]\d{2}:?\d{2})"), "%Y-%m-%dT%H:%M:%S%z"),
    (re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}Z"), "%Y-%m-%dT%H-%M-%S%z"),
    (re.compile(r"\d{4}-\d{2}-\d{2}(?P<between>[T_])\d{2}:\d{2}:\d{2}"), "%Y-%m-%d{between}%H:%M:%S"),
    (re.compile(r"\d{4}-\d{2}-\d{2}(?P<between>[T_-])\d{2}-\d{2}-\d{2}"), "%Y-%m-%d{between}%H-%M-%S"),
    (re.compile(r"\d{8}(?P<between>[T_-])\d{6}"), "%Y%m%d{between}%H%M%S"),
    (re.compile(r"\d{8}(?P<between>[T_-])\d{4}(?!\d)"), "%Y%m%d{between}%H%M"),
    (re.compile(r"\d{4}-\d{2}-\d{2}"), "%Y-%m-%d"),
    (re.compile(r"(?<!\d)20\d{6}(?!\d)"), "%Y%m%d"),
)
"""The forms of a time, the most exact first."""
FEWEST = 3
"""So many objects make a set: fewer may be anything."""
MOST = 10
"""So many sets of a bucket are proposed."""


def sets_of(names: Iterable[str]) -> tuple[BackupNames, ...]:
    """The sets that the names of objects make, the largest first."""
    found = Counter(split for name in names if (split := _split(name)))
    sets = [BackupNames(prefix, pattern, count) for (prefix, pattern), count in found.items() if count >= FEWEST]
    apart: list[BackupNames] = []
    for one in sorted(sets, key=lambda one: (-one.count, one)):
        # A set whose prefix begins with that of another is refused in the settings.
        if not any(one.prefix.startswith(other.prefix) or other.prefix.startswith(one.prefix) for other in apart):
            apart.append(one)
    return tuple(apart[:MOST])


def _split(name: str) -> tuple[str, str] | None:
    """The text before the time of a name, and the pattern of the rest; None for a name without a time."""
    for expression, form in TIMES:
        found = expression.search(name)
        if found is None:
            continue
        pattern = f"{{time:{form.format(**found.groupdict())}}}{name[found.end() :]}"
        return (name[: found.start()], pattern) if _is_valid(pattern) else None
    return None


def _is_valid(pattern: str) -> bool:
    try:
        name_pattern(pattern)
    except ValueError:
        return False
    return True
