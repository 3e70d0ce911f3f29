"""A pool that a person has resized is left until its next window, or set to its desired size."""

import pytest
from google.cloud.container_v1 import ClusterManagerClient

from tests.functions.scale_gpu_pools.stage import GPU, Stage, a_pool, settings_of

pytestmark = pytest.mark.one_python

NIGHT = 6 * 60
TO_MORNING = 14 * 60
TO_EVENING = 10 * 60
MORNING_IN_WORDS = "2026-11-17 08:00 UTC"


def test_a_pool_that_is_resized_at_night_is_left_so_until_its_next_window() -> None:
    with Stage() as stage:
        stage.tick(NIGHT)
        stage.resize_by_hand(3)
        for _ in range(3):
            report = stage.tick()
            (notice,) = report.notices
            assert "resized by hand (autoscaling is off, node_count is 3)" in notice
            assert f"left alone until {MORNING_IN_WORDS}" in notice
            assert not stage.mutating
        stage.tick(TO_MORNING)
        assert stage.gpu == (6, "1..4")  # their size, and the autoscaling that was still as we had made it
        stage.tick(TO_EVENING)
        assert stage.gpu == (0, "off")
        assert stage.records.holds[GPU].fields["node_count"].original == 3


def test_enforcing_applies_what_is_desired_and_keeps_the_saved_original() -> None:
    with Stage(settings_of(gpu=a_pool(on_drift="enforce"))) as stage:
        stage.tick(NIGHT)
        stage.resize_by_hand(3)
        stage.tick()
        assert stage.gpu == (0, "off")
        stage.tick(TO_MORNING)
        assert stage.gpu == (4, "1..4")


@pytest.mark.parametrize(("on_drift", "nodes"), [("respect", 0), ("enforce", 2)])
def test_a_pool_that_is_taken_to_zero_in_its_hours(on_drift: str, nodes: int) -> None:
    with Stage(settings_of(gpu=a_pool(on_drift=on_drift))) as stage:
        _without_autoscaling(stage)
        stage.tick()
        stage.resize_by_hand(0)
        stage.tick()
        assert stage.gpu == (nodes, "off")
        stage.tick(NIGHT)
        stage.tick(TO_MORNING)
        assert stage.gpu[0] > 0


def test_bounds_that_a_person_sets_at_night_are_theirs() -> None:
    with Stage() as stage:
        stage.tick(NIGHT)
        stage.people.of(ClusterManagerClient).set_node_pool_autoscaling(
            request={"name": GPU, "autoscaling": {"enabled": True, "max_node_count": 7}}
        )
        report = stage.tick()
        assert "autoscaling is 0 to 7 nodes in each zone" in str(report.notices)
        assert not stage.mutating
        stage.tick(TO_MORNING)
        assert stage.gpu == (4, "0..7")  # the size was still as we had made it


def test_a_person_who_asks_for_the_pool_is_heard_at_once() -> None:
    with Stage() as stage:
        stage.tick(NIGHT)
        stage.resize_by_hand(3)
        stage.tick()
        stage.command(5, type="awake", until="2026-11-17T07:00:00Z")
        assert stage.gpu == (6, "1..4")


def test_a_restriction_that_comes_later_counts() -> None:
    with Stage() as stage:
        stage.tick(NIGHT)
        stage.resize_by_hand(3)
        stage.tick()
        stage.cloud.clock.advance_to(stage.cloud.clock.now().replace(minute=30))
        stage.restrict(because="monthly/actual@1")
        stage.tick()
        assert stage.gpu == (0, "off")
        assert stage.records.holds[GPU].fields["node_count"].original == 2  # saved once


def test_what_a_person_resizes_under_a_restriction_is_left() -> None:
    with Stage() as stage:
        stage.restrict(because="monthly/actual@1")
        stage.tick()
        assert stage.gpu == (0, "off")
        stage.resize_by_hand(1)
        stage.tick()
        stage.tick()
        assert stage.gpu == (2, "off")


def test_without_hours_it_is_left_for_a_day() -> None:
    pool = a_pool()
    del pool["hours"]
    with Stage(settings_of(gpu=pool)) as stage:
        _without_autoscaling(stage)
        stage.tick()
        stage.resize_by_hand(0)
        stage.tick()
        stage.tick(23 * 60)
        assert stage.gpu[0] == 0
        stage.tick(60)
        assert stage.gpu[0] > 0


def _without_autoscaling(stage: Stage) -> None:
    stage.people.of(ClusterManagerClient).set_node_pool_autoscaling(
        request={"name": GPU, "autoscaling": {"enabled": False}}
    )
