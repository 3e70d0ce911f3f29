"""The reply to a command: what becomes of it, or with `status` the present state. Pure."""

from collections.abc import Iterable, Mapping

from functions.cap_spending.cap_changes import ArmCap, CapChange, CreateCap, DeleteCap, LiftCap, SetCapAmount
from functions.cap_spending.changes import CapSpendingChange
from functions.cap_spending.commands import (
    Accept,
    Arm,
    Lift,
    LinkBilling,
    RemoveSpendCaps,
    Snooze,
    Status,
    Undo,
    budgets_of,
)
from functions.cap_spending.ladder import active_rungs, began, passed_rungs_of
from functions.cap_spending.messages import percent
from functions.cap_spending.needs import is_linked_by_command
from functions.cap_spending.records import Context, Interval, Records
from functions.cap_spending.spend_caps import SpendCap
from functions.cap_spending.world import CapOf, GoogleCap
from shared.clock import format_time
from shared.decision import Decision
from shared.world import World

DONE: Mapping[type[CapChange], str] = {
    CreateCap: "made now",
    SetCapAmount: "set to the amount of the settings now",
    ArmCap: "armed now",
    LiftCap: "lifted now",
    DeleteCap: "deleted now",
}


def reply(context: Context, world: World, decision: Decision[Records, CapSpendingChange]) -> tuple[str, ...]:
    """A line for each budget, and for `status` each held resource; nothing for an event that is no command."""
    settings = context.settings
    match context.event.event:
        case Status():
            caps = [_cap(key, context, world, decision.changes) for key in settings.spend_caps]
            return (*_budgets(context), *caps, *_holds(context))
        case LinkBilling() | Lift() | Arm() | RemoveSpendCaps() as command:
            return (_asked(command, context, world, decision.changes),)
        case Undo() as undo:
            held_by = (rung for hold in context.records.holds.values() for rung in hold.held_by)
            holding = {rung.partition("/")[0] for rung in held_by}
            return tuple(_undone(key, context, holding) for key in budgets_of(undo, settings))
        case Accept(rung=rung) as accept:
            keys = budgets_of(accept, settings)
            known = [key for key in keys if rung in settings.budgets[key].rungs]
            return tuple(_accepted(key, rung, context) for key in known)
        case Snooze() as snooze:
            return tuple(_snoozed(key, context) for key in budgets_of(snooze, settings))
    return ()


def _undone(key: str, context: Context, holding: set[str]) -> str:
    """``holding`` are the budgets that hold something."""
    records = context.records
    undone = records.undone[key]
    steps = passed_rungs_of(key, context.settings.budgets[key], records, context.now)
    passed = [step.rung.name for step in steps if step.since <= undone]
    if not passed and key not in holding:
        return f"{key}: no rung is passed, so there is nothing to undo"
    accepted = f"; accepted until the next period: {', '.join(passed)}" if passed else ""
    return f"{key}: let go of what was in force at {format_time(undone)}{accepted}"


def _accepted(key: str, rung: str, context: Context) -> str:
    record = context.records.budgets.get(key)
    if record is None:
        return f"{key}: no notification yet, so there is no period that {rung} could be accepted for"
    if context.records.accepted[key][rung] < began(record):
        return f"{key}: {rung} is not accepted, as this was said before the present period"
    return f"{key}: {rung} is accepted, and does nothing until the next period"


def _snoozed(key: str, context: Context) -> str:
    until = context.records.snoozed[key].until
    if context.now < until:
        return f"{key}: nothing new is done before {format_time(until)}; what is in force stays so"
    return f"{key}: it is not snoozed, as {format_time(until)} has gone by"


def _linked(project: str, context: Context) -> str:
    name = f"projects/{project}"
    hold = context.records.holds.get(name)
    if hold is None or not is_linked_by_command(name, hold, context.records):
        return f"{project}: it is not detached; nothing to do"
    return f"{project}: linked again to {hold.fields['billing_account'].original}"


def _budgets(context: Context) -> list[str]:
    records, settings = context.records, context.settings
    in_force = {rung.name for rung in active_rungs(records, settings, context.now)}
    lines = []
    for key, budget in settings.budgets.items():
        record = records.budgets.get(key)
        passed = passed_rungs_of(key, budget, records, context.now)
        parts = [f"{rung.rung.name} {'in force' if rung.name in in_force else 'held back'}" for rung in passed]
        if (snoozed := records.snoozed.get(key)) and context.now < snoozed.until:
            parts.append(f"snoozed until {format_time(snoozed.until)}")
        if record is None:
            lines.append(f"{key}: {', '.join(['no notification yet', *parts])}")
            continue
        interval = record.current
        cost = f"{interval.highest_cost:.2f} of {interval.amount:.2f} {budget.currency} ({_share(interval)})"
        lines.append(
            f"{key}: {cost} since {interval.interval_start:%Y-%m-%d}; {', '.join(parts) or 'nothing in force'}"
        )
    return lines


def _asked(
    command: LinkBilling | Lift | Arm | RemoveSpendCaps,
    context: Context,
    world: World,
    changes: Iterable[CapSpendingChange],
) -> str:
    match command:
        case LinkBilling(project=project):
            return _linked(project, context)
        case Lift(cap=key) | Arm(cap=key):
            return _cap(key, context, world, changes)
        case RemoveSpendCaps():
            return "all spend caps are deleted, those that are enforced once they are lifted"


def _cap(key: str, context: Context, world: World, changes: Iterable[CapSpendingChange]) -> str:
    """The state of a spend cap, and what this run does to it. Google's API does not return what it has counted."""
    cap = context.settings.spend_caps[key]
    now = [DONE[type(one)] for one in changes if isinstance(one, CapChange) and one.target == cap.name]
    return "; ".join([_seen(cap, key, world), *now])


def _seen(cap: SpendCap, key: str, world: World) -> str:
    seen = world.get(CapOf(cap.name))
    what = f"{key}: {cap.service} in {cap.project}, at most {cap.money} {cap.currency} a month"
    if not isinstance(seen, GoogleCap):
        return f"{what}: not read"
    if not seen.budget:
        return f"{what}: there is no cap"
    amount = "" if seen.amount == cap.money else f" at {seen.amount} {seen.currency}"
    return f"{what}: {seen.state}{amount}{', being changed' if seen.in_flight else ''}"


def _holds(context: Context) -> list[str]:
    return [
        f"{debt.resource}: {debt.field} {debt.original} -> {debt.applied or 'none'}, {debt.standing}"
        f" ({', '.join(debt.held_by)})"
        for debt in sorted(context.records.debts(), key=lambda debt: debt.key)
    ]


def _share(interval: Interval) -> str:
    return percent(interval.highest_cost / interval.amount) if interval.amount else "of nothing"
