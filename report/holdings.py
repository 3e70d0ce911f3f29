"""Held resources: why, since when, and how to undo it; and all that was held in the month. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from report.picture import Bar, Cause, HeldGroup, HeldItem, Lane
from report.sources import Sources
from report.words import action, is_and_was
from shared.clock import format_time
from shared.debts import Debt, DebtState
from shared.errors import presentable
from shared.moments import Changed, Owed, Paid
from shared.report import Outcome

PREVIEWS = "restrictions/previews_off"


def holds_of(sources: Sources) -> list[Debt]:
    """The resources that are held now: of each the field that says most."""
    by_resource: dict[str, Debt] = {}
    for debt in (debt for debts in sources.debts.values() for debt in debts):
        if is_hold(debt) and (debt.resource not in by_resource or debt.field != "autoscaling"):
            by_resource[debt.resource] = debt
    return list(by_resource.values())


def is_hold(debt: Debt) -> bool:
    """Whether a debt is a value that is kept changed: a rotation on its way, or a preview, is not."""
    return debt.is_hold


def cause_of(debt: Debt) -> Cause:
    """A budget's rung, such as ``monthly/actual@1``, or the pool's own settings."""
    return Cause.BUDGET if any("@" in one for one in debt.held_by) else Cause.ROUTINE


def held_groups(sources: Sources) -> Iterator[HeldGroup]:
    """Held resources by the command that undoes them, budgets first; previews that are off are among them."""
    groups: dict[tuple[Cause, str], list[Debt]] = {}
    for debt in sorted(holds_of(sources), key=lambda debt: (debt.since, debt.resource)):
        groups.setdefault((cause_of(debt), debt.undo), []).append(debt)
    for (cause, undo), debts in sorted(groups.items(), key=lambda one: one[0][0] is Cause.ROUTINE):
        reasons = [debt.reason for debt in debts if debt.reason]
        reason = sources.text(reasons[0] if reasons else f"held by {', '.join(debts[0].held_by)}")
        items = tuple(_item(debt, sources) for debt in debts)
        if cause is Cause.BUDGET:
            items += tuple(_restricted(sources))
        yield HeldGroup(reason, min(debt.since for debt in debts), undo, cause, items)


def _item(debt: Debt, sources: Sources) -> HeldItem:
    standing = "" if debt.state is DebtState.HELD else str(debt.state)
    if debt.by_hand_seen and debt.state is DebtState.BY_HAND:
        standing = f"{debt.state}, seen {format_time(debt.by_hand_seen)}"
    what = sources.text(is_and_was(debt))
    return HeldItem(
        sources.name_of(debt.resource), presentable(debt.resource), what, sources.text(standing), debt.since
    )


def _restricted(sources: Sources) -> Iterator[HeldItem]:
    """Restrictions that hold nothing of their own: previews are deleted, and none is made."""
    for name, in_force in sources.restrictions.in_force.items():
        if name == "previews_off":
            yield HeldItem("previews", PREVIEWS, "deleted, and none is made", "", in_force.since)


class _Open(msgspec.Struct):
    start: datetime
    cause: Cause
    by_hand_since: datetime | None = None


def lanes_of(sources: Sources) -> tuple[Lane, ...]:
    """For each resource when it was held in the month, those that are held now by a budget first."""
    bars: dict[str, list[Bar]] = {}
    open_: dict[str, _Open] = {}
    for moment in sources.moments:
        match moment:
            case Owed(debt=debt) if is_hold(debt):
                began = open_.setdefault(debt.resource, _Open(max(debt.since, sources.month.start), cause_of(debt)))
                if began.cause is not cause_of(debt):
                    _close(bars, open_, debt.resource, moment.at)
                    began = open_.setdefault(debt.resource, _Open(moment.at, cause_of(debt)))
                began.by_hand_since = moment.at if debt.state is DebtState.BY_HAND else None
            case Paid(debt=debt) if is_hold(debt):
                open_.setdefault(debt.resource, _Open(max(debt.since, sources.month.start), cause_of(debt)))
                _close(bars, open_, debt.resource, moment.at)
            case Changed(change=change) if change.kind == "SetRestrictions" and change.outcome is Outcome.APPLIED:
                if "previews_off" in change.after:
                    open_.setdefault(PREVIEWS, _Open(moment.at, Cause.BUDGET))
                elif PREVIEWS in open_:
                    _close(bars, open_, PREVIEWS, moment.at)
    for debt in holds_of(sources):
        open_.setdefault(debt.resource, _Open(max(debt.since, sources.month.start), cause_of(debt)))
    until = None if sources.now < sources.month.end else sources.month.end
    for resource in list(open_):
        _close(bars, open_, resource, until)
    lanes = (
        Lane(_lane_name(resource, sources), presentable(resource), tuple(found)) for resource, found in bars.items()
    )
    return tuple(sorted(lanes, key=_urgency))


def _close(bars: dict[str, list[Bar]], open_: dict[str, _Open], resource: str, end: datetime | None) -> None:
    one = open_.pop(resource)
    bars.setdefault(resource, []).append(Bar(one.start, end, one.cause, one.by_hand_since))


def _lane_name(resource: str, sources: Sources) -> str:
    return action("previews_off").removesuffix(" off") if resource == PREVIEWS else sources.name_of(resource)


def _urgency(lane: Lane) -> tuple[bool, bool, datetime, str]:
    is_open = lane.bars[-1].end is None
    is_budget = any(bar.cause is Cause.BUDGET for bar in lane.bars)
    return not is_open, not is_budget, _first(lane.bars), lane.name


def _first(bars: Iterable[Bar]) -> datetime:
    return min(bar.start for bar in bars)
