"""The records: the same in every order of messages, and with duplicates."""

import itertools
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec.structs import replace

from functions.cap_spending.anomaly import CostAnomaly
from functions.cap_spending.commands import Accept, LinkBilling, Snooze, Status, Undo
from functions.cap_spending.folding import fold
from functions.cap_spending.ladder import active_rungs
from functions.cap_spending.notification import BudgetNotification
from functions.cap_spending.parse import Event
from functions.cap_spending.records import INTERVALS_KEPT, Interval, Newest, Records, Snoozed
from functions.cap_spending.settings import Settings
from shared.events import Dated, RestrictionsChanged, Tick
from tests.functions.cap_spending.examples import (
    DECEMBER,
    NOON,
    NOVEMBER,
    TEAM_BUDGET_ID,
    a_budget,
    hours,
    settings,
    settings_of,
)

SETTINGS = settings_of(
    monthly=a_budget(
        {"at": 0.5, "do": ["notify"]},
        {"at": 1.0, "do": ["notify", "limit_cloud_run"]},
        {"at": 1.0, "on": "forecast", "do": ["previews_off"]},
        {"at": 1.0, "on": "projected", "do": ["gpu_pools_off"]},
        {"at_least": 100, "on": "anomaly", "do": ["limit_cloud_run"]},
        hourly_burn=2.5,
    ),
    team=a_budget({"at": 0.8, "do": ["pause_schedules"]}, id=TEAM_BUDGET_ID),
)

moments = some.integers(0, 6).map(lambda days: NOON + timedelta(days=days))
intervals = some.integers(0, 4).map(lambda months: NOVEMBER + timedelta(days=30 * months))
amounts = some.sampled_from([Decimal("300.0"), Decimal(400), Decimal("400.5")])
notifications = some.builds(
    BudgetNotification,
    budget=some.sampled_from(["monthly", "team"]),
    interval_start=intervals,
    cost=some.integers(0, 1200).map(lambda halves: Decimal(halves) / 2),
    amount=amounts,
    forecast_threshold=some.sampled_from([None, Decimal("0.5"), Decimal(1), Decimal("1.5")]),
)
anomalies = some.builds(
    CostAnomaly,
    budgets=some.just(("monthly",)),
    name=some.sampled_from(["a", "b"]),
    resource=some.just("projects/1"),
    detected=intervals,
    deviation=some.sampled_from([Decimal(50), Decimal(100), Decimal(150)]),
    currency=some.just("USD"),
)
budgets = some.sampled_from(["", "monthly", "team"])
commands = some.one_of(
    some.builds(Undo, budget=budgets),
    some.builds(
        Accept, budget=budgets, rung=some.sampled_from(["actual@1", "actual@0.8", "forecast@1", "anomaly@100"])
    ),
    some.builds(Snooze, budget=budgets, until=moments),
    some.builds(LinkBilling, project=some.just("my-experiments")),
    some.just(Status()),
)
others = some.sampled_from([Tick(every_seconds=600), RestrictionsChanged()])
events = some.builds(
    Dated[Event],
    event=some.one_of(notifications, notifications, anomalies, commands, others),
    message_id=some.integers(1, 3).map(str),
    published=moments,
)


def folded(messages: list[Dated[Event]], known: Settings = SETTINGS) -> Records:
    """The records after these messages, one after another."""
    records = Records()
    for message in messages:
        records = fold(records, message, known)
    return records


def said(
    cost: float,
    amount: float = 400.0,
    *,
    interval: datetime = NOVEMBER,
    at: float = 0,
    forecast: float | None = None,
    message_id: str = "1",
) -> Dated[Event]:
    """A notification of the budget `monthly`, published some hours after noon."""
    event = BudgetNotification(
        "monthly",
        interval,
        Decimal(repr(cost)),
        Decimal(repr(amount)),
        None if forecast is None else Decimal(repr(forecast)),
    )
    return Dated(event, message_id, NOON + hours(at))


def asked(command: Event, at: float = 0) -> Dated[Event]:
    """A command, published some hours after noon."""
    return Dated(command, "1", NOON + hours(at))


@given(some.lists(events, max_size=8), some.data())
def test_the_order_is_no_matter(messages: list[Dated[Event]], draw: some.DataObject) -> None:
    shuffled = draw.draw(some.permutations(messages))
    assert folded(shuffled) == folded(messages)


@given(some.lists(events, min_size=1, max_size=8), some.data())
def test_a_message_that_comes_again_says_nothing_new(messages: list[Dated[Event]], draw: some.DataObject) -> None:
    known = folded(messages)
    for message in messages:
        assert fold(known, message, SETTINGS) == known
    doubled = draw.draw(some.permutations(messages + messages))
    assert folded(doubled) == known


@given(some.lists(events, max_size=8), events)
def test_the_highest_cost_never_falls(messages: list[Dated[Event]], message: Dated[Event]) -> None:
    before, after = folded(messages), folded([*messages, message])
    for key, budget in before.budgets.items():
        then = {(one.interval_start, one.amount): one for one in after.budgets[key].intervals}
        assert after.budgets[key].newest >= budget.newest
        for one in budget.intervals:
            still = then.get((one.interval_start, one.amount))
            assert still is None or (
                still.highest_cost >= one.highest_cost
                and (still.forecast or 0) >= (one.forecast or 0)
                and still.passed.keys() >= one.passed.keys()
            )


@given(some.lists(events, max_size=8))
def test_the_decision_follows_from_the_set_of_messages(messages: list[Dated[Event]]) -> None:
    now = NOON + timedelta(days=7)
    decided = active_rungs(folded(messages), SETTINGS, now)
    assert active_rungs(folded(messages[::-1]), SETTINGS, now) == decided


@given(some.lists(events, max_size=8))
def test_what_is_kept_is_bounded(messages: list[Dated[Event]]) -> None:
    for budget in folded(messages).budgets.values():
        starts = [one.interval_start for one in budget.intervals]
        assert len(set(starts)) <= INTERVALS_KEPT
        assert starts == sorted(starts, reverse=True)
        assert budget.newest.interval_start == budget.current.interval_start


def test_an_undo_accepts_the_cost_of_its_time_whenever_it_arrives() -> None:
    messages = [said(412, at=1), asked(Undo(), 2), said(430, at=3), said(440, 405, at=4)]
    for order in itertools.permutations(messages):
        records = folded(list(order))
        assert records.budgets["monthly"].cost_at(records.undone["monthly"]) == 412


def test_one_notification() -> None:
    known = folded([said(210, forecast=1.0)]).budgets["monthly"]
    assert known.newest == Newest(NOON, "1", NOVEMBER, Decimal(400), Decimal(210))
    assert known.intervals == (
        Interval(
            NOVEMBER,
            Decimal(400),
            first_published=NOON,
            highest_cost=Decimal(210),
            highest_published=NOON,
            forecast=Decimal(1),
            forecast_published=NOON,
            passed={"actual@0.5": NOON, "forecast@1": NOON},
            last_published=NOON,
        ),
    )
    assert known.current.has_reached(Decimal("0.525"))
    assert not known.current.has_reached(Decimal("0.526"))


def test_a_cost_that_falls_again_is_no_less_the_highest() -> None:
    known = folded([said(410), said(390, at=1, message_id="2")]).budgets["monthly"]
    assert (known.current.highest_cost, known.newest.cost) == (Decimal(410), Decimal(390))
    assert known.current.highest_published == NOON


def test_of_equal_costs_the_first_counts() -> None:
    messages = [said(410, at=2), said(410, at=1), said(410, at=3)]
    assert folded(messages).budgets["monthly"].current.highest_published == NOON + hours(1)


def test_an_older_message_raises_the_maximum_of_its_own_interval_and_nothing_else() -> None:
    newest = folded([said(10, interval=DECEMBER, at=400)])
    known = fold(newest, said(500, at=1), SETTINGS).budgets["monthly"]
    assert known.newest == newest.budgets["monthly"].newest
    assert known.current == newest.budgets["monthly"].current
    assert [(one.interval_start, one.highest_cost) for one in known.intervals] == [
        (DECEMBER, Decimal(10)),
        (NOVEMBER, Decimal(500)),
    ]
    assert active_rungs(folded([said(10, interval=DECEMBER, at=400), said(500)]), SETTINGS, NOON) == ()


def test_of_two_messages_of_one_moment_the_id_decides() -> None:
    one, other = said(10, 300, message_id="7"), said(10, 400, message_id="8")
    for messages in ([one, other], [other, one]):
        assert folded(messages).budgets["monthly"].newest.amount == Decimal(400)


def test_amounts_that_are_equal_are_the_same_however_they_are_written() -> None:
    one, other = said(10), said(20, at=1)
    spelled = Dated[Event](replace(other.event, amount=Decimal("400.00")), "2", other.published)
    assert len(folded([one, spelled]).budgets["monthly"].intervals) == 1


def test_an_interval_that_is_long_gone_is_forgotten() -> None:
    starts = [(months, NOVEMBER + timedelta(days=31 * months)) for months in range(5)]
    known = folded([said(10, interval=start, at=24.0 * 31 * months) for months, start in starts])
    kept = {one.interval_start for one in known.budgets["monthly"].intervals}
    assert kept == {NOVEMBER + timedelta(days=31 * months) for months in (2, 3, 4)}
    assert fold(known, said(10), SETTINGS) == known


def test_the_newest_of_each_command_counts() -> None:
    later, earlier = NOON + hours(5), NOON + hours(2)
    known = folded(
        [
            asked(Undo(), at=5),
            asked(Undo(), at=2),
            asked(Accept(rung="actual@1", budget="team"), at=2),
            asked(Accept(rung="actual@1", budget="team"), at=5),
            asked(Snooze(until=NOON + hours(48)), at=2),
            asked(Snooze(until=NOON + hours(24), budget="monthly"), at=5),
            asked(LinkBilling(project="my-experiments"), at=2),
        ]
    )
    assert known.undone == {"monthly": later, "team": later}
    assert known.accepted == {"team": {"actual@1": later}}
    assert known.snoozed == {
        "monthly": Snoozed(NOON + hours(24), said=later),
        "team": Snoozed(NOON + hours(48), said=earlier),
    }
    assert known.linked == {"my-experiments": earlier}


def test_what_is_only_a_hint_says_nothing() -> None:
    known = folded([said(410)])
    for hint in (Tick(every_seconds=600), RestrictionsChanged(), Status()):
        assert fold(known, asked(hint), SETTINGS) is known


def test_of_two_snoozes_of_one_moment_the_longer_counts() -> None:
    short, long = asked(Snooze(until=NOON + hours(1))), asked(Snooze(until=NOON + hours(2)))
    for messages in ([short, long], [long, short]):
        assert folded(messages).snoozed["monthly"].until == NOON + hours(2)


def test_a_rung_is_passed_by_exactly_its_threshold() -> None:
    known = folded([said(200, forecast=1.0)]).budgets["monthly"]
    assert known.current.passed == {"actual@0.5": NOON, "forecast@1": NOON}


@pytest.mark.parametrize("cost", [360, 380])
def test_a_rung_that_came_into_the_settings_later_is_known_from_the_highest_cost(cost: float) -> None:
    known = folded([said(cost, forecast=0.9)], settings({"at": 1.0, "do": ["notify"]}))
    later = settings({"at": 0.9, "do": ["notify"]}, {"at": 0.9, "on": "forecast", "do": ["notify"]})
    steps = active_rungs(known, later, NOON)
    assert [(step.name, step.since) for step in steps] == [("monthly/actual@0.9", NOON), ("monthly/forecast@0.9", NOON)]


def test_a_rung_may_be_accepted_from_the_very_beginning_of_an_interval() -> None:
    accepted = asked(Accept(rung="actual@1", budget="monthly"))
    steps = active_rungs(folded([said(400), accepted]), SETTINGS, NOON)
    assert "actual@1" not in [step.rung.name for step in steps]
