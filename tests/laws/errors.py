"""Law 6, errors: each error at each call is retried or raised, never lost; a failed read changes nothing of its own.

A read that fails for good blocks only its own subjects: what changes after it changes in just this way
when nothing fails.

Every code is tried at every call. Errors that pass are tried at all reads of a run at once, as that must be as if
nothing had happened, and one by one if it is not. Writes also fail after they took effect: there they take the codes by
turns.

NOT_FOUND and ALREADY_EXISTS are not among them: they say what is there, so an automation may well act on them.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from google.protobuf.message import Message
from grpc import StatusCode

from localcloud.core.calls import Call, is_read
from localcloud.core.snapshot import Snapshot
from shared.report import Outcome, Severity, severity
from tests.laws.case import Case, Delivery
from tests.laws.harness import Stage, State
from tests.laws.scenario import Event

NAME = "errors"

PASSING = (
    StatusCode.UNAVAILABLE,
    StatusCode.DEADLINE_EXCEEDED,
    StatusCode.INTERNAL,
    StatusCode.RESOURCE_EXHAUSTED,
    StatusCode.ABORTED,
)
FINAL = (
    StatusCode.PERMISSION_DENIED,
    StatusCode.INVALID_ARGUMENT,
    StatusCode.FAILED_PRECONDITION,
    StatusCode.UNAUTHENTICATED,
)
FOR_GOOD = 1_000_000


@dataclass(frozen=True)
class Fault:
    """One call of a run that is answered with an error."""

    at: int
    method: str
    earlier: int
    """The number of earlier calls of the same method."""
    code: StatusCode
    after_effect: bool = False
    times: int = 1

    def __str__(self) -> str:
        often = "from then on" if self.times > 1 else "once"
        effect = " after it took effect" if self.after_effect else ""
        return f"call {self.at}, {self.method}, answered {self.code.name}{effect} {often}"


def check(case: Case, part: str) -> None:
    """Let every call of one event's run fail."""
    with Stage(case, NAME, is_by_wire=False) as stage:
        event = stage.play_until(part)
        past = stage.snapshot()
        (whole, *_) = stage.deliver_until_acknowledged(event)
        trial = Trial(stage, event, past, whole, stage.end_state(), stage.again_and_tick(event))
        for code in PASSING:
            reads = tuple(every_read(whole.methods, code))
            if reads and not trial.hold(*reads):
                for fault in reads:
                    trial.hold(fault)
        for fault in (*lasting_at_reads(whole.methods), *at_writes(whole.methods)):
            trial.hold(fault)


@dataclass
class Trial:
    """One event's run, with what came of it when nothing failed."""

    stage: Stage
    event: Event
    past: Snapshot
    whole: Delivery
    right_after: State
    expected: State
    """After a redelivery and a tick."""
    ends: dict[object, State] = field(default_factory=dict)
    """The end state by what a failed run had changed: what follows is the same wherever that is the same."""

    @cached_property
    def usual(self) -> frozenset[tuple[str, bytes]]:
        """The changes that are made when nothing fails."""
        return frozenset(map(edit_of, self.whole.mutating))

    @cached_property
    def all_effects(self) -> tuple[tuple[str, bytes], ...]:
        """The effects when nothing fails."""
        return self.whole.effects()

    def hold(self, *faults: Fault) -> bool:
        """Run the event with these faults, and hold what comes of it against the law; True if it came to its end."""
        self.past.restore()
        server = self.stage.cloud.server
        for fault in faults:
            server.fail(
                fault.method, fault.code, times=fault.times, skip=fault.earlier, after_effect=fault.after_effect
            )
        delivery = self.stage.deliver(self.event)
        server.clear_faults()
        what = f"`{self.event.name}`, {', '.join(map(str, faults))}:"
        self._must_be_safe(delivery, faults, what)
        also = [fault.code for fault in faults if fault.after_effect]
        effects = delivery.effects(*also)
        if delivery.is_over:
            if effects != self.all_effects:
                self.stage.must_be(
                    self.right_after, self.stage.end_state(), f"{what} came to its end, and yet not all is done"
                )
            return True
        self._must_be_reported(delivery, what)
        if effects not in self.ends:
            self.ends[effects] = self.stage.again_and_tick(self.event)
        self.stage.must_be(
            self.expected, self.ends[effects], f"{what} delivered again, and a tick: the end state differs"
        )
        return False

    def _must_be_reported(self, delivery: Delivery, what: str) -> None:
        if delivery.report is None or delivery.report.outcome is not Outcome.FAILED:
            raise self.stage.broken(f"{what} raised, and reported as {delivery.report and delivery.report.outcome}")
        if severity(delivery.report) is not Severity.ERROR:
            raise self.stage.broken(f"{what} raised, and reported with severity {severity(delivery.report)}")

    def _must_be_safe(self, delivery: Delivery, faults: tuple[Fault, ...], what: str) -> None:
        """A read that fails, and goes on failing, is reported, and leads to no change that is not made without it."""
        for fault in (fault for fault in faults if is_read(fault.method)):
            calls = [call for call in delivery.calls if call.method == fault.method or call.mutating]
            # Of several faults, the first may have ended the run already.
            failed = max((place for place, call in enumerate(calls) if call.code is fault.code), default=len(calls))
            later = calls[failed + 1 :]
            if failed == len(calls) or any(call.method == fault.method for call in later):
                continue
            if delivery.is_over and not self._is_refused(fault) and delivery.failures == self.whole.failures:
                raise self.stage.broken(f"{what} came to its end, as if it had been read")
            for call in later:
                if not self.stage.only_writes(call, "records", "leases") and edit_of(call) not in self.usual:
                    raise self.stage.broken(f"{what} and yet it went on to {call.method}, which is not made otherwise")

    def _is_refused(self, fault: Fault) -> bool:
        """Whether such a call is refused in just this way without the fault."""
        return any(one.code == fault.code.name and one.calls in fault.method for one in self.stage.refused)


def edit_of(call: Call) -> tuple[str, bytes]:
    """The change of a call: its request without etags and preconditions, which depend on its time."""
    request = type(call.request)()
    request.CopyFrom(call.request)
    forget_versions(request)
    return call.method, request.SerializeToString(deterministic=True)


def forget_versions(message: Message) -> None:
    """Leave out of a request what names a version of something that was read."""
    for part, value in message.ListFields():
        if part.name in ("etag", "current_document"):
            message.ClearField(part.name)
        elif isinstance(value, Message):
            forget_versions(value)
        elif part.is_repeated and part.message_type and not part.message_type.GetOptions().map_entry:
            for one in value:
                forget_versions(one)


def every_read(methods: tuple[str, ...], code: StatusCode) -> Iterator[Fault]:
    """Each read of a run that makes these calls fails once."""
    for at, method in enumerate(methods):
        if is_read(method):
            yield Fault(at, method, methods[:at].count(method), code)


def lasting_at_reads(methods: tuple[str, ...]) -> Iterator[Fault]:
    """Each read fails with each error that does not pass, and with one that usually does, and this time does not."""
    for at, method in enumerate(methods):
        if is_read(method):
            for code in (*FINAL, StatusCode.UNAVAILABLE):
                yield Fault(at, method, methods[:at].count(method), code, times=FOR_GOOD)


def at_writes(methods: tuple[str, ...]) -> Iterator[Fault]:
    """Each write fails with each error, and after it took effect with one of those that pass."""
    turns = itertools.cycle(PASSING)
    for at, method in enumerate(methods):
        if not is_read(method):
            earlier = methods[:at].count(method)
            for code in (*PASSING, *FINAL):
                yield Fault(at, method, earlier, code)
            yield Fault(at, method, earlier, next(turns), after_effect=True)
