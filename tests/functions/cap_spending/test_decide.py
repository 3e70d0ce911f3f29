"""The decisions of `cap_spending`, run after run, on a world in memory."""

import json
import subprocess
import sys
from decimal import Decimal

import pytest

from functions.cap_spending.changes import CapSpendingChange, SetMaxInstances, SetRestrictions
from functions.cap_spending.commands import Accept, Snooze, Undo
from functions.cap_spending.world import AmountOf, JobsIn, ServicesIn
from shared.holds import Phase
from shared.restrictions import InForce, Restriction, SpendingRestrictions
from tests.functions.cap_spending.examples import (
    API,
    DECEMBER,
    NOON,
    NOVEMBER,
    TEAM_BUDGET_ID,
    WORKER,
    a_budget,
    hours,
    settings,
    settings_of,
)
from tests.functions.cap_spending.simulation import (
    CAPPED,
    FREE,
    Crash,
    Simulation,
    a_service,
)

LIMIT = {"at": 1.0, "do": ["limit_cloud_run"]}


def test_routine_status_plans_nothing_and_looks_at_nothing() -> None:
    stage = Simulation()
    for cost in (0, 3, 120, 199.99):
        stage.notify(cost, after=1)
        assert (stage.planned, stage.looked_at, stage.notified) == ([], frozenset(), [])
    stage.tick(1)
    assert (stage.looked_at, stage.values) == (frozenset(), FREE)


def test_a_crossing_and_a_new_month() -> None:
    stage = Simulation()
    stage.notify(412.3)
    assert stage.values == CAPPED
    assert sorted(stage.restrictions.in_force) == [Restriction.GPU_POOLS_OFF]
    assert stage.notified == ["monthly/actual@0.5", "monthly/actual@1"]
    assert {hold.phase for hold in stage.records.holds.values()} == {Phase.CONFIRMED}
    stage.notify(2.4, interval=DECEMBER, after=24 * 16)
    assert (stage.values, stage.records.holds, stage.records.in_force) == (FREE, {}, {})
    assert stage.restrictions == SpendingRestrictions()


@pytest.mark.parametrize("again", ["the same notification", "a newer one", "a stale one"])
def test_what_is_carried_out_is_not_planned_again(again: str) -> None:
    stage = Simulation()
    stage.notify(412.3)
    stage.notify(390.0 if again == "a stale one" else 412.3, after=1 if again == "a newer one" else 0)
    assert (stage.planned, stage.looked_at, stage.values) == ([], frozenset(), CAPPED)
    assert stage.notified == ["monthly/actual@0.5", "monthly/actual@1"]


def test_a_tick_while_something_is_in_force_looks_at_it_and_at_the_budget() -> None:
    stage = Simulation()
    stage.notify(412.3)
    stage.tick(1)
    assert stage.looked_at == {ServicesIn, JobsIn, AmountOf}
    assert stage.planned == []


def test_a_tick_looks_at_nothing_for_a_rung_that_only_notifies() -> None:
    stage = Simulation(settings({"at": 0.5, "do": ["notify"]}))
    stage.notify(210)
    stage.tick(1)
    assert (stage.looked_at, stage.notified) == (frozenset(), ["monthly/actual@0.5"])


def test_restrictions_alone_are_reason_to_read_the_budget() -> None:
    stage = Simulation(settings({"at": 1.0, "do": ["previews_off"]}), amounts={"monthly": Decimal(800)})
    stage.notify(410)
    assert Restriction.PREVIEWS_OFF in stage.restrictions
    stage.tick(1)
    assert stage.looked_at == {AmountOf}
    assert stage.restrictions == SpendingRestrictions()


@pytest.mark.parametrize(
    ("amount", "values"),
    [
        pytest.param(None, CAPPED, id="no fixed amount"),
        pytest.param(Decimal(400), CAPPED, id="as it was"),
        pytest.param(Decimal(411), CAPPED, id="raised, not enough"),
        pytest.param(Decimal(413), FREE, id="raised"),
        pytest.param(Decimal("412.300000001"), FREE, id="raised by next to nothing"),
        pytest.param(Decimal(300), CAPPED, id="lowered"),
        pytest.param(Decimal(200), CAPPED | {"my-experiments": ""}, id="lowered past the next rung"),
    ],
)
def test_a_tick_obeys_the_amount_that_it_reads(amount: Decimal | None, values: dict[str, object]) -> None:
    stage = Simulation(amounts={} if amount is None else {"monthly": amount})
    stage.notify(412.3)
    stage.tick(1)
    assert stage.values == values
    stage.tick(1)
    assert (stage.planned, stage.values) == ([], values)


def test_an_amount_that_was_lowered_acts_at_once_even_if_nothing_else_is_to_do() -> None:
    stage = Simulation(settings(LIMIT, {"at": 1.5, "do": ["detach_billing"]}), amounts={"monthly": Decimal(200)})
    stage.notify(410)
    stage.tick(1)
    assert stage.values == CAPPED | {"batch-import": "ENABLED", "my-experiments": ""}


def test_a_forecast_stays_passed_when_the_budget_is_lowered_and_lets_go_when_it_is_raised() -> None:
    stage = Simulation(settings(LIMIT | {"on": "forecast"}), amounts={"monthly": Decimal(350)})
    stage.notify(200, forecast=1.0)
    stage.tick(1)
    assert stage.maximum() == 1
    stage.amounts = {"monthly": Decimal(500)}
    stage.tick(1)
    assert stage.maximum() == 20


def test_a_raise_lets_go_even_if_not_everything_could_be_done() -> None:
    def fail_for_worker(_place: int, change: CapSpendingChange) -> None:
        if change.target == WORKER:
            raise Crash

    stage = Simulation(amounts={"monthly": Decimal(800)})
    stage.notify(410, fault=fail_for_worker)
    assert stage.values == CAPPED | {"worker": 10}
    stage.tick(1, fault=fail_for_worker)
    assert (stage.values, stage.restrictions) == (FREE, SpendingRestrictions())


def test_two_budgets_hold_the_same_services() -> None:
    stage = Simulation(settings_of(monthly=a_budget(LIMIT), team=a_budget(LIMIT, id=TEAM_BUDGET_ID)))
    stage.notify(410)
    stage.notify(520, 500, budget="team", after=1)
    assert stage.maximum() == 1
    assert stage.records.holds[API].held_by == ("monthly/actual@1", "team/actual@1")
    stage.deliver(Undo(budget="monthly"), after=1)
    assert stage.maximum() == 1
    assert stage.records.holds[API].fields["max_instances"].original == 20
    stage.deliver(Undo(budget="team"), after=1)
    assert (stage.values, stage.records.holds) == (FREE, {})


def test_undo_lets_go_and_the_next_status_does_not_trip_it_again() -> None:
    stage = Simulation()
    stage.notify(412)
    stage.deliver(Undo(), after=1)
    assert stage.values == FREE
    stage.notify(415, after=1)
    stage.tick(1)
    assert (stage.values, stage.restrictions) == (FREE, SpendingRestrictions())
    stage.notify(601, after=1)
    assert stage.values == FREE | {"my-experiments": ""}


def test_a_rung_that_came_into_the_settings_later_is_undone_for_good_too() -> None:
    stage = Simulation(settings({"at": 1.0, "do": ["notify"]}))
    stage.notify(380)
    stage.settings = settings({"at": 0.9, "do": ["limit_cloud_run"]})
    stage.tick(1)
    assert stage.maximum() == 1
    stage.deliver(Undo(), after=1)
    stage.notify(381, after=1)
    assert stage.maximum() == 20


def test_accepting_a_rung_lets_it_go_and_no_other() -> None:
    stage = Simulation()
    stage.notify(605)
    assert stage.values == CAPPED | {"my-experiments": ""}
    stage.deliver(Accept(rung="actual@1"), after=1)
    assert stage.values == FREE | {"my-experiments": ""}


def test_a_snooze_holds_back_what_is_new_until_its_end() -> None:
    stage = Simulation()
    stage.deliver(Snooze(until=NOON + hours(5)))
    stage.notify(412, after=1)
    stage.tick(1)
    assert (stage.values, stage.notified) == (FREE, [])
    stage.tick(3)
    assert stage.values == CAPPED
    stage.deliver(Snooze(until=NOON + hours(50)), after=1)
    assert stage.values == CAPPED
    stage.notify(1, interval=DECEMBER, after=1)
    assert stage.values == FREE


def test_a_projection_acts_on_a_tick_and_stays_passed() -> None:
    stage = Simulation(settings(LIMIT | {"on": "projected"}, hourly_burn=2.5))
    stage.notify(390)
    stage.tick(3.9)
    assert stage.maximum() == 20
    stage.tick(0.1)
    assert stage.maximum() == 1
    stage.notify(391, after=1)
    stage.tick(1)
    assert stage.maximum() == 1
    stage.deliver(Undo(), after=1)
    stage.notify(399, after=10)
    assert stage.maximum() == 20


def test_restrictions_say_since_when_and_why_and_wake_who_obeys() -> None:
    pools, previews = "projects/p/topics/pools", "projects/p/topics/previews"
    known = settings_of(
        monthly=a_budget({"at": 0.5, "do": ["gpu_pools_off"]}, {"at": 1.0, "do": ["gpu_pools_off", "previews_off"]}),
        wake={"gpu_pools_off": [pools], "previews_off": [previews, pools]},
    )
    stage = Simulation(known)
    stage.notify(210)
    (change,) = stage.plans[0].changes
    assert isinstance(change, SetRestrictions)
    assert (change.before, change.after, change.inboxes) == ("none", "gpu_pools_off", (pools,))
    assert str(change.reason) == "cost has reached 210.00 USD, past 50 % of 400.00 USD"
    stage.notify(400, after=1)
    assert stage.restrictions == SpendingRestrictions(
        {
            Restriction.GPU_POOLS_OFF: InForce(NOON, ("monthly/actual@0.5", "monthly/actual@1")),
            Restriction.PREVIEWS_OFF: InForce(NOON + hours(1), ("monthly/actual@1",)),
        }
    )
    stage.deliver(Undo(), after=1)
    (change,) = stage.plans[0].changes
    assert isinstance(change, SetRestrictions)
    assert (change.after, str(change.reason), change.inboxes) == ("none", "no rung asks for any", (pools, previews))


def test_what_comes_next_is_said() -> None:
    stage = Simulation()
    stage.notify(120)
    assert stage.comes_next() == ("monthly/actual@0.5: notify at 200.00 USD (50 %)",)
    stage.notify(412, after=1)
    assert stage.comes_next() == ("monthly/actual@1.5: notify, detach_billing at 600.00 USD (150 %)",)
    stage.notify(650, after=1)
    assert stage.comes_next() == ()


def test_a_change_says_what_it_writes_and_with_which_etag() -> None:
    stage = Simulation(settings(LIMIT))
    stage.resources = {API: a_service(etag='"7"')}
    stage.notify(412)
    (change,) = stage.plans[0].changes
    assert isinstance(change, SetMaxInstances)
    assert (change.max_instances, change.etag, change.is_money) == (1, '"7"', True)
    assert str(change) == f"SetMaxInstances {API}: max_instances 20 -> 1"


def test_records_do_not_grow_with_what_was_said() -> None:
    stage = Simulation()
    for step in range(300):
        stage.notify(step, after=1)
    (interval,) = stage.records.budgets["monthly"].intervals
    assert (interval.first_published, interval.highest_cost) == (NOON + hours(1), Decimal(299))
    assert stage.records.in_force == {"monthly/actual@0.5/notify": NOVEMBER}


def test_the_plan_imports_no_client() -> None:
    # Packages of many distributions, such as `google.cloud`, are there from the start; they have no file of their own.
    program = (
        "import json, sys, functions.cap_spending.decide;"
        "loaded = [name for name, module in sys.modules.items() if getattr(module, '__file__', None)];"
        "print(json.dumps([name for name in loaded if name.split('.')[0] in ('google', 'grpc', 'proto')]))"
    )
    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert json.loads(printed) == []
