"""The means of a run: clients, clock, log, and its time budget."""

import time
from collections.abc import Callable
from datetime import datetime

import msgspec

from shared import clock
from shared.clients import Clients
from shared.decision import LogLine
from shared.parts import SPLIT_ABOVE
from shared.report import Report, write_line, write_report
from shared.shared_reads import SharedReads


class Runtime(msgspec.Struct, frozen=True):
    """The means of a run: the clients, the clock, the log, and its time budget."""

    clients: Clients
    clock: Callable[[], datetime] = clock.now
    report: Callable[[Report], None] = write_report
    log: Callable[[LogLine], None] = write_line
    time_budget: float = 180.0
    """Seconds after which a run starts nothing more; the next one continues."""
    seconds: Callable[[], float] = time.monotonic
    """The clock that measures it."""
    patience: float = 0.0
    """Seconds for which a run that has nothing else to do waits for what is in flight (`Automation.patience`)."""
    pause: Callable[[float], None] = time.sleep
    """Waits for so many seconds."""
    split_above: int = SPLIT_ABOVE
    """Bytes of the records above which their largest mappings move into documents of their own."""
    reads: SharedReads = msgspec.field(default_factory=SharedReads)
    """Of state, by the runs that are under way at the same time."""

    def finish(self, report: Report) -> Report:
        """Write the report of a run that has ended; returns it."""
        self.report(report)
        return report
