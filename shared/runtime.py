"""What a run stands on: clients, clock, log, and how long it may work."""

import time
from collections.abc import Callable
from datetime import datetime

import msgspec

from shared import clock
from shared.clients import Clients
from shared.report import Report, write_report


class Runtime(msgspec.Struct, frozen=True):
    """What a run stands on: the clients, the clock, and how long it may work."""

    clients: Clients
    clock: Callable[[], datetime] = clock.now
    report: Callable[[Report], None] = write_report
    time_budget: float = 180.0
    """Seconds after which a run starts nothing more; the next one goes on."""
    seconds: Callable[[], float] = time.monotonic
    """What that is measured with."""
    patience: float = 0.0
    """Seconds for which a run that has nothing else to do waits for what is in flight, before it leaves that to the
    next one."""
    pause: Callable[[float], None] = time.sleep
    """How it waits, so many seconds at a time."""
