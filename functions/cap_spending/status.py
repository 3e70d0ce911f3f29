"""The answer to a command, in words: where things stand, or what becomes of it."""

from functions.cap_spending.commands import Status
from functions.cap_spending.heard import heard
from functions.cap_spending.ladder import passed_steps, percent, steps_in_force
from functions.cap_spending.records import Occasion
from functions.cap_spending.world import World
from shared.clock import format_time


def status(occasion: Occasion, world: World) -> tuple[str, ...]:
    """For `status` a line for each budget and each resource that is held; nothing for an event that is no command."""
    del world
    if not isinstance(occasion.event.event, Status):
        return tuple(heard(occasion))
    return (*_budgets(occasion), *_holds(occasion))


def _budgets(occasion: Occasion) -> list[str]:
    records, settings = occasion.records, occasion.settings
    in_force = {step.name for step in steps_in_force(records, settings, occasion.now)}
    lines = []
    for key, budget in settings.budgets.items():
        record = records.budgets.get(key)
        passed = [step for step in passed_steps(records, settings, occasion.now) if step.budget == key]
        parts = [f"{step.rung.name} {'in force' if step.name in in_force else 'held back'}" for step in passed]
        if (snoozed := records.snoozed.get(key)) and occasion.now < snoozed.until:
            parts.append(f"snoozed until {format_time(snoozed.until)}")
        if record is None:
            lines.append(f"{key}: {', '.join(['no notification yet', *parts])}")
            continue
        interval = record.current
        cost = f"{interval.highest_cost:.2f} of {interval.amount:.2f} {budget.currency} ({percent(interval.ratio)})"
        lines.append(
            f"{key}: {cost} since {interval.interval_start:%Y-%m-%d}; {', '.join(parts) or 'nothing in force'}"
        )
    return lines


def _holds(occasion: Occasion) -> list[str]:
    return [
        f"{name}: {field} {held.original} -> {held.applied or 'none'}, {hold.phase}, held by {', '.join(hold.held_by)}"
        for name, hold in sorted(occasion.records.holds.items())
        for field, held in hold.fields.items()
    ]
