"""Limits on writes at GitHub, and deferrals that GitHub asked for: remembered across runs. Pure.

GitHub lets a user write 80 times a minute and 500 times an hour, independent of its other limits:
https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits.
"""

from datetime import datetime, timedelta

import msgspec

WINDOW = timedelta(minutes=5)
MOST_WRITES = 40
"""In a window: 480 in an hour."""
MOST_WRITES_OF_A_SWEEP = 30
"""A sweep leaves the rest to what happens meanwhile."""


class Writes(msgspec.Struct, frozen=True):
    """The writes at GitHub in the current window."""

    since: datetime
    count: int


def room(writes: Writes | None, now: datetime, *, is_sweep: bool) -> int:
    """The number of writes that this window still allows."""
    used = writes.count if writes and now - writes.since < WINDOW else 0
    return max((MOST_WRITES_OF_A_SWEEP if is_sweep else MOST_WRITES) - used, 0)


def counted(writes: Writes | None, count: int, now: datetime) -> Writes:
    """The window with more writes."""
    if writes is None or now - writes.since >= WINDOW:
        return Writes(now, count)
    return msgspec.structs.replace(writes, count=writes.count + count)
