"""The report of a run: one line, as loud as what happened."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from shared.debts import Debt
from shared.decision import Alert, Change, Decision, Next, Refusal, Saving, Text
from shared.report import (
    MORE_ALERTS,
    MOST_CHANGES,
    MOST_LINES,
    MOST_PROBLEMS,
    ChangeReport,
    Outcome,
    Report,
    Severity,
    bounded,
    bounded_alerts,
    bounded_refusals,
    bounded_unreadable,
    change_report,
    overall,
    sentence,
    severity,
    upcoming,
    with_changes,
    write_log,
    write_report,
)
from shared.settings import Mode
from shared.world import Unreadable

NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)
REPORT = Report(automation="sweep", mode=Mode.ACT, at=NOON, event="Tick", message_id="7", outcome=Outcome.UNCHANGED)
CHANGE = Change(target="projects/p/t", field="size", before="2", after="1", reason=Text("because"), scope="t")
ALERT = Alert("stock_out", "pool-1", "no GPU is to be had")
REFUSAL = Refusal("t", "not_too_many", "too many")


def made(outcome: Outcome, error: str = "") -> ChangeReport:
    """The outcome of a change."""
    return change_report(CHANGE, outcome, error)


def decision(**parts: Any) -> Decision[None, Change]:
    """A decision that remembers nothing."""
    return Decision(records=None, **parts)


@pytest.mark.parametrize(
    ("decision", "changes", "expected"),
    [
        (decision(), (), Outcome.UNCHANGED),
        (decision(waiting=(Text("w"),)), (), Outcome.WAITING),
        (decision(), (made(Outcome.APPLIED),), Outcome.APPLIED),
        (decision(waiting=(Text("w"),)), (made(Outcome.APPLIED),), Outcome.APPLIED),
        (decision(changes=(CHANGE,)), (made(Outcome.OBSERVED),), Outcome.OBSERVED),
        (decision(changes=(CHANGE,)), (made(Outcome.WAITING),), Outcome.WAITING),
        (decision(changes=(CHANGE,)), (made(Outcome.APPLIED), made(Outcome.WAITING)), Outcome.WAITING),
        (decision(changes=(CHANGE,)), (made(Outcome.WAITING), made(Outcome.FAILED)), Outcome.FAILED),
        (decision(refusals=(REFUSAL,)), (made(Outcome.WAITING),), Outcome.REFUSED),
        (decision(alerts=(ALERT,)), (), Outcome.UNCHANGED),
        (decision(refusals=(REFUSAL,)), (made(Outcome.APPLIED),), Outcome.REFUSED),
        (decision(refusals=(REFUSAL,)), (made(Outcome.FAILED), made(Outcome.APPLIED)), Outcome.FAILED),
    ],
)
def test_one_word_for_a_run(
    decision: Decision[None, Change], changes: tuple[ChangeReport, ...], expected: Outcome
) -> None:
    assert overall(decision, changes) is expected


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome.APPLIED, Severity.NOTICE),
        (Outcome.UNCHANGED, Severity.INFO),
        (Outcome.OBSERVED, Severity.INFO),
        (Outcome.WAITING, Severity.INFO),
        (Outcome.REFUSED, Severity.WARNING),
        (Outcome.IGNORED, Severity.WARNING),
        (Outcome.FAILED, Severity.ERROR),
    ],
)
def test_how_loud_a_report_is(outcome: Outcome, expected: Severity) -> None:
    assert severity(replace(REPORT, outcome=outcome)) is expected


def test_a_plan_that_has_changed_while_observing_is_worth_a_notice() -> None:
    assert severity(replace(REPORT, outcome=Outcome.OBSERVED, plan_changed=True)) is Severity.NOTICE


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("plan_changed", [True, False])
def test_an_alert_is_an_error_whatever_came_of_the_run(outcome: Outcome, plan_changed: bool) -> None:  # noqa: FBT001
    report = replace(REPORT, outcome=outcome, alerts=(ALERT,), plan_changed=plan_changed)
    assert severity(report) is Severity.ERROR


def test_an_alert_can_be_watched_for_by_its_kind(capsys: pytest.CaptureFixture[str]) -> None:
    write_report(replace(REPORT, alerts=(ALERT,)))
    data = json.loads(capsys.readouterr().out)
    assert (data["severity"], data["message"]) == ("ERROR", "sweep: Tick: unchanged (stock_out: pool-1)")
    assert data["report"]["alerts"] == [
        {"kind": "stock_out", "subject": "pool-1", "reason": "no GPU is to be had", "title": "", "since": None}
    ]


def test_a_sentence_tells_three_alerts() -> None:
    alerts = tuple(Alert("stock_out", f"pool-{number}", "r") for number in range(5))
    said = "sweep: Tick: unchanged (stock_out: pool-0; stock_out: pool-1; stock_out: pool-2)"
    assert sentence(replace(REPORT, alerts=alerts)) == said


@pytest.mark.parametrize(
    ("count", "more"),
    [(0, ()), (1, ()), (MOST_LINES, ()), (MOST_LINES + 1, ("... and 1 more",)), (300, ("... and 200 more",))],
)
def test_a_report_holds_so_many_lines_and_says_how_many_more_there_are(count: int, more: tuple[str, ...]) -> None:
    lines = [f"line {number}" for number in range(count)]
    assert bounded(iter(lines)) == (*lines[:MOST_LINES], *more)


def test_a_report_holds_so_many_alerts_and_the_first_of_each_kind() -> None:
    many = tuple(Alert("budget_silent", f"b{number}", "r") for number in range(300))
    rare = tuple(Alert(kind, "s", "r") for kind in ("stock_out", "no_data"))
    *listed, more = bounded_alerts((*many, *rare), "sweep")
    assert listed == [*many[: MOST_PROBLEMS - 2], *rare]
    assert (more.kind, more.subject, more.reason) == (MORE_ALERTS, "sweep", "272 more, not listed here")
    assert bounded_alerts(many[:MOST_PROBLEMS], "sweep") == many[:MOST_PROBLEMS]


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (REPORT, "sweep: Tick: unchanged"),
        (replace(REPORT, why="superseded"), "sweep: Tick: unchanged (superseded)"),
        (
            replace(
                with_changes(REPORT, (made(Outcome.APPLIED), made(Outcome.FAILED, "no"), made(Outcome.APPLIED))),
                outcome=Outcome.FAILED,
                refusals=(REFUSAL,),
                waiting=("w", "v"),
                why="oh",
            ),
            "sweep: Tick: failed (2 applied; 1 failed; 1 refused; waiting for 2; oh)",
        ),
    ],
)
def test_a_report_in_a_sentence(report: Report, expected: str) -> None:
    assert sentence(report) == expected


def test_failures_are_reported_first_and_all_changes_are_counted() -> None:
    report = with_changes(REPORT, (*[made(Outcome.APPLIED)] * 300, made(Outcome.FAILED, "no")))
    assert len(report.changes) == MOST_CHANGES
    assert report.changes[0].error == "no"
    assert report.counts == {Outcome.APPLIED: 300, Outcome.FAILED: 1}


class Booked(Change, frozen=True, kw_only=True):
    """A change that puts a saving on the books, and matters to the bill."""

    is_money = True

    @property
    def saving(self) -> Saving:
        return Saving(1.25, "USD")


def test_what_was_saved_and_what_failed_to_save_is_added_up() -> None:
    change = Booked(target="t", field="f", before="1", after="0", reason=Text(""), scope="t")
    changes = [change_report(change, outcome) for outcome in (Outcome.APPLIED, Outcome.APPLIED, Outcome.FAILED)]
    report = with_changes(REPORT, (*changes, made(Outcome.FAILED), made(Outcome.APPLIED)))
    assert (report.saved, report.currency, report.failed_money) == (2.5, "USD", 1)


def test_a_report_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    report = replace(
        with_changes(REPORT, (made(Outcome.FAILED, 'two\nlines and "quotes" \x00 🐘'),)),
        outcome=Outcome.FAILED,
        refusals=(REFUSAL,),
        notices=("naïve",),
    )
    write_report(report)
    (line,) = capsys.readouterr().out.splitlines()
    data = json.loads(line)
    assert (data["severity"], data["message"]) == ("ERROR", "sweep: Tick: failed (1 failed; 1 refused)")
    assert data["report"]["at"] == "2026-11-15T12:00:00Z"
    assert data["report"]["changes"] == [
        {
            "kind": "Change",
            "target": "projects/p/t",
            "field": "size",
            "before": "2",
            "after": "1",
            "reason": "because",
            "outcome": "failed",
            "error": 'two lines and "quotes"   🐘',
            "is_money": False,
            "count": 1,
            "saved": 0.0,
            "currency": "",
            "follows": [],
        }
    ]
    assert data["report"]["refusals"] == [
        {"scope": "t", "guard": "not_too_many", "reason": "too many", "is_alert": False}
    ]
    assert data["report"]["counts"] == {"failed": 1}


def test_other_lines_carry_their_own_fields(capsys: pytest.CaptureFixture[str]) -> None:
    write_log(Severity.CRITICAL, "look", at=1.5, rung="actual@1")
    assert json.loads(capsys.readouterr().out) == {
        "severity": "CRITICAL",
        "message": "look",
        "at": 1.5,
        "rung": "actual@1",
    }


def test_the_largest_report_fits_into_one_entry_of_cloud_logging(capsys: pytest.CaptureFixture[str]) -> None:
    name = f"projects/{'p' * 30}/locations/northamerica-northeast1/services/{'s' * 49}"
    change = replace(CHANGE, target=name, scope=name, reason="r" * 200)
    lines = bounded([f"{name}: {'w' * 40}"] * 1000)
    debt = Debt(name, "max_instances", "20", "1", ("monthly/actual@1",) * 3, REPORT.at, "u" * 60, reason="r" * 200)
    following = upcoming([Next(name, Text("w" * 40), REPORT.at)] * 1000)
    full = replace(
        REPORT,
        waiting=lines,
        notices=lines,
        upcoming=following,
        held=(debt,) * MOST_LINES,
        status=lines,
        alerts=bounded_alerts((Alert("budget_silent", name, "r" * 200, "t" * 40, REPORT.at),) * 1000, "sweep"),
        refusals=bounded_refusals((Refusal(name, "guard", "r" * 200),) * 1000),
        unreadable=bounded_unreadable((Unreadable("ServicesIn", name, "e" * 200),) * 1000),
    )
    write_report(with_changes(full, (change_report(change, Outcome.FAILED, "e" * 1000),) * 1000))
    assert len(capsys.readouterr().out) < 256 * 1024
