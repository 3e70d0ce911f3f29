"""Some nodes may stay when a pool is idle or out of hours; a restriction and a person's `off` take these away too."""

from datetime import timedelta

import pytest

from shared.errors import SettingsError
from tests.functions.scale_gpu_pools.stage import MONDAY, Stage, a_pool, settings_of

NIGHT, TO_MORNING = 6 * 60, 14 * 60
ONE_STAYS = settings_of(gpu=a_pool(size=2, minimum=1))


def test_out_of_hours_the_minimum_stays_and_in_the_morning_all_is_as_it_was() -> None:
    with Stage(ONE_STAYS) as stage:
        report = stage.tick(NIGHT)
        assert [(change.field, change.before, change.after) for change in report.changes] == [
            ("autoscaling", "1 to 4 nodes in each zone, BALANCED", "off"),
            ("node_count", "2", "1"),
        ]
        assert stage.gpu == (2, "off")  # one in each of two zones
        assert stage.tick().outcome == "unchanged"
        stage.tick(TO_MORNING)
        stage.tick()
        assert stage.gpu == (4, "1..4")
        assert not stage.records.holds


def test_only_the_nodes_that_did_not_run_are_saved() -> None:
    with Stage(ONE_STAYS) as stage:
        stage.tick(NIGHT)
        stage.tick(60)
        (record,) = stage.records.pools.values()
        assert record.zero
        assert record.zero.nodes == 2


def test_a_restriction_and_a_person_take_the_minimum_away_too() -> None:
    with Stage(ONE_STAYS) as stage:
        stage.tick(NIGHT)
        stage.restrict(because="monthly/actual@1")
        stage.tick()
        assert stage.gpu == (0, "off")
        stage.restrict(because=None)
        stage.tick()
        assert stage.gpu == (0, "off")  # what is at zero is not brought up to its minimum
        stage.tick(TO_MORNING)
        stage.tick()
        assert stage.gpu == (4, "1..4")
        stage.command(type="off", until=(MONDAY + timedelta(days=2)).isoformat())
        stage.tick()
        assert stage.gpu == (0, "off")


def test_a_person_who_turns_more_on_at_night_is_respected() -> None:
    with Stage(ONE_STAYS) as stage:
        stage.tick(NIGHT)
        stage.resize_by_hand(3)
        assert any("resized by hand" in notice for notice in stage.tick().notices)
        assert stage.gpu == (6, "off")


@pytest.mark.parametrize("minimum", [2, 3, -1])
def test_a_minimum_is_less_than_the_size(minimum: int) -> None:
    with pytest.raises(SettingsError, match="minimum"):
        settings_of(gpu=a_pool(size=2, minimum=minimum))
