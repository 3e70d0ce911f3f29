"""What a person reads: one line for each event, plan and effect."""

import io
import re
from datetime import UTC, datetime

import msgspec
import pytest
from rich.console import Console as RichConsole

from local.console import BudgetAlert, Console, LogLine, Progress, read_line
from shared.plan import Alert, Change, Refusal
from shared.report import Outcome, Report, change_report, with_changes
from shared.settings import Mode

NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)
REPORT = Report(
    automation="cap_spending", mode=Mode.ACT, at=NOON, event="Tick", message_id="7", outcome=Outcome.UNCHANGED
)
CHANGE = Change(
    target="projects/p/locations/l/services/api",
    field="max_instances",
    before="20",
    after="1",
    reason="cost is high",
    scope="s",
)


def shown(line: LogLine, *, terminal: bool = False) -> str:
    """What is printed for a line of a function's log."""
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
        refusals=(Refusal("projects/p", "may_be_detached", "not ours"),),
        waiting=("api is busy",),
        notices=("worker is gone",),
        alerts=(Alert("stock_out", "nodePools/gpu", "gpu has no nodes"),),
        next=("monthly/actual@1.5: detach_billing",),
    )
    assert shown(reported(report)).splitlines() == [
        "  failed    cap_spending on Tick",
        "    failed  Change api:   because cost is high  (503)",
        "    applied Change api: max_instances 20 -> 1  because cost is high",
        "  refused   projects/p: not ours [may_be_detached]",
        "  ALERT     stock_out: gpu has no nodes",
        "  waiting   api is busy",
        "  notice    worker is gone",
        "  next      monthly/actual@1.5: detach_billing",
    ]


def test_a_report_without_changes_is_short() -> None:
    report = msgspec.structs.replace(REPORT, why="superseded", next=("later",))
    assert shown(reported(report)) == "  unchanged cap_spending on Tick: superseded\n"


def test_the_answer_to_status() -> None:
    report = msgspec.structs.replace(REPORT, status=("monthly: 604.00 of 400.00 USD [151 %]",), next=("later",))
    assert shown(reported(report)).splitlines()[1:] == [
        "  status    monthly: 604.00 of 400.00 USD [151 %]",
        "  next      later",
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
    assert shown(reported(msgspec.structs.replace(REPORT, outcome=outcome))).startswith(f"  {outcome}")


def test_what_is_printed_is_not_taken_for_markup() -> None:
    line = LogLine("ERROR", "[bold]not bold[/bold] [/]")
    assert "[bold]not bold[/bold] [/]" in shown(line)


def test_lines_are_not_broken() -> None:
    out = io.StringIO()
    Console(RichConsole(file=out, highlight=False, soft_wrap=True, width=20)).say("label", "word " * 50)
    assert len(out.getvalue().splitlines()) == 1


def test_steps_and_checks() -> None:
    out = io.StringIO()
    console = Console(RichConsole(file=out, highlight=False, soft_wrap=True))
    console.heading(NOON, "A step.")
    console.check("maximum", "api 1", is_right=True)
    console.check("maximum", "api 20, not api 1", is_right=False)
    assert out.getvalue().splitlines() == [
        "",
        "Sun 15 Nov 12:00  A step.",
        "  checked   maximum: api 1",
        "  WRONG     maximum: api 20, not api 1",
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
    assert "  plan      shop: 3 stay, 4 go\n" in shown(
        reported(msgspec.structs.replace(REPORT, table=("shop: 3 stay, 4 go",)))
    )
