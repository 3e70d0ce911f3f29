"""Folds messages into the records; their order and duplicates make no difference. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from functions.cap_spending.commands import Accept, Arm, Lift, LinkBilling, RemoveSpendCaps, Snooze, Undo, budgets_of
from functions.cap_spending.labels import holding_budgets, labelled
from functions.cap_spending.notification import BudgetNotification
from functions.cap_spending.records import (
    AMOUNTS_KEPT,
    INTERVALS_KEPT,
    AcceptedCost,
    BudgetRecord,
    CapAsked,
    CapCommand,
    Event,
    Interval,
    Newest,
    Records,
    Snoozed,
)
from functions.cap_spending.settings import Basis, Budget, Settings
from shared.events import Dated


def fold(records: Records, event: Dated[Event], settings: Settings) -> Records:
    """The records with what the event says. They are the same if it says nothing new."""
    return labelled(_folded(labelled(records, settings), event, settings), settings)


def _folded(records: Records, event: Dated[Event], settings: Settings) -> Records:
    match event.event:
        case BudgetNotification() as notification:
            return fold_notification(records, notification, event.published, event.message_id, settings)
        case Undo() as undo:
            keys = budgets_of(undo, settings) if undo.budget else {*settings.budgets, *holding_budgets(records)}
            undone = {key: _later(records.undone.get(key), event.published) for key in sorted(keys)}
            return _with_accepted_costs(msgspec.structs.replace(records, undone=records.undone | undone), undone)
        case Accept() as accept:
            return msgspec.structs.replace(records, accepted=_accepted(records, accept, event.published, settings))
        case Snooze() as snooze:
            newer = {
                key: Snoozed(snooze.until, event.published)
                for key in budgets_of(snooze, settings)
                if key not in records.snoozed or _is_newer(snooze, event.published, records.snoozed[key])
            }
            return msgspec.structs.replace(records, snoozed=records.snoozed | newer)
        case LinkBilling() | Lift() | Arm() | RemoveSpendCaps() as command:
            return _with_asked(records, command, event.published, settings)
    return records


def _with_asked(
    records: Records, command: LinkBilling | Lift | Arm | RemoveSpendCaps, said: datetime, settings: Settings
) -> Records:
    """The records with a command for a project or for spend caps: of two, the newer counts."""
    if isinstance(command, LinkBilling):
        linked = {command.project: _later(records.linked.get(command.project), said)}
        return msgspec.structs.replace(records, linked=records.linked | linked)
    if isinstance(command, RemoveSpendCaps):
        what, names = CapCommand.REMOVE, {cap.name for cap in settings.spend_caps.values()} | records.spend_caps.keys()
    else:
        what = CapCommand.LIFT if isinstance(command, Lift) else CapCommand.ARM
        names = {settings.spend_caps[command.cap].name}
    newer = {
        name: CapAsked(what, said)
        for name in sorted(names)
        if (known := records.caps_asked.get(name)) is None or (said, what) > (known.said, known.what)
    }
    return msgspec.structs.replace(records, caps_asked=records.caps_asked | newer) if newer else records


def fold_notification(
    records: Records, said: BudgetNotification, published: datetime, message_id: str, settings: Settings
) -> Records:
    """The records with one notification, or with one reading of the budget put in its words."""
    newest = Newest(published, message_id, said.interval_start, said.amount, said.cost)
    known = records.budgets.get(said.budget)
    intervals = {(one.interval_start, one.amount): one for one in known.intervals} if known else {}
    key = (said.interval_start, said.amount)
    intervals[key] = _raised(intervals.get(key), said, published, settings.budgets[said.budget])
    record = BudgetRecord(max(newest, known.newest) if known else newest, tuple(_kept(intervals.values())))
    if record == known:
        return records
    records = msgspec.structs.replace(records, budgets=records.budgets | {said.budget: record})
    undone = records.undone.get(said.budget)
    return _with_accepted_costs(records, {said.budget: undone}) if undone and published <= undone else records


def _kept(intervals: Iterable[Interval]) -> Iterator[Interval]:
    """The intervals that were spoken of last, each at the amounts that it had last and at that of its highest cost."""
    by_start: dict[datetime, list[Interval]] = {}
    for one in intervals:
        by_start.setdefault(one.interval_start, []).append(one)
    newest_first = sorted(by_start.values(), key=lambda same: max(one.last for one in same), reverse=True)
    for same in sorted(newest_first[:INTERVALS_KEPT], key=lambda same: same[0].interval_start, reverse=True):
        highest = max(same, key=lambda one: (one.highest_cost, one.amount))
        last = sorted(same, key=lambda one: (one.last, one.amount), reverse=True)[: AMOUNTS_KEPT - 1]
        yield from sorted({id(one): one for one in (*last, highest)}.values(), key=lambda one: one.amount, reverse=True)


def _with_accepted_costs(records: Records, undone: Mapping[str, datetime]) -> Records:
    """The records with the cost that is accepted in the current period by words of these times."""
    costs = dict(records.accepted_costs)
    for key, said in undone.items():
        record = records.budgets.get(key)
        if record is None:
            continue
        start = record.newest.interval_start
        known = [one for one in record.intervals if one.interval_start == start]
        seen = [one.highest_cost for one in known if one.highest_published <= said]
        before = costs.get(key)
        seen += [before.cost] if before and before.interval_start == start else []
        if seen:
            costs[key] = AcceptedCost(start, max(seen))
    return msgspec.structs.replace(records, accepted_costs=costs)


def _raised(known: Interval | None, said: BudgetNotification, published: datetime, budget: Budget) -> Interval:
    """The interval's maxima and first times with one more notification."""
    seen = Interval(
        interval_start=said.interval_start,
        amount=said.amount,
        first_published=published,
        highest_cost=said.cost,
        highest_published=published,
        forecast=said.forecast_threshold,
        forecast_published=published if said.forecast_threshold is not None else None,
        passed={rung.name: published for rung in budget.ladder if _passes(said, rung.on, rung.ratio)},
        last_published=published,
    )
    return _merged(known, seen) if known else seen


def _merged(one: Interval, other: Interval) -> Interval:
    """Both intervals' maxima, each with the first time at which it was seen: the same whichever comes first."""
    highest = min((one, other), key=lambda seen: (-seen.highest_cost, seen.highest_published))
    forecasts = [
        (seen.forecast, seen.forecast_published)
        for seen in (one, other)
        if seen.forecast is not None and seen.forecast_published is not None
    ]
    forecast, forecast_published = min(forecasts, key=lambda seen: (-seen[0], seen[1]), default=(None, None))
    passed = {
        rung: min(seen.passed[rung] for seen in (one, other) if rung in seen.passed)
        for rung in sorted(one.passed | other.passed)
    }
    return Interval(
        interval_start=one.interval_start,
        amount=one.amount,
        first_published=min(one.first_published, other.first_published),
        highest_cost=highest.highest_cost,
        highest_published=highest.highest_published,
        forecast=forecast,
        forecast_published=forecast_published,
        passed=passed,
        last_published=max(one.last, other.last),
    )


def _passes(said: BudgetNotification, basis: Basis, ratio: Decimal) -> bool:
    match basis:
        case Basis.ACTUAL:
            return said.cost > 0 and said.cost >= ratio * said.amount
        case Basis.FORECAST:
            return said.forecast_threshold is not None and said.forecast_threshold >= ratio
        case Basis.PROJECTED:
            return False


def _accepted(
    records: Records, accept: Accept, published: datetime, settings: Settings
) -> dict[str, dict[str, datetime]]:
    accepted = dict(records.accepted)
    for key in budgets_of(accept, settings):
        rungs = accepted.get(key, {})
        accepted[key] = rungs | {accept.rung: _later(rungs.get(accept.rung), published)}
    return accepted


def _is_newer(snooze: Snooze, published: datetime, known: Snoozed) -> bool:
    return (published, snooze.until) > (known.said, known.until)


def _later(known: datetime | None, new: datetime) -> datetime:
    return max(known, new) if known else new
