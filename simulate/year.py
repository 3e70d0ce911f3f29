"""The estimate before anything is deployed: a year of the product's model, its GPU hours played instead of assumed.

The model, its prices and the work on its GPUs are those of `infra.costs`: a job of two and a half hours on each working
day (`product.yaml`).
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from functions.scale_gpu_pools.settings import GpuSignal, PendingMessages, Pool, Settings
from infra.costs.estimate import Part, State, estimate, load_prices, load_product
from infra.costs.lines import cost_table
from infra.costs.pools import HOURS_OF_A_MONTH
from shared.errors import SettingsError
from simulate.exports import Query, all_queries_of, signals_of
from simulate.figures import figures_of
from simulate.model import Values
from simulate.playing import Assumptions, play
from simulate.recording import MINUTE, Period

DAYS, MONTHS, DAY_MINUTES = 364, 12, 24 * 60
JOB_MINUTES = 150
BEGINS = (9, 15)
"""A job begins between these hours in UTC, and so ends within working hours in Europe."""
GPU_PART = "GPU"
START = datetime(2026, 1, 5, tzinfo=UTC)
"""A Monday: a year of whole weeks."""


def year_lines(settings: Settings, assumptions: Assumptions, days: int = DAYS) -> Iterator[str]:
    """The year, part by part; whole weeks of it are played. Raises ``SettingsError`` if no pool has signals."""
    key = next((key for key, pool in settings.pools.items() if pool.idle and pool.wake), None)
    if key is None:
        raise SettingsError("scale_gpu_pools.pools", sorted(settings.pools), "a pool with `idle` and `wake`")
    period = Period(START, days * DAY_MINUTES)
    values = work_of(settings.pools[key], period.minutes, assumptions.seed)
    figures = figures_of("year", play(settings, key, values, period, assumptions), period)
    hours = figures.node_hours_on / figures.hours * HOURS_OF_A_MONTH
    prices = load_prices()
    rows = estimate([_with_hours(part, hours) for part in load_product()], prices)
    yield f"A year of the product's model at the list prices of {prices.recorded} ({prices.currency}), by month:"
    yield from cost_table(rows)
    before, after = (sum(getattr(row, name) for row in rows if row.in_plan) for name in ("before", "after"))
    yield f"  A year: {before * MONTHS:,.0f} before, {after * MONTHS:,.0f} after."
    yield (
        f"GPU: {figures.jobs} jobs of {JOB_MINUTES / 60:g} hours, one on each working day, with the pool {key} of the "
        f"settings: on for {hours:.0f} hours a month, {figures.starts_a_day:.1f} starts a day, {figures.met_zero} jobs "
        f"waited for nodes, {figures.mean_wait:.0f} minutes on average, {figures.killed} interrupted."
    )


def work_of(pool: Pool, minutes: int, seed: int) -> dict[Query, Values]:
    """The signals of a pool, minute by minute, as if nodes had always been there."""
    draw = random.Random(seed)  # noqa: S311 - the same for each run, and no secret
    working, waiting = bytearray(minutes), bytearray(minutes)
    for day in range(minutes // DAY_MINUTES):
        if (START + timedelta(days=day)).weekday() < 5:
            at = timedelta(days=day, hours=draw.uniform(*BEGINS)) // MINUTE
            working[at : at + JOB_MINUTES] = b"\1" * JOB_MINUTES
            waiting[at : at + 2] = b"\1\1"
    found: dict[Query, Values] = {}
    for signal in signals_of(pool):
        own, *more = all_queries_of(signal)
        if isinstance(signal, PendingMessages):
            found[own] = [float(signal.at_most + one) for one in waiting]
        elif isinstance(signal, GpuSignal):
            found[own] = [signal.at_most + 1 if one else None for one in working]
            found |= dict(zip(more, ([1.0 if one else None for one in working], [1.0] * minutes), strict=True))
        else:
            found[own] = [signal.at_most + one for one in working]
    return found


def _with_hours(part: Part, hours: float) -> Part:
    """The GPU's part with the hours that were played."""
    if part.name != GPU_PART:
        return part
    uses = tuple(msgspec.structs.replace(use, amount=hours) for use in part.after.uses)
    return msgspec.structs.replace(part, after=State(how=f"Spot, from zero, {hours:.0f} hours as played", uses=uses))
