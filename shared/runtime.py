"""What a run stands on: clients, clock, log, and how long it may work."""

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
    """Seconds after which a run starts nothing more; the next tick goes on."""
