"""What a signal says: idle only if all is known and nothing is above the limit."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from functions.scale_gpu_pools.settings import GpuDutyCycle, Metric, PendingMessages, Signal
from functions.scale_gpu_pools.signals import BUCKET, Point, Says, buckets_in, judged

NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)
QUEUE = PendingMessages(subscription="projects/my-product/subscriptions/jobs", at_most=3)
DUTY = GpuDutyCycle(project="my-product", location="europe-west4", cluster="training")
GAUGE = Metric(
    project="my-product", filter='resource.type = "x" AND metric.type="custom/load" AND a = "b"', at_most=-0.5
)
ALL = {0: 3.0, 1: 0.0, 2: 1.0, 3: 0.0, 4: 2.0, 5: 0.0}
"""The values of half an hour, none of them above the limit, by bucket: 0 ends now, 1 five minutes ago, and so on."""

values = some.floats(-10, 10)
half_hours = some.dictionaries(some.integers(0, 5), values, max_size=6)


def points_of(by_bucket: Mapping[int, float], offset: timedelta = timedelta()) -> list[Point]:
    """Points with these values, by bucket; all of them so much earlier."""
    return [Point(NOON - bucket * BUCKET - offset, value) for bucket, value in by_bucket.items()]


def without(*buckets: int) -> dict[int, float]:
    """The values of half an hour but these."""
    return {bucket: value for bucket, value in ALL.items() if bucket not in buckets}


@pytest.mark.parametrize(
    ("by_bucket", "minutes", "says", "words"),
    [
        pytest.param(ALL, 30, Says.IDLE, "at most 3 for 30 minutes", id="all there"),
        pytest.param(without(0), 30, Says.IDLE, "at most 2 for 30 minutes", id="the newest is late"),
        pytest.param(without(0, 1), 30, Says.UNKNOWN, "data is late, which is not idle", id="two are late"),
        pytest.param(without(0, 1, 2, 3), 30, Says.UNKNOWN, "data is late, which is not idle", id="four are late"),
        pytest.param(
            without(1), 30, Says.UNKNOWN, "data is missing around 11:55 UTC, which is not idle", id="a gap near the end"
        ),
        pytest.param(
            without(3), 30, Says.UNKNOWN, "data is missing around 11:45 UTC, which is not idle", id="a gap within"
        ),
        pytest.param(
            without(0, 3), 30, Says.UNKNOWN, "data is missing around 11:45 UTC, which is not idle", id="late and a gap"
        ),
        pytest.param(
            without(5), 30, Says.UNKNOWN, "data is missing around 11:35 UTC, which is not idle", id="a gap at the start"
        ),
        pytest.param({}, 30, Says.UNKNOWN, "no data in 30 minutes, which is not idle", id="no data"),
        pytest.param({0: 0.0}, 30, Says.UNKNOWN, "data is missing around 11:55 UTC, which is not idle", id="only new"),
        pytest.param(ALL | {0: 4.0}, 30, Says.ACTIVE, "4, more than 3, at 12:00 UTC", id="the newest is above"),
        pytest.param(ALL | {5: 3.5}, 30, Says.ACTIVE, "3.5, more than 3, at 11:35 UTC", id="the oldest is above"),
        pytest.param({3: 9.0}, 30, Says.ACTIVE, "9, more than 3, at 11:45 UTC", id="above, and nothing else there"),
        pytest.param(ALL | {2: 8.0, 4: 9.0}, 30, Says.ACTIVE, "9, more than 3, at 11:40 UTC", id="the highest is told"),
        pytest.param({2: 3.0}, 10, Says.UNKNOWN, "data is late, which is not idle", id="only from before"),
        pytest.param({1: 0.0}, 10, Says.IDLE, "at most 0 for 10 minutes", id="ten minutes, the newest late"),
        pytest.param({0: 0.0}, 5, Says.IDLE, "at most 0 for 5 minutes", id="five minutes"),
        pytest.param({1: 0.0}, 5, Says.UNKNOWN, "data is late, which is not idle", id="five minutes, the newest late"),
        pytest.param({0: 0.0, 1: 0.0}, 7, Says.IDLE, "at most 0 for 7 minutes", id="minutes that are rounded up"),
        pytest.param(ALL | {2: math.nan}, 30, Says.UNKNOWN, "data is missing around 11:50 UTC, which is not idle",
                     id="no number is no data"),
        pytest.param(ALL | {0: math.nan, 4: 4.0}, 30, Says.ACTIVE, "4, more than 3, at 11:40 UTC",
                     id="no number hides none"),
    ],
)  # fmt: skip
def test_what_values_say(by_bucket: Mapping[int, float], minutes: int, says: Says, words: str) -> None:
    reading = judged(QUEUE, points_of(by_bucket), minutes, NOON)
    assert (reading.says, str(reading.message)) == (says, f"undelivered messages of jobs: {words}")


@pytest.mark.parametrize(
    ("signal", "value", "says", "words"),
    [
        (DUTY, 5.0, Says.IDLE, "GPU duty cycle of training: at most 5 for 5 minutes"),
        (DUTY, 5.01, Says.ACTIVE, "GPU duty cycle of training: 5.01, more than 5, at 12:00 UTC"),
        (GAUGE, -1.0, Says.IDLE, "metric custom/load: at most -1 for 5 minutes"),
        (GAUGE, 0.0, Says.ACTIVE, "metric custom/load: 0, more than -0.5, at 12:00 UTC"),
        (GAUGE, math.inf, Says.ACTIVE, "metric custom/load: inf, more than -0.5, at 12:00 UTC"),
    ],
)
def test_every_kind_has_its_limit_and_its_name(signal: Signal, value: float, says: Says, words: str) -> None:
    reading = judged(signal, points_of({0: value}), 5, NOON)
    assert (reading.says, str(reading.message)) == (says, words)


@pytest.mark.parametrize(("minutes", "buckets"), [(5, 1), (6, 2), (10, 2), (30, 6), (31, 7), (24 * 60, 288)])
def test_how_many_values_cover_a_time(minutes: int, buckets: int) -> None:
    assert buckets_in(minutes) == buckets


@given(half_hours)
def test_what_is_idle_is_known_but_for_the_newest_and_never_above_the_limit(by_bucket: dict[int, float]) -> None:
    says = judged(QUEUE, points_of(by_bucket), 30, NOON).says
    is_above = any(value > QUEUE.at_most for value in by_bucket.values())
    is_known = by_bucket.keys() >= {1, 2, 3, 4, 5}
    assert (says is Says.ACTIVE) == is_above
    assert (says is Says.IDLE) == (is_known and not is_above)


@given(some.lists(some.tuples(some.integers(0, 6), values), max_size=12), some.data())
def test_the_order_of_points_is_no_matter(pairs: list[tuple[int, float]], draw: some.DataObject) -> None:
    points = [Point(NOON - bucket * BUCKET, value) for bucket, value in pairs]
    shuffled = draw.draw(some.permutations(points))
    says = judged(QUEUE, points, 30, NOON).says
    assert judged(QUEUE, shuffled, 30, NOON).says is says
    assert (says is Says.ACTIVE) == any(value > QUEUE.at_most for _, value in pairs)


@given(half_hours, some.timedeltas(timedelta(), BUCKET - timedelta(microseconds=1)))
def test_points_need_not_end_at_the_very_moment(by_bucket: dict[int, float], offset: timedelta) -> None:
    exact = judged(QUEUE, points_of(by_bucket), 30, NOON)
    assert judged(QUEUE, points_of(by_bucket, offset), 30, NOON).says is exact.says


@given(some.lists(values), some.integers(5, 24 * 60))
def test_whatever_is_there_an_answer_is_given(all_values: list[float], minutes: int) -> None:
    reading = judged(QUEUE, points_of(dict(enumerate(all_values, start=1))), minutes, NOON)
    assert str(reading.message).startswith("undelivered messages of jobs: ")
