"""The state of a signal: work, no work, or no reliable data. Pure, but for the queries that it is given."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from enum import Enum
from math import isnan

import msgspec

from functions.scale_gpu_pools.messages import (
    Active,
    DataLate,
    DataMissing,
    MetricUnknown,
    NoContainer,
    NoData,
    Quiet,
    SeriesMissing,
)
from functions.scale_gpu_pools.settings import GpuSignal, Signal
from shared.decision import Message

BUCKET = timedelta(minutes=5)
"""Over so long Monitoring gives one value, the highest. Metrics of GKE and Pub/Sub are sampled each minute and seen up
to four minutes later (https://cloud.google.com/monitoring/api/v3/latency-n-retention)."""
LATEST = 2
"""By so many whole values the data may be late, ten minutes, and still be judged: from the newest value back."""
WAKE_MINUTES = 10
"""The window of a wake signal: a late newest value must not look like no work."""


class Says(Enum):
    """The state of a signal."""

    ACTIVE = "active"
    IDLE = "idle"
    UNKNOWN = "unknown"
    """Missing or late data: never idle, and no reason to wake either."""


class Point(msgspec.Struct, frozen=True):
    """The highest value in the five minutes that end then."""

    end: datetime
    value: float
    is_without_container: bool = False
    """Whether it is 0 because no container had a GPU."""


class Answer(msgspec.Struct, frozen=True):
    """Monitoring's answer to one filter."""

    points: tuple[Point, ...] = ()
    missing: str = ""
    """Why series may be missing."""
    unknown: str = ""
    """Google's words, if there is no such metric: one that has never had any data."""


Ask = Callable[[str], Answer]
"""Asks with a filter for the highest value in each five minutes of the time that matters."""


class Reading(msgspec.Struct, frozen=True):
    """The state of a signal, and its message in a report."""

    says: Says
    message: Message


def buckets_in(minutes: int) -> int:
    """The number of values that cover so many minutes."""
    return -(-timedelta(minutes=minutes) // BUCKET)


def buckets_asked(minutes: int) -> int:
    """The number of values to request, with room for late ones."""
    return buckets_in(minutes) + LATEST - 1


def reading_of(signal: Signal, minutes: int, now: datetime, ask: Ask) -> Reading:
    """The state of a signal in the minutes before now. Raises what ``ask`` raises."""
    answer = ask(signal.filter)
    points = _numbers(answer.points)
    if isinstance(signal, GpuSignal) and not _is_whole(points, minutes, now):
        requested, nodes = ask(signal.requested), ask(signal.nodes)
        if not requested.unknown and not requested.missing:
            points = with_no_container(points, requested.points, nodes.points, now)
    if answer.unknown and not points:
        return Reading(Says.UNKNOWN, MetricUnknown(signal, answer.unknown))
    found = judged(signal, points, minutes, now)
    if answer.missing and found.says is Says.IDLE:
        return Reading(Says.UNKNOWN, SeriesMissing(signal, answer.missing))
    return found


def with_no_container(
    points: Iterable[Point], requested: Iterable[Point], nodes: Iterable[Point], now: datetime
) -> list[Point]:
    """The values of GPUs, and 0 for each time in which nodes report while no container requests a GPU.

    The newest value is left alone: one metric may be seen a little later than the other.
    """
    known = list(points)
    taken = {_bucket(point, now) for point in (*known, *_numbers(requested))}
    empty = {_bucket(point, now): point.end for point in _numbers(nodes)}
    return known + [
        Point(end, 0.0, is_without_container=True)
        for bucket, end in empty.items()
        if bucket not in taken and bucket > 0
    ]


def judged(signal: Signal, points: Iterable[Point], minutes: int, now: datetime) -> Reading:
    """Judge the values of the last minutes: active if any is above the limit, idle if all are known and none is.

    The newest value may be incomplete, and data may be ten minutes late: then the minutes before that are judged. A
    gap anywhere else is no idleness.
    """
    known = _numbers(points)
    newest = min((_bucket(point, now) for point in known), default=0)
    needed = _needed(newest, minutes)
    within = [point for point in known if _bucket(point, now) <= max(needed)]
    highest = max(within, key=lambda point: point.value, default=None)
    if highest is None:
        return Reading(Says.UNKNOWN, NoData(signal, minutes))
    if highest.value > signal.at_most:
        return Reading(Says.ACTIVE, Active(signal, highest.value, highest.end))
    if newest > LATEST:
        return Reading(Says.UNKNOWN, DataLate(signal))
    there = {_bucket(point, now) for point in within}
    missing = [bucket for bucket in needed if bucket not in there]
    if missing:
        return Reading(Says.UNKNOWN, DataMissing(signal, now - missing[0] * BUCKET))
    if all(point.is_without_container for point in within):
        return Reading(Says.IDLE, NoContainer(signal, minutes))
    return Reading(Says.IDLE, Quiet(signal, highest.value, minutes))


def _needed(newest: int, minutes: int) -> range:
    """The values that must be known: as many as cover the time, without the incomplete newest one."""
    first, count = (max(newest, 1), buckets_in(minutes) - 1) if buckets_in(minutes) > 1 else (newest, 1)
    return range(first, first + count)


def _is_whole(points: list[Point], minutes: int, now: datetime) -> bool:
    there = {_bucket(point, now) for point in points}
    return there.issuperset(_needed(1, minutes))


def _bucket(point: Point, now: datetime) -> int:
    return (now - point.end) // BUCKET


def _numbers(points: Iterable[Point]) -> list[Point]:
    return [point for point in points if not isnan(point.value)]
