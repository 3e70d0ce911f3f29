"""Law 12, one part blocks only itself: what cannot be read is reported, and everything else ends as when all is read.

Each read that the scenario makes is refused from the beginning, wherever it asks for the same. What then differs from
the undisturbed end must belong to what that read names; the reports must name it too. What the scenario itself refuses
for good is held to the same, beside the scenario in which it is not refused.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec
from google.protobuf.message import Message
from grpc import StatusCode

from localcloud.core.calls import Call
from localcloud.core.server import ApiError
from localcloud.core.snapshot import Snapshot
from shared.report import Outcome, Report
from tests.laws.broken import differences, in_lines
from tests.laws.case import Case, Delivery
from tests.laws.end_state import Resources
from tests.laws.errors import forget_versions
from tests.laws.harness import Authorize, Stage
from tests.laws.scenario import Event

NAME = "isolation"
OWN_STATE = "google.firestore."
NAMED = re.compile(
    r"projects/[^\s\"?\\]+|billingAccounts/[^\s\"?\\]+|(?<=/repos/)[^/\s]+/[^/?\s\"]+|(?<=/b/)[^/?\s\"]+"
)
"""The full name that a request reads: of Google Cloud, a repository on GitHub, or a bucket."""

NUMBERED = re.compile(r"/(comments|deployments)/\d+")
"""GitHub numbers these as they come, so that the numbers differ from one future to another."""


class Read(msgspec.Struct, frozen=True):
    """One question to an API, without what differs each time it is asked."""

    method: str
    asked: str

    @property
    def subjects(self) -> tuple[str, ...]:
        """The resource that it names: the parent of a version or a revision; the project for a list of everything."""
        found = NAMED.findall(f"{self.method} {self.asked}")
        return tuple(dict.fromkeys(re.sub(r"/(versions|revisions|aggregated)/[^/]+$", "", one) for one in found))

    def __str__(self) -> str:
        return f"{self.method} of {', '.join(self.subjects)}"


def check(case: Case, part: str) -> None:
    """Play the scenario undisturbed, then once for each read, which is refused."""
    del part
    with Stage(case, NAME, is_by_wire=False) as stage:
        past = stage.snapshot()
        whole, *expected = _play(stage)
        if stage.scenario.refused:
            _must_be_contained(stage, past, whole, expected)
        for read in dict.fromkeys(_read_of(call) for one in whole for call in one.calls if _is_question(call)):
            past.restore()
            deliveries, *actual = _play(stage, _refusing(read))
            _must_be_reported(stage, read, [one.report for one in deliveries if one.report])
            for right, found in zip(expected, actual, strict=True):
                _must_be_alike(stage, {read: _blocked(read, stage.scenario.blocks)}, right, found)


def _must_be_contained(stage: Stage, past: Snapshot, whole: list[Delivery], found: list[Resources]) -> None:
    """A refusal of the scenario that lasts is reported, and changes the end of nothing but what it names."""
    past.restore()
    stage.refused = ()
    _, *expected = _play(stage)
    stage.refused = stage.scenario.refused
    if expected == found:
        raise stage.broken("what the scenario refuses makes no difference: refuse what matters")
    for one in stage.refused:
        if not any(one.message in failure for delivery in whole for failure in delivery.failures):
            raise stage.broken(f"{one.calls} is refused, and no failed report says `{one.message}`")
    reads = {Read(one.calls, one.names): one.blocks for one in stage.refused}
    for right, actual in zip(expected, found, strict=True):
        _must_be_alike(stage, reads, right, actual)


def _play(stage: Stage, authorize: Authorize | None = None) -> tuple[list[Delivery], Resources, Resources]:
    """All events and the undo, each delivered again once if its run failed, with ticks after each of the two.

    Returns the deliveries, and the resources before and after the undo.
    """
    stage.authorize = authorize
    deliveries: list[Delivery] = []
    for event in stage.scenario.events:
        deliveries += _deliver(stage, event)
    deliveries += _ticks(stage)
    before = stage.resources()
    if stage.scenario.undo:
        deliveries += [*_deliver(stage, stage.scenario.undo), *_ticks(stage)]
    return deliveries, before, stage.resources()


def _must_be_alike(stage: Stage, reads: Mapping[Read, Sequence[str]], right: Resources, found: Resources) -> None:
    """The resources that differ must concern one of the refused reads, or be of what else these block."""
    for name in sorted(right.keys() | found.keys()):
        before, after = right.get(name), found.get(name)
        state = f"{before} {after}"
        if before != after and not any(_concerns(read, name, state, also) for read, also in reads.items()):
            how = in_lines(differences(before, after))
            refused = ", ".join(map(str, reads))
            raise stage.broken(f"{refused} is refused, and {name} is not as it is otherwise:{how}")


def _deliver(stage: Stage, event: Event) -> Iterator[Delivery]:
    yield (first := stage.deliver(event))
    if not first.is_acknowledged:
        yield stage.deliver(event)


def _ticks(stage: Stage) -> Iterator[Delivery]:
    for _ in range(stage.scenario.ticks):
        stage.let_a_period_pass()
        yield from _deliver(stage, stage.a_tick())


def _is_question(call: Call) -> bool:
    return not call.mutating and not call.method.startswith(OWN_STATE)


def _read_of(call: Call) -> Read:
    return _read(call.method, call.request)


def _read(method: str, request: Message) -> Read:
    plain = type(request)()
    plain.CopyFrom(request)
    forget_versions(plain)
    for field in ("page_token", "interval"):
        if field in plain.DESCRIPTOR.fields_by_name:
            plain.ClearField(field)
    return Read(_without_numbers(method), _without_numbers(str(plain)))


def _without_numbers(text: str) -> str:
    return NUMBERED.sub(r"/\1/*", text)


def _refusing(refused: Read) -> Authorize:
    def authorize(method: str, request: Message) -> None:
        if _without_numbers(method) == refused.method and _read(method, request) == refused:
            # As Secret Manager answers; what others answer names less.
            named = f" on resource {refused.subjects[0]}" if method.endswith("AccessSecretVersion") else ""
            raise ApiError(StatusCode.PERMISSION_DENIED, f"Permission denied{named}")

    return authorize


def _must_be_reported(stage: Stage, read: Read, reports: list[Report]) -> None:
    """A failed report must name what was asked about, or what it is in, or a change that failed for it."""
    failed = [report for report in reports if report.outcome is Outcome.FAILED]
    changes = [change.target for report in failed for change in report.changes if change.outcome is Outcome.FAILED]
    unreadable = [text for report in failed for one in report.unreadable for text in (one.resource, one.error)]
    said = [*unreadable, *changes]
    words = set(re.findall(r"[\w.-]{4,}", read.asked)) | {subject.rpartition("/")[2] for subject in read.subjects}
    for text in said:
        if words & set(re.split(r"[^\w.-]+", text)) or any(one.startswith(text) for one in read.subjects):
            return
    raise stage.broken(f"{read} is refused, and no failed report names it: {', '.join(said) or 'none failed'}")


def _blocked(read: Read, blocks: Mapping[str, Sequence[str]]) -> list[str]:
    return [text for part, blocked in blocks.items() if part in str(read) for text in blocked]


def _concerns(read: Read, name: str, state: str, also: Sequence[str]) -> bool:
    """Whether a resource is, is in, or is marked as of, something that the read names, or depends on it."""
    return any(one in name or name in one or one in state for one in read.subjects) or any(one in name for one in also)
