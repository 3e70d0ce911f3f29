"""The rate of writes: Cloud Storage asks clients to start at a thousand a second and to ramp up slowly."""

import threading
import time
from collections.abc import Callable

WRITES_A_SECOND = 1000
"""https://cloud.google.com/storage/docs/request-rate#ramp-up"""


class Pace:
    """Lets so many writes begin in a second, whichever thread they come from, and as many at once after a pause."""

    def __init__(
        self,
        writes_a_second: int = WRITES_A_SECOND,
        *,
        seconds: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = writes_a_second
        self._seconds = seconds
        self._sleep = sleep
        self._lock = threading.Lock()
        self._free_at = float("-inf")
        """The time at which everything started so far would be done at this rate."""

    def wait_for(self, writes: int) -> None:
        """Wait until so many writes may begin."""
        with self._lock:
            now = self._seconds()
            begins = max(self._free_at, now - 1.0)
            self._free_at = begins + writes / self._rate
            wait = self._free_at - now
        if wait > 0:
            self._sleep(wait)


PACE = Pace()
"""The one of this process."""
