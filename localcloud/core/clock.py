"""The local cloud's own time, which back-off, schedules and `now` obey: a month can pass in a second."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

PATIENCE_SECONDS = 30.0


class Timer:
    """Something that is to happen at a time, unless it is cancelled before."""

    def __init__(self, when: datetime, callback: Callable[[], None]) -> None:
        self.when = when
        self.callback = callback
        self.is_cancelled = False

    def cancel(self) -> None:
        """Let it not happen."""
        self.is_cancelled = True


class Clock:
    """A clock that is stopped until it is advanced, or runs with the wall clock if ``running``.

    All times are aware and in UTC. Raises ``ValueError`` for a ``start`` without a time zone.
    """

    def __init__(self, start: datetime | None = None, *, running: bool = False) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError(f"a clock cannot start at {start}: it has no time zone")
        self._base = (start or datetime.now(UTC)).astimezone(UTC)
        self._started: float | None = None
        self._timers: list[tuple[datetime, int, Timer]] = []
        self._sequence = itertools.count()
        self._changed = threading.Condition(threading.RLock())
        self._in_flight = 0
        self._horizon = self._base
        self._firing = threading.RLock()
        """Held while timers fire, so that they run one after the other."""
        self._is_closed = False
        self._thread: threading.Thread | None = None
        if running:
            self.start_running()

    def now(self) -> datetime:
        """The time."""
        with self._changed:
            if self._started is None:
                return self._base
            return self._base + timedelta(seconds=time.monotonic() - self._started)

    def start_running(self) -> None:
        """From now on, pass time as the wall clock does."""
        with self._changed:
            if self._started is None:
                self._started = time.monotonic()
                self._thread = threading.Thread(target=self._run, name="clock", daemon=True)
                self._thread.start()

    def call_at(self, when: datetime, callback: Callable[[], None]) -> Timer:
        """Schedule something: it happens at that time, or with the next `settle` if it has gone by."""
        timer = Timer(when, callback)
        with self._changed:
            heapq.heappush(self._timers, (when, next(self._sequence), timer))
            self._changed.notify_all()
        return timer

    def call_later(self, delay: timedelta, callback: Callable[[], None]) -> Timer:
        """Have something happen after a while."""
        return self.call_at(self.now() + delay, callback)

    def horizon(self) -> datetime:
        """The end of the advance in progress; the current time if there is none."""
        with self._changed:
            return max(self._horizon, self.now())

    def advance(self, by: timedelta) -> None:
        """Let time pass: see `advance_to`."""
        self.advance_to(self.now() + by)

    def advance_to(self, when: datetime) -> None:
        """Fire every timer that is due, in order and at its own time, and wait for the work that each starts.

        Raises ``TimeoutError`` if that work takes more than half a minute of real time.
        """
        with self._firing:
            with self._changed:
                self._horizon = when
            self._wait_until_idle(PATIENCE_SECONDS)
            while timer := self._due(when):
                self._set(timer.when)
                timer.callback()
                self._wait_until_idle(PATIENCE_SECONDS)
            self._set(when)

    def settle(self, timeout: float = PATIENCE_SECONDS) -> None:
        """Fire the timers that are due already, and wait until no work is in flight.

        Raises ``TimeoutError`` after that many seconds of real time.
        """
        deadline = time.monotonic() + timeout
        with self._firing:
            self._wait_until_idle(timeout)
            while timer := self._due(self.now()):
                timer.callback()
                self._wait_until_idle(deadline - time.monotonic())

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Count a piece of work as in flight, so that time waits for it."""
        self.begin_work()
        try:
            yield
        finally:
            self.end_work()

    def begin_work(self) -> None:
        """Count one more piece of work as in flight, that another thread will end."""
        with self._changed:
            self._in_flight += 1

    def end_work(self) -> None:
        """One piece of work is done."""
        with self._changed:
            self._in_flight -= 1
            self._changed.notify_all()

    def close(self) -> None:
        """Stop running."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if self._thread:
            self._thread.join()

    def _wait_until_idle(self, timeout: float) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: self._in_flight == 0, timeout):
                raise TimeoutError(f"{self._in_flight} pieces of work are still in flight")

    def _due(self, when: datetime) -> Timer | None:
        with self._changed:
            while self._timers and self._timers[0][0] <= when:
                timer = heapq.heappop(self._timers)[2]
                if not timer.is_cancelled:
                    return timer
            return None

    def _set(self, when: datetime) -> None:
        """Time only moves forward: a timer may have fired late, or a running clock have passed ``when``."""
        with self._changed:
            self._base = max(when.astimezone(UTC), self.now())
            if self._started is not None:
                self._started = time.monotonic()
            self._changed.notify_all()

    def _run(self) -> None:
        while self._wait_for_a_timer():
            with self._firing:
                if timer := self._due(self.now()):
                    timer.callback()

    def _wait_for_a_timer(self) -> bool:
        """Wait until a timer is due; False when the clock is closed."""
        with self._changed:
            while not self._is_closed:
                seconds = (self._timers[0][0] - self.now()).total_seconds() if self._timers else None
                if seconds is not None and seconds <= 0:
                    return True
                self._changed.wait(seconds)
            return False
