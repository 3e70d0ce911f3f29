"""The decision of `cap_spending`, pure: what to look at, what to change and why, and what to remember."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from functions.cap_spending.changes import (
    CapSpendingChange,
    DetachBilling,
    LinkBilling,
    Notify,
    PauseJob,
    ResumeJob,
    SetMaxInstances,
    SetRestrictions,
)
from functions.cap_spending.desired import PAUSED, Verdict, changed_fields, is_linked_by_command, kind_of, verdicts
from functions.cap_spending.detached import is_within_one_of
from functions.cap_spending.guards import guards
from functions.cap_spending.ladder import Step, passed_at, percent, steps_in_force, with_passed_rungs
from functions.cap_spending.notification import BudgetNotification
from functions.cap_spending.records import Occasion, Records, fold_notification
from functions.cap_spending.settings import Action
from functions.cap_spending.world import LOOKS, Look, ProjectBilling, RunService, World
from shared.events import RerunRequested, Tick
from shared.holds import Phase, with_intended
from shared.legacy import Settled
from shared.plan import Alert, Plan
from shared.restrictions import InForce, Restriction, SpendingRestrictions

__all__ = ["guards", "intend", "plan", "settle"]

RESTRICTIONS = {
    Action.GPU_POOLS_OFF: Restriction.GPU_POOLS_OFF,
    Action.PREVIEWS_OFF: Restriction.PREVIEWS_OFF,
}


def what_to_look_at(occasion: Occasion) -> frozenset[Look]:
    """The kinds of things that the decision needs: none if nothing has changed since it was last carried out.

    While something is in force, a tick, or being asked to look again, looks at the budgets too: raising one lets go
    without waiting for its next notification.
    """
    wanted = _wanted_keys(_steps(occasion))
    known = occasion.records.in_force.keys()
    looks = {LOOKS[action] for key in wanted ^ known if (action := _action_of(key)) in LOOKS}
    holds = occasion.records.holds
    looks |= {
        kind_of(name)
        for name, hold in holds.items()
        if (hold.phase is Phase.INTENDED and not is_within_one_of(holds, name))
        or is_linked_by_command(name, hold, occasion.records)
    }
    if isinstance(occasion.event.event, Tick | RerunRequested) and (restraining := _restraining(occasion)):
        looks |= {LOOKS[action] for key in restraining if (action := _action_of(key)) in LOOKS} | {Look.BUDGETS}
    if looks & {Look.SERVICES, Look.JOBS} and any(kind_of(name) is Look.PROJECTS for name in holds):
        # What is in a project that is detached cannot be read.
        looks |= {Look.PROJECTS}
    return frozenset(looks)


def budgets_concerned(occasion: Occasion, look: Look) -> set[str]:
    """The keys of the budgets whose rungs want, or have, something of a kind: what others name need not be read."""
    keys = {key for key in _restraining(occasion) if look in (Look.BUDGETS, LOOKS.get(_action_of(key)))}
    return {key.split("/")[0] for key in keys} & occasion.settings.budgets.keys()


def settle(occasion: Occasion, world: World, applied: tuple[CapSpendingChange, ...]) -> Settled[Records]:
    """The records after what the world shows: amounts read, rungs passed, holds seen, rungs dealt with."""
    records = with_readings(occasion, world.amounts)
    records = _with_passed_rungs(records, occasion)
    steps = steps_in_force(records, occasion.settings, occasion.now)
    seen = verdicts(steps, world, records, occasion.settings)
    holds = dict(records.holds)
    for verdict in seen:
        holds.pop(verdict.name, None)
        if verdict.hold:
            holds[verdict.name] = verdict.hold
    records = msgspec.structs.replace(records, holds=dict(sorted(holds.items())))
    in_force = _in_force(steps, occasion, world, seen, applied)
    notices = tuple(line for verdict in seen for line in verdict.notices)
    return Settled(msgspec.structs.replace(records, in_force=in_force), notices)


def plan(occasion: Occasion, world: World) -> Plan[CapSpendingChange]:
    """What to do now. Reducing what costs comes with its reason; letting go says which rungs have let go."""
    steps = _steps(occasion)
    seen = verdicts(steps, world, occasion.records, occasion.settings)
    changes: list[CapSpendingChange] = [*_notifications(steps, occasion), *_restrictions(steps, occasion)]
    held = [change for verdict in seen for change in _held_changes(verdict)]
    # Once a project is detached, nothing in it can be changed any more.
    changes += sorted(held, key=lambda change: isinstance(change, DetachBilling))
    return Plan(
        changes=tuple(changes),
        waiting=tuple(line for verdict in seen for line in verdict.waiting),
        next=_next_rungs(occasion),
        alerts=tuple(_missing_budget(key, occasion) for key in sorted(world.missing)),
    )


def intend(occasion: Occasion, changes: tuple[CapSpendingChange, ...]) -> Records:
    """The records with every original that the changes are about to overwrite."""
    return msgspec.structs.replace(occasion.records, holds=with_intended(occasion.records.holds, changes))


def _steps(occasion: Occasion) -> tuple[Step, ...]:
    return steps_in_force(occasion.records, occasion.settings, occasion.now)


def _wanted_keys(steps: Iterable[Step]) -> set[str]:
    return {step.key(action) for step in steps for action in step.rung.do}


def _restraining(occasion: Occasion) -> set[str]:
    """By budget, rung and action, what is in force or ought to be, besides telling somebody."""
    keys = _wanted_keys(_steps(occasion)) | occasion.records.in_force.keys()
    return {key for key in keys if _action_of(key) is not Action.NOTIFY}


def _action_of(key: str) -> Action:
    return Action(key.rpartition("/")[2])


def with_readings(occasion: Occasion, amounts: Mapping[str, Decimal]) -> Records:
    """A budget that has another amount now is as good as a notification that says so.

    A forecast that was past a threshold of a larger amount is past it at the smaller one too.
    """
    records = occasion.records
    for key, amount in amounts.items():
        known = records.budgets.get(key)
        if known and known.newest.amount != amount:
            current = known.current
            forecast = current.forecast if amount < current.amount else None
            said = BudgetNotification(key, current.interval_start, current.highest_cost, amount, forecast)
            records = fold_notification(records, said, occasion.now, "read", occasion.settings)
    return records


def _with_passed_rungs(records: Records, occasion: Occasion) -> Records:
    budgets = dict(records.budgets)
    for key, interval in with_passed_rungs(records, occasion.settings, occasion.now).items():
        current = budgets[key].current
        intervals = tuple(interval if one is current else one for one in budgets[key].intervals)
        budgets[key] = msgspec.structs.replace(budgets[key], intervals=intervals)
    return msgspec.structs.replace(records, budgets=budgets)


def _in_force(
    steps: tuple[Step, ...],
    occasion: Occasion,
    world: World,
    seen: list[Verdict],
    applied: tuple[CapSpendingChange, ...],
) -> dict[str, datetime]:
    """By budget, rung and action, what has been dealt with: what is done and wanted, or not yet let go."""
    known = occasion.records.in_force
    unsettled = {kind_of(verdict.name) for verdict in seen if not verdict.is_settled}
    notified = {change.scope for change in applied if isinstance(change, Notify)}

    def is_dealt_with(step: Step, action: Action) -> bool:
        key = step.key(action)
        if action is Action.NOTIFY:
            return known.get(key) == step.interval_start or step.name in notified
        if action in RESTRICTIONS:
            return RESTRICTIONS[action] in occasion.restrictions
        return key in known or (LOOKS[action] in world.looked_at and LOOKS[action] not in unsettled)

    def is_still_there(key: str) -> bool:
        look = LOOKS.get(_action_of(key))
        return look is not None and (look not in world.looked_at or look in unsettled)

    wanted = {step.key(action): step for step in steps for action in step.rung.do}
    kept = {key: began for key, began in known.items() if key not in wanted and is_still_there(key)}
    done = {key: step.interval_start for key, step in wanted.items() if is_dealt_with(step, _action_of(key))}
    return dict(sorted((kept | done).items()))


def _notifications(steps: Iterable[Step], occasion: Occasion) -> Iterable[Notify]:
    for step in steps:
        if Action.NOTIFY in step.rung.do and step.key(Action.NOTIFY) not in occasion.records.in_force:
            yield Notify(
                target=f"budgets/{step.budget}",
                field="rung",
                before="",
                after=step.rung.name,
                reason=step.why,
                scope=step.name,
                budget=step.budget,
                rung=step.rung,
            )


def _restrictions(steps: tuple[Step, ...], occasion: Occasion) -> Iterable[SetRestrictions]:
    asking: dict[Restriction, list[Step]] = {}
    for step in steps:
        for action in step.rung.do:
            if action in RESTRICTIONS:
                asking.setdefault(RESTRICTIONS[action], []).append(step)
    desired = SpendingRestrictions(
        {
            restriction: InForce(min(step.since for step in by), tuple(sorted(step.name for step in by)))
            for restriction, by in sorted(asking.items())
        }
    )
    existing = occasion.restrictions
    if desired == existing:
        return
    touched = [one for one in Restriction if existing.in_force.get(one) != desired.in_force.get(one)]
    yield SetRestrictions(
        target="restrictions/spending",
        field="in_force",
        before=_listed(existing),
        after=_listed(desired),
        reason="; ".join(dict.fromkeys(step.why for by in asking.values() for step in by)) or "no rung asks for any",
        scope="restrictions",
        restrictions=desired,
        known=occasion.restrictions_document,
        inboxes=tuple(sorted({inbox for one in touched for inbox in occasion.settings.wake.get(one, ())})),
    )


def _held_changes(verdict: Verdict) -> Iterable[CapSpendingChange]:
    for field, before, after in changed_fields(verdict):
        words = {
            "target": verdict.name,
            "field": field,
            "before": str(before),
            "after": str(after),
            "reason": verdict.reason,
            "scope": verdict.name,
        }
        match verdict.resource:
            case RunService(etag=etag):
                yield SetMaxInstances(**words, hold=verdict.intended, max_instances=int(after), etag=etag)
            case ProjectBilling() if after:
                yield LinkBilling(**words, hold=verdict.intended, account=str(after))
            case ProjectBilling():
                yield DetachBilling(**words, hold=verdict.intended)
            case _ if after == PAUSED:
                yield PauseJob(**words, hold=verdict.intended)
            case _:
                yield ResumeJob(**words, hold=verdict.intended)


def _missing_budget(key: str, occasion: Occasion) -> Alert:
    """A budget that is gone sends no notification any more: what it has in force is let go by nothing but a person."""
    budget = occasion.settings.budgets[key]
    what = f"billing account {budget.billing_account} has no budget {budget.id} any more"
    return Alert("budget_missing", key, f"{what}: what it has in force stays so until the command `undo`")


def _next_rungs(occasion: Occasion) -> tuple[str, ...]:
    """For each budget the next rung that is not passed, in words."""
    lines = []
    for key, record in occasion.records.budgets.items():
        budget = occasion.settings.budgets.get(key)
        if budget is None:
            continue
        ahead = [rung for rung in budget.ladder if passed_at(rung, record, budget, occasion.now) is None]
        for rung in sorted(ahead, key=lambda rung: rung.at)[:1]:
            amount = f"{rung.ratio * record.newest.amount:.2f} {budget.currency}"
            lines.append(f"{key}/{rung.name}: {', '.join(rung.do)} at {amount} ({percent(rung.ratio)})")
    return tuple(lines)


def _listed(restrictions: SpendingRestrictions) -> str:
    return ", ".join(sorted(restrictions.in_force)) or "none"
