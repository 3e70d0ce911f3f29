"""Bugs that `test_simulation.py` has found, each as a short story of its own."""

from datetime import timedelta

import pytest

from tests.functions.scale_gpu_pools.simulation import ACTIVE, BATCH, MISSING, Simulation
from tests.functions.scale_gpu_pools.stage import GPU, Stage

pytestmark = pytest.mark.one_python

NIGHT = 6 * 60


def test_what_was_resized_just_before_a_restriction_goes_to_zero_though_it_is_seen_only_after() -> None:
    with Stage() as stage:
        stage.tick(NIGHT)
        stage.resize_by_hand(3)
        stage.cloud.clock.advance(timedelta(minutes=2))
        stage.restrict(because="monthly/actual@1")
        stage.tick()
        assert stage.gpu == (0, "off")


def test_what_is_resized_under_a_restriction_that_was_obeyed_is_left_though_the_restriction_is_seen_again() -> None:
    with Stage() as stage:
        stage.tick(NIGHT)
        stage.restrict(because="monthly/actual@1")
        stage.tick()
        stage.resize_by_hand(1)
        for _ in range(3):
            stage.tick()
            assert stage.gpu == (2, "off")
        stage.restrict(because=None)
        stage.tick()
        stage.restrict(because="monthly/actual@1")
        stage.tick()
        assert stage.gpu == (0, "off")


def test_a_pool_that_is_at_zero_for_no_time_saves_nothing() -> None:
    with Simulation() as simulation:
        simulation.tick(1)
        assert simulation.pools[GPU].nodes == 0
        simulation.ask_for("gpu", simulation.now + timedelta(hours=1))
        assert simulation.pools[GPU].nodes > 0
        simulation.tick()
        assert simulation.savings(GPU) == []


def test_an_autoscaled_pool_that_somebody_took_to_zero_in_its_hours_is_brought_back_by_a_wake_signal() -> None:
    with Simulation() as simulation:
        simulation.ask_for("gpu", simulation.now + timedelta(hours=0.5))
        simulation.resize_by_hand(GPU, 0)
        simulation.wait(45)
        simulation.signal("queue", ACTIVE)
        simulation.tick()
        simulation.tick()
        assert simulation.pools[GPU].nodes > 0


def test_a_pool_on_its_way_back_stays_up_while_its_wake_signal_says_nothing() -> None:
    with Simulation() as simulation:
        simulation.tick(1)
        simulation.signal("queue", MISSING)
        simulation.stage.cloud.gke.operation_delay = timedelta(minutes=2)
        simulation.tick(2 * 24 * 60)
        assert simulation.pools[GPU].size > 0
        simulation.tick(30)
        simulation.tick()
        assert simulation.pools[GPU].nodes > 0
        assert simulation.pools[GPU].is_autoscaled


def test_a_pool_without_hours_comes_back_when_work_waits_and_rests_when_none_does() -> None:
    with Simulation() as simulation:
        simulation.tick(1)
        assert simulation.pools[BATCH].size == 0
        simulation.signal("queue", ACTIVE)
        simulation.tick()
        assert simulation.pools[BATCH].size == 3
