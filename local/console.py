"""The output of the laptop run: one readable line for each event, plan and effect."""

import os
import re
import sys
import textwrap
from datetime import datetime

import msgspec
from rich.console import Console as RichConsole
from rich.text import Text

from local.brief import brief_alerts, brief_lines
from shared.decoding import decoded
from shared.report import ChangeReport, Outcome, Report

BAR = 30
"""The width of a progress bar."""
STYLES = {
    Outcome.APPLIED: "green",
    Outcome.UNCHANGED: "dim",
    Outcome.OBSERVED: "cyan",
    Outcome.WAITING: "yellow",
    Outcome.REFUSED: "magenta",
    Outcome.IGNORED: "yellow",
    Outcome.FAILED: "bold red",
}

LONG_NAME = re.compile(r"\b([0-9a-f]{7})[0-9a-f]{33,57}\b")
"""Commits and digests, of which a person needs the beginning alone."""

LOG_STYLES = {"INFO": "dim", "WARNING": "yellow"}


class BudgetAlert(msgspec.Struct, frozen=True):
    """The line of the action `notify`, for an alert policy to match."""

    budget: str
    rung: str


class BudgetCost(msgspec.Struct, frozen=True):
    """A budget's cost so far, which becomes a metric."""

    budget: str
    cost: float


class Progress(msgspec.Struct, frozen=True):
    """The progress of long work; a ``total`` of 0 is not known yet."""

    what: str
    done: int
    total: int = 0

    @property
    def is_over(self) -> bool:
        """Whether that was all."""
        return self.done == self.total


class LogLine(msgspec.Struct, frozen=True):
    """One structured line that a function wrote."""

    severity: str
    message: str
    report: Report | None = None
    budget_alert: BudgetAlert | None = None
    budget_cost: BudgetCost | None = None
    progress: Progress | None = None


def read_line(line: bytes) -> LogLine | None:
    """A function's line as a typed value; None if there is nothing to show: a library's warning, a metric's figure."""
    try:
        read = decoded(line, LogLine)
    except msgspec.DecodeError:
        return None
    return None if read.budget_cost else read


class OutputClosed(Exception):
    """The reader of standard output is gone, as with ``| head``."""


class _Rich(RichConsole):
    """Rich's console, which ends the process when its reader is gone; from a thread that is no use."""

    def on_broken_pipe(self) -> None:
        """Remember it, and print nothing more."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Console:
    """Prints to a person: in colour and wrapped to its width on a terminal, plain otherwise.

    Brief, a run is one line and what changed nothing is left out; ``is_verbose`` shows all.
    """

    def __init__(self, rich: RichConsole | None = None, *, is_verbose: bool = True) -> None:
        self._rich = rich or _Rich(highlight=False)
        self.is_verbose = is_verbose
        self._at: datetime | None = None

    @property
    def is_closed(self) -> bool:
        """Whether the reader has closed it."""
        return self._rich.quiet

    def heading(self, at: datetime, text: str) -> None:
        """A step of the story."""
        if self.is_verbose:
            self._rich.print()
        self._at = at
        self._print(f"{at:%a %d %b %H:%M}  ", text, "bold", "bold")

    def say(self, label: str, text: str, style: str = "") -> None:
        """One line with a short label before it, and the time where it is known."""
        short = LONG_NAME.sub(r"\1...", text)
        time = f"{self._at:%H:%M} " if self._at else ""
        self._print(f"  {time}{label:<9} ", short, style or "dim", style)

    def detail(self, label: str, text: str, style: str = "") -> None:
        """A line that only a reader of all of it needs."""
        if self.is_verbose:
            self.say(label, text, style)

    def paragraph(self, text: str) -> None:
        """A line on its own."""
        self._print("", text, "", "")

    def _print(self, prefix: str, text: str, prefix_style: str, style: str) -> None:
        """A line, wrapped with an indent on a terminal, so that a program can read it line by line elsewhere."""
        lines = [text]
        if self._rich.is_terminal and len(prefix) + len(text) > self._rich.width:
            width = max(self._rich.width - len(prefix), 20)
            lines = textwrap.wrap(text, width, break_on_hyphens=False) or [""]
        for number, line in enumerate(lines):
            start = prefix if number == 0 else " " * len(prefix)
            self._rich.print(Text(start, prefix_style) + Text(line, style), soft_wrap=True)

    def paste(self, text: str) -> None:
        """Lines that a person copies: as they are."""
        for line in text.splitlines():
            self._rich.print(Text(line), soft_wrap=True)

    def log_line(self, line: LogLine) -> None:
        """A report of a run, or another structured line."""
        if line.progress:
            self._progress(line.progress, line.message)
            return
        if line.report is None:
            self.detail("log", f"{line.severity}: {line.message}", LOG_STYLES.get(line.severity, "red"))
            return
        self._at = line.report.at
        if self.is_verbose:
            self._report(line.report)
        else:
            self._brief(line.report)

    def _brief(self, report: Report) -> None:
        for label, text in brief_lines(report):
            self.say(label, text, STYLES[Outcome(label)])
        for subject, title in brief_alerts(report):
            self.say("ALERT", f"{report.automation}: {subject}: {title}", "bold red")

    def _report(self, report: Report) -> None:
        words = f"{report.automation} on {report.event}" + (f": {report.why}" if report.why else "")
        self.say(report.outcome, words, STYLES[report.outcome])
        for change in report.changes:
            self._change(change)
        for unreadable in report.unreadable:
            self.say(f"  {Outcome.FAILED}", str(unreadable), STYLES[Outcome.FAILED])
        for refusal in report.refusals:
            self.say("refused", f"{refusal.scope}: {refusal.reason} [{refusal.guard}]", STYLES[Outcome.REFUSED])
        for alert in report.alerts:
            self.say("ALERT", f"{alert.kind}: {alert.reason}", "bold red")
        for label, lines in (
            ("waiting", report.waiting),
            ("notice", report.notices),
            ("status", report.status),
            ("plan", report.table),
        ):
            for text in lines:
                self.say(label, text, "yellow" if label == "notice" else "")
        if report.changes or report.status:
            for text in report.next:
                self.say("next", text, "dim")

    def _progress(self, progress: Progress, message: str) -> None:
        """On a terminal a bar that grows in place; elsewhere a line when all is done."""
        if self._rich.is_terminal and progress.total and self.is_verbose:
            filled = BAR * progress.done // progress.total
            self._rich.print(
                Text(f"  progress  {'━' * filled}{' ' * (BAR - filled)} {message}", "dim"),
                end="\n" if progress.is_over else "\r",
            )
        elif progress.is_over or not progress.total:
            self.detail("progress", message, "dim")

    def check(self, what: str, found: str, *, is_right: bool) -> None:
        """Whether an end state in the cloud is as it should be."""
        if is_right:
            self.detail("checked", f"{what}: {found}", "blue")
        else:
            self.say("WRONG", f"{what}: {found}", "bold red")

    def _change(self, change: ChangeReport) -> None:
        name = change.target.rpartition("/")[2]
        what = f"{change.field} {change.before} -> {change.after or 'none'}" if change.before else change.after
        text = f"{change.kind} {name}: {what}" + (f"  because {change.reason}" if change.reason else "")
        if change.error:
            text += f"  ({change.error})"
        self.say(f"  {change.outcome}", text, STYLES[change.outcome])
