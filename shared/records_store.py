"""The durable state of one automation, as one run reads and writes it: records, lease, restrictions and history."""

from collections.abc import Iterable
from datetime import datetime
from typing import Generic

import msgspec

from shared.automation import Automation, ChangeT, EventT, RecordsT, RunContext, SectionT
from shared.decision import Alert
from shared.errors import RunFailed, WriteConflict
from shared.events import Dated
from shared.history import Journal
from shared.lease import Lease
from shared.moments import Moment
from shared.restrictions import DOCUMENT as RESTRICTIONS_DOCUMENT
from shared.restrictions import SpendingRestrictions
from shared.runtime import Runtime
from shared.state import ATTEMPTS, Document, State
from shared.transitions import commanded, moments_between
from shared.world import NeedT


class Stored(msgspec.Struct, Generic[SectionT, EventT, RecordsT], frozen=True):
    """Durable state as it was read: two documents that may be written, and the context that a run makes of all."""

    records: Document
    lease: Document
    context: RunContext[SectionT, EventT, RecordsT]


class RecordsStore(Generic[SectionT, EventT, RecordsT, NeedT, ChangeT]):
    """Reads and writes one automation's durable state for one event."""

    def __init__(
        self,
        automation: Automation[SectionT, EventT, RecordsT, NeedT, ChangeT],
        settings: SectionT,
        event: Dated[EventT],
        now: datetime,
        runtime: Runtime,
        *,
        sent_by: str,
    ) -> None:
        self._automation = automation
        self._settings = settings
        self._event = event
        self._now = now
        self._project = runtime.clients.project
        self._reads = runtime.reads
        self._sent_by = sent_by
        self.journal = Journal(automation.name, event.message_id)
        """Its moments ride on the next write."""
        self.state = State(runtime.clients, self.journal, split_above=runtime.split_above)

    def read(self) -> Stored[SectionT, EventT, RecordsT]:
        """All durable state, in one call; in two if the records lie in parts."""
        name = self._automation.name
        paths = (f"records/{name}", Lease.path(name), RESTRICTIONS_DOCUMENT)
        stored, lease, restrictions = self._reads.read(paths, lambda: self.state.read(*paths))
        records, unreadable_records = stored.read_as(self._automation.records)
        in_force, unreadable_restrictions = restrictions.read_as(SpendingRestrictions)
        context: RunContext[SectionT, EventT, RecordsT] = RunContext(
            event=self._event,
            records=records,
            restrictions=in_force,
            restrictions_document=restrictions,
            unreadable=unreadable_records + unreadable_restrictions,
            settings=self._settings,
            now=self._now,
            project=self._project,
        )
        return Stored(stored, lease, context)

    def fold(self) -> Stored[SectionT, EventT, RecordsT]:
        """Durable state with the event folded into its records.

        Raises ``RunFailed`` if other runs write first each time.
        """
        for _ in range(ATTEMPTS):
            stored = self.read()
            context = self.folded(stored.context)
            if context.records == stored.context.records:
                return stored
            if written := self.write(stored.records, context.records, first=commanded(self._event, self._sent_by)):
                return Stored(written, stored.lease, context)
        raise self.contended()

    def folded(self, context: RunContext[SectionT, EventT, RecordsT]) -> RunContext[SectionT, EventT, RecordsT]:
        """A context with the event folded into its records; nothing is written."""
        records = self._automation.fold(context.records, self._event, self._settings)
        return msgspec.structs.replace(context, records=records)

    def write(
        self, stored: Document, records: RecordsT, alerts: Iterable[Alert] = (), first: Iterable[Moment] = ()
    ) -> Document | None:
        """The document as it was written, with what that tells in the history; None if another run wrote first."""
        before = stored.as_type(self._automation.records)
        moments = moments_between(before, records, alerts, self._now)
        try:
            return self.state.write(stored, records, [*first, *moments])
        except WriteConflict:
            return None

    def contended(self) -> RunFailed:
        """The error of a run that other runs have kept from writing."""
        return RunFailed(f"{self._automation.name}: other runs wrote first, {ATTEMPTS} times; it is delivered again")
