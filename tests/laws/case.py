"""A case of a law: one automation in one scenario, and the result of each message delivered to it."""

import re
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message
from grpc import StatusCode

from infra.suite.automations import Entry
from localcloud.core.calls import Call
from shared.automation import AnyAutomation
from shared.errors import RunFailed
from shared.history import COLLECTION
from shared.parts import SPLIT_ABOVE
from shared.report import Outcome, Report
from shared.state import DATABASE
from tests.laws.scenario import Scenario

RUN_ID = re.compile(rb"[0-9a-f]{32}")


@dataclass(frozen=True)
class Case:
    """One automation in one scenario."""

    automation: AnyAutomation
    entry: Entry
    scenario: Scenario
    name: str
    """The scenario's name: that of its file."""
    split_above: int = SPLIT_ABOVE
    """Bytes of its records above which they lie in parts."""

    def __str__(self) -> str:
        return f"{self.automation.name} in the scenario `{self.name}`"


@dataclass(frozen=True)
class Delivery:
    """One delivery of a message, and what came of it."""

    report: Report | None
    """None if the process died before it could report."""
    error: RunFailed | None
    methods: tuple[str, ...]
    """The API calls that the run made, in order."""
    calls: tuple[Call, ...]
    """The API calls that the cloud answered meanwhile."""
    refused: tuple[str, ...] = ()
    """The words of what the scenario refuses for good."""

    @property
    def is_acknowledged(self) -> bool:
        """Whether Pub/Sub would get an acknowledgement of the message."""
        return self.error is None and self.report is not None

    @property
    def failures(self) -> frozenset[str]:
        """The reads and changes that failed, in the words of the report."""
        if self.is_acknowledged or self.report is None:
            return frozenset()
        changes = (change for change in self.report.changes if change.outcome is Outcome.FAILED)
        return frozenset((*map(str, self.report.unreadable), *(f"{one.target}: {one.error}" for one in changes)))

    @property
    def is_over(self) -> bool:
        """Whether it is acknowledged, or has come to its end, and what failed is refused for good in this scenario."""
        if self.report is None or self.report.why or not self.failures:
            return self.is_acknowledged
        return all(any(words in failure for words in self.refused) for failure in self.failures)

    @property
    def mutating(self) -> list[Call]:
        """The calls that change something, failed ones too."""
        return [call for call in self.calls if call.mutating]

    def effects(self, *also: StatusCode) -> tuple[tuple[str, bytes], ...]:
        """The calls that changed something, so that two runs with the same effect compare equal.

        Those are the calls that were answered well, and those that took effect and were answered with ``also``. What
        they add to the history is left out: it tells of failures too, and no run reads it.
        """
        return tuple(
            (call.method, RUN_ID.sub(b"(a run's own id)", without_history(call).SerializeToString(deterministic=True)))
            for call in self.mutating
            if call.code in (StatusCode.OK, *also)
        )


def without_history(call: Call) -> Message:
    """A call's request without those of its writes that add to the history; the request itself if there are none."""
    request: Any = call.request
    if not call.method.endswith("Firestore/Commit") or not any(is_history(write) for write in request.writes):
        return call.request
    kept = [write for write in request.writes if not is_history(write)]
    left: Message = type(request)(database=request.database, writes=kept)
    return left


def is_history(write: Any) -> bool:
    """Whether a write of Firestore adds to the suite's history."""
    return f"/databases/{DATABASE}/documents/{COLLECTION}/" in write.update.name
