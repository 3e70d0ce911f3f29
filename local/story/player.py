"""Plays a story: makes things happen in the local cloud, shows what the suite does, and checks each end state."""

import threading
from collections.abc import Callable
from datetime import timedelta

from local.console import Console, LogLine, OutputClosed, read_line
from local.suite import Suite
from localcloud import LocalCloud
from localcloud.core.calls import Call
from shared.report import Outcome, Report

PATIENCE_SECONDS = 20.0
NOTIFIER = "notify_chat"
"""Its runs follow all others; what it posts is shown at the end."""


class Player:
    """The stage on which a story is played."""

    def __init__(self, cloud: LocalCloud, console: Console) -> None:
        self.cloud = cloud
        self.console = console
        self.checks = 0
        """The number of end states that were compared with expectations."""
        self.wrong = 0
        """The number that differed."""
        self._lines: list[LogLine] = []
        self._shown = 0
        self._follows = False
        self._about = ""
        self._arrived = threading.Condition()

    def on_line(self, line: bytes) -> None:
        """Take in one line of a function's log."""
        read = read_line(line)
        if read is None:
            return
        with self._arrived:
            if self._follows:
                self.console.log_line(read)
                return
            self._lines.append(read)
            self._arrived.notify_all()

    def about(self, automation: str) -> None:
        """From now on the story is about one automation: ticks of others that change nothing are not shown."""
        self._about = automation

    def follow(self) -> None:
        """From now on, show each line as it arrives."""
        with self._arrived:
            self._follows = True

    @property
    def reports(self) -> list[Report]:
        """The reports of all runs so far."""
        with self._arrived:
            return [line.report for line in self._lines if line.report]

    @property
    def number_of_calls(self) -> int:
        """The number of calls so far, for `calls_since`."""
        return len(self.cloud.server.calls)

    def calls_since(self, number: int) -> list[Call]:
        """The calls after so many, besides those of the automation that tells people about the others' reports."""
        return [call for call in self.cloud.server.calls[number:] if not _is_of_notifier(call)]

    def step(self, text: str, *, after: timedelta = timedelta(0)) -> None:
        """Begin a step of the story. If it begins later, what happens until then is shown under its heading.

        Raises ``OutputClosed`` if the reader has closed the output.
        """
        if self.console.is_closed:
            raise OutputClosed
        self.console.heading(self.cloud.clock.now() + after, text)
        if after:
            self.pass_time(after)

    def show(self, message_id: str) -> Report | None:
        """Show all lines up to the next report of this message's run; None if it does not come in time."""
        return self._show_until(lambda report: report.message_id == message_id)

    def show_run(self, automation: str, event: str) -> Report | None:
        """Show all lines up to the next report of a run of this automation on such an event; None if there is none."""
        return self._show_until(lambda report: (report.automation, report.event) == (automation, event))

    def _show_until(self, is_it: Callable[[Report], bool]) -> Report | None:
        def is_that(line: LogLine) -> bool:
            return line.report is not None and is_it(line.report)

        def has_come() -> bool:
            return any(is_that(line) for line in self._lines[self._shown :])

        self.cloud.clock.settle()
        with self._arrived:
            came = self._arrived.wait_for(has_come, PATIENCE_SECONDS)
            fresh = self._lines[self._shown :]
        for line in fresh:
            self._shown += 1
            self._print(line)
            if is_that(line):
                return line.report
        if not came:
            self.check("a report of the run", lambda: "none came", "one")
        return None

    def pass_time(self, by: timedelta) -> None:
        """Let time pass: schedules, back-offs and operations come due."""
        self.cloud.clock.advance(by)
        self.cloud.clock.settle()
        with self._arrived:
            fresh = self._lines[self._shown :]
            self._shown = len(self._lines)
        for line in fresh:
            self._print(line)

    def _print(self, line: LogLine) -> None:
        report = line.report
        if report and report.automation == NOTIFIER and not self.console.is_verbose:
            return  # the story shows what it has posted
        is_of_another = report and self._about not in ("", report.automation)
        without_effect = ("Tick", Outcome.UNCHANGED) if self.console.is_verbose else ("Tick", report and report.outcome)
        if not is_of_another or (report and (report.event, report.outcome) != without_effect):
            self.console.log_line(line)

    def check(self, what: str, found: Callable[[], object], expected: object) -> None:
        """Hold an end state of the cloud against what it should be."""
        seen = found()
        is_right = seen == expected
        self.checks += 1
        self.wrong += not is_right
        self.console.check(what, str(seen) if is_right else f"{seen}, not {expected}", is_right=is_right)


def _is_of_notifier(call: Call) -> bool:
    return "hooks.slack.com" in call.method or any(name in str(call.request) for name in (NOTIFIER, "chat-webhook"))


Story = Callable[[Player, Suite], None]
