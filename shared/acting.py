"""One event on its way from fold to report: fold -> [ look -> decide -> guard -> record -> apply ]*.

This is the only place that knows ``mode: observe | act``.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Generic

import msgspec

from shared.applying import LEASE_LOST, TIME_IS_UP, Attempt, Attempts, in_lines, learned
from shared.automation import Automation, ChangeT, EventT, Records, RecordsT, RunContext, SectionT
from shared.cached import cached_by_identity
from shared.continuing import publish_tick
from shared.debts import Debt, held_and_unreadable, held_while_observing
from shared.decision import Decision, LogLine, Message
from shared.errors import RunFailed
from shared.events import ASKED, Dated, RerunRequested, Tick
from shared.lease import Lease, LeaseRecord
from shared.looking import Look, look_and_decide
from shared.moments import Changed
from shared.records_size import nearly_full
from shared.records_store import RecordsStore
from shared.report import (
    MOST_LINES,
    ChangeReport,
    Outcome,
    Report,
    bounded,
    bounded_alerts,
    bounded_refusals,
    bounded_unreadable,
    change_report,
    overall,
    upcoming,
    with_changes,
)
from shared.runtime import Runtime
from shared.settings import Configuration, Mode
from shared.state import ATTEMPTS, Document
from shared.stopwatch import Stopwatch
from shared.transitions import with_dated_alerts, without_alerting
from shared.world import NeedT, Unreadable, World

PAUSE_SECONDS = 3.0
"""The pause between two looks of a run that waits for operations in flight."""
ANOTHER_RUN = "another run holds the lease, and reruns before it releases it"


PLAN_CHANGED = "the plan has changed since: nothing was done; plan it again"
NOTHING_PLANNED = "nothing"
"""The checksum of a plan without changes."""


class RunLoop(Generic[SectionT, EventT, RecordsT, NeedT, ChangeT]):
    """One event on its way from fold to the report."""

    def __init__(
        self,
        automation: Automation[SectionT, EventT, RecordsT, NeedT, ChangeT],
        settings: Configuration[SectionT],
        event: Dated[EventT],
        now: datetime,
        runtime: Runtime,
        *,
        sent_by: str = "",
        plan: str = "",
    ) -> None:
        self._automation = automation
        self._settings = settings
        self._event = event
        self._plan = plan
        self._about: Dated[EventT | RerunRequested] = event
        """The event that it handles: its own, or a rerun of everything once another run has requested one."""
        self._now = now
        self._runtime = runtime
        self._store = RecordsStore(automation, settings.section, event, now, runtime, sent_by=sent_by)
        self._time = Stopwatch(runtime, now)
        self._lease: Lease | None = None
        """This run's lease, which it needs to make changes; none while it observes."""
        self._world = World()
        """The last look. Needs that could not be answered are not asked again in this run."""
        self._logged: list[LogLine] = []
        self._attempts = Attempts(automation, runtime.clients)
        self.notices: dict[str, None] = {}

    @property
    def results(self) -> list[ChangeReport]:
        """The outcome of each change so far."""
        return self._attempts.reports

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        """All that could not be read so far."""
        return self._world.unreadable

    def carry_out(self, report: Report) -> Report:
        """Fold the event, decide, and act if that is the mode. A command with a plan only plans, or keeps to it."""
        if self._plan and (refused_or_planned := self._planned(report)):
            return refused_or_planned
        stored = self._store.fold()
        is_rerun_due = stored.lease.as_type(LeaseRecord).is_rerun_due(self._now)
        if is_rerun_due:
            self._look_at_everything()
        first = self._look(stored.context, ())
        reply = self._automation.reply(stored.context, first.world, first.decision)
        report = msgspec.structs.replace(report, status=bounded(reply))
        if self._settings.mode is Mode.OBSERVE:
            return self._observe(report, stored.records, first)
        remembered = first.decision.records
        known = stored.context.records
        is_same = remembered is known or without_alerting(remembered) == without_alerting(known)
        if first.decision.changes or is_rerun_due or not is_same:
            self._lease = Lease(self._store.state, stored.lease, self._event.message_id)
            return self._act(report, self._lease, stored.records, first)
        if remembered != known and not self._store.write(stored.records, remembered, first.decision.alerts):
            self._prepare((), is_last=True)
        return self._summary(report, first.decision, ())

    def _planned(self, report: Report) -> Report | None:
        """The plan of a command, folded, read and decided in memory: nothing is written.

        None if it is to be carried out as planned, and would still lead to just that, or has been put on record by an
        earlier delivery.
        """
        known = self._store.read().context
        context = self._store.folded(known)
        if self._plan != ASKED and context.records == known.records:
            return None
        look = self._look(context, ())
        checksum = look.decision.fingerprint() or NOTHING_PLANNED
        if checksum == self._plan:
            return None
        if self._plan != ASKED:
            return msgspec.structs.replace(report, outcome=Outcome.IGNORED, why=PLAN_CHANGED, plan=checksum)
        planned = tuple(change_report(change, Outcome.OBSERVED) for change in look.decision.changes)
        reply = bounded(self._automation.reply(look.context, look.world, look.decision))
        return msgspec.structs.replace(self._summary(report, look.decision, planned), status=reply, plan=checksum)

    def _look(
        self, context: "RunContext[SectionT, EventT, RecordsT]", applied: tuple[ChangeT, ...], *, reread: bool = True
    ) -> "Look[SectionT, EventT, RecordsT, ChangeT]":
        """Look and decide; failed needs are not asked again, nor what ``still_holds`` keeps, unless ``reread``."""
        context = msgspec.structs.replace(context, event=self._about)
        kept = World() if reread else self._automation.still_holds(self._world, applied)
        known = kept.with_answers(self._world.unanswered.answers)
        look = look_and_decide(self._automation, context, self._runtime.clients, applied=applied, known=known)
        self._world = look.world
        self.notices |= dict.fromkeys(in_lines(look.decision.notices))
        for line in look.decision.log:
            self._log(line)
        return msgspec.structs.replace(look, decision=self._with_alerts(look))

    def _with_alerts(self, look: "Look[SectionT, EventT, RecordsT, ChangeT]") -> Decision[RecordsT, ChangeT]:
        """The decision with the alerts on what is owed and on records that are nearly full, and all of them dated."""
        is_all = isinstance(look.context.event.event, Tick | RerunRequested) and not self.unreadable
        full = nearly_full(self._automation.name, look.decision.records) if is_all else ()
        is_observing = self._settings.mode is Mode.OBSERVE
        debts = look.decision.records.debts() if is_observing or self.unreadable else ()
        owed = held_while_observing(debts) if is_observing else ()
        alerts = (*look.decision.alerts, *owed, *held_and_unreadable(debts, self.unreadable), *full)
        return with_dated_alerts(
            msgspec.structs.replace(look.decision, alerts=alerts),
            self._automation.alert_titles,
            self._now,
            is_all=is_all,
        )

    def _log(self, line: LogLine) -> None:
        if line not in self._logged:
            self._logged.append(line)
            self._runtime.log(line)

    def _observe(self, report: Report, stored: Document, look: "Look[SectionT, EventT, RecordsT, ChangeT]") -> Report:
        """Report what would be done; remember its fingerprint, to recognize a plan that has changed."""
        decision, records = look.decision, look.decision.records
        made = self._make([change for change in decision.changes if change.while_observing])
        if applied := _applied(made):
            again = self._store.read()
            stored, records = again.records, self._look(again.context, applied).decision.records
        checksum = decision.fingerprint()
        changed = checksum != records.observed_plan
        planned = tuple(change_report(change, Outcome.OBSERVED) for change in decision.changes)
        if changed:
            self._store.journal.add(Changed(at=self._now, change=change) for change in planned)
        if changed or applied or records.alerting != look.context.records.alerting:
            # Another run that has written meanwhile has reported a plan of its own: the next one compares with that.
            self._store.write(stored, msgspec.structs.replace(records, observed_plan=checksum), decision.alerts)
        return msgspec.structs.replace(
            self._summary(report, decision, planned),
            plan_changed=changed,
            table=bounded(decision.table_with_refusals()),
        )

    def _act(
        self, report: Report, lease: Lease, stored: Document, first: "Look[SectionT, EventT, RecordsT, ChangeT]"
    ) -> Report:
        if not lease.take(self._time.now):
            return msgspec.structs.replace(report, outcome=Outcome.WAITING, waiting=(ANOTHER_RUN,))
        may_use_first = lease.uncontended and (self._automation.keeps_first_look or self._automation.single_pass)
        try:
            decision = (may_use_first and self._made_durable(stored, first)) or self._prepare(())
            decision = self._work(lease, decision)
        finally:
            is_rerun_left = lease.release()
        if lease.is_lost:
            raise RunFailed(f"{LEASE_LOST}; this message is delivered again")
        if is_rerun_left:
            raise RunFailed("another run has requested a rerun, and this one ends before it: it is delivered again")
        if self._time.is_up and self._automation.continues:
            self._continue_later()
        return self._summary(report, decision, tuple(self.results))

    def _continue_later(self) -> None:
        """If this run has applied anything, so that the next one will find less to do than it did."""
        if any(result.outcome is Outcome.APPLIED for result in self.results):
            publish_tick(self._runtime.clients, self._automation.name)

    def _work(self, lease: Lease, decision: Decision[RecordsT, ChangeT]) -> Decision[RecordsT, ChangeT]:
        """Apply, look and decide until there is nothing to do, something fails, or time is up."""
        patience_ends = self._time.patience_ends()
        while True:
            attempts: tuple[Attempt[ChangeT], ...] = ()
            if decision.waiting and not decision.changes and self._runtime.seconds() < patience_ends:
                self._runtime.pause(PAUSE_SECONDS)
            elif not decision.changes and self._releases(lease):
                return decision
            elif self._time.has_none_left():
                return _out_of_time(decision)
            else:
                noticed = len(self.notices)
                attempts = self._make(decision.changes)
                if sum(attempt.is_settled for attempt in attempts) < len(decision.changes):
                    return self._left_incomplete(decision, attempts)
                is_as_planned = self._automation.single_pass and len(self.notices) == noticed
                if is_as_planned and self._releases(lease):
                    return decision
            decision = self._prepare(attempts)

    def _releases(self, lease: Lease) -> bool:
        """Whether this run is done; if another one has requested a rerun, it looks at everything from now on."""
        is_done = lease.release_if_done(self._time.now)
        if not is_done:
            self._look_at_everything()
        return is_done

    def _look_at_everything(self) -> None:
        self._about = Dated(RerunRequested(), self._event.message_id, self._event.published)

    def _left_incomplete(
        self, decision: Decision[RecordsT, ChangeT], attempts: tuple[Attempt[ChangeT], ...]
    ) -> Decision[RecordsT, ChangeT]:
        """The decision of a run that ends although not all of it was applied."""
        if not self._automation.single_pass:
            # What was applied beside something that failed, or has to wait, is not to be done, or said, twice.
            self._prepare(attempts, is_last=True)
        return _out_of_time(decision) if self._time.is_up else decision

    def _obstacle(self) -> Message | None:
        """Why no further change may begin."""
        if self._time.has_none_left():
            return TIME_IS_UP
        return None if self._lease is None or self._lease.keep(self._time.now) else LEASE_LOST

    def _made_durable(
        self, stored: Document, look: "Look[SectionT, EventT, RecordsT, ChangeT]"
    ) -> Decision[RecordsT, ChangeT] | None:
        """The decision of a look, with what it intends made durable; None if another run wrote meanwhile."""
        is_known = look.intended == look.context.records
        is_durable = is_known or self._store.write(stored, look.intended, look.decision.alerts)
        return look.decision if is_durable else None

    def _prepare(self, attempts: tuple[Attempt[ChangeT], ...], *, is_last: bool = False) -> Decision[RecordsT, ChangeT]:
        """A fresh decision, with what was seen made durable, and unless nothing follows, with what it intends."""
        for attempt in range(ATTEMPTS):
            stored = self._store.read()
            known = stored.context.records
            context = msgspec.structs.replace(
                stored.context, records=learned(self._automation, known, attempts, self._now)
            )
            look = self._look(context, _applied(attempts), reread=attempt > 0 or not attempts)
            records = look.decision.records if is_last else look.intended
            if records == known or self._store.write(stored.records, records, look.decision.alerts):
                return look.decision
        raise self._store.contended()

    def _make(self, changes: Sequence[ChangeT]) -> tuple[Attempt[ChangeT], ...]:
        attempts = self._attempts.make(changes, self._obstacle)
        self.notices |= dict.fromkeys(notice for attempt in attempts for notice in attempt.notices)
        self._store.journal.add(
            Changed(at=self._now, change=one.report) for one in attempts if one.report.outcome is not Outcome.WAITING
        )
        return attempts

    def _summary(
        self, report: Report, decision: Decision[RecordsT, ChangeT], changes: tuple[ChangeReport, ...]
    ) -> Report:
        return msgspec.structs.replace(
            with_changes(report, changes),
            outcome=overall(decision, changes, self.unreadable),
            unreadable=bounded_unreadable(self.unreadable),
            refusals=bounded_refusals(decision.refusals),
            alerts=bounded_alerts(decision.alerts, report.automation),
            waiting=bounded(decision.waiting),
            notices=bounded(self.notices),
            upcoming=upcoming(decision.next),
            held=_held(decision.records),
        )


@cached_by_identity
def _held(records: Records) -> tuple[Debt, ...]:
    """The debts, as many as a report holds."""
    return tuple(debt.without_needs() for debt in records.debts()[:MOST_LINES])


def _applied(attempts: Iterable[Attempt[ChangeT]]) -> tuple[ChangeT, ...]:
    return tuple(attempt.change for attempt in attempts if attempt.is_applied)


def _out_of_time(decision: Decision[RecordsT, ChangeT]) -> Decision[RecordsT, ChangeT]:
    return msgspec.structs.replace(decision, waiting=(*decision.waiting, TIME_IS_UP))
