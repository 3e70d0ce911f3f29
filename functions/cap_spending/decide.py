"""The decision of `cap_spending`: what to change and why, what to remember, what to report. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from functions.cap_spending.alerts import alerts
from functions.cap_spending.anomaly import CostAnomaly
from functions.cap_spending.changes import (
    CapSpendingChange,
    DetachBilling,
    LinkBilling,
    Notify,
    PauseJob,
    ResumeJob,
    SetManualInstances,
    SetMaxInstances,
    SetRestrictions,
)
from functions.cap_spending.kept_caps import change_of_amount, decide_kept
from functions.cap_spending.ladder import ActiveRung, active_rungs, latched_intervals, passed_at
from functions.cap_spending.last_resort import detaching_that_waits
from functions.cap_spending.messages import AnomalyReported, CloudRunIsPaused, RestrictedBecause, RungAhead, WouldObey
from functions.cap_spending.needs import closed_projects, places_of, with_readings
from functions.cap_spending.notification import BudgetNotification
from functions.cap_spending.paused import cloud_run_paused
from functions.cap_spending.records import Context, Records
from functions.cap_spending.settings import Action, Basis
from functions.cap_spending.wanted import PAUSED, decide_resources
from functions.cap_spending.world import (
    KINDS,
    MAX_INSTANCES,
    GoogleCap,
    ProjectBilling,
    Resource,
    RunService,
    WorkerPool,
    kind_of,
    project_around,
    resources_in,
)
from shared.decision import Decision, LogLine, Next, Text
from shared.events import automation_of
from shared.hold_messages import FieldValue
from shared.holds import Hold, HoldDecision
from shared.report import Severity
from shared.restrictions import InForce, Restriction, SpendingRestrictions
from shared.settings import Mode
from shared.world import World

RESTRICTIONS = {
    Action.GPU_POOLS_OFF: Restriction.GPU_POOLS_OFF,
    Action.PREVIEWS_OFF: Restriction.PREVIEWS_OFF,
}

CapSpendingDecision = Decision[Records, CapSpendingChange]


def decide(context: Context, world: World, applied: tuple[CapSpendingChange, ...]) -> CapSpendingDecision:
    """Climb or descend the ladders. What could not be read keeps its record, and is neither changed nor concluded."""
    records = _with_latched_rungs(with_readings(context, world), context)
    context = msgspec.structs.replace(context, records=records)
    rungs = active_rungs(records, context.settings, context.now)
    decisions = decide_resources(rungs, context, world)
    in_force = _in_force(rungs, context, world, decisions, applied)
    resources = resources_in(world)
    held = [change for one in decisions if (resource := resources.get(one.name)) for change in _edits(one, resource)]
    kept = decide_kept(context, world, {one.name for one in decisions if one.hold or one.intended})
    waits = detaching_that_waits(held, context, world)
    return Decision(
        records=msgspec.structs.replace(
            records,
            holds=_holds(records, decisions),
            in_force=in_force,
            spend_caps=kept.kept,
            caps_asked=kept.asked,
            detaching_waits={project: since for project, (since, _) in waits.items()},
        ),
        changes=(
            *_notifications(rungs, in_force, context),
            *_restrictions(rungs, context, world),
            # Once a project is detached, nothing in it can be changed any more.
            *sorted(
                (change for change in held if change.target not in waits),
                key=lambda change: isinstance(change, DetachBilling),
            ),
            *kept.changes,
        ),
        waiting=(
            *(message for one in decisions for message in one.waiting),
            *(message for _, message in waits.values()),
            *kept.waiting,
        ),
        notices=tuple(message for one in decisions for message in one.notices),
        next=tuple(_next_rungs(context)),
        alerts=(*alerts(rungs, context, world), *kept.alerts),
        log=tuple(_cost(context)),
    )


def _with_latched_rungs(records: Records, context: Context) -> Records:
    latched = latched_intervals(records, context.settings, context.now)
    if not latched:
        return records
    budgets = dict(records.budgets)
    for key, interval in latched.items():
        current = budgets[key].current
        intervals = tuple(interval if one is current else one for one in budgets[key].intervals)
        budgets[key] = msgspec.structs.replace(budgets[key], intervals=intervals)
    return msgspec.structs.replace(records, budgets=budgets)


def _holds(records: Records, decisions: Sequence[HoldDecision]) -> dict[str, Hold]:
    if not decisions:
        return records.holds
    seen = {decision.name: decision.hold for decision in decisions}
    holds = {name: seen.get(name, hold) for name, hold in {**records.holds, **seen}.items()}
    return {name: hold for name, hold in sorted(holds.items()) if hold}


def _in_force(
    rungs: Iterable[ActiveRung],
    context: Context,
    world: World,
    decisions: list[HoldDecision],
    applied: tuple[CapSpendingChange, ...],
) -> dict[str, datetime]:
    """By budget, rung and action, what is wanted and has been carried out. What is held speaks for itself."""
    known = context.records.in_force
    closed = closed_projects(context, world)
    notified = {change.scope for change in applied if isinstance(change, Notify)}
    unsettled = {
        (rung, kind_of(decision.name)) for decision in decisions if not decision.is_settled for rung in decision.held_by
    }

    def is_carried_out(rung: ActiveRung, action: Action) -> bool:
        key = rung.key(action)
        if action is Action.NOTIFY:
            return known.get(key) == rung.interval_start or rung.name in notified
        if action in RESTRICTIONS:
            return RESTRICTIONS[action] in context.restrictions
        places = places_of(context.settings.budgets[rung.budget].scope_of(action))
        # Nothing in a project that we hold detached costs anything, so nothing is left to do there.
        is_seen = all(world.knows(place) or project_around(place.parent) in closed for place in places)
        return key in known or (is_seen and not any((rung.name, kind) in unsettled for kind in KINDS[action]))

    done = ((rung.key(action), rung) for rung in rungs for action in rung.rung.do if is_carried_out(rung, action))
    return dict(sorted((key, rung.interval_start) for key, rung in done))


def _notifications(rungs: Iterable[ActiveRung], in_force: dict[str, datetime], context: Context) -> Iterable[Notify]:
    for rung in rungs:
        if Action.NOTIFY in rung.rung.do and rung.key(Action.NOTIFY) not in in_force:
            yield Notify(
                target=f"budgets/{rung.budget}",
                field="rung",
                before="",
                after=rung.rung.name,
                reason=rung.why,
                scope=rung.name,
                budget=rung.budget,
                rung=rung.rung,
                is_observing=context.settings.mode is Mode.OBSERVE,
            )


def _restrictions(rungs: Iterable[ActiveRung], context: Context, world: World) -> Iterable[SetRestrictions]:
    asking: dict[Restriction, list[ActiveRung]] = {}
    for rung in rungs:
        for action in rung.rung.do:
            if action in RESTRICTIONS:
                asking.setdefault(RESTRICTIONS[action], []).append(rung)
    desired = SpendingRestrictions(
        {
            restriction: InForce(min(rung.since for rung in by), tuple(sorted(rung.name for rung in by)))
            for restriction, by in sorted(asking.items())
        },
        cloud_run_paused(context, world),
    )
    existing = context.restrictions
    if desired == existing:
        return
    touched = [one for one in Restriction if existing.in_force.get(one) != desired.in_force.get(one)]
    yield SetRestrictions(
        target="restrictions/spending",
        field="in_force",
        before=_listed(existing),
        after=_listed(desired),
        reason=RestrictedBecause(
            (
                *(rung.why for by in asking.values() for rung in by),
                *(CloudRunIsPaused(project) for project in desired.cloud_run_paused),
            )
        ),
        scope="restrictions",
        follows=tuple(
            WouldObey(one, tuple(map(automation_of, context.settings.wake[one])))
            for one in touched
            if one in desired and context.settings.wake.get(one)
        ),
        restrictions=desired,
        known=context.restrictions_document,
        inboxes=tuple(sorted({inbox for one in touched for inbox in context.settings.wake.get(one, ())})),
    )


def _edits(decision: HoldDecision, resource: Resource) -> Iterable[CapSpendingChange]:
    """The changes that make a resource what its decision wants: one for each field."""
    for field, after in (decision.write or {}).items():
        reason = decision.reason or Text("none")
        if isinstance(resource, GoogleCap):
            yield change_of_amount(resource, str(after), reason, decision.intended)
            continue
        change = _kind_of_edit(resource, field, after)
        yield change(
            target=decision.name,
            field=field,
            before=str(resource.current[field]),
            after=str(after),
            reason=reason,
            scope=decision.name,
            hold=decision.intended,
            etag=resource.etag if isinstance(resource, RunService | WorkerPool) else "",
        )


def _kind_of_edit(
    resource: Resource, field: str, after: FieldValue
) -> type[SetMaxInstances | SetManualInstances | PauseJob | ResumeJob | DetachBilling | LinkBilling]:
    match resource:
        case RunService():
            return SetMaxInstances if field == MAX_INSTANCES else SetManualInstances
        case WorkerPool():
            return SetManualInstances
        case ProjectBilling():
            return LinkBilling if after else DetachBilling
        case _:
            return PauseJob if after == PAUSED else ResumeJob


def _next_rungs(context: Context) -> Iterable[Next]:
    """For each budget the next rung that cost has not passed."""
    for key, record in context.records.budgets.items():
        if budget := context.settings.budgets.get(key):
            ahead = [
                rung
                for rung in budget.ladder
                if rung.on is not Basis.ANOMALY and passed_at(rung, key, context.records, budget, context.now) is None
            ]
            for rung in sorted(ahead, key=lambda rung: rung.ratio)[:1]:
                ahead_of_it = RungAhead(rung, record.newest.amount, budget.currency)
                yield Next(f"{key}/{rung.name}", ahead_of_it)


def _cost(context: Context) -> Iterable[LogLine]:
    """Log a budget's cost at each notification: a log-based metric reads this line. Log each cost anomaly."""
    said = context.event.event
    if isinstance(said, CostAnomaly):
        yield LogLine(
            Severity.WARNING,
            str(AnomalyReported(said.resource, said.detected.date(), said.deviation, said.currency)),
            {
                "cost_anomaly": {
                    "name": said.name,
                    "resource": said.resource,
                    "deviation": float(said.deviation),
                    "currency": said.currency,
                    "detected": said.detected,
                }
            },
        )
    if isinstance(said, BudgetNotification):
        current = context.records.budgets[said.budget].current
        currency = context.settings.budgets[said.budget].currency
        yield LogLine(
            Severity.INFO,
            f"budget {said.budget}: {current.highest_cost:.2f} of {current.amount:.2f} {currency}",
            {
                "budget_cost": {
                    "budget": said.budget,
                    "cost": float(current.highest_cost),
                    "amount": float(current.amount),
                    "currency": currency,
                    "newest_cost": float(said.cost),
                    "period_start": said.interval_start,
                    "published": context.event.published,
                }
            },
        )


def _listed(restrictions: SpendingRestrictions) -> str:
    paused = (f"Cloud Run is paused in {project}" for project in restrictions.cloud_run_paused)
    return ", ".join((*sorted(restrictions.in_force), *paused)) or "none"
