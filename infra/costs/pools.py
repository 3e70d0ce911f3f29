"""The monthly cost of the owner's GPU pools if they are always on, and within their hours alone."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from functions.scale_gpu_pools.settings import Pool, Settings
from infra.costs.estimate import Row

HOURS_OF_A_MONTH = 730.0
LOOK_AHEAD = timedelta(days=364)
"""Whole weeks of about a year, so that holidays count as often as they come."""


def pool_rows(settings: Settings, now: datetime) -> Iterator[Row]:
    """A row for each pool that has a price. Savings from idle scale-down within the hours are not included."""
    for key, pool in settings.pools.items():
        if pool.hourly_price is None:
            continue
        nodes = pool.size * pool.zones
        hourly = pool.hourly_price * nodes
        hours = hours_of_a_month(pool, now)
        yield Row(
            name=f"GPU pool {key}",
            how=f"{hours:.0f} of {HOURS_OF_A_MONTH:.0f} hours, {nodes} at a time",
            before=hourly * HOURS_OF_A_MONTH,
            after=hourly * hours,
        )


def hours_of_a_month(pool: Pool, now: datetime) -> float:
    """For how many hours of a usual month a pool may be on."""
    if pool.hours is None:
        return HOURS_OF_A_MONTH
    on, moment = timedelta(), now
    while (window := pool.hours.next_window(moment)) and window.start < now + LOOK_AHEAD:
        on += window.end - window.start
        moment = window.start
    return on / LOOK_AHEAD * HOURS_OF_A_MONTH
