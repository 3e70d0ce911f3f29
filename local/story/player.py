"""Plays a story: makes things happen in the local cloud, shows what the suite does, and checks each end state."""

import threading
from collections.abc import Callable
from datetime import timedelta

from local.cloud import LocalCloud
from local.console import Console, LogLine, read_line
from local.suite import Suite
from shared.report import Report

PATIENCE_SECONDS = 20.0


class Player:
    """The stage on which a story is played."""

    def __init__(self, cloud: LocalCloud, console: Console) -> None:
        self.cloud = cloud
        self.console = console
        self.wrong = 0
        """How many end states were not as they should be."""
        self._lines: list[LogLine] = []
        self._shown = 0
        self._follows = False
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

    def follow(self) -> None:
        """From now on, show each line as it comes."""
        with self._arrived:
            self._follows = True

    def step(self, text: str) -> None:
        """Begin a step of the story."""
        self.console.heading(self.cloud.clock.now(), text)

    def show(self, message_id: str) -> Report | None:
        """Show all lines up to the next report of this message's run; None if it does not come in time."""

        def has_come() -> bool:
            return any(_is_of(line, message_id) for line in self._lines[self._shown :])

        self.cloud.clock.settle()
        with self._arrived:
            came = self._arrived.wait_for(has_come, PATIENCE_SECONDS)
            fresh = self._lines[self._shown :]
        for line in fresh:
            self._shown += 1
            self.console.log_line(line)
            if _is_of(line, message_id):
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
            self.console.log_line(line)

    def check(self, what: str, found: Callable[[], object], expected: object) -> None:
        """Hold an end state of the cloud against what it should be."""
        seen = found()
        is_right = seen == expected
        self.wrong += not is_right
        self.console.check(what, str(seen) if is_right else f"{seen}, not {expected}", is_right=is_right)


def _is_of(line: LogLine, message_id: str) -> bool:
    return line.report is not None and line.report.message_id == message_id


Story = Callable[[Player, Suite], None]
