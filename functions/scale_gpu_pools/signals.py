"""What a signal says: work, none, or nothing that can be relied on. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum
from math import isnan

import msgspec

from functions.scale_gpu_pools.messages import Active, DataLate, DataMissing, NoData, Quiet
from functions.scale_gpu_pools.settings import Signal
from shared.decision import Message

BUCKET = timedelta(minutes=5)
"""Over so long Monitoring gives one value, the highest. Metrics of GKE and Pub/Sub are sampled each minute and seen up
to four minutes later (https://cloud.google.com/monitoring/api/v3/latency-n-retention)."""
WAKE_MINUTES = 10
"""How far back a wake signal is looked for: a newest value that is late must not look like no work."""


class Says(Enum):
    """What a signal comes to."""

    ACTIVE = "active"
    IDLE = "idle"
    UNKNOWN = "unknown"
    """Missing or late data: never idle, and no reason to wake either."""


class Point(msgspec.Struct, frozen=True):
    """The highest value in the five minutes that end then."""

    end: datetime
    value: float


class Reading(msgspec.Struct, frozen=True):
    """What a signal comes to, and its message in a report."""

    says: Says
    message: Message


def buckets_in(minutes: int) -> int:
    """How many values cover so many minutes."""
    return -(-timedelta(minutes=minutes) // BUCKET)


def judged(signal: Signal, points: Iterable[Point], minutes: int, now: datetime) -> Reading:
    """What the values of the last minutes say: active if any is above the limit, idle if all are known and none is.

    The newest value may be late; a gap anywhere else is no idleness.
    """
    known = [point for point in points if not isnan(point.value)]
    highest = max(known, key=lambda point: point.value, default=None)
    if highest is None:
        return Reading(Says.UNKNOWN, NoData(signal, minutes))
    if highest.value > signal.at_most:
        return Reading(Says.ACTIVE, Active(signal, highest.value, highest.end))
    there = {(now - point.end) // BUCKET for point in known}
    needed = range(1, buckets_in(minutes)) or range(1)
    missing = [bucket for bucket in needed if bucket not in there]
    if missing:
        is_late = missing[0] < min(there)
        message = DataLate(signal) if is_late else DataMissing(signal, now - missing[0] * BUCKET)
        return Reading(Says.UNKNOWN, message)
    return Reading(Says.IDLE, Quiet(signal, highest.value, minutes))
