"""Settings that are edited while something is in force: nothing is stranded, and commands are not forgotten."""

import pytest
from google.cloud.billing_v1 import CloudBillingClient
from google.cloud.run_v2 import ServicesClient
from grpc import StatusCode

from functions.cap_spending.settings import Settings
from shared.errors import RunFailed
from shared.report import Outcome
from shared.settings import Mode
from tests.functions.cap_spending.examples import (
    API,
    BUDGET_ID,
    EXPERIMENTS,
    MAY_TOUCH,
    TEAM_BUDGET_ID,
    WORKER,
    a_budget,
    settings,
    settings_of,
)
from tests.functions.cap_spending.stage import Stage

pytestmark = pytest.mark.one_python

LIMIT = {"at": 1.0, "do": ["limit_cloud_run"]}
DETACH = {"at": 1.0, "do": ["detach_billing"]}


def maximum(stage: Stage, name: str = API) -> int:
    """A service's maximum instances."""
    return stage.people.of(ServicesClient).get_service(name=name).scaling.max_instance_count


def is_linked(stage: Stage) -> bool:
    """Whether the experiments have a billing account."""
    return stage.people.of(CloudBillingClient).get_project_billing_info(name=EXPERIMENTS).billing_enabled


@pytest.mark.parametrize(
    "command",
    [{"type": "undo"}, {"type": "accept", "rung": "actual@1"}, {"type": "snooze", "until": "2026-11-20T00:00:00Z"}],
)
def test_a_budget_that_is_renamed_keeps_what_was_said_of_it(command: dict[str, str]) -> None:
    with Stage(settings(LIMIT)) as stage:
        stage.notify(120)
        if command["type"] != "snooze":
            stage.notify(412, after=1)
        stage.command(after=1, **command)
        stage.settings = settings_of(production=a_budget(LIMIT))
        stage.notify(413, after=1)
        assert maximum(stage) == 20
        assert "monthly" not in stage.records.budgets
        assert "production" in stage.records.budgets


def test_two_budgets_that_swap_their_keys_keep_their_own_records() -> None:
    team = a_budget(LIMIT, id=TEAM_BUDGET_ID)
    with Stage(settings_of(monthly=a_budget(LIMIT), team=team)) as stage:
        stage.notify(412)
        assert maximum(stage) == 1
        stage.settings = settings_of(team=a_budget(LIMIT), monthly=team)
        stage.tick(1)
        assert stage.records.budgets.keys() == {"team"}
        assert {rung for hold in stage.records.holds.values() for rung in hold.held_by} == {"team/actual@1"}
        assert maximum(stage) == 1


@pytest.mark.parametrize(
    "edited",
    [
        pytest.param(settings_of(team=a_budget(LIMIT, id=TEAM_BUDGET_ID)), id="the budget leaves"),
        pytest.param(settings({"at": 1.0, "do": ["notify"]}, may_touch={}), id="the action leaves"),
        pytest.param(settings({"at": 2.0, "do": ["limit_cloud_run"]}), id="the rung moves up"),
        pytest.param(
            settings(
                LIMIT,
                may_touch=MAY_TOUCH
                | {"limit_cloud_run": {"projects": ["my-product"], "regions": ["europe-west4"], "services": ["api"]}},
            ),
            id="the region changes",
        ),
        pytest.param(
            settings(
                LIMIT,
                may_touch=MAY_TOUCH
                | {"limit_cloud_run": {"projects": ["another"], "regions": ["europe-west1"], "services": ["api"]}},
            ),
            id="the project changes",
        ),
        pytest.param(
            settings(
                LIMIT,
                may_touch=MAY_TOUCH
                | {"limit_cloud_run": {"projects": ["my-product"], "regions": ["europe-west1"], "services": ["other"]}},
            ),
            id="the services change",
        ),
        pytest.param(settings(LIMIT, id=TEAM_BUDGET_ID), id="the budget's id changes"),
        pytest.param(settings(LIMIT, currency="EUR"), id="the currency changes"),
    ],
)
def test_what_no_setting_asks_for_any_more_is_restored(edited: Settings) -> None:
    with Stage(settings(LIMIT)) as stage:
        stage.notify(412)
        assert (maximum(stage), maximum(stage, WORKER)) == (1, 1)
        stage.settings = edited
        stage.tick(1)
        stage.tick(1)
        assert (maximum(stage), maximum(stage, WORKER)) == (20, 10)
        assert stage.records.holds == {}


def test_a_budget_that_leaves_while_a_detach_is_intended_stops_nothing() -> None:
    monthly, team = a_budget(DETACH), a_budget(DETACH, id=TEAM_BUDGET_ID)
    with Stage(settings_of(monthly=monthly, team=team)) as stage:
        stage.cloud.server.fail("UpdateProjectBillingInfo", StatusCode.PERMISSION_DENIED, times=2)
        for budget, cost, amount in ((BUDGET_ID, 412, 400), (TEAM_BUDGET_ID, 110, 100)):
            with pytest.raises(RunFailed):
                stage.notify(cost, amount, budget=budget)
        stage.cloud.server.clear_faults()
        stage.settings = settings_of(team=team)
        assert stage.tick(1).outcome is Outcome.APPLIED
        assert not is_linked(stage)


@pytest.mark.parametrize(
    "command", [{"type": "link_billing", "project": "my-experiments"}, {"type": "undo"}], ids=["link_billing", "undo"]
)
def test_a_detached_project_is_linked_by_command_after_its_budget_has_left(command: dict[str, str]) -> None:
    with Stage(settings(DETACH)) as stage:
        stage.notify(412)
        assert not is_linked(stage)
        stage.settings = settings_of(team=a_budget({"at": 1.0, "do": ["notify"]}, id=TEAM_BUDGET_ID, may_touch={}))
        (alert,) = stage.tick(1).alerts
        assert (alert.kind, alert.subject) == ("held_without_settings", EXPERIMENTS)
        assert "link_billing" in alert.reason
        stage.command(after=1, **command)
        assert is_linked(stage)
        assert stage.tick(1).alerts == ()


def test_what_is_held_while_observing_is_an_alert() -> None:
    with Stage(settings(LIMIT)) as stage:
        stage.notify(412)
        stage.mode = Mode.OBSERVE
        report = stage.tick(1)
        assert {(alert.kind, alert.subject) for alert in report.alerts} == {
            ("held_while_observing", API),
            ("held_while_observing", WORKER),
        }
        assert maximum(stage) == 1
