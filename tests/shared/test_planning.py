"""A command that is only planned writes nothing; one that is carried out as planned does just that, or nothing."""

import pytest
from google.api_core import exceptions

from localcloud import LocalCloud
from shared.acting import NOTHING_PLANNED, PLAN_CHANGED
from shared.clients import Clients
from shared.errors import RunFailed
from shared.events import ASKED
from shared.report import Outcome
from shared.settings import Mode
from tests.shared.house import Stage


@pytest.fixture
def stage(cloud: LocalCloud, clients: Clients) -> Stage:
    return Stage(cloud, clients)


def written(stage: Stage) -> list[str]:
    return [method for method in stage.calls() if method == "Commit"]


@pytest.mark.parametrize("mode", Mode)
def test_planning_reads_and_decides_and_writes_nothing(stage: Stage, mode: Mode) -> None:
    stage.mode = mode
    report = stage.wish(7, plan=ASKED)
    assert (report.outcome, report.counts, report.status) == (Outcome.OBSERVED, {Outcome.OBSERVED: 3}, ("level 7",))
    assert (written(stage), stage.house.changes) == ([], [])


def test_the_command_then_does_just_what_the_plan_said(stage: Stage) -> None:
    planned = stage.wish(7, plan=ASKED)
    done = stage.wish(7, plan=planned.plan)
    assert {change.target: change.after for change in planned.changes} == {
        change.target: change.after for change in done.changes if change.outcome is Outcome.APPLIED
    }
    assert stage.wish(7, plan=ASKED).plan == NOTHING_PLANNED


def test_it_is_refused_if_the_plan_has_changed_and_writes_nothing(stage: Stage) -> None:
    planned = stage.wish(7, plan=ASKED)
    stage.house.levels["attic"] = 7
    stage.calls()
    refused = stage.wish(7, plan=planned.plan)
    assert (refused.outcome, refused.why) == (Outcome.IGNORED, PLAN_CHANGED)
    assert (written(stage), stage.house.changes) == ([], [])
    assert stage.wish(7, plan=refused.plan).outcome is Outcome.APPLIED


def test_a_redelivery_goes_on_with_what_an_earlier_one_put_on_record(stage: Stage) -> None:
    planned = stage.wish(7, plan=ASKED)
    stage.house.errors = {"attic": [exceptions.PermissionDenied("no")]}
    now = stage.cloud.clock.now()
    with pytest.raises(RunFailed):
        stage.wish(7, plan=planned.plan, message_id="1", published=now)
    assert stage.wish(7, plan=planned.plan, message_id="1", published=now).outcome is Outcome.APPLIED


def test_what_cannot_be_read_is_in_the_plan_and_is_not_delivered_again(stage: Stage) -> None:
    stage.house.dark = {"attic": exceptions.PermissionDenied("no")}
    assert stage.wish(7, plan=ASKED).outcome is Outcome.FAILED


def test_a_tick_cannot_be_planned(stage: Stage) -> None:
    stage.wish(7)
    stage.house.levels["attic"] = 0
    assert stage.push({"type": "tick", "every_seconds": 600}, plan=ASKED).outcome is Outcome.APPLIED
