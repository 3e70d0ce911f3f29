"""The savings of pools at zero: intervals with the price of the time, computed on request. Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

import msgspec

from functions.scale_gpu_pools.records import Interval


class MonthOfSavings(msgspec.Struct, frozen=True):
    """The document of one pool and month: the intervals that ended in it, by when they began."""

    intervals: dict[str, Interval] = {}


class SavingsBook(msgspec.Struct, frozen=True):
    """All intervals that were read, by full name of their pool."""

    intervals: Mapping[str, tuple[Interval, ...]] = {}


def document_of(pool: str, month: date) -> str:
    """The document with a pool's intervals that ended in a month. A document's id has no slash in it."""
    return f"savings/{month:%Y-%m}.{pool.replace('/', '.')}"


def with_interval(book: MonthOfSavings, interval: Interval) -> MonthOfSavings:
    """The month with one more interval; the same month if it is there already."""
    return MonthOfSavings(book.intervals | {interval.began.astimezone(UTC).isoformat(): interval})


def months_before(now: datetime) -> tuple[date, date]:
    """The month of a moment and the one before it: the months that a report of the savings covers."""
    this = now.astimezone(UTC).date().replace(day=1)
    return (this - timedelta(days=1)).replace(day=1), this


def saved(interval: Interval, now: datetime) -> float:
    """The savings of one interval, up to now if it has not ended, in its currency."""
    return _price(interval, interval.began, interval.stopped or now)


def by_day(intervals: Iterable[Interval], now: datetime) -> dict[tuple[date, str], float]:
    """The savings of intervals on each day, in UTC, by currency."""
    days: dict[tuple[date, str], float] = {}
    for interval in intervals:
        at, end = interval.began.astimezone(UTC), (interval.stopped or now).astimezone(UTC)
        while at < end:
            midnight = datetime(at.year, at.month, at.day, tzinfo=UTC) + timedelta(days=1)
            until = min(midnight, end)
            key = (at.date(), interval.currency)
            days[key] = days.get(key, 0.0) + _price(interval, at, until)
            at = until
    return days


def _price(interval: Interval, start: datetime, end: datetime) -> float:
    return max((end - start) / timedelta(hours=1), 0.0) * interval.nodes * interval.hourly_price
