"""The state of a signal: idle only if all values are known and none is above the limit."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from functions.scale_gpu_pools.settings import GpuDutyCycle, GpuMemory, Metric, PendingMessages, Signal
from functions.scale_gpu_pools.signals import BUCKET, Answer, Point, Says, buckets_in, judged, reading_of

NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)
QUEUE = PendingMessages(subscription="projects/my-product/subscriptions/jobs", at_most=3)
DUTY = GpuDutyCycle(project="my-product", location="europe-west4", cluster="training")
MEMORY = GpuMemory(project="my-product", location="europe-west4", cluster="training", namespace="ml")
GAUGE = Metric(
    project="my-product", filter='resource.type = "x" AND metric.type="custom/load" AND a = "b"', at_most=-0.5
)
ALL = {0: 3.0, 1: 0.0, 2: 1.0, 3: 0.0, 4: 2.0, 5: 0.0}
"""The values of half an hour, none of them above the limit, by bucket: 0 ends now, 1 five minutes ago, and so on."""

values = some.floats(-10, 10)
half_hours = some.dictionaries(some.integers(0, 7), values, max_size=8)


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
        pytest.param(
            without(0, 1), 30, Says.UNKNOWN, "data is missing around 11:30 UTC, which is not idle", id="late, too few"
        ),
        pytest.param(without(0, 1) | {6: 0.0}, 30, Says.IDLE, "at most 2 for 30 minutes", id="ten minutes late"),
        pytest.param(without(0, 1) | {6: 9.0}, 30, Says.ACTIVE, "9, more than 3, at 11:30 UTC", id="late and above"),
        pytest.param(ALL | {6: 9.0}, 30, Says.IDLE, "at most 3 for 30 minutes", id="above, but too long ago"),
        pytest.param(
            without(0, 1, 2) | {6: 0.0}, 30, Says.UNKNOWN, "data is late, which is not idle", id="fifteen minutes late"
        ),
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
        pytest.param(ALL | {2: 8.0, 4: 9.0}, 30, Says.ACTIVE, "9, more than 3, at 11:40 UTC", id="the highest"),
        pytest.param({2: 3.0}, 10, Says.IDLE, "at most 3 for 10 minutes", id="only from before"),
        pytest.param({3: 3.0}, 10, Says.UNKNOWN, "data is late, which is not idle", id="only from long before"),
        pytest.param({1: 0.0}, 10, Says.IDLE, "at most 0 for 10 minutes", id="ten minutes, the newest late"),
        pytest.param({0: 0.0}, 5, Says.IDLE, "at most 0 for 5 minutes", id="five minutes"),
        pytest.param({1: 0.0}, 5, Says.IDLE, "at most 0 for 5 minutes", id="five minutes, the newest late"),
        pytest.param({3: 0.0}, 5, Says.UNKNOWN, "data is late, which is not idle", id="five minutes, three are late"),
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
        (MEMORY, 1e9, Says.IDLE, "GPU memory of training (ml): at most 1e+09 for 5 minutes"),
        (MEMORY, 2e9, Says.ACTIVE, "GPU memory of training (ml): 2e+09, more than 1e+09, at 12:00 UTC"),
        (GAUGE, -1.0, Says.IDLE, "metric custom/load: at most -1 for 5 minutes"),
        (GAUGE, 0.0, Says.ACTIVE, "metric custom/load: 0, more than -0.5, at 12:00 UTC"),
        (GAUGE, math.inf, Says.ACTIVE, "metric custom/load: inf, more than -0.5, at 12:00 UTC"),
    ],
)
def test_every_kind_has_its_limit_and_its_name(signal: Signal, value: float, says: Says, words: str) -> None:
    reading = judged(signal, points_of({0: value}), 5, NOON)
    assert (reading.says, str(reading.message)) == (says, words)


HALF_AN_HOUR = dict.fromkeys(range(1, 6), 8.0)


@pytest.mark.parametrize(
    ("busy", "requested", "nodes", "says", "words"),
    [
        ({}, {}, HALF_AN_HOUR, Says.IDLE, "no container has had a GPU for 30 minutes"),
        ({}, HALF_AN_HOUR, HALF_AN_HOUR, Says.UNKNOWN, "no data in 30 minutes, which is not idle"),
        ({}, {}, {}, Says.UNKNOWN, "no data in 30 minutes, which is not idle"),
        ({5: 2.0}, {5: 1.0}, HALF_AN_HOUR, Says.IDLE, "at most 2 for 30 minutes"),
        ({5: 80.0}, {5: 1.0}, HALF_AN_HOUR, Says.ACTIVE, "80, more than 5, at 11:35 UTC"),
        ({5: 2.0}, {3: 1.0, 5: 1.0}, HALF_AN_HOUR, Says.UNKNOWN, "data is missing around 11:45 UTC, which is not idle"),
        ({}, {0: 1.0}, HALF_AN_HOUR | {0: 8.0}, Says.IDLE, "no container has had a GPU for 30 minutes"),
        ({}, None, HALF_AN_HOUR, Says.UNKNOWN, "no data in 30 minutes, which is not idle"),
    ],
)
def test_no_container_is_not_no_data(
    busy: dict[int, float], requested: dict[int, float] | None, nodes: dict[int, float], says: Says, words: str
) -> None:
    answers = {
        DUTY.filter: Answer(tuple(points_of(busy))),
        DUTY.requested: Answer(tuple(points_of(requested or {})), missing="" if requested is not None else "a shard"),
        DUTY.nodes: Answer(tuple(points_of(nodes))),
    }
    reading = reading_of(DUTY, 30, NOON, answers.__getitem__)
    assert (reading.says, str(reading.message)) == (says, f"GPU duty cycle of training: {words}")


@pytest.mark.parametrize(("minutes", "buckets"), [(5, 1), (6, 2), (10, 2), (30, 6), (31, 7), (24 * 60, 288)])
def test_how_many_values_cover_a_time(minutes: int, buckets: int) -> None:
    assert buckets_in(minutes) == buckets


@given(half_hours)
def test_what_is_idle_is_known_for_its_time_and_never_above_the_limit(by_bucket: dict[int, float]) -> None:
    """From the newest value back, which is at most ten minutes old and may be incomplete."""
    says = judged(QUEUE, points_of(by_bucket), 30, NOON).says
    first = max(min(by_bucket, default=9), 1)
    judged_values = [value for bucket, value in by_bucket.items() if bucket < first + 5]
    is_above = any(value > QUEUE.at_most for value in judged_values)
    is_known = first <= 2 and by_bucket.keys() >= set(range(first, first + 5))
    assert (says is Says.ACTIVE) == is_above
    assert (says is Says.IDLE) == (is_known and not is_above)


@given(some.lists(some.tuples(some.integers(0, 5), values), max_size=12), some.data())
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
