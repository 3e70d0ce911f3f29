"""Recorded work waits while the pool is at zero, is done when nodes are there, and starts over if it is killed."""

from collections.abc import Mapping

import pytest

from functions.scale_gpu_pools.settings import Pool
from simulate.exports import Query, all_queries_of, query_of
from simulate.model import PoolModel, Values
from tests.functions.scale_gpu_pools.stage import QUEUE, a_pool, settings_of

DUTY: dict[str, object] = {
    "kind": "gpu_duty_cycle",
    "project": "my-product",
    "location": "europe-west4",
    "cluster": "training",
}
POOL: Pool = settings_of(gpu=a_pool(idle={"signals": [DUTY]}, wake=[QUEUE])).pools["gpu"]
assert POOL.idle
DUTY_QUERY, QUEUE_QUERY = query_of(POOL.idle.signals[0]), query_of(POOL.wake[0])


def a_model(duty: Mapping[int, float], minutes: int = 40) -> PoolModel:
    """A model in which the GPUs were so busy at these minutes, and idle at all others; nothing ever waited."""
    recorded: dict[Query, Values] = {
        DUTY_QUERY: [duty.get(at, 0.0) for at in range(minutes)],
        QUEUE_QUERY: [0.0] * minutes,
    }
    recorded |= {query: [None] * minutes for query in all_queries_of(POOL.idle.signals[0])[1:]} if POOL.idle else {}
    return PoolModel(POOL, recorded, minutes)


def test_what_is_on_shows_the_record() -> None:
    model = a_model({3: 80.0, 4: 90.0})
    for at in range(10):
        model.pass_minute(at, is_outage=False)
    assert model.shown[DUTY_QUERY] == [0, 0, 0, 80, 90, 0, 0, 0, 0, 0]
    assert model.shown[QUEUE_QUERY] == [0] * 10
    assert (model.figures.jobs, model.figures.waits, model.figures.minutes_on) == (1, [], 10)


def test_at_zero_work_waits_and_shows_in_the_queue_until_nodes_are_there() -> None:
    model = a_model({3: 80.0, 4: 90.0})
    model.resize(0, 0, 0)
    for at in range(12):
        if at == 6:
            model.resize(1, at, 2)
        model.pass_minute(at, is_outage=False)
    assert model.shown[DUTY_QUERY] == [None] * 8 + [80, 90, 0, 0]
    assert model.shown[QUEUE_QUERY] == [0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0]
    assert model.waits == [(3, 5)]
    assert (model.figures.minutes_on, model.unfinished) == (6, 0)


def test_work_that_gets_no_nodes_waits_to_the_end() -> None:
    model = a_model({2: 80.0, 5: 80.0, 6: 80.0})
    model.resize(0, 0, 0)
    for at in range(10):
        model.pass_minute(at, is_outage=False)
    assert (model.waits, model.unfinished) == ([(2, 8), (5, 5)], 3)


def test_work_that_is_killed_starts_over() -> None:
    model = a_model({at: 50.0 + at for at in range(2, 8)})
    for at in range(30):
        if at == 5:
            model.resize(0, at, 0)
        if at == 10:
            model.resize(1, at, 1)
        model.pass_minute(at, is_outage=False)
    assert model.figures.killed == [5]
    assert model.shown[DUTY_QUERY][2:5] == [52, 53, 54]
    assert model.shown[DUTY_QUERY][11:18] == [52, 53, 54, 55, 56, 57, 0]


def test_work_that_has_ended_is_not_killed() -> None:
    model = a_model({2: 80.0, 3: 80.0})
    for at in range(4):
        model.pass_minute(at, is_outage=False)
    model.resize(0, 4, 0)
    assert model.figures.killed == []


@pytest.mark.parametrize("is_outage", [True, False])
def test_in_an_outage_nothing_is_shown_and_work_goes_on(is_outage: bool) -> None:  # noqa: FBT001
    model = a_model({1: 80.0})
    for at in range(3):
        model.pass_minute(at, is_outage=is_outage)
    assert (model.shown[DUTY_QUERY] == [None] * 3) == is_outage
    assert model.unfinished == 0
