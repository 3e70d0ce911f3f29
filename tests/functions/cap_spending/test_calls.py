"""The calls of a message that changes nothing: one read, and one write more for a newer notification."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from google.cloud.firestore_v1.types import CommitRequest

from shared.report import Outcome
from shared.settings import Mode
from tests.functions.cap_spending import examples
from tests.functions.cap_spending.examples import API, DECEMBER, INBOX, MAY_TOUCH, NOON, hours, settings
from tests.functions.cap_spending.stage import GET_BUDGET, Stage

pytestmark = pytest.mark.one_python

READ, WRITE = "BatchGetDocuments", "Commit"
Before = Callable[[Stage], object]
COST = 700.0


@pytest.fixture
def stage() -> Iterator[Stage]:
    with Stage() as stage:
        yield stage


def nothing(_stage: Stage) -> None:
    """Nothing has happened yet."""


def half(stage: Stage) -> None:
    """A notification was sent."""
    stage.notify(210)


def undone(stage: Stage) -> None:
    """Everything was in force, and is undone."""
    stage.notify(COST)
    stage.command(1, type="undo")


def accepted(stage: Stage) -> None:
    """All rungs are accepted."""
    stage.notify(120)
    for rung in ("actual@0.5", "actual@1", "actual@1.5"):
        stage.command(1, type="accept", rung=rung)
    stage.notify(COST, after=1)


def snoozed(stage: Stage) -> None:
    """Everything is passed, and held back."""
    stage.command(type="snooze", until=(NOON + timedelta(days=20)).isoformat())
    stage.notify(COST, after=1)


def new_month(stage: Stage) -> None:
    """Everything was in force, and has let go; a project is still detached."""
    stage.notify(COST)
    stage.notify(2.4, interval=DECEMBER, after=24 * 16)


@pytest.mark.parametrize("before", [nothing, half, undone, accepted, snoozed, new_month])
def test_a_tick_with_nothing_to_do_is_one_read(stage: Stage, before: Before) -> None:
    before(stage)
    stage.calls()
    assert stage.tick(1 / 6).outcome is Outcome.UNCHANGED
    assert stage.calls() == [READ]


def capped(stage: Stage) -> None:
    """Everything is in force."""
    stage.notify(COST)


def by_hand(stage: Stage) -> None:
    """Everything is in force, and a person has changed a service since."""
    stage.notify(COST)
    stage.set_max_instances(API, 7)
    stage.tick(1 / 6)


EVERYWHERE = [nothing, half, undone, accepted, snoozed, new_month, capped, by_hand]


@pytest.mark.parametrize("before", EVERYWHERE)
def test_a_newer_notification_is_one_read_and_one_write_and_a_duplicate_one_read(stage: Stage, before: Before) -> None:
    before(stage)
    interval = DECEMBER if before is new_month else examples.NOVEMBER
    costs: dict[Before, float] = {nothing: 3.0, half: 211.0, new_month: 2.5}
    cost = costs.get(before, COST + 1)
    stage.calls()
    report = stage.notify(cost, interval=interval, after=1, message_id="7")
    assert report.outcome is Outcome.UNCHANGED
    assert stage.calls() == [READ, WRITE]
    again = stage.notify(cost, interval=interval, message_id="7")
    assert (again.outcome, stage.calls()) == (Outcome.UNCHANGED, [READ])


def test_a_stale_notification_is_one_read(stage: Stage) -> None:
    capped(stage)
    stage.notify(COST + 5, after=2)
    stage.calls()
    stale = stage.notify(COST, published=stage.cloud.clock.now() - hours(1))
    assert (stale.outcome, stage.calls()) == (Outcome.UNCHANGED, [READ])


@pytest.mark.parametrize("before", EVERYWHERE)
def test_a_command_that_is_repeated_is_one_read(stage: Stage, before: Before) -> None:
    before(stage)
    published = stage.cloud.clock.now()
    undo = {"type": "undo"}
    stage.push(undo, topic=INBOX, published=published, message_id="8")
    stage.calls()
    stage.push(undo, topic=INBOX, published=published, message_id="8")
    assert stage.calls() == [READ]


def test_a_tick_while_something_is_in_force_reads_the_budget_and_what_it_holds(stage: Stage) -> None:
    capped(stage)
    stage.calls()
    stage.tick(1 / 6)
    first, *rest = stage.calls()
    assert (first, sorted(rest)) == (READ, [GET_BUDGET, "GetProjectBillingInfo", "ListJobs", "ListServices"])


def test_a_tick_for_restrictions_alone_reads_the_budget() -> None:
    with Stage(settings({"at": 0.5, "do": ["gpu_pools_off"]}, may_touch={})) as stage:
        stage.notify(210)
        stage.calls()
        stage.tick(1 / 6)
        assert stage.calls() == [READ, GET_BUDGET]


def test_observing_a_routine_status_costs_no_more() -> None:
    with Stage(mode=Mode.OBSERVE) as stage:
        assert stage.notify(120).outcome is Outcome.UNCHANGED
        assert stage.calls() == [READ, WRITE]
        assert stage.tick(1 / 6).outcome is Outcome.UNCHANGED
        assert stage.calls() == [READ]


def test_observing_writes_nothing_but_what_it_remembers(stage: Stage) -> None:
    stage.mode = Mode.OBSERVE
    before = stage.values
    first = stage.notify(COST)
    assert (first.outcome, first.plan_changed) == (Outcome.OBSERVED, True)
    again = stage.notify(COST, after=1)
    assert (again.outcome, again.plan_changed) == (Outcome.OBSERVED, False)
    stage.tick(1 / 6)
    sent = [call.request.SerializeToString() for call in stage.cloud.server.calls if call.mutating]
    names = {
        write.update.name.rpartition("/documents/")[2]
        for request in sent
        for write in CommitRequest.deserialize(request).writes
    }
    assert names == {"records/cap_spending", "history/2026-11-15"}
    assert stage.values == before
    assert (stage.records.holds, dict(stage.restrictions.in_force)) == ({}, {})
    assert {key.rpartition("/")[2] for key in stage.records.in_force} == {"notify"}


def test_a_foreign_message_is_no_call_at_all(stage: Stage) -> None:
    stage.calls()
    given = examples.attributes(budgetId=examples.TEAM_BUDGET_ID)
    assert stage.push(examples.notification(COST), given=given).outcome is Outcome.IGNORED
    assert stage.calls() == []


def test_a_crossing_that_only_notifies_reads_nothing_of_the_world(stage: Stage) -> None:
    stage.calls()
    half(stage)
    assert set(stage.calls()) == {READ, WRITE}


def test_a_scope_that_is_not_needed_is_not_read() -> None:
    known = settings({"at": 1.0, "do": ["pause_schedules"]}, may_touch=MAY_TOUCH)
    with Stage(known) as stage:
        stage.notify(COST)
        assert {"ListServices", "GetProjectBillingInfo"} & set(stage.calls()) == set()
