"""The console's lines: one for each event, plan and effect."""

import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from rich.console import Console as RichConsole

from local.console import BudgetAlert, Console, LogLine, Progress, read_line
from local.story.summary import summary
from shared.decision import Alert, Change, Refusal, Text
from shared.report import ChangeReport, Outcome, Report, Upcoming, change_report, with_changes
from shared.settings import Mode
from shared.world import Unreadable

NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)
REPORT = Report(
    automation="cap_spending", mode=Mode.ACT, at=NOON, event="Tick", message_id="7", outcome=Outcome.UNCHANGED
)
CHANGE = Change(
    target="projects/p/locations/l/services/api",
    field="max_instances",
    before="20",
    after="1",
    reason=Text("cost is high"),
    scope="s",
)


def shown(line: LogLine, *, terminal: bool = False) -> str:
    """The output for a line of a function's log."""
    out = io.StringIO()
    Console(RichConsole(file=out, force_terminal=terminal, highlight=False, soft_wrap=True, width=200)).log_line(line)
    return out.getvalue()


def reported(report: Report) -> LogLine:
    """A report as a line of the log."""
    return LogLine("INFO", "", report)


def test_of_a_commit_or_a_digest_the_beginning_is_shown() -> None:
    change = msgspec.structs.replace(CHANGE, field="image", before="", after=f"sha256:{'0a' * 32}", reason="f" * 40)
    report = with_changes(REPORT, (change_report(change, Outcome.APPLIED),))
    assert "Change api: sha256:0a0a0a0...  because fffffff...\n" in shown(reported(report))


def test_a_report_of_changes() -> None:
    report = msgspec.structs.replace(
        with_changes(
            REPORT,
            (
                change_report(CHANGE, Outcome.APPLIED),
                change_report(msgspec.structs.replace(CHANGE, before="", after=""), Outcome.FAILED, "503"),
            ),
        ),
        outcome=Outcome.FAILED,
        unreadable=(Unreadable("ServicesIn", "projects/p", "Forbidden: no"),),
        refusals=(Refusal("projects/p", "may_be_detached", "not ours"),),
        waiting=("api is busy",),
        notices=("worker is gone",),
        alerts=(Alert("stock_out", "nodePools/gpu", "gpu has no nodes"),),
        upcoming=(Upcoming("", "monthly/actual@1.5: detach_billing"),),
    )
    assert shown(reported(report)).splitlines() == [
        "  12:00 failed    cap_spending on Tick",
        "  12:00   failed  Change api:   because cost is high  (503)",
        "  12:00   applied Change api: max_instances 20 -> 1  because cost is high",
        "  12:00   failed  cannot read ServicesIn of projects/p: Forbidden: no",
        "  12:00 refused   projects/p: not ours [may_be_detached]",
        "  12:00 ALERT     stock_out: gpu has no nodes",
        "  12:00 waiting   api is busy",
        "  12:00 notice    worker is gone",
        "  12:00 next      monthly/actual@1.5: detach_billing",
    ]


def test_a_report_without_changes_is_short() -> None:
    report = msgspec.structs.replace(REPORT, why="superseded", upcoming=(Upcoming("", "later"),))
    assert shown(reported(report)) == "  12:00 unchanged cap_spending on Tick: superseded\n"


def test_the_answer_to_status() -> None:
    report = msgspec.structs.replace(
        REPORT, status=("monthly: 604.00 of 400.00 USD [151 %]",), upcoming=(Upcoming("", "later"),)
    )
    assert shown(reported(report)).splitlines()[1:] == [
        "  12:00 status    monthly: 604.00 of 400.00 USD [151 %]",
        "  12:00 next      later",
    ]


def test_another_line_of_the_log() -> None:
    line = LogLine(
        "WARNING", "budget monthly: cost has reached half", budget_alert=BudgetAlert("monthly", "actual@0.5")
    )
    assert shown(line) == "  log       WARNING: budget monthly: cost has reached half\n"


def test_colour_is_for_terminals_only() -> None:
    line = reported(msgspec.structs.replace(REPORT, outcome=Outcome.FAILED))
    assert "\x1b[" in shown(line, terminal=True)
    assert "\x1b[" not in shown(line)


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_can_be_shown(outcome: Outcome) -> None:
    assert shown(reported(msgspec.structs.replace(REPORT, outcome=outcome))).startswith(f"  12:00 {outcome}")


def test_what_is_printed_is_not_taken_for_markup() -> None:
    line = LogLine("ERROR", "[bold]not bold[/bold] [/]")
    assert "[bold]not bold[/bold] [/]" in shown(line)


def test_a_line_is_wrapped_on_a_terminal_and_whole_elsewhere() -> None:
    for is_terminal in (False, True):
        out = io.StringIO()
        console = Console(RichConsole(file=out, highlight=False, force_terminal=is_terminal, width=40))
        console.heading(NOON, "A step.")
        console.say("label", "word " * 12)
        lines = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue()).splitlines()[2:]
        assert "".join(lines).count("word") == 12
        if is_terminal:
            assert max(map(len, lines)) <= 40
            assert lines[1].startswith(" " * 18 + "word")
        else:
            assert len(lines) == 1


def briefly(report: Report) -> list[str]:
    """The story's output for a run."""
    out = io.StringIO()
    Console(RichConsole(file=out, highlight=False, width=200), is_verbose=False).log_line(reported(report))
    return out.getvalue().splitlines()


def a_change(
    kind: str, name: str, before: str = "", after: str = "", outcome: Outcome = Outcome.APPLIED
) -> ChangeReport:
    return ChangeReport(kind, f"projects/p/x/{name}", "field", before, after, "why", outcome)


def test_briefly_a_run_is_a_line_that_groups_its_changes() -> None:
    changes = (
        a_change("SetMaxInstances", "api", "20", "1"),
        a_change("SetMaxInstances", "worker", "10", "1"),
        a_change("PauseJob", "a"),
        a_change("PauseJob", "b"),
        a_change("MowTheLawn", "garden"),
        a_change("Finish", "key"),
    )
    assert briefly(
        with_changes(msgspec.structs.replace(REPORT, notices=("x",), upcoming=(Upcoming("", "y"),)), changes)
    ) == [
        "  12:00 applied   cap_spending: max instances of api 20 -> 1, worker 10 -> 1; paused a, b; mow the lawn garden"
    ]


def test_briefly_what_failed_is_reported_with_its_error_and_what_changed_nothing_is_left_out() -> None:
    failed = msgspec.structs.replace(a_change("PauseJob", "a", outcome=Outcome.FAILED), error="503. More.")
    assert briefly(with_changes(REPORT, (failed,))) == ["  12:00 failed    cap_spending: paused a (503)"]
    assert briefly(REPORT) == []
    assert briefly(msgspec.structs.replace(REPORT, outcome=Outcome.IGNORED, why="foreign: of another budget")) == [
        "  12:00 ignored   cap_spending: foreign message"
    ]


def test_briefly_an_alert_is_shown_when_it_begins_and_not_beside_its_refusal() -> None:
    refusal = Refusal("shop", "fresh", "too old")
    begun = Alert("stock_out", "nodePools/gpu", "no nodes since 11:40", "no GPU nodes arrive", REPORT.at)
    older = msgspec.structs.replace(begun, since=REPORT.at - timedelta(minutes=5))
    report = msgspec.structs.replace(REPORT, refusals=(refusal,), alerts=(Alert("fresh", "shop", "too old"), begun))
    assert [line[8:] for line in briefly(report)] == [
        "refused   cap_spending: shop: too old",
        "ALERT     cap_spending: gpu: no GPU nodes arrive",
    ]
    assert briefly(msgspec.structs.replace(REPORT, alerts=(older,))) == []


def test_the_summary_counts_what_was_changed_and_what_came_back() -> None:
    def run(*changes: ChangeReport, automation: str = "cap_spending", **more: Any) -> Report:
        return with_changes(msgspec.structs.replace(REPORT, automation=automation, **more), changes)

    saving = msgspec.structs.replace(a_change("RecordSaving", "gpu"), saved=12.5, currency="USD")
    reports = [
        run(a_change("SetMaxInstances", "api", "20", "1"), a_change("SetMaxInstances", "worker", "10", "1")),
        run(a_change("PauseJob", "batch"), a_change("DetachBilling", "lab"), outcome=Outcome.FAILED),
        run(
            a_change("SetMaxInstances", "api", "1", "20"), a_change("ResumeJob", "batch"), a_change("PauseJob", "late")
        ),
        run(a_change("Resize", "gpu", "2", "0"), saving, automation="scale_gpu_pools"),
        run(a_change("Finish", "key"), a_change("TakeBack", "key"), automation="rotate_secrets"),
        run(automation="prune_backups", refusals=(Refusal("shop", "fresh", "old"),)),
    ]
    listed = dict(summary(reports, checks=7, wrong=1))
    assert listed["spending"] == (
        "capped 2 services, paused 2 jobs, detached 1 project from billing; all restored, but "
        "worker stays at 1, lab is not, late is not"
    )
    assert listed["GPU pools"].startswith("to zero 1 time, ")
    assert "saved 12.50 USD" in listed["GPU pools"]
    assert listed["secrets"] == "rotated key once; 1 rolled back because a service did not start"
    assert listed["checks"] == "6 of 7 end states are as expected"


def test_steps_and_checks() -> None:
    out = io.StringIO()
    console = Console(RichConsole(file=out, highlight=False, soft_wrap=True))
    console.heading(NOON, "A step.")
    console.check("maximum", "api 1", is_right=True)
    console.check("maximum", "api 20, not api 1", is_right=False)
    assert out.getvalue().splitlines() == [
        "",
        "Sun 15 Nov 12:00  A step.",
        "  12:00 checked   maximum: api 1",
        "  12:00 WRONG     maximum: api 20, not api 1",
    ]


def test_reading_a_line_of_the_log() -> None:
    line = msgspec.json.encode({"severity": "INFO", "message": "m", "report": REPORT, "more": 1})
    assert read_line(line) == LogLine("INFO", "m", REPORT)


@pytest.mark.parametrize("line", [b"", b"hello", b"{}", b"[]", b'{"severity": 1, "message": "m"}', b"\xff"])
def test_a_line_that_is_not_ours(line: bytes) -> None:
    assert read_line(line) is None


@pytest.mark.parametrize(
    ("progress", "on_a_terminal", "elsewhere"),
    [
        (Progress("deleted", 50, 200), "━━━━━━━ ", ""),
        (Progress("deleted", 200, 200), "━" * 30, "  progress  it goes on\n"),
        (Progress("listed", 100_000), "  progress  it goes on", "  progress  it goes on\n"),
    ],
)
def test_progress_is_a_bar_on_a_terminal_and_elsewhere_a_line_in_the_end(
    progress: Progress, on_a_terminal: str, elsewhere: str
) -> None:
    line = LogLine("INFO", "it goes on", progress=progress)
    assert on_a_terminal in re.sub(r"\x1b\[[0-9;]*m", "", shown(line, terminal=True))
    assert shown(line) == elsewhere


def test_a_table_is_shown_with_the_plan() -> None:
    assert "  12:00 plan      shop: 3 stay, 4 go\n" in shown(
        reported(msgspec.structs.replace(REPORT, table=("shop: 3 stay, 4 go",)))
    )
