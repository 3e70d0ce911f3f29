"""One look of a run, without state of its own: ask until enough is known, decide once, guard."""

from datetime import datetime
from typing import Any, Generic

import msgspec

from shared.automation import Automation, ChangeT, EventT, RecordsT, RunContext, SectionT
from shared.clients import Clients
from shared.decision import Alert, Decision, Refusal
from shared.errors import Deferred, cloud_errors, in_words
from shared.world import NeedT, Unreadable, World

UNREADABLE_RECORD = "unreadable_record"
"""The guard, and the alert, of a record that this version cannot read."""
MOST_ROUNDS = 20
"""The maximum number of rounds of needs in a look: more is a fault of the automation."""


class Look(msgspec.Struct, Generic[SectionT, EventT, RecordsT, ChangeT], frozen=True):
    """The context, the world, and the decision from both."""

    context: RunContext[SectionT, EventT, RecordsT]
    world: World
    decision: Decision[RecordsT, ChangeT]

    @property
    def intended(self) -> RecordsT:
        """The records that must be durable before the changes are made."""
        return self.decision.records.before(self.decision.changes)


def look_and_decide(
    automation: Automation[SectionT, EventT, RecordsT, NeedT, ChangeT],
    context: RunContext[SectionT, EventT, RecordsT],
    clients: Clients,
    *,
    applied: tuple[ChangeT, ...] = (),
    known: World | None = None,
) -> Look[SectionT, EventT, RecordsT, ChangeT]:
    """Read the decision's needs, and decide. Needs that are ``known``, or have failed in this run, are not asked."""
    world = read_world(automation, context, clients, known or World())
    decision = automation.decide(context, world, applied)
    if decision.records == context.records:  # the very same, for what is cached by identity
        decision = msgspec.structs.replace(decision, records=context.records)
    return Look(context, world, guarded(automation, context, world, decision))


def read_world(
    automation: Automation[SectionT, EventT, RecordsT, NeedT, ChangeT],
    context: RunContext[SectionT, EventT, RecordsT],
    clients: Clients,
    known: World,
) -> World:
    """The answers to all needs, asked in parallel, until nothing more is needed."""
    for _ in range(MOST_ROUNDS):
        missing = known.missing(automation.needs(context, known))
        if not missing:
            return known
        answers = clients.in_parallel(lambda need: _answer(automation, need, clients, context.now), missing)
        known = known.with_answers(dict(zip(missing, answers, strict=True)))
    raise AssertionError(f"{automation.name}: still asks for more after {MOST_ROUNDS} rounds of answers")


def _answer(automation: Automation[Any, Any, Any, NeedT, Any], need: NeedT, clients: Clients, now: datetime) -> object:
    try:
        return automation.look(need, clients)
    except cloud_errors() as error:
        retry_at = error.until(now) if isinstance(error, Deferred) else None
        return Unreadable(type(need).__name__, need.resource, in_words(error), retry_at)


def guarded(
    automation: Automation[SectionT, EventT, RecordsT, NeedT, ChangeT],
    context: RunContext[SectionT, EventT, RecordsT],
    world: World,
    decision: Decision[RecordsT, ChangeT],
) -> Decision[RecordsT, ChangeT]:
    """The decision without the changes of any scope that a guard refuses, judged on all changes together.

    A change that names a guard which the automation does not have is refused too: nothing protects it. So is one
    of a subject whose record cannot be read: its original may be in it.
    """
    refusals = list(decision.refusals)
    for guard in automation.guards.values():
        refusals += guard(context, world, decision.changes)
    refusals += [
        Refusal(change.scope, change.guard, f"{change.kind} names the guard {change.guard!r}, which does not exist")
        for change in decision.changes
        if change.guard and change.guard not in automation.guards
    ]
    refusals += [
        Refusal(change.scope, UNREADABLE_RECORD, str(entry))
        for change in decision.changes
        for entry in context.unreadable
        if f"{change.scope}/".startswith(f"{entry.key}/")
    ]
    refused = {refusal.scope for refusal in refusals}
    return msgspec.structs.replace(
        decision,
        changes=tuple(change for change in decision.changes if change.scope not in refused),
        refusals=tuple(refusals),
        alerts=(
            *decision.alerts,
            *(Alert(one.guard, one.scope, one.reason) for one in refusals if one.is_alert),
            *(Alert(UNREADABLE_RECORD, entry.key, str(entry)) for entry in context.unreadable),
        ),
    )
