"""After any sequence of events, and any crash, everything ends as it was, or as a person left it."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from functions.cap_spending.changes import CapSpendingChange
from functions.cap_spending.commands import Accept, LinkBilling, Snooze, Undo
from functions.cap_spending.settings import Settings
from shared.events import Command
from shared.restrictions import SpendingRestrictions
from tests.functions.cap_spending.examples import (
    API,
    DECEMBER,
    EXPERIMENTS,
    IMPORT,
    LADDER,
    MAY_TOUCH,
    NOVEMBER,
    TEAM_BUDGET_ID,
    WORKER,
    a_budget,
    hours,
    settings_of,
)
from tests.functions.cap_spending.simulation import ACCOUNT_NAME, Crash, Fault, Simulation, no_fault

pytestmark = [pytest.mark.one_python, pytest.mark.no_cover]

ORIGINALS: dict[str, int | str] = {API: 20, WORKER: 10, IMPORT: "ENABLED", EXPERIMENTS: ACCOUNT_NAME}
LIMIT_OF_TEAM = {"projects": ["my-product"], "regions": ["europe-west1"], "services": ["api"], "max_instances": 5}
KNOWN = [
    settings_of(
        monthly=a_budget(*LADDER, {"at": 1.2, "on": "projected", "do": ["previews_off"]}, hourly_burn=5),
        team=a_budget(
            {"at": 0.8, "on": "forecast", "do": ["pause_schedules"]},
            {"at": 1.0, "do": ["limit_cloud_run"]},
            id=TEAM_BUDGET_ID,
            may_touch=MAY_TOUCH | {"limit_cloud_run": LIMIT_OF_TEAM},
        ),
    ),
    settings_of(monthly=a_budget({"at": 0.9, "do": ["limit_cloud_run"]})),
    settings_of(),
]

JANUARY = datetime(2027, 1, 1, 8, tzinfo=UTC)
OURS = (1, 5, "PAUSED", "")
"""The values that we set: a person's change to the same value looks like ours."""

ByHand = dict[str, list[int | str]]
"""A person's successive values for each resource."""

Deed = Callable[[Simulation, ByHand, Fault], None]
"""Something that happens, in a run that may be cut short."""

costs = some.sampled_from([10.0, 210.0, 390.0, 410.0, 450.0, 605.0])
budgets = some.sampled_from(["monthly", "team"])


def notified(cost: float, amount: float, forecast: float | None, *, december: bool, budget: str) -> Deed:
    """A notification comes."""

    def deed(stage: Simulation, _touched: ByHand, fault: Fault) -> None:
        if budget in stage.settings.budgets:
            interval = DECEMBER if december else NOVEMBER
            stage.notify(cost, amount, forecast=forecast, interval=interval, budget=budget, after=0.4, fault=fault)

    return deed


def asked(command: Command) -> Deed:
    """A command comes."""

    def deed(stage: Simulation, _touched: ByHand, fault: Fault) -> None:
        stage.deliver(command, after=0.1, fault=fault)

    return deed


def snoozed(for_hours: float) -> Deed:
    """A person snoozes for a while."""

    def deed(stage: Simulation, _touched: ByHand, fault: Fault) -> None:
        stage.deliver(Snooze(until=stage.now + hours(for_hours)), fault=fault)

    return deed


def ticked(stage: Simulation, _touched: ByHand, fault: Fault) -> None:
    """A tick comes."""
    stage.tick(1 / 6, fault=fault)


def read_as(amount: float | None) -> Deed:
    """A person changes the budget itself."""

    def deed(stage: Simulation, _touched: ByHand, _fault: Fault) -> None:
        stage.amounts = {} if amount is None else {"monthly": Decimal(repr(amount))}

    return deed


def changed_by_hand(name: str, value: int | str) -> Deed:
    """A person changes a resource."""

    def deed(stage: Simulation, touched: ByHand, _fault: Fault) -> None:
        stage.change_by_hand(name, value)
        touched.setdefault(name, []).append(value)

    return deed


def edited(number: int) -> Deed:
    """The owner deploys other settings."""

    def deed(stage: Simulation, _touched: ByHand, _fault: Fault) -> None:
        stage.settings = KNOWN[number]

    return deed


COMMANDS: list[Command] = [
    Undo(),
    Undo(budget="team"),
    Accept(rung="actual@1"),
    LinkBilling(project="my-experiments"),
]
deeds = some.one_of(
    some.builds(
        notified,
        costs,
        some.sampled_from([400.0, 500.0, 300.0]),
        some.sampled_from([None, 0.8, 1.0]),
        december=some.booleans(),
        budget=budgets,
    ),
    some.just(ticked),
    some.builds(asked, some.sampled_from(COMMANDS)),
    some.sampled_from([0.5, 30.0]).map(snoozed),
    some.sampled_from([None, 300.0, 900.0]).map(read_as),
    some.sampled_from(
        [
            changed_by_hand(API, 7),
            changed_by_hand(API, 1),
            changed_by_hand(API, 20),
            changed_by_hand(WORKER, 0),
            changed_by_hand(IMPORT, "PAUSED"),
            changed_by_hand(IMPORT, "ENABLED"),
        ]
    ),
    some.integers(0, len(KNOWN) - 1).map(edited),
)
cuts = some.one_of(some.none(), some.none(), some.integers(0, 12))


def cut_at(place: int | None) -> Fault:
    """A run that ends there: before a change, or after it."""
    if place is None:
        return no_fault

    def fault(reached: int, _change: CapSpendingChange) -> None:
        if reached == place:
            raise Crash

    return fault


def let_go(stage: Simulation, known: Settings) -> None:
    """The owner wants everything back, and a tick comes."""
    stage.settings = known
    stage.deliver(Undo(), after=1)
    stage.tick(1 / 6)


@given(some.lists(some.tuples(deeds, cuts), max_size=12))
def test_originals_survive(happened: list[tuple[Deed, int | None]]) -> None:
    stage = Simulation(KNOWN[0])
    touched: ByHand = {}
    for deed, place in happened:
        deed(stage, touched, cut_at(place))
    let_go(stage, KNOWN[0])
    assert stage.restrictions == SpendingRestrictions()
    assert stage.records.holds == {}
    for name, original in ORIGINALS.items():
        short = name.rpartition("/")[2]
        by_hand = touched.get(name, [original])
        assert stage.values[short] in ([original, *by_hand] if by_hand[-1] in OURS else [by_hand[-1]])


@given(some.lists(some.tuples(deeds, cuts), max_size=12))
def test_a_person_has_the_last_word(happened: list[tuple[Deed, int | None]]) -> None:
    stage = Simulation(KNOWN[0])
    for deed, place in happened:
        deed(stage, {}, cut_at(place))
    stage.settings = KNOWN[0]
    stage.change_by_hand(API, 13)
    stage.tick(1 / 6)
    stage.notify(700, interval=DECEMBER, after=1)
    let_go(stage, KNOWN[0])
    assert stage.values["api"] == 13


@given(some.lists(some.tuples(deeds, cuts), max_size=12), cuts)
def test_what_is_passed_is_capped_whatever_was_cut_short_before(
    happened: list[tuple[Deed, int | None]], place: int | None
) -> None:
    stage = Simulation(KNOWN[0])
    touched: ByHand = {}
    for deed, cut in happened:
        deed(stage, touched, cut_at(cut))
    stage.settings = KNOWN[0]
    stage.notify(1, interval=JANUARY, after=48, fault=cut_at(place))
    stage.notify(450, interval=JANUARY, after=1)
    capped = {API: 1, WORKER: 1, IMPORT: "PAUSED"}
    assert {name: stage.values[name.rpartition("/")[2]] for name in capped if name not in touched} == {
        name: value for name, value in capped.items() if name not in touched
    }


@given(some.lists(some.tuples(deeds, cuts), max_size=12))
def test_a_second_tick_has_nothing_to_do(happened: list[tuple[Deed, int | None]]) -> None:
    stage = Simulation(KNOWN[0])
    for deed, place in happened:
        deed(stage, {}, cut_at(place))
    stage.tick(1 / 6)
    then = (dict(stage.values), stage.records, stage.restrictions)
    stage.tick()
    assert (dict(stage.values), stage.records, stage.restrictions) == then
    assert [change for plan in stage.plans for change in plan.changes] == []
