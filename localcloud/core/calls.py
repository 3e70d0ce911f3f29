"""Calls as they were received and answered, and the faults that they are to have."""

import re
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import grpc
from google.protobuf.message import Message

from localcloud.core.clock import Clock

READ_VERBS = ("Get", "List", "BatchGet", "RunQuery", "RunAggregation", "Search", "Pull", "Test", "Wait", "Access")
HTTP_READS = ("GET", "HEAD")
MINTING = re.compile(r"POST (?:\S+/access_tokens|oauth2\.googleapis\.com/token)")
"""Asking for a token makes nothing that anybody else sees, although it is a POST."""


@dataclass(frozen=True)
class Call:
    """One call as it was received and answered."""

    method: str
    """Service and method, such as ``google.cloud.run.v2.Services/UpdateService``."""
    request: Message
    """A copy of the request; empty if it was a stream, or of an API that is not served."""
    mutating: bool
    at: datetime
    code: grpc.StatusCode


@dataclass
class Fault:
    """Calls that are to be answered with an error."""

    method: str
    code: grpc.StatusCode
    times: int
    skip: int
    after_effect: bool
    message: str


@dataclass(frozen=True)
class Method:
    """One RPC and what serves it, if anything does."""

    name: str
    handle: Callable[[Any], Any] | None

    @property
    def is_mutating(self) -> bool:
        """Whether the method changes anything."""
        return not is_read(self.name)


def is_read(method: str) -> bool:
    """Whether a method changes nothing, by its verb: ``GET host/path``, or ``package.Service/ListThings``."""
    verb, space, _ = method.partition(" ")
    if space:
        return verb in HTTP_READS or MINTING.fullmatch(method) is not None
    return method.rpartition("/")[2].startswith(READ_VERBS)


MOST_CALLS = 50_000
"""Recorded calls: some 100 MB at most, so that the memory of a local cloud that stays up for days is bounded."""


class Recorder:
    """Keeps a record of calls, and knows which are to fail."""

    def __init__(self, clock: Clock, *, most: int = MOST_CALLS) -> None:
        self.clock = clock
        self._calls: deque[Call] = deque(maxlen=most)
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    @property
    def calls(self) -> list[Call]:
        """The calls so far, the newest ones if they are too many, in the order of their answers."""
        with self._lock:
            return list(self._calls)

    def clear_calls(self) -> None:
        """Forget the calls so far."""
        with self._lock:
            self._calls.clear()

    def fail(
        self,
        method: str,
        code: grpc.StatusCode,
        *,
        times: int = 1,
        skip: int = 0,
        after_effect: bool = False,
        message: str = "",
    ) -> None:
        """Answer the next ``times`` calls whose name contains ``method`` with an error, after ``skip`` that go well.

        With ``after_effect`` the call does what it does, and only its answer is an error.
        """
        with self._lock:
            self._faults.append(Fault(method, code, times, skip, after_effect, message or f"injected {code.name}"))

    def clear_faults(self) -> None:
        """Fail nothing more."""
        with self._lock:
            self._faults.clear()

    def next_fault(self, method: Method) -> Fault | None:
        """The fault that a call of a method has now."""
        with self._lock:
            for fault in self._faults:
                if fault.method not in method.name or fault.times == 0:
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                return fault
        return None

    def record(self, method: Method, request: Message, code: grpc.StatusCode) -> None:
        """Note a call, with a copy of its request."""
        with self._lock:
            self._calls.append(Call(method.name, request, method.is_mutating, self.clock.now(), code))
