"""The rungs in force: tables of events and results."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from functions.cap_spending.commands import Accept, Snooze, Undo
from functions.cap_spending.folding import fold
from functions.cap_spending.ladder import active_rungs, latched_intervals, passed_rungs, projected_crossing
from functions.cap_spending.messages import percent
from functions.cap_spending.notification import BudgetNotification
from functions.cap_spending.parse import Event
from functions.cap_spending.records import Records
from shared.events import Dated
from tests.functions.cap_spending.examples import DECEMBER, NOON, NOVEMBER, hours, settings

LADDER = settings(
    {"at": 0.5, "do": ["notify"]},
    {"at": 0.8, "do": ["previews_off"]},
    {"at": 1.0, "do": ["notify", "gpu_pools_off"]},
    {"at": 1.0, "on": "forecast", "do": ["previews_off"]},
    {"at": 1.2, "on": "forecast", "do": ["gpu_pools_off"]},
)


def says(cost: float, amount: float = 400.0, forecast: float | None = None, interval: datetime = NOVEMBER) -> Event:
    """The facts of a notification."""
    return BudgetNotification(
        "monthly",
        interval,
        Decimal(repr(cost)),
        Decimal(repr(amount)),
        None if forecast is None else Decimal(repr(forecast)),
    )


def after(*said: Event) -> Records:
    """The records after these events, each published an hour after the one before."""
    records = Records()
    for place, event in enumerate(said):
        records = fold(records, Dated(event, str(place), NOON + hours(place)), LADDER)
    return records


def in_force(records: Records, at: float = 24) -> list[str]:
    """The names of the rungs that are in force some hours after noon."""
    return [step.rung.name for step in active_rungs(records, LADDER, NOON + hours(at))]


PASSED = ["actual@0.5", "actual@0.8", "actual@1"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param([], [], id="nothing said yet"),
        pytest.param([says(0)], [], id="nothing spent"),
        pytest.param([says(199.99)], [], id="a cent below"),
        pytest.param([says(200)], ["actual@0.5"], id="exactly half"),
        pytest.param([says(2.4, 3.0)], ["actual@0.5", "actual@0.8"], id="2.4 of 3.0 is exactly 0.8"),
        pytest.param([says(0.1 + 0.2, 0.3)], ["actual@0.5", "actual@0.8", "actual@1"], id="a float above"),
        pytest.param([says(4000)], ["actual@0.5", "actual@0.8", "actual@1"], id="ten times over"),
        pytest.param([says(410), says(100)], ["actual@0.5", "actual@0.8", "actual@1"], id="a cost that falls again"),
        pytest.param([says(0, forecast=0.9)], [], id="a forecast below every rung"),
        pytest.param([says(0, forecast=1.0)], ["forecast@1"], id="a forecast rule"),
        pytest.param([says(0, forecast=1.5)], ["forecast@1", "forecast@1.2"], id="a higher forecast rule"),
        pytest.param([says(0, forecast=1.0), says(0)], ["forecast@1"], id="a forecast that falls again"),
        pytest.param([says(410), says(1, interval=DECEMBER)], [], id="a new interval"),
        pytest.param([says(1, interval=DECEMBER), says(410)], PASSED, id="an earlier period that is spoken of later"),
        pytest.param([says(410), says(410, 900)], [], id="a larger amount"),
        pytest.param([says(410), says(411, 405)], ["actual@0.5", "actual@0.8", "actual@1"], id="larger, not enough"),
        pytest.param([says(410), says(410, 300)], ["actual@0.5", "actual@0.8", "actual@1"], id="a smaller amount"),
        pytest.param(
            [says(250), says(250, 200)], ["actual@0.5", "actual@0.8", "actual@1"], id="so small that it trips"
        ),
        pytest.param(
            [says(410), says(415, 900), says(420)], ["actual@0.5", "actual@0.8", "actual@1"], id="there and back again"
        ),
        pytest.param([says(390, 390), says(1, 410, interval=DECEMBER)], [], id="the amount of last month's cost"),
    ],
)
def test_what_was_said_and_what_is_in_force(said: list[Event], expected: list[str]) -> None:
    assert in_force(after(*said)) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param([says(410), Undo()], [], id="undone"),
        pytest.param([says(410), Undo(), says(411)], [], id="undone, and the next status"),
        pytest.param([says(900), Undo(), says(901, 500)], [], id="undone, and raised by less than the overrun"),
        pytest.param([says(450), Undo(), says(460, 455)], ["actual@1"], id="undone, raised above it, and passed again"),
        pytest.param([says(210), Undo(), says(410)], ["actual@0.8", "actual@1"], id="undone, and the next rung"),
        pytest.param([Undo(), says(410)], ["actual@0.5", "actual@0.8", "actual@1"], id="undone before it was passed"),
        pytest.param(
            [says(410), Undo(), says(410, interval=DECEMBER)],
            ["actual@0.5", "actual@0.8", "actual@1"],
            id="undone, and passed again in a new interval",
        ),
        pytest.param([says(410), Undo(), says(410, 300), Undo()], [], id="undone, lowered, undone"),
        pytest.param([says(410, forecast=1.2), Undo()], [], id="undone with a forecast"),
        pytest.param([says(410), Accept(rung="actual@1")], ["actual@0.5", "actual@0.8"], id="one accepted"),
        pytest.param(
            [says(410), Accept(rung="actual@1"), says(500)], ["actual@0.5", "actual@0.8"], id="accepted, and more spent"
        ),
        pytest.param(
            [says(210), Accept(rung="actual@1"), says(410)], ["actual@0.5", "actual@0.8"], id="accepted beforehand"
        ),
        pytest.param(
            [says(410), Accept(rung="actual@1"), says(410, 300)],
            ["actual@0.5", "actual@0.8"],
            id="accepted, and another amount",
        ),
        pytest.param(
            [says(410), Accept(rung="actual@1"), says(410, interval=DECEMBER)],
            ["actual@0.5", "actual@0.8", "actual@1"],
            id="accepted, and passed again in a new interval",
        ),
        pytest.param(
            [Accept(rung="actual@1"), says(410)],
            ["actual@0.5", "actual@0.8", "actual@1"],
            id="accepted before anything was known",
        ),
        pytest.param([Snooze(until=NOON + hours(48)), says(410)], [], id="snoozed"),
        pytest.param(
            [Snooze(until=NOON + hours(23)), says(410)], ["actual@0.5", "actual@0.8", "actual@1"], id="snoozed no more"
        ),
        pytest.param(
            [Snooze(until=NOON + hours(24)), says(410)],
            ["actual@0.5", "actual@0.8", "actual@1"],
            id="until this moment",
        ),
        pytest.param(
            [Snooze(until=NOON + hours(48)), Snooze(until=NOON), says(410)],
            ["actual@0.5", "actual@0.8", "actual@1"],
            id="woken",
        ),
    ],
)
def test_what_was_asked_and_what_is_in_force(said: list[Event], expected: list[str]) -> None:
    assert in_force(after(*said)) == expected


def test_what_is_in_force_stays_so_through_a_snooze() -> None:
    known = after(says(210), Snooze(until=NOON + hours(48)), says(410))
    done = {"monthly/actual@0.5/notify": NOVEMBER}
    assert in_force(Records(budgets=known.budgets, snoozed=known.snoozed, in_force=done)) == ["actual@0.5"]


def test_an_undo_that_was_held_up_counts_from_when_it_was_published() -> None:
    late = [Dated[Event](says(410), "1", NOON), Dated[Event](says(420), "2", NOON + hours(3))]
    undo = Dated[Event](Undo(), "3", NOON + hours(1))
    for events in ([undo, *late], [*late, undo], [late[1], undo, late[0]]):
        records = Records()
        for event in events:
            records = fold(records, event, LADDER)
        assert in_force(records) == []


PROJECTED = settings({"at": 1.0, "on": "projected", "do": ["gpu_pools_off"]}, hourly_burn=2.5)


@pytest.mark.parametrize(
    ("cost", "passed_after"),
    [
        pytest.param(390.0, 4.0, id="ten dollars at 2.50 an hour"),
        pytest.param(280.0, 48.0, id="two days ahead"),
        pytest.param(279.99, None, id="further than two days ahead"),
        pytest.param(400.0, 0.0, id="there already"),
        pytest.param(500.0, 0.0, id="past it already"),
    ],
)
def test_the_hourly_burn_is_added_since_the_newest_notification(cost: float, passed_after: float | None) -> None:
    records = fold(Records(), Dated(says(cost), "1", NOON), PROJECTED)
    budget = PROJECTED.budgets["monthly"]
    crossing = projected_crossing(budget.ladder[0], records.budgets["monthly"], budget)
    assert crossing == (None if passed_after is None else NOON + hours(passed_after))
    if passed_after:
        just_before = NOON + hours(passed_after) - timedelta(seconds=1)
        assert active_rungs(records, PROJECTED, just_before) == ()
    if passed_after is not None:
        (step,) = active_rungs(records, PROJECTED, NOON + hours(passed_after))
        assert step.since == NOON + hours(passed_after)
        assert str(step.why) == "at 2.5 USD an hour, cost has passed 100 % of 400.00 USD"


def test_a_newer_notification_puts_a_projection_off() -> None:
    records = fold(Records(), Dated(says(390), "1", NOON), PROJECTED)
    records = fold(records, Dated(says(391), "2", NOON + hours(3)), PROJECTED)
    assert active_rungs(records, PROJECTED, NOON + hours(6)) == ()
    assert active_rungs(records, PROJECTED, NOON + hours(6.6))


def test_a_projection_that_was_passed_stays_so() -> None:
    records = fold(Records(), Dated(says(390), "1", NOON), PROJECTED)
    (latched,) = latched_intervals(records, PROJECTED, NOON + hours(5)).values()
    assert latched.passed == {"projected@1": NOON + hours(4)}
    known = Records(budgets={"monthly": replace(records.budgets["monthly"], intervals=(latched,))})
    known = fold(known, Dated(says(391), "2", NOON + hours(5)), PROJECTED)
    (step,) = active_rungs(known, PROJECTED, NOON + hours(5))
    assert step.since == NOON + hours(4)


def test_without_a_burn_nothing_is_projected() -> None:
    burnless = settings({"at": 1.0, "do": ["notify"]}).budgets["monthly"]
    records = fold(Records(), Dated(says(500), "1", NOON), PROJECTED)
    assert projected_crossing(burnless.ladder[0], records.budgets["monthly"], burnless) is None


def test_reasons_in_words() -> None:
    steps = passed_rungs(after(says(412.3, forecast=1.2)), LADDER, NOON)
    assert [str(step.why) for step in steps] == [
        "cost has reached 412.30 USD, past 50 % of 400.00 USD",
        "cost has reached 412.30 USD, past 80 % of 400.00 USD",
        "cost has reached 412.30 USD, past 100 % of 400.00 USD",
        "Google forecasts more than 100 % of 400.00 USD",
        "Google forecasts more than 120 % of 400.00 USD",
    ]


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        ("0.8", "80 %"),
        ("1", "100 %"),
        ("1.125", "112.5 %"),
        ("0.33333", "33.3 %"),
        ("0", "0 %"),
        ("1e40", f"1{'0' * 42} %"),
    ],
)
def test_ratios_in_words(ratio: str, words: str) -> None:
    assert percent(Decimal(ratio)) == words
