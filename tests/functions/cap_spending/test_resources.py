"""Resources while a rung is in force: changes by people, edited settings, crashes."""

from decimal import Decimal

import pytest

from functions.cap_spending.changes import CapSpendingChange
from functions.cap_spending.commands import Undo
from functions.cap_spending.settings import Settings
from shared.events import RestrictionsChanged
from shared.hold_messages import ChangedByPerson, Gone, InFlight, KeptByPerson
from shared.restrictions import SpendingRestrictions
from tests.functions.cap_spending.examples import (
    API,
    DECEMBER,
    MAY_TOUCH,
    TEAM_BUDGET_ID,
    WORKER,
    a_budget,
    settings,
    settings_of,
    without,
)
from tests.functions.cap_spending.simulation import CAPPED, FREE, Crash, Fault, Simulation, a_service

LIMIT = {"at": 1.0, "do": ["limit_cloud_run"]}


def test_settings_that_are_narrowed_let_go_on_the_next_tick() -> None:
    stage = Simulation()
    stage.notify(412)
    fewer = without(MAY_TOUCH, "pause_schedules") | {
        "limit_cloud_run": {"projects": ["my-product"], "regions": ["europe-west1"], "services": ["api"]},
    }
    stage.settings = settings({"at": 1.0, "do": ["notify", "limit_cloud_run"]}, may_touch=fewer)
    stage.tick(1)
    assert stage.values == FREE | {"api": 1}


@pytest.mark.parametrize("left", [settings_of(), settings_of(team=a_budget(id=TEAM_BUDGET_ID))])
def test_a_budget_that_is_removed_lets_go(left: Settings) -> None:
    stage = Simulation()
    stage.notify(412)
    stage.settings = left
    stage.deliver(RestrictionsChanged(), after=1)
    assert (stage.values, stage.records.holds, stage.records.in_force) == (FREE, {}, {})
    assert stage.restrictions == SpendingRestrictions()


def test_a_lower_limit_in_the_settings_is_applied_and_the_original_kept() -> None:
    stage = Simulation(settings(LIMIT, may_touch=_limit_of(5)))
    stage.notify(412)
    assert stage.maximum() == 5
    stage.settings = settings(LIMIT, may_touch=_limit_of(2))
    stage.tick(1)
    assert stage.maximum() == 2
    stage.deliver(Undo(), after=1)
    assert stage.maximum() == 20


def test_a_service_that_is_new_is_held_on_the_next_tick() -> None:
    stage = Simulation()
    worker = stage.resources.pop(WORKER)
    stage.notify(412)
    stage.resources[WORKER] = worker
    stage.tick(1)
    assert stage.values == CAPPED


def test_a_service_that_is_gone_is_forgotten() -> None:
    stage = Simulation()
    stage.notify(412)
    del stage.resources[WORKER]
    stage.tick(1)
    assert WORKER not in stage.records.holds
    assert stage.notices == [str(Gone(WORKER))]
    stage.resources[WORKER] = a_service(WORKER, 30)
    stage.deliver(Undo(), after=1)
    assert stage.values == FREE | {"worker": 30}


def test_what_a_person_changes_is_left_alone_then_and_at_the_release() -> None:
    stage = Simulation()
    stage.notify(412)
    stage.change_by_hand(WORKER, 4)
    stage.tick(1)
    assert stage.values == CAPPED | {"worker": 4}
    assert stage.notices == [str(ChangedByPerson(WORKER, {"max_instances": 4}))]
    stage.notify(1, interval=DECEMBER, after=1)
    assert stage.values == FREE | {"worker": 4}
    assert stage.notices == [str(KeptByPerson(WORKER, "max_instances", 4, 1))]


def test_what_a_person_changed_between_intention_and_deed_costs_no_more_reads() -> None:
    stage = Simulation(settings(LIMIT))
    stage.notify(412, fault=_crash_at(0))
    stage.change_by_hand(API, 7)
    stage.notify(413, after=1)
    assert stage.values == FREE | {"api": 7, "worker": 1}
    stage.notify(414, after=1)
    assert (stage.looked_at, stage.planned) == (frozenset(), [])


@pytest.mark.parametrize("place", range(10))
@pytest.mark.parametrize("tripped_again", [False, True])
def test_a_release_that_is_cut_short_is_ours_all_the_same(place: int, *, tripped_again: bool) -> None:
    stage = Simulation()
    stage.notify(412)
    stage.notify(1, interval=DECEMBER, after=24 * 16, fault=_crash_at(place))
    if tripped_again:
        stage.notify(412, interval=DECEMBER, after=1)
        assert stage.values == CAPPED
    else:
        stage.tick(1)
        assert (stage.values, stage.records.holds) == (FREE, {})


def test_a_service_in_flight_is_waited_for() -> None:
    stage = Simulation(settings(LIMIT))
    stage.resources[API] = a_service(in_flight=True)
    stage.notify(412)
    assert (stage.maximum(), stage.values["worker"]) == (20, 1)
    assert stage.plans[-1].waiting == (InFlight(API),)
    stage.resources[API] = a_service()
    stage.notify(413, after=1)
    assert stage.maximum() == 1


def test_a_tick_of_another_budget_changes_nothing_of_this_one() -> None:
    stage = Simulation(
        settings_of(monthly=a_budget(), team=a_budget(id=TEAM_BUDGET_ID)), amounts={"team": Decimal(900)}
    )
    stage.notify(412)
    stage.tick(1)
    assert stage.values == CAPPED


def _limit_of(instances: int) -> dict[str, object]:
    scope = {"projects": ["my-product"], "regions": ["europe-west1"], "services": ["api"], "max_instances": instances}
    return {"limit_cloud_run": scope}


def _crash_at(place: int) -> Fault:
    def fault(reached: int, _change: CapSpendingChange) -> None:
        if reached == place:
            raise Crash

    return fault
