"""The time of one run: when it began, how long it has worked, and whether it may begin anything more."""

from datetime import datetime, timedelta

from shared.runtime import Runtime


class Stopwatch:
    """Time as one run knows it. The clock is read once: what has passed since is measured."""

    def __init__(self, runtime: Runtime, began: datetime) -> None:
        self.began = began
        self.is_up = False
        """Whether the run has found its time to be up: it stays so."""
        self._runtime = runtime
        self._began_at = runtime.seconds()

    @property
    def now(self) -> datetime:
        """To the second."""
        return self.began + timedelta(seconds=int(self._runtime.seconds() - self._began_at))

    def has_none_left(self) -> bool:
        """Whether the run may begin nothing more."""
        self.is_up = self.is_up or self._runtime.seconds() > self._began_at + self._runtime.time_budget
        return self.is_up

    def patience_ends(self) -> float:
        """Until when the run may wait for what is in flight, as ``Runtime.seconds`` measures."""
        return min(self._runtime.seconds() + self._runtime.patience, self._began_at + self._runtime.time_budget)
