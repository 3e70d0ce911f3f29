"""What becomes of a command, in words, whether it can be followed or not: a line for each thing that it is for."""

from collections.abc import Iterator

from functions.cap_spending.commands import Accept, LinkBilling, Snooze, Undo, budgets_of
from functions.cap_spending.desired import is_linked_by_command
from functions.cap_spending.ladder import began, passed_steps
from functions.cap_spending.records import Occasion
from shared.clock import format_time


def heard(occasion: Occasion) -> Iterator[str]:
    """Nothing for an event that is no command."""
    match occasion.event.event:
        case Undo() as undo:
            yield from (_undone(key, occasion) for key in budgets_of(undo, occasion.settings))
        case Accept(rung=rung) as accept:
            for key in budgets_of(accept, occasion.settings):
                if rung in {one.name for one in occasion.settings.budgets[key].ladder}:
                    yield _accepted(key, rung, occasion)
        case Snooze() as snooze:
            yield from (_snoozed(key, occasion) for key in budgets_of(snooze, occasion.settings))
        case LinkBilling(project=project):
            yield _linked(project, occasion)


def _undone(key: str, occasion: Occasion) -> str:
    records = occasion.records
    undone = records.undone[key]
    steps = passed_steps(records, occasion.settings, occasion.now)
    passed = [step.rung.name for step in steps if step.budget == key and step.since <= undone]
    rungs = (held_by.partition("/")[0] for hold in records.holds.values() for held_by in hold.held_by)
    if not passed and key not in rungs:
        return f"{key}: no rung is passed, so there is nothing to undo"
    accepted = f"; accepted until the next period: {', '.join(passed)}" if passed else ""
    return f"{key}: let go of what was in force at {format_time(undone)}{accepted}"


def _accepted(key: str, rung: str, occasion: Occasion) -> str:
    record = occasion.records.budgets.get(key)
    if record is None:
        return f"{key}: no notification yet, so there is no period that {rung} could be accepted for"
    if occasion.records.accepted[key][rung] < began(record):
        return f"{key}: {rung} is not accepted, as this was said before the present period"
    return f"{key}: {rung} is accepted, and does nothing until the next period"


def _snoozed(key: str, occasion: Occasion) -> str:
    until = occasion.records.snoozed[key].until
    if occasion.now < until:
        return f"{key}: nothing new is done before {format_time(until)}; what is in force stays so"
    return f"{key}: it is not snoozed, as {format_time(until)} has gone by"


def _linked(project: str, occasion: Occasion) -> str:
    name = f"projects/{project}"
    hold = occasion.records.holds.get(name)
    if hold is None or not is_linked_by_command(name, hold, occasion.records):
        return f"{project}: nothing has detached it here by when this was said, so there is nothing to link"
    return f"{project}: linked again to {hold.fields['billing_account'].original}"
