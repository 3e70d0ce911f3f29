"""The steps of one run from fold to apply: fold -> [ read -> settle -> plan -> guard -> intend -> apply ]*.

This is the only place that knows ``mode: observe | act``.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Generic

import msgspec

from shared.automation import Automation, ChangeT, EventT, Occasion, RecordsT, SectionT, WorldT
from shared.errors import RunFailed, StillBusy, WriteConflict, cloud_errors, in_words
from shared.events import Dated, LookAgain
from shared.lease import Lease, LeaseRecord
from shared.plan import Plan, guarded
from shared.report import ChangeReport, Outcome, Report, bounded, change_report, overall, with_changes
from shared.restrictions import DOCUMENT as RESTRICTIONS_DOCUMENT
from shared.restrictions import SpendingRestrictions
from shared.runtime import Runtime
from shared.settings import Configuration, Mode
from shared.state import ATTEMPTS, Document, State
from shared.waking import wake

PAUSE_SECONDS = 3.0
"""How long a run that waits for what is in flight leaves it alone at a time."""
TIME_IS_UP = "time is up; the next run goes on"


class Steps(Generic[SectionT, EventT, RecordsT, WorldT, ChangeT]):
    """One event on its way from fold to apply."""

    def __init__(
        self,
        automation: Automation[SectionT, EventT, RecordsT, WorldT, ChangeT],
        settings: Configuration[SectionT],
        event: Dated[EventT],
        now: datetime,
        runtime: Runtime,
    ) -> None:
        self._automation = automation
        self._settings = settings
        self._event = event
        self._about: Dated[EventT | LookAgain] = event
        """What it looks at: what its event is about, or everything, once another run has asked for that."""
        self._now = now
        self._runtime = runtime
        self._state = State(runtime.clients)
        self._deadline = runtime.seconds() + runtime.time_budget
        self._is_time_up = False
        self.notices: dict[str, None] = {}
        self.results: list[ChangeReport] = []
        """What came of each change so far, for the report of a run that fails too."""
        self._done: set[str] = set()
        """The changes that this run has applied, in words."""

    def carry_out(self, report: Report) -> Report:
        """Fold the event, decide, and act if that is the mode."""
        stored, lease, occasion = self._fold()
        is_asked = lease.as_type(LeaseRecord).is_left_behind(self._now)
        if is_asked:
            self._look_at_everything()
        decision = self._decide(msgspec.structs.replace(occasion, event=self._about), ())
        report = msgspec.structs.replace(report, status=bounded(self._automation.status(occasion, decision.world)))
        if self._settings.mode is Mode.OBSERVE:
            return self._observe(report, stored, occasion, decision.plan)
        if decision.plan.changes or decision.records != occasion.records or is_asked:
            lease_of_this_run = Lease(self._state, lease, self._event.message_id)
            return self._act(report, lease_of_this_run, _Look(stored, occasion, decision))
        return self._summary(report, decision.plan, ())

    def _fold(self) -> tuple[Document, Document, "Occasion[SectionT, EventT, RecordsT]"]:
        for _ in range(ATTEMPTS):
            stored, lease, occasion = self._remember()
            records = self._automation.fold(occasion.records, self._event, occasion.settings)
            if records == occasion.records:
                return stored, lease, occasion
            if written := self._written(stored, records):
                return written, lease, msgspec.structs.replace(occasion, records=records)
        raise self._contended()

    def _remember(self) -> tuple[Document, Document, "Occasion[SectionT, EventT, RecordsT]"]:
        """All durable state, in one call: the records and the lease as documents, and what they say."""
        name = self._automation.name
        stored, lease, restrictions = self._state.read(f"records/{name}", Lease.path(name), RESTRICTIONS_DOCUMENT)
        return (
            stored,
            lease,
            Occasion(
                event=self._about,
                records=stored.as_type(self._automation.records),
                restrictions=restrictions.as_type(SpendingRestrictions),
                restrictions_document=restrictions,
                settings=self._settings.section,
                now=self._now,
                project=self._runtime.clients.project,
            ),
        )

    def _decide(
        self, occasion: "Occasion[SectionT, EventT, RecordsT]", applied: tuple[ChangeT, ...]
    ) -> "_Decision[RecordsT, WorldT, ChangeT]":
        world = self._automation.read(occasion, self._runtime.clients)
        settled = self._automation.settle(occasion, world, applied)
        records = settled.records
        self.notices |= dict.fromkeys(settled.notices)
        occasion = msgspec.structs.replace(occasion, records=records)
        plan = guarded(self._automation.plan(occasion, world), self._automation.guards(occasion, world))
        intended = self._automation.intend(occasion, plan.changes) if plan.changes else records
        return _Decision(world, plan, records, intended)

    def _observe(
        self,
        report: Report,
        stored: Document,
        occasion: "Occasion[SectionT, EventT, RecordsT]",
        plan: Plan[ChangeT],
    ) -> Report:
        """Say what would be done; remember the plan, so that a change of it is told from a repetition."""
        checksum = _checksum(plan)
        changed = checksum != occasion.records.observed_plan
        if changed:
            # Another run that has written meanwhile has reported a plan of its own: the next one compares with that.
            self._written(stored, msgspec.structs.replace(occasion.records, observed_plan=checksum))
        planned = tuple(change_report(change, Outcome.OBSERVED) for change in plan.changes)
        return msgspec.structs.replace(
            self._summary(report, plan, planned), plan_changed=changed, table=bounded(_table(plan))
        )

    def _act(self, report: Report, lease: Lease, first: "_Look[SectionT, EventT, RecordsT, WorldT, ChangeT]") -> Report:
        if not lease.take(self._now):
            waiting = ("another run is at work, and looks again before it leaves",)
            return msgspec.structs.replace(report, outcome=Outcome.WAITING, waiting=waiting)
        try:
            plan = self._work(lease, first if self._automation.looks_once and lease.was_untouched else None)
        finally:
            is_asked = lease.leave()
        if is_asked:
            raise RunFailed("another run has asked to look again, and this one ends before that: it is delivered again")
        if self._is_time_up and self._automation.goes_on:
            self._wake_again()
        return self._summary(report, plan, tuple(self.results))

    def _wake_again(self) -> None:
        """If anything came of this run, so that the next one will find less to do than it did."""
        if any(result.outcome is Outcome.APPLIED for result in self.results):
            wake(self._runtime.clients, self._automation.name)

    def _work(self, lease: Lease, first: "_Look[SectionT, EventT, RecordsT, WorldT, ChangeT] | None") -> Plan[ChangeT]:
        """Read, plan and apply until there is nothing to do, something fails, or time is up."""
        patience_ends = min(self._runtime.seconds() + self._runtime.patience, self._deadline)
        applied: tuple[ChangeT, ...] = ()
        while True:
            plan = (first and self._made_durable(first)) or self._prepare(applied)
            first = None
            if plan.waiting and not plan.changes and self._runtime.seconds() < patience_ends:
                self._runtime.pause(PAUSE_SECONDS)
                applied = ()
                continue
            if not plan.changes and self._gives_back(lease):
                return plan
            if self._has_no_time_left():
                return _out_of_time(plan)
            told = len(self.notices)
            applied = self._apply(plan.changes)
            if len(applied) < len(plan.changes):
                return self._left_incomplete(plan, applied)
            if self._automation.looks_once and len(self.notices) == told and self._gives_back(lease):
                return plan

    def _gives_back(self, lease: Lease) -> bool:
        """Whether this run is done; if another one has asked to look again, it looks at everything from now on."""
        is_done = lease.give_back(self._now)
        if not is_done:
            self._look_at_everything()
        return is_done

    def _look_at_everything(self) -> None:
        self._about = Dated(LookAgain(), self._event.message_id, self._event.published)

    def _left_incomplete(self, plan: Plan[ChangeT], applied: tuple[ChangeT, ...]) -> Plan[ChangeT]:
        """The plan of a run that ends although not all of it was applied."""
        if not self._automation.looks_once:
            # What was applied beside something that failed, or has to wait, is not to be done, or said, twice.
            self._prepare(applied, is_last=True)
        return _out_of_time(plan) if self._is_time_up else plan

    def _has_no_time_left(self) -> bool:
        self._is_time_up = self._is_time_up or self._runtime.seconds() > self._deadline
        return self._is_time_up

    def _made_durable(self, look: "_Look[SectionT, EventT, RecordsT, WorldT, ChangeT]") -> Plan[ChangeT] | None:
        """The plan of a look, with what was seen and intended made durable; None if another run wrote meanwhile."""
        records = look.decision.intended
        is_durable = records == look.occasion.records or self._written(look.stored, records)
        return look.decision.plan if is_durable else None

    def _prepare(self, applied: tuple[ChangeT, ...], *, is_last: bool = False) -> Plan[ChangeT]:
        """A fresh plan, with what was seen made durable, and unless nothing follows, with what it intends."""
        for _ in range(ATTEMPTS):
            stored, _, occasion = self._remember()
            decision = self._decide(occasion, applied)
            records = decision.records if is_last else decision.intended
            if records == occasion.records or self._written(stored, records):
                return decision.plan
        raise self._contended()

    def _written(self, stored: Document, records: RecordsT) -> Document | None:
        """The document as it was written; None if another run wrote first."""
        try:
            return self._state.write(stored, records)
        except WriteConflict:
            return None

    def _contended(self) -> RunFailed:
        return RunFailed(f"{self._automation.name}: other runs wrote first, {ATTEMPTS} times; it is delivered again")

    def _summary(self, report: Report, plan: Plan[ChangeT], changes: tuple[ChangeReport, ...]) -> Report:
        return msgspec.structs.replace(
            with_changes(report, changes),
            outcome=overall(plan, changes),
            refusals=plan.refusals,
            alerts=plan.alerts,
            waiting=bounded(plan.waiting),
            notices=bounded(self.notices),
            next=bounded(plan.next),
        )

    def _apply(self, changes: Sequence[ChangeT]) -> tuple[ChangeT, ...]:
        """Apply changes, note what came of each, and return those that were applied."""
        repeated = [change for change in changes if str(change) in self._done]
        self.results += [
            change_report(change, Outcome.FAILED, "it was applied, but did not last") for change in repeated
        ]
        fresh = [change for change in changes if change not in repeated]
        results = self._runtime.clients.in_parallel(self._apply_one, fresh)
        self.notices |= dict.fromkeys(notice for _, notices in results for notice in notices)
        self.results += [result for result, _ in results]
        outcomes = zip(fresh, results, strict=True)
        applied = tuple(change for change, (result, _) in outcomes if result.outcome is Outcome.APPLIED)
        self._done |= {str(change) for change in applied}
        return applied

    def _apply_one(self, change: ChangeT) -> tuple[ChangeReport, Sequence[str]]:
        if self._has_no_time_left():
            return change_report(change, Outcome.WAITING, TIME_IS_UP), ()
        try:
            notices = self._automation.apply(change, self._runtime.clients)
        except StillBusy as busy:
            return change_report(change, Outcome.WAITING, str(busy)), ()
        except cloud_errors() as error:
            return change_report(change, Outcome.FAILED, in_words(error)), ()
        return change_report(change, Outcome.APPLIED), notices or ()


class _Decision(msgspec.Struct, Generic[RecordsT, WorldT, ChangeT], frozen=True):
    world: WorldT
    plan: Plan[ChangeT]
    records: RecordsT
    intended: RecordsT


class _Look(msgspec.Struct, Generic[SectionT, EventT, RecordsT, WorldT, ChangeT], frozen=True):
    """A decision, with what was known when it was made."""

    stored: Document
    occasion: Occasion[SectionT, EventT, RecordsT]
    decision: _Decision[RecordsT, WorldT, ChangeT]


def _out_of_time(plan: Plan[ChangeT]) -> Plan[ChangeT]:
    return msgspec.structs.replace(plan, waiting=(*plan.waiting, TIME_IS_UP))


def _table(plan: Plan[ChangeT]) -> tuple[str, ...]:
    """The decision as a table, with what is refused of it."""
    refused = (f"{one.subject} is refused: {one.reason} [{one.guard}]" for one in plan.refusals)
    return (*plan.table, *refused) if plan.table else ()


def _checksum(plan: Plan[ChangeT]) -> str:
    lines = [str(change) for change in plan.changes] + [str(refusal) for refusal in plan.refusals]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16] if lines else ""
