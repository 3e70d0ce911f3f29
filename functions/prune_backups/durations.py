"""Lengths of time as an owner writes them, such as ``1y5m7d2h``: years and months are the calendar's."""

import calendar
import functools
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

_DURATION = re.compile(r"([0-9]{1,3}y)?([0-9]{1,4}m)?([0-9]{1,5}d)?([0-9]{1,6}h)?")
_PARTS = re.compile(r"([0-9]+)([ymdh])")
_WORDS = {"y": "year", "m": "month", "d": "day", "h": "hour"}
EARLIEST_YEAR = 1

DurationText = Annotated[
    str,
    Meta(max_length=20, description="Years, months, days and hours, each if it is said: `1y5m7d2h`, `36h`."),
]


class Duration(msgspec.Struct, frozen=True):
    """A length of time by the calendar: what ``1m`` is depends on where it is counted from."""

    years: int = 0
    months: int = 0
    days: int = 0
    hours: int = 0

    def __str__(self) -> str:
        parts = zip((self.years, self.months, self.days, self.hours), _WORDS.values(), strict=True)
        words = [f"{count} {word}{'' if count == 1 else 's'}" for count, word in parts if count]
        return " ".join(words) or "no time"

    @property
    def shortest(self) -> timedelta:
        """Its minimum length: a year has 365 days, a month 28, and a clock may be set forward by an hour."""
        days = 365 * self.years + 28 * self.months + self.days
        return timedelta(days=days, hours=self.hours) - (timedelta(hours=1) if days else timedelta())

    def before(self, moment: datetime) -> datetime:
        """The moment that lies so long before another (aware) one, by the wall clock of its zone but for the hours.

        A day that a month does not have is its last. What would lie before the calendar is its beginning.
        """
        months = moment.year * 12 + moment.month - 1 - self.years * 12 - self.months
        year, month = months // 12, months % 12 + 1
        if year < EARLIEST_YEAR:
            return datetime.min.replace(tzinfo=moment.tzinfo)
        day = min(moment.day, calendar.monthrange(year, month)[1])
        try:
            wall = moment.replace(year=year, month=month, day=day) - timedelta(days=self.days)
            return (wall.astimezone(UTC) - timedelta(hours=self.hours)).astimezone(moment.tzinfo)
        except OverflowError:
            return datetime.min.replace(tzinfo=moment.tzinfo)


@functools.lru_cache(maxsize=64)
def read_duration(text: str) -> Duration:
    """A duration out of a text. Raises ``ValueError`` for one that is none."""
    if not text or not _DURATION.fullmatch(text):
        raise ValueError("a length of time such as 36h, 30d or 1y5m7d2h")
    counts = {unit: int(count) for count, unit in _PARTS.findall(text)}
    return Duration(*(counts.get(unit, 0) for unit in _WORDS))
