"""Savings of GPU pools at zero in the month, by day and by pool. Pure."""

from collections.abc import Iterator
from datetime import date, timedelta

from functions.scale_gpu_pools.records import Interval
from functions.scale_gpu_pools.savings import by_day
from report.picture import Amount, SavingsPicture
from report.sources import Sources


def savings_of(sources: Sources) -> Iterator[SavingsPicture]:
    """One picture for each currency, of what was saved in the month."""
    by_currency: dict[str, dict[str, dict[date, float]]] = {}
    for pool, intervals in _intervals(sources).items():
        for (day, currency), amount in by_day(intervals, sources.now).items():
            if sources.month.start.date() <= day < sources.month.end.date():
                by_currency.setdefault(currency, {}).setdefault(pool, {})[day] = amount
    for currency, pools in sorted(by_currency.items()):
        days = tuple((day, sum(found.get(day, 0.0) for found in pools.values())) for day in _days(sources))
        totals = [Amount(sources.name_of(pool), sum(found.values())) for pool, found in pools.items()]
        ordered = tuple(sorted(totals, key=lambda one: -one.amount))
        yield SavingsPicture(currency, sum(one.amount for one in totals), days, ordered)


def _days(sources: Sources) -> Iterator[date]:
    day = sources.month.start.date()
    while day < sources.month.end.date():
        yield day
        day += timedelta(days=1)


def _intervals(sources: Sources) -> dict[str, list[Interval]]:
    """By pool, each time at zero once: put away, ended, or still going on."""
    found: dict[str, dict[str, Interval]] = {}
    for pool, booked in sources.book.intervals.items():
        found.setdefault(pool, {}).update({one.began.isoformat(): one for one in booked})
    for pool, record in sources.pool_records.pools.items():
        for one in (*record.ended, *([record.zero] if record.zero else [])):
            found.setdefault(pool, {}).setdefault(one.began.isoformat(), one)
    return {pool: list(intervals.values()) for pool, intervals in found.items()}
