"""Folds messages into the records; their order and duplicates make no difference. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import msgspec

from functions.cap_spending.anomaly import CostAnomaly
from functions.cap_spending.commands import Accept, Arm, Lift, LinkBilling, RemoveSpendCaps, Snooze, Undo, budgets_of
from functions.cap_spending.labels import holding_budgets, labelled
from functions.cap_spending.notification import BudgetNotification
from functions.cap_spending.parse import Event
from functions.cap_spending.records import (
    AMOUNTS_KEPT,
    ANOMALIES_KEPT,
    INTERVALS_KEPT,
    STEPS_KEPT,
    Anomaly,
    BudgetRecord,
    CapAsked,
    CapCommand,
    Interval,
    Newest,
    Records,
    Snoozed,
    Step,
)
from functions.cap_spending.settings import Basis, Budget, Rung, Settings
from shared.events import Dated


def fold(records: Records, event: Dated[Event], settings: Settings) -> Records:
    """The records with what the event says. They are the same if it says nothing new."""
    return labelled(_folded(labelled(records, settings), event, settings), settings)


def _folded(records: Records, event: Dated[Event], settings: Settings) -> Records:
    match event.event:
        case BudgetNotification() | CostAnomaly() as said:
            return _with_reported(records, said, event.published, event.message_id, settings)
        case Undo() as undo:
            keys = budgets_of(undo, settings) if undo.budget else {*settings.budgets, *holding_budgets(records)}
            undone = {key: _later(records.undone.get(key), event.published) for key in sorted(keys)}
            return msgspec.structs.replace(records, undone=records.undone | undone)
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


def _with_reported(
    records: Records, said: BudgetNotification | CostAnomaly, published: datetime, message_id: str, settings: Settings
) -> Records:
    if isinstance(said, CostAnomaly):
        return fold_anomaly(records, said, published, settings)
    return fold_notification(records, said, published, message_id, settings)


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
    kept = tuple(_kept(intervals.values()))
    step = Step(said.interval_start, published, said.cost)
    steps = _steps(known, step, records.undone.get(said.budget), {one.interval_start for one in kept})
    record = BudgetRecord(max(newest, known.newest) if known else newest, kept, steps)
    if record == known:
        return records
    return msgspec.structs.replace(records, budgets=records.budgets | {said.budget: record})


def _kept(intervals: Iterable[Interval]) -> Iterator[Interval]:
    """The intervals that were spoken of last, each at the amounts that it had last and at that of its highest cost."""
    by_start: dict[datetime, list[Interval]] = {}
    for one in intervals:
        by_start.setdefault(one.interval_start, []).append(one)
    newest_first = sorted(
        by_start.values(), key=lambda same: (max(one.last for one in same), same[0].interval_start), reverse=True
    )
    for same in sorted(newest_first[:INTERVALS_KEPT], key=lambda same: same[0].interval_start, reverse=True):
        highest = max(same, key=lambda one: (one.highest_cost, one.amount))
        last = sorted(same, key=lambda one: (one.last, one.amount), reverse=True)[: AMOUNTS_KEPT - 1]
        yield from sorted({id(one): one for one in (*last, highest)}.values(), key=lambda one: one.amount, reverse=True)


def _steps(known: BudgetRecord | None, new: Step, undone: datetime | None, starts: set[datetime]) -> tuple[Step, ...]:
    """The newest rises of the cost in each of these intervals, and the last that an `undo` has accepted."""
    by_time = sorted({*(known.steps if known else ()), new}, key=lambda one: (one.published, -one.cost))
    kept: list[Step] = []
    for start in sorted(starts):
        rising: list[Step] = []
        for one in by_time:
            if one.interval_start == start and (not rising or one.cost > rising[-1].cost):
                rising.append(one)
        accepted = [one for one in rising[:-STEPS_KEPT] if undone and one.published <= undone]
        kept += [*accepted[-1:], *rising[-STEPS_KEPT:]]
    return tuple(kept)


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
        passed={rung.name: published for rung in budget.ladder if _passes(said, rung)},
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
    return Interval(
        interval_start=one.interval_start,
        amount=one.amount,
        first_published=min(one.first_published, other.first_published),
        highest_cost=highest.highest_cost,
        highest_published=highest.highest_published,
        forecast=forecast,
        forecast_published=forecast_published,
        passed=_first_times(one.passed, other.passed),
        last_published=max(one.last, other.last),
    )


def _passes(said: BudgetNotification, rung: Rung) -> bool:
    match rung.on:
        case Basis.ACTUAL:
            return said.cost > 0 and said.cost >= rung.ratio * said.amount
        case Basis.FORECAST:
            return said.forecast_threshold is not None and said.forecast_threshold >= rung.ratio
        case Basis.PROJECTED | Basis.ANOMALY:
            return False


def fold_anomaly(records: Records, said: CostAnomaly, published: datetime, settings: Settings) -> Records:
    """The records with one notification of an anomaly, for each budget that has a rung for it."""
    anomalies = dict(records.anomalies)
    for key in said.budgets:
        rungs = [rung for rung in settings.budgets[key].ladder if rung.is_passed_by(said.resource, said.deviation)]
        passed = {rung.name: published for rung in rungs}
        seen = Anomaly(said.name, said.resource, said.detected, said.deviation, published, passed)
        known = {one.name: one for one in anomalies.get(key, ())}
        known[said.name] = _larger(known[said.name], seen) if said.name in known else seen
        newest_first = sorted(known.values(), key=lambda one: (one.detected, one.name), reverse=True)
        anomalies[key] = tuple(newest_first[:ANOMALIES_KEPT])
    return records if anomalies == records.anomalies else msgspec.structs.replace(records, anomalies=anomalies)


def _larger(one: Anomaly, other: Anomaly) -> Anomaly:
    """The larger report of an anomaly with the first times of both: the same whichever comes first."""
    larger = min((one, other), key=lambda seen: (-seen.deviation, seen.published))
    return msgspec.structs.replace(
        larger, detected=max(one.detected, other.detected), passed=_first_times(one.passed, other.passed)
    )


def _first_times(one: Mapping[str, datetime], other: Mapping[str, datetime]) -> dict[str, datetime]:
    return {
        rung: min(seen[rung] for seen in (one, other) if rung in seen) for rung in sorted(one.keys() | other.keys())
    }


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
