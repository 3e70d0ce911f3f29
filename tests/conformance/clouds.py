"""A cloud to hold cases against: the local cloud, or one of Google's emulators, whose time is the wall clock's."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from localcloud import LocalCloud

LONGEST_WAIT_SECONDS = 20
POLL_SECONDS = 0.02

Condition = Callable[[], bool]


@dataclass(frozen=True)
class Cloud:
    """A cloud's address, its time, and a way to advance time until something has happened."""

    address: str
    now: Callable[[], datetime]
    settle: Callable[[Condition], None]
    http_address: str = ""
    """The address of its APIs over HTTP, each under its host; none for an emulator, which serves one."""


@contextmanager
def local_cloud() -> Iterator[Cloud]:
    """A local cloud of its own for each case."""
    with LocalCloud() as cloud:

        def settle(has_come: Condition) -> None:
            cloud.clock.settle()
            for _ in range(LONGEST_WAIT_SECONDS):
                if has_come():
                    return
                cloud.clock.advance(timedelta(seconds=1))
            assert has_come(), "it did not come about"

        yield Cloud(cloud.address, cloud.clock.now, settle, cloud.http_address)


def emulated(address: str) -> Cloud:
    """An emulator that is running already."""

    def settle(has_come: Condition) -> None:
        deadline = time.monotonic() + LONGEST_WAIT_SECONDS
        while not has_come():
            assert time.monotonic() < deadline, "it did not come about"
            # The emulator is a process of its own: there is nothing to wait on.
            time.sleep(POLL_SECONDS)

    return Cloud(address, lambda: datetime.now(UTC), settle)
