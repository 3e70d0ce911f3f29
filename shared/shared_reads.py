"""One read for several runs: those of a process that want the same while one of them reads it share the next read."""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

ValueT = TypeVar("ValueT")

LONGEST_WAIT = 1.0
"""Seconds after which a run no longer waits for others, and reads by itself."""


class _Read:
    """One read: others wait until it has ended, and take what it has found."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.found: tuple[Any] | None = None


class SharedReads:
    """Reads of the runs of one process, by what is read.

    A run that asks while another one reads waits for the read after that, which the first to wait begins for all: so
    what it gets is no older than what it would have read by itself. A run that is alone waits for nothing.
    """

    def __init__(self, longest_wait: float = LONGEST_WAIT) -> None:
        """``longest_wait`` is in seconds."""
        self._longest_wait = longest_wait
        self._lock = threading.Lock()
        self._under_way: dict[Hashable, _Read] = {}
        self._next: dict[Hashable, _Read] = {}
        """Reads that have not begun: others may still join."""

    def read(self, what: Hashable, read: Callable[[], ValueT]) -> ValueT:
        """The result of ``read``, an immutable value: of this run's, or of another's.

        Raises what it raises. An error is not shared: what another run could not read, each reads by itself.
        """
        mine = _Read()
        with self._lock:
            joined = self._next.setdefault(what, mine)
            before = self._under_way.get(what)
        if joined is not mine:
            joined.ended.wait(self._longest_wait)
            return cast("ValueT", joined.found[0]) if joined.found else read()
        try:
            if before is not None:
                before.ended.wait(self._longest_wait)
            time.sleep(0)  # lets threads go first that are about to ask
            with self._lock:
                self._under_way[what] = self._next.pop(what)
            found = read()
            mine.found = (found,)
            return found
        finally:
            with self._lock:
                for reads in (self._next, self._under_way):
                    if reads.get(what) is mine:
                        del reads[what]
            mine.ended.set()
