"""Budgets as people have them: other periods, credits, raises by cents, services that are scaled by hand."""

from datetime import UTC, datetime

import pytest
from google.cloud.run_v2 import Service, ServiceScaling, ServicesClient, WorkerPoolsClient

from shared.report import Outcome
from shared.settings import Mode
from tests.functions.cap_spending.examples import API, DECEMBER, settings
from tests.functions.cap_spending.stage import WORLD, Stage
from tests.functions.cap_spending.test_edited_settings import LIMIT, maximum

pytestmark = pytest.mark.one_python

JANUARY = datetime(2026, 1, 1, 8, tzinfo=UTC)


def test_a_period_that_changes_from_month_to_year_counts_from_its_first_notification() -> None:
    with Stage(settings(LIMIT)) as stage:
        stage.notify(120)
        stage.notify(6000, 4800, interval=JANUARY, after=1)
        assert maximum(stage) == 1
        stage.tick(1)
        assert maximum(stage) == 1


@pytest.mark.parametrize(
    "interval",
    [datetime(9999, 1, 1, tzinfo=UTC), datetime(2026, 12, 1, 8, tzinfo=UTC), datetime(1999, 1, 1, tzinfo=UTC)],
    ids=["absurdly late", "not begun yet", "absurdly early"],
)
def test_a_period_that_cannot_be_is_refused(interval: datetime) -> None:
    with Stage(settings(LIMIT)) as stage:
        stage.notify(412)
        report = stage.notify(1, interval=interval, after=1)
        assert report.outcome is Outcome.IGNORED
        assert "costIntervalStart" in report.why
        assert maximum(stage) == 1
        stage.notify(2, interval=DECEMBER, after=24 * 16)
        assert maximum(stage) == 20


def test_a_period_that_begins_with_a_credit_is_a_period() -> None:
    with Stage(settings(LIMIT)) as stage:
        stage.notify(412)
        report = stage.notify(-3.5, interval=DECEMBER, after=24 * 16)
        assert report.outcome is Outcome.APPLIED
        assert maximum(stage) == 20


def test_a_budget_of_nothing_is_passed_by_any_cost() -> None:
    with Stage(settings(LIMIT)) as stage:
        assert stage.notify(0, 0).outcome is Outcome.UNCHANGED
        assert maximum(stage) == 20
        stage.notify(0.01, 0, after=1)
        assert maximum(stage) == 1


def test_an_amount_that_changes_by_cents_all_month_keeps_the_document_small() -> None:
    with Stage(settings({"at": 2.0, "do": ["notify"]})) as stage:
        for place in range(60):
            stage.notify(120 + place, 400 + place / 100, after=0.1)
        assert len(stage.records.budgets["monthly"].intervals) <= 24


def test_what_was_accepted_stays_accepted_up_to_the_cost_then() -> None:
    with Stage(settings(LIMIT)) as stage:
        stage.notify(412)
        stage.command(after=1, type="undo")
        stage.notify(430, after=1)
        assert maximum(stage) == 20
        stage.notify(431, 405, after=1)
        assert maximum(stage) == 20
        stage.notify(431, 431, after=1)
        assert maximum(stage) == 1


MANUAL = {"scaling": {"scaling_mode": "MANUAL", "manual_instance_count": 10}}


def a_world_with_a_manual_service() -> dict[str, object]:
    """The usual world, but `api` is scaled by hand."""
    projects = WORLD["projects"]
    services = {**projects["my-product"]["services"], "api": MANUAL}
    return {**WORLD, "projects": {**projects, "my-product": {**projects["my-product"], "services": services}}}


def test_a_service_that_is_scaled_by_hand_is_limited_by_its_count_and_restored() -> None:
    with Stage(settings(LIMIT), world=a_world_with_a_manual_service()) as stage:
        services = stage.people.of(ServicesClient)
        stage.notify(412)
        scaling = services.get_service(name=API).scaling
        assert (scaling.manual_instance_count, scaling.max_instance_count) == (1, 0)
        stage.command(after=1, type="undo")
        scaling = services.get_service(name=API).scaling
        assert (scaling.manual_instance_count, scaling.max_instance_count) == (10, 0)
        assert scaling.scaling_mode is ServiceScaling.ScalingMode.MANUAL


def test_a_service_whose_scaling_mode_a_person_changes_while_it_is_held_is_reported() -> None:
    with Stage(settings(LIMIT)) as stage:
        stage.notify(412)
        services = stage.people.of(ServicesClient)
        scaling = ServiceScaling(scaling_mode=ServiceScaling.ScalingMode.MANUAL, manual_instance_count=5)
        services.update_service(
            request={
                "service": Service(name=API, scaling=scaling),
                "update_mask": {"paths": ["scaling.scaling_mode", "scaling.manual_instance_count"]},
            }
        ).result()
        report = stage.tick(1)
        assert any(API in notice and "scaling mode" in notice for notice in report.notices)
        assert services.get_service(name=API).scaling.manual_instance_count == 5


def test_a_minimum_above_the_limit_is_a_refusal_in_words() -> None:
    with Stage(settings(LIMIT)) as stage:
        services = stage.people.of(ServicesClient)
        scaling = ServiceScaling(min_instance_count=3, max_instance_count=20)
        services.update_service(
            request={
                "service": Service(name=API, scaling=scaling),
                "update_mask": {"paths": ["scaling.min_instance_count", "scaling.max_instance_count"]},
            }
        ).result()
        report = stage.notify(412)
        assert maximum(stage) == 3
        assert any("minimum of 3" in notice for notice in report.notices)


def test_observing_still_notifies_and_says_that_it_observes(capsys: pytest.CaptureFixture[str]) -> None:
    with Stage(settings({"at": 0.5, "do": ["notify"]}), mode=Mode.OBSERVE) as stage:
        stage.notify(210)
        stage.notify(211, after=1)
    lines = [line for line in capsys.readouterr().out.splitlines() if '"budget_alert"' in line]
    assert len(lines) == 1
    assert "observing" in lines[0]


def test_a_name_that_matches_nothing_is_an_alert() -> None:
    scope = {
        "limit_cloud_run": {"projects": ["my-product"], "regions": ["europe-west1"], "services": ["api", "wroker"]}
    }
    with Stage(settings(LIMIT, may_touch=scope)) as stage:
        (alert,) = stage.notify(412).alerts
        assert (alert.kind, alert.subject) == ("matches_nothing", "monthly")
        assert "wroker" in alert.reason
        assert "worker" in alert.reason
        assert maximum(stage) == 1


def test_a_worker_pool_is_limited_and_restored_and_one_that_is_not_there_is_an_alert() -> None:
    pools = {"projects": ["my-product"], "regions": ["europe-west1"], "worker_pools": ["rendering", "rendring"]}
    product = {"location": "europe-west1", "worker_pools": {"rendering": {"manual_instance_count": 6}}}
    world = WORLD | {"projects": WORLD["projects"] | {"my-product": product}}
    with Stage(settings(LIMIT, may_touch={"limit_cloud_run": pools | {"max_instances": 2}}), world=world) as stage:
        assert instances(stage) == 6
        (alert,) = stage.notify(412).alerts
        assert (alert.kind, instances(stage)) == ("matches_nothing", 2)
        assert alert.reason.startswith("limit_cloud_run: worker_pools 'rendring' matches nothing in my-product")
        assert alert.reason.endswith("did you mean rendering?")
        stage.command(type="undo", after=1)
        assert (instances(stage), stage.records.holds) == (6, {})


def instances(stage: Stage) -> int:
    """The instance count of the worker pool."""
    name = "projects/my-product/locations/europe-west1/workerPools/rendering"
    return stage.clients.of(WorkerPoolsClient).get_worker_pool(name=name).scaling.manual_instance_count
