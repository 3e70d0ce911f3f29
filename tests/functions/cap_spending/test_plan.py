"""The decisions of `cap_spending`, run after run, on a world in memory."""

import json
import subprocess
import sys
from decimal import Decimal

import pytest

from functions.cap_spending.changes import CapSpendingChange, DetachBilling, SetMaxInstances, SetRestrictions
from functions.cap_spending.commands import Accept, LinkBilling, Snooze, Undo
from functions.cap_spending.settings import Settings
from functions.cap_spending.world import Look
from shared.events import RestrictionsChanged
from shared.holds import Phase
from shared.plan import Refusal
from shared.restrictions import InForce, Restriction, SpendingRestrictions
from tests.functions.cap_spending.examples import (
    ACCOUNT,
    API,
    DECEMBER,
    EXPERIMENTS,
    MAY_TOUCH,
    NOON,
    NOVEMBER,
    OTHER_ACCOUNT,
    PROJECT,
    TEAM_BUDGET_ID,
    WORKER,
    a_budget,
    hours,
    settings,
    settings_of,
    without,
)
from tests.functions.cap_spending.simulation import ACCOUNT_NAME, Crash, Fault, Simulation, a_project, a_service

FREE = {"api": 20, "worker": 10, "batch-import": "ENABLED", "my-experiments": ACCOUNT_NAME}
CAPPED = FREE | {"api": 1, "worker": 1, "batch-import": "PAUSED"}
LIMIT = {"at": 1.0, "do": ["limit_cloud_run"]}


def planned(stage: Simulation) -> list[str]:
    """The kinds of all changes that the latest run planned, round by round."""
    return [change.kind for plan in stage.plans for change in plan.changes]


def maximum(stage: Simulation) -> object:
    """What the service `api` may grow to."""
    return stage.values["api"]


def comes_next(stage: Simulation) -> tuple[str, ...]:
    """What the latest plan says that would come next."""
    return stage.plans[-1].next


def test_routine_status_plans_nothing_and_looks_at_nothing() -> None:
    stage = Simulation()
    for cost in (0, 3, 120, 199.99):
        stage.notify(cost, after=1)
        assert (planned(stage), stage.looked_at, stage.notified) == ([], frozenset(), [])
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
    assert (planned(stage), stage.looked_at, stage.values) == ([], frozenset(), CAPPED)
    assert stage.notified == ["monthly/actual@0.5", "monthly/actual@1"]


def test_a_tick_while_something_is_in_force_looks_at_it_and_at_the_budget() -> None:
    stage = Simulation()
    stage.notify(412.3)
    stage.tick(1)
    assert stage.looked_at == {Look.SERVICES, Look.JOBS, Look.BUDGETS}
    assert planned(stage) == []


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
    assert stage.looked_at == {Look.BUDGETS}
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
    assert (planned(stage), stage.values) == ([], values)


def test_an_amount_that_was_lowered_acts_at_once_even_if_nothing_else_is_to_do() -> None:
    stage = Simulation(settings(LIMIT, {"at": 1.5, "do": ["detach_billing"]}), amounts={"monthly": Decimal(200)})
    stage.notify(410)
    stage.tick(1)
    assert stage.values == CAPPED | {"batch-import": "ENABLED", "my-experiments": ""}


def test_a_forecast_stays_passed_when_the_budget_is_lowered_and_lets_go_when_it_is_raised() -> None:
    stage = Simulation(settings(LIMIT | {"on": "forecast"}), amounts={"monthly": Decimal(350)})
    stage.notify(200, forecast=1.0)
    stage.tick(1)
    assert maximum(stage) == 1
    stage.amounts = {"monthly": Decimal(500)}
    stage.tick(1)
    assert maximum(stage) == 20


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
    assert maximum(stage) == 1
    assert stage.records.holds[API].held_by == ("monthly/actual@1", "team/actual@1")
    stage.deliver(Undo(budget="monthly"), after=1)
    assert maximum(stage) == 1
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
    assert maximum(stage) == 1
    stage.deliver(Undo(), after=1)
    stage.notify(381, after=1)
    assert maximum(stage) == 20


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
    assert maximum(stage) == 20
    stage.tick(0.1)
    assert maximum(stage) == 1
    stage.notify(391, after=1)
    stage.tick(1)
    assert maximum(stage) == 1
    stage.deliver(Undo(), after=1)
    stage.notify(399, after=10)
    assert maximum(stage) == 20


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
    assert change.reason == "cost has reached 210.00 USD, past 50 % of 400.00 USD"
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
    assert (change.after, change.reason, change.inboxes) == ("none", "no rung asks for any", (pools, previews))


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
    assert maximum(stage) == 5
    stage.settings = settings(LIMIT, may_touch=_limit_of(2))
    stage.tick(1)
    assert maximum(stage) == 2
    stage.deliver(Undo(), after=1)
    assert maximum(stage) == 20


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
    assert stage.notices == [f"{WORKER} is gone, so there is nothing to let go"]
    stage.resources[WORKER] = a_service(WORKER, 30)
    stage.deliver(Undo(), after=1)
    assert stage.values == FREE | {"worker": 30}


def test_what_a_person_changes_is_left_alone_then_and_at_the_release() -> None:
    stage = Simulation()
    stage.notify(412)
    stage.change_by_hand(WORKER, 4)
    stage.tick(1)
    assert stage.values == CAPPED | {"worker": 4}
    assert stage.notices == [f"{WORKER} was changed by a person to max_instances 4: left alone while the cap holds"]
    stage.notify(1, interval=DECEMBER, after=1)
    assert stage.values == FREE | {"worker": 4}
    assert stage.notices == [f"{WORKER}: max_instances is 4, not 1 as we left it; left as it is"]


def test_what_a_person_changed_between_intention_and_deed_costs_no_more_reads() -> None:
    stage = Simulation(settings(LIMIT))
    stage.notify(412, fault=_crash_at(0))
    stage.change_by_hand(API, 7)
    stage.notify(413, after=1)
    assert stage.values == FREE | {"api": 7, "worker": 1}
    stage.notify(414, after=1)
    assert (stage.looked_at, planned(stage)) == (frozenset(), [])


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
    assert (maximum(stage), stage.values["worker"]) == (20, 1)
    assert stage.plans[-1].waiting == (f"{API} is being changed: it is looked at again",)
    stage.resources[API] = a_service()
    stage.notify(413, after=1)
    assert maximum(stage) == 1


def test_a_tick_of_another_budget_changes_nothing_of_this_one() -> None:
    stage = Simulation(
        settings_of(monthly=a_budget(), team=a_budget(id=TEAM_BUDGET_ID)), amounts={"team": Decimal(900)}
    )
    stage.notify(412)
    stage.tick(1)
    assert stage.values == CAPPED


DETACH = {"at": 1.5, "do": ["detach_billing"]}


def _detaching(project: str, twice: str = "", account: str = ACCOUNT) -> Simulation:
    scope = {"detach_billing": {"projects": [project, "my-experiments"], "even_the_suites_own_project": twice}}
    stage = Simulation(settings(DETACH, may_touch=scope))
    name = f"projects/{project}"
    stage.resources = {name: a_project(name, f"billingAccounts/{account}" if account else ""), EXPERIMENTS: a_project()}
    stage.notify(605)
    return stage


def test_detaching_is_recorded_first_and_links_again_by_command_only() -> None:
    stage = _detaching("my-sandbox")
    (first, second) = stage.plans[0].changes
    assert isinstance(first, DetachBilling)
    assert isinstance(second, DetachBilling)
    assert first.hold
    assert first.hold.fields["billing_account"].original == ACCOUNT_NAME
    stage.notify(1, interval=DECEMBER, after=24 * 16)
    stage.tick(1)
    assert stage.values == {"my-sandbox": "", "my-experiments": ""}
    assert stage.looked_at == frozenset()
    stage.deliver(LinkBilling(project="my-sandbox"), after=1)
    assert stage.values == {"my-sandbox": ACCOUNT_NAME, "my-experiments": ""}
    stage.deliver(Undo(), after=1)
    assert (stage.values["my-experiments"], stage.records.holds) == (ACCOUNT_NAME, {})


def test_a_project_that_was_linked_again_is_not_detached_by_the_next_status() -> None:
    stage = _detaching("my-sandbox")
    stage.deliver(LinkBilling(project="my-sandbox"), after=1)
    stage.notify(610, after=1)
    stage.tick(1)
    assert stage.values == {"my-sandbox": ACCOUNT_NAME, "my-experiments": ""}
    stage.notify(610, interval=DECEMBER, after=24 * 16)
    stage.tick(1)
    assert stage.values["my-sandbox"] == ""


def test_a_project_of_another_account_is_refused_and_no_other() -> None:
    stage = _detaching("my-sandbox", account=OTHER_ACCOUNT)
    assert stage.values == {"my-sandbox": f"billingAccounts/{OTHER_ACCOUNT}", "my-experiments": ""}
    reason = f"my-sandbox is linked to billingAccounts/{OTHER_ACCOUNT}, which is not the account of this budget"
    assert stage.plans[0].refusals == (Refusal("projects/my-sandbox", "may_be_detached", reason),)


@pytest.mark.parametrize(("twice", "is_detached"), [("", False), ("my-experiments", False), (PROJECT, True)])
def test_the_suites_own_project_must_be_named_twice(twice: str, *, is_detached: bool) -> None:
    stage = _detaching(PROJECT, twice)
    assert stage.values == {PROJECT: "" if is_detached else ACCOUNT_NAME, "my-experiments": ""}
    if not is_detached:
        (refusal,) = stage.plans[0].refusals
        assert refusal.reason == (
            f"{PROJECT} is the project that Caretaker runs in, and would stop it too; to allow that, set "
            f"`may_touch.detach_billing.even_the_suites_own_project: {PROJECT}`"
        )


def test_nothing_that_a_refusal_stops_is_intended() -> None:
    stage = _detaching(PROJECT)
    assert f"projects/{PROJECT}" not in stage.records.holds


def test_what_comes_next_is_said() -> None:
    stage = Simulation()
    stage.notify(120)
    assert comes_next(stage) == ("monthly/actual@0.5: notify at 200.00 USD (50 %)",)
    stage.notify(412, after=1)
    assert comes_next(stage) == ("monthly/actual@1.5: notify, detach_billing at 600.00 USD (150 %)",)
    stage.notify(650, after=1)
    assert comes_next(stage) == ()


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
        "import json, sys, functions.cap_spending.plan;"
        "loaded = [name for name, module in sys.modules.items() if getattr(module, '__file__', None)];"
        "print(json.dumps([name for name in loaded if name.split('.')[0] in ('google', 'grpc', 'proto')]))"
    )
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert json.loads(told) == []


def _limit_of(instances: int) -> dict[str, object]:
    scope = {"projects": ["my-product"], "regions": ["europe-west1"], "services": ["api"], "max_instances": instances}
    return {"limit_cloud_run": scope}


def _crash_at(place: int) -> Fault:
    def fault(reached: int, _change: CapSpendingChange) -> None:
        if reached == place:
            raise Crash

    return fault
