"""The progress of long work, as structured log lines; on a terminal the console draws a bar."""

import msgspec

from shared.report import Severity, write_log


class Progress(msgspec.Struct, frozen=True):
    """So much of the work is done, of so much in all; 0 is not known yet."""

    what: str
    done: int
    total: int = 0

    def log(self, **more: object) -> None:
        """Write it to the log."""
        of_all = f" of {self.total:,}" if self.total else ""
        write_log(Severity.INFO, f"{self.what}: {self.done:,}{of_all}", progress=self, **more)
