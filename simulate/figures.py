"""The results of a policy: hours, money, and the effect on the work. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from functions.scale_gpu_pools.settings import Pool
from simulate.exports import Query, all_queries_of, signals_of
from simulate.model import Values
from simulate.playing import Played
from simulate.recording import MINUTE, Period, Recording

FEW_DAYS = 14
WELL_KNOWN = 0.95
UNUSABLE = 0.01
WORST = 5


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """One policy for one pool."""

    policy: str
    pool: str
    hours: float
    """That were simulated."""
    node_hours_on: float
    node_hours_always: float
    saved: float | None
    """At `hourly_price`; None if the settings have no price."""
    clairvoyant_share: float | None
    """The share of the most that could be saved: on in each minute of work, and in no other."""
    starts_a_day: float
    jobs: int
    met_zero: int
    mean_wait: float
    """Minutes, of the jobs that met no nodes; to the end for those that got none."""
    longest_wait: int
    killed: int
    """The number of times that the pool went to zero under work."""
    unfinished: int
    """Minutes of work that were not done by the end."""
    hours_without_data: float
    """Kept on by nothing but missing data."""
    alerts: int
    """Stretches of ticks with an alert."""


def figures_of(policy: str, played: Played, period: Period) -> Figures:
    """The figures of one policy for one pool."""
    pool = played.settings.pools[played.key]
    work, nodes = played.model.figures, pool.size * pool.zones
    always = period.minutes / 60 * nodes
    node_hours_on = work.node_minutes / 60 * pool.zones
    needed = sum(played.model.busy) / 60 * nodes
    best = always - needed
    waits = [wait for _, wait in played.model.waits]
    return Figures(
        policy=policy,
        pool=played.key,
        hours=period.minutes / 60,
        node_hours_on=node_hours_on,
        node_hours_always=always,
        saved=None if pool.hourly_price is None else (always - node_hours_on) * pool.hourly_price,
        clairvoyant_share=(always - node_hours_on) / best if signals_of(pool) and best else None,
        starts_a_day=played.starts / (period.minutes / 1440),
        jobs=work.jobs,
        met_zero=len(waits),
        mean_wait=sum(waits) / len(waits) if waits else 0.0,
        longest_wait=max(waits, default=0),
        killed=len(work.killed),
        unfinished=played.model.unfinished,
        hours_without_data=played.minutes_on_without_data / 60,
        alerts=_stretches(played),
    )


def _stretches(played: Played) -> int:
    """The number of alerts that would have been sent: an ongoing alert counts once."""
    count, before = 0, frozenset[str]()
    for step in played.steps:
        kinds = frozenset(alert.partition(":")[0] for alert in step.alerts)
        count += len(kinds - before)
        before = kinds
    return count


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """The share of time for which one signal is known."""

    signal: str
    share: float
    is_partial: bool

    @property
    def is_unusable(self) -> bool:
        """Whether it has next to no data, so that nothing can follow from it."""
        return self.share < UNUSABLE

    def __str__(self) -> str:
        parts = ", and Monitoring says that series may be missing" if self.is_partial else ""
        return f"{self.signal}: {self.share:.0%} of the minutes have a value{parts}"


def coverage_of(pools: Sequence[Pool], recordings: Mapping[Query, Recording], period: Period) -> list[Coverage]:
    """The share of the period for which each signal of the pools is known."""
    signals = dict.fromkeys(signal for pool in pools for signal in signals_of(pool))
    found = []
    for signal in signals:
        asked = [recordings[query] for query in all_queries_of(signal)]
        values = zip(*(one.between(period.start, period.minutes) for one in asked), strict=True)
        known = sum(map(_is_known, values))
        is_partial = any(one.is_partial for one in asked)
        found.append(Coverage(signal=str(signal), share=known / period.minutes, is_partial=is_partial))
    return found


def _is_known(values: tuple[float | None, ...]) -> bool:
    """Whether a minute is known: by the signal's value, or as one in which nodes report and no GPU is requested."""
    value, *more = values
    return value is not None or (bool(more) and more[0] is None and more[1] is not None)


def values_of(recordings: Mapping[Query, Recording], period: Period) -> dict[Query, Values]:
    """The recordings, minute by minute."""
    return {query: one.between(period.start, period.minutes) for query, one in recordings.items()}


def busiest_start(played: Played, length: int) -> int:
    """The first minute of the stretch of this length that has the most work."""
    busy = played.model.busy
    count = best = sum(busy[:length])
    found = 0
    for at in range(len(busy) - length):
        count += busy[at + length] - busy[at]
        if count > best:
            best, found = count, at + 1
    return found


def work_of_days(played: Played, period: Period) -> dict[datetime, int]:
    """Minutes of work on each whole day that was played."""
    counted = {}
    for day in played.days:
        at = (day - period.start) // MINUTE
        if at + 1440 <= period.minutes:
            counted[day] = sum(played.model.busy[at : at + 1440])
    return counted
