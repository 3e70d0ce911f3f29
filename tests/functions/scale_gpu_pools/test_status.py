"""The status of each pool, and its savings, in words."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from msgspec.structs import replace

from functions.scale_gpu_pools.settings import Savings, Settings
from shared.report import Outcome
from shared.settings import Mode, parse
from tests.functions.scale_gpu_pools.stage import Stage, a_pool, settings_of

READS = ["BatchGetDocuments", "ListNodePools", "instanceGroupManagers"]
NIGHT = 6 * 60
"""Minutes from noon, into the evening."""
TO_MORNING, TO_EVENING = 14 * 60, 10 * 60
"""Minutes from there into the next day's hours, and out of them again."""
WAS = "was autoscaling 1 to 4 nodes in each zone, BALANCED, node_count 2"


@pytest.fixture
def stage() -> Iterator[Stage]:
    with Stage() as stage:
        yield stage


def saved_in(stage: Stage) -> list[str]:
    """The lines of a status that tell of savings."""
    return [line for line in stage.command(type="status").status if line.startswith("saved ")]


def test_a_pool_in_its_hours(stage: Stage) -> None:
    stage.tick()
    report = stage.command(type="status")
    assert (report.outcome, report.event) == (Outcome.UNCHANGED, "Status")
    assert report.status == (
        (
            "gpu: 4 running of 4 asked for; should be on: within hours until 2026-11-16 18:00 UTC; "
            "zero at 2026-11-16 18:00 UTC, when its hours end"
        ),
    )
    assert sorted(stage.calls) == sorted([*READS, "BatchGetDocuments"])


def test_a_pool_that_is_held_at_zero_and_what_that_saves(stage: Stage) -> None:
    stage.tick(NIGHT)
    assert stage.command(60, type="status").status == (
        (
            f"gpu: 0 running of 0 asked for; should be zero: out of hours; held at zero, {WAS}; "
            "on again at 2026-11-17 08:00 UTC"
        ),
        "saved on 2026-11-16: gpu 4.00 USD",
        "saved since 2026-11-16 18:00 UTC: gpu 4.00 USD",
    )
    assert not stage.mutating


def test_a_pool_on_its_way(stage: Stage) -> None:
    stage.tick()
    stage.cloud.gke.operation_delay = timedelta(minutes=3)
    stage.tick(NIGHT)
    in_flight = "UPDATE_CLUSTER has been in flight since 2026-11-16T18:05:00Z"
    assert stage.command(1, type="status").status == (
        (
            f"gpu: 4 running of 4 asked for; should be zero: out of hours; on its way, {WAS}; "
            f"{in_flight}; on again at 2026-11-17 08:00 UTC"
        ),
    )


def test_a_restriction_and_a_persons_command_are_reported(stage: Stage) -> None:
    stage.command(type="awake", until="2026-11-17T06:00:00Z")
    (line,) = stage.command(type="status").status
    assert line == "gpu: 4 running of 4 asked for; should be on: a person asked for it until 2026-11-17 06:00 UTC"
    stage.restrict(because="monthly/actual@1")
    stage.tick()
    line, *_ = stage.command(type="status").status
    assert line == (
        "gpu: 0 running of 0 asked for; should be zero: the spending restriction gpu_pools_off is in force, "
        f"by monthly/actual@1; held at zero, {WAS}; on again when the restriction is lifted"
    )


def test_a_pool_that_is_not_there() -> None:
    place = {"project": "my-product", "location": "europe-west4", "cluster": "training", "name": "gone"}
    with Stage(settings_of(gone=a_pool(node_pool=place))) as stage:
        name = "projects/my-product/locations/europe-west4/clusters/training/nodePools/gone"
        assert stage.command(type="status").status == (f"gone: there is no {name}",)


def test_without_pools_there_is_nothing_to_tell() -> None:
    with Stage(settings_of()) as stage:
        assert stage.command(type="status").status == ()
        assert stage.calls == ["BatchGetDocuments"]


def test_savings_of_a_night_are_those_of_two_days(stage: Stage) -> None:
    stage.tick(NIGHT)
    stage.tick(TO_MORNING)
    reported = [
        "saved on 2026-11-16: gpu 24.00 USD",
        "saved on 2026-11-17: gpu 32.00 USD",
        "saved since 2026-11-16 18:00 UTC: gpu 56.00 USD",
    ]
    assert saved_in(stage) == reported
    stage.tick()
    assert saved_in(stage) == reported


def test_days_of_a_week_are_reported_and_the_sum_of_all(stage: Stage) -> None:
    stage.tick(NIGHT)
    for _ in range(9):
        stage.tick(TO_MORNING)
        stage.tick(TO_EVENING)
    *days, total = saved_in(stage)
    assert days == [
        "saved on 2026-11-19: gpu 56.00 USD",
        "saved on 2026-11-20: gpu 56.00 USD",
        "saved on 2026-11-21: gpu 96.00 USD",
        "saved on 2026-11-22: gpu 96.00 USD",
        "saved on 2026-11-23: gpu 56.00 USD",
        "saved on 2026-11-24: gpu 56.00 USD",
        "saved on 2026-11-25: gpu 32.00 USD",
    ]
    assert total == "saved since 2026-11-16 18:00 UTC: gpu 584.00 USD"


def test_savings_of_the_month_before_are_reported_too(stage: Stage) -> None:
    stage.tick(NIGHT)
    stage.tick(TO_MORNING)
    stage.cloud.clock.advance(timedelta(days=21))
    stage.tick()
    assert saved_in(stage) == ["saved since 2026-11-16 18:00 UTC: gpu 56.00 USD"]


def test_each_currency_is_reported_by_itself(stage: Stage) -> None:
    stage.tick(NIGHT)
    stage.settings = replace(stage.settings, savings=Savings(currency="EUR"))
    stage.tick(60)
    stage.tick(60)
    assert saved_in(stage) == [
        "saved on 2026-11-16: gpu 4.00 EUR",
        "saved on 2026-11-16: gpu 4.00 USD",
        "saved since 2026-11-16 18:00 UTC: gpu 4.00 EUR",
        "saved since 2026-11-16 18:00 UTC: gpu 4.00 USD",
    ]


def test_each_pool_has_its_lines_in_the_order_of_the_settings() -> None:
    place = {"project": "my-product", "location": "europe-west4", "cluster": "training", "name": "cpu"}
    with Stage(settings_of(gpu=a_pool(), cpu=a_pool(node_pool=place, hourly_price=0.5))) as stage:
        stage.tick(NIGHT)
        lines = stage.command(60, type="status").status
        assert [line.partition(" 0 running")[0] for line in lines[:2]] == ["gpu:", "cpu:"]
        assert [line for line in lines if line.startswith("saved on")] == [
            "saved on 2026-11-16: gpu 4.00 USD",
            "saved on 2026-11-16: cpu 1.50 USD",
        ]


def test_without_prices_no_savings_are_reported() -> None:
    section = {"scale_gpu_pools": {"pools": {"gpu": a_pool(hourly_price=None)}}}
    with Stage(parse(section, "scale_gpu_pools", Settings).section) as stage:
        stage.tick(NIGHT)
        stage.tick(60)
        assert saved_in(stage) == []


def test_observing_answers_too(stage: Stage) -> None:
    stage.mode = Mode.OBSERVE
    report = stage.command(NIGHT, type="status")
    assert report.outcome is Outcome.OBSERVED
    assert report.status == (
        "gpu: 4 running of 4 asked for; should be zero: out of hours; on again at 2026-11-17 08:00 UTC",
    )


def test_nothing_but_a_command_is_answered(stage: Stage) -> None:
    assert stage.tick(NIGHT).status == ()
    assert stage.push({"type": "restrictions_changed"}).status == ()


def test_a_rest_of_more_than_two_months_is_among_the_savings_of_its_last_month(stage: Stage) -> None:
    stage.tick(NIGHT)
    stage.cloud.clock.advance(timedelta(days=70))
    stage.tick(TO_MORNING)
    (total,) = [line for line in saved_in(stage) if line.startswith("saved since")]
    assert total == "saved since 2026-11-16 18:00 UTC: gpu 6776.00 USD"
