"""The commands: their spelling, and the topics that accept them."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.cap_spending.commands import Accept, LinkBilling, Snooze, Status, Undo, budgets_of
from functions.cap_spending.parse import parse
from shared.errors import IgnoredMessage
from shared.events import RestrictionsChanged, Tick
from tests.functions.cap_spending.examples import (
    BUDGET_TOPIC,
    INBOX,
    TEAM_BUDGET_ID,
    a_budget,
    a_message,
    notification,
    settings_of,
)

SETTINGS = settings_of(
    monthly=a_budget(),
    team=a_budget({"at": 0.8, "on": "forecast", "do": ["notify"]}, {"at": 1e-7, "do": ["notify"]}, id=TEAM_BUDGET_ID),
)
SIX = datetime(2026, 11, 30, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"type": "tick", "every_seconds": 600}, Tick(every_seconds=600)),
        ({"type": "restrictions_changed"}, RestrictionsChanged()),
        ({"type": "status"}, Status()),
        ({"type": "undo"}, Undo()),
        ({"type": "undo", "budget": "team"}, Undo(budget="team")),
        ({"type": "accept", "rung": "actual@1.5"}, Accept(rung="actual@1.5")),
        ({"type": "accept", "rung": "actual@1.5", "budget": "monthly"}, Accept(rung="actual@1.5", budget="monthly")),
        (
            {"type": "accept", "rung": "actual@0.5", "all_budgets": True},
            Accept(rung="actual@0.5", all_budgets=True),
        ),
        ({"type": "snooze", "until": "2026-11-30T18:00:00Z"}, Snooze(until=SIX)),
        ({"type": "snooze", "until": "2026-11-30T19:00:00+01:00"}, Snooze(until=SIX)),
        ({"type": "snooze", "until": "2026-11-30T18:00:00"}, Snooze(until=SIX)),
        ({"type": "link_billing", "project": "my-experiments"}, LinkBilling(project="my-experiments")),
    ],
)
def test_what_the_inbox_carries(said: dict[str, object], meant: object) -> None:
    assert parse(a_message(said, topic=INBOX), SETTINGS) == meant


@pytest.mark.parametrize(
    ("spelled", "rung"),
    [
        ("actual@1", "actual@1"),
        ("actual@1.0", "actual@1"),
        ("actual@1.00", "actual@1"),
        ("actual@01", "actual@1"),
        ("actual@.5", "actual@0.5"),
        ("actual@0.50", "actual@0.5"),
        ("forecast@0.80", "forecast@0.8"),
        ("actual@1e-07", "actual@1e-07"),
        ("actual@0.0000001", "actual@1e-07"),
    ],
)
def test_a_rung_may_be_spelled_as_in_the_settings(spelled: str, rung: str) -> None:
    assert parse(a_message({"type": "accept", "rung": spelled}, topic=INBOX), SETTINGS) == Accept(rung=rung)


RUNGS = "there are actual@0.5, actual@1, actual@1.5, actual@1e-07, forecast@0.8"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"type": "undo", "budget": "weekly"}, "no budget is called 'weekly': there are monthly, team"),
        ({"type": "accept", "rung": "actual@2"}, f"no rung is called 'actual@2': {RUNGS}"),
        ({"type": "accept", "rung": "actual@1.0.0"}, f"no rung is called 'actual@1.0.0': {RUNGS}"),
        ({"type": "accept", "rung": "actual@"}, f"no rung is called 'actual@': {RUNGS}"),
        ({"type": "accept", "rung": "actual@."}, f"no rung is called 'actual@.': {RUNGS}"),
        ({"type": "accept", "rung": "actual"}, f"no rung is called 'actual': {RUNGS}"),
        ({"type": "accept", "rung": ""}, f"no rung is called '': {RUNGS}"),
        (
            {"type": "accept", "rung": "actual@1", "budget": "team"},
            "no rung is called 'actual@1': there are actual@1e-07, forecast@0.8",
        ),
        ({"type": "snooze", "until": "tomorrow"}, "malformed: not of a shape that is known here"),
        ({"type": "snooze", "until": "9999-12-31T23:59:59-12:00"}, "malformed: until is out of range"),
        ({"type": "snooze"}, "malformed: Object missing required field `until`"),
        ({"type": "accept"}, "malformed: Object missing required field `rung`"),
        ({"type": "detach_billing"}, "malformed: not of a shape that is known here"),
        ({"type": "undo", "really": True}, "malformed: not of a shape that is known here"),
        ({"type": "undo", "budget": 3}, "malformed: Expected `str`, got `int` - at `$.budget`"),
        ({"type": "tick"}, "malformed: Object missing required field `every_seconds`"),
        ({"type": "tick", "every_seconds": 0}, "malformed: Expected `int` >= 1 - at `$.every_seconds`"),
        ({"type": "tick", "every_seconds": 10**30}, "malformed: Expected `int`"),
        ({"undo": True}, "malformed: Object missing required field `type`"),
        ([], "malformed: Expected `object`, got `array`"),
        (b"undo", "malformed: not of a shape that is known here"),
        (b"\xff", "malformed: not of a shape that is known here"),
        (b'{"type": "undo", "budget": "\\ud800"}', "malformed: not of a shape that is known here"),
        (b'{"type": "undo", "x": ' + b"[" * 100_000, "malformed: not of a shape that is known here"),
        (notification(), "malformed: Object missing required field `type`"),
    ],
)
def test_what_cannot_be_done_is_said(said: object, why: str) -> None:
    with pytest.raises(IgnoredMessage) as ignored:
        parse(a_message(said, topic=INBOX), SETTINGS)
    assert str(ignored.value).startswith(why)


@pytest.mark.parametrize(
    "topic",
    [
        BUDGET_TOPIC,
        "projects/caretaker-home/topics/caretaker-cap-spending-dead-letters",
        "projects/caretaker-home/topics/not-caretaker-cap-spending",
        "caretaker-cap-spending",
        "",
    ],
)
@pytest.mark.parametrize("said", [{"type": "undo"}, {"type": "tick", "every_seconds": 600}])
def test_only_the_inbox_can_command(topic: str, said: dict[str, Any]) -> None:
    with pytest.raises(IgnoredMessage):
        parse(a_message(said, topic=topic), SETTINGS)
    disguised = a_message(json.dumps(notification() | said).encode(), topic=topic)
    assert not isinstance(parse(disguised, SETTINGS), Undo | Tick)


def test_a_command_is_for_one_budget_or_all() -> None:
    assert budgets_of(Undo(), SETTINGS) == ["monthly", "team"]
    assert budgets_of(Undo(budget="team"), SETTINGS) == ["team"]


def test_a_rung_of_several_budgets_is_accepted_for_one_that_is_named_or_knowingly_for_all() -> None:
    settings = settings_of(monthly=a_budget(), team=a_budget(id=TEAM_BUDGET_ID))
    said = {"type": "accept", "rung": "actual@1.0"}
    with pytest.raises(IgnoredMessage, match=r"^monthly, team have a rung actual@1: name one with --budget, or say"):
        parse(a_message(said, topic=INBOX), settings)
    for more in ({"budget": "team"}, {"all_budgets": True}):
        accept = parse(a_message(said | more, topic=INBOX), settings)
        assert isinstance(accept, Accept)
        assert budgets_of(accept, settings) == (["team"] if accept.budget else ["monthly", "team"])
