"""The rungs in force: a pure decision from the facts, the settings and the time."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain

import msgspec

from functions.cap_spending.messages import (
    AnomalyReported,
    CostReached,
    ForecastReached,
    ProjectionReached,
    WhyPassed,
)
from functions.cap_spending.records import Anomaly, BudgetRecord, Interval, Records
from functions.cap_spending.settings import Action, Basis, Budget, Rung, Settings
from shared.cached import cached_by_identity
from shared.decision import Message

FORECAST_TOLERANCE = Decimal("1.05")
"""An accepted forecast stays accepted while the budget's amount changes by less than this ratio."""
LATER = datetime.max.replace(tzinfo=UTC)
PROJECTED_AT_MOST = timedelta(hours=48)
"""The hourly burn is added for at most this long after the last notification. A budget that is silent for longer is a
fault to look into, not a cost."""


class ActiveRung(msgspec.Struct, frozen=True):
    """One rung that is in force, and since which publish time."""

    budget: str
    rung: Rung
    interval_start: datetime
    since: datetime
    why: Message

    @property
    def name(self) -> str:
        """The rung's full name, such as ``monthly/actual@0.8``."""
        return f"{self.budget}/{self.rung.name}"

    def key(self, action: Action) -> str:
        """The name under which it is recorded that an action of this rung was done."""
        return f"{self.name}/{action}"


@cached_by_identity
def active_rungs(records: Records, settings: Settings, now: datetime) -> tuple[ActiveRung, ...]:
    """The rungs whose actions should hold now: passed, not accepted or undone, and not held back by a snooze."""
    found = (active_rungs_of(key, budget, records, now) for key, budget in settings.budgets.items())
    return tuple(chain.from_iterable(found))


def active_rungs_of(key: str, budget: Budget, records: Records, now: datetime) -> tuple[ActiveRung, ...]:
    """The rungs of one budget whose actions should hold now."""
    return tuple(rung for rung in passed_rungs_of(key, budget, records, now) if not _is_let_go(rung, records, now))


def passed_rungs(records: Records, settings: Settings, now: datetime) -> tuple[ActiveRung, ...]:
    """All rungs that are passed in the current interval at the current amount."""
    return tuple(
        rung for key, budget in settings.budgets.items() for rung in passed_rungs_of(key, budget, records, now)
    )


def passed_rungs_of(key: str, budget: Budget, records: Records, now: datetime) -> tuple[ActiveRung, ...]:
    """The rungs of one budget that are passed."""
    record = records.budgets.get(key)
    if record is None:
        return ()
    return tuple(
        ActiveRung(key, rung, record.current.interval_start, since, _explain(rung, key, records, budget))
        for rung in budget.ladder
        if (since := passed_at(rung, key, records, budget, now))
    )


def passed_at(rung: Rung, key: str, records: Records, budget: Budget, now: datetime) -> datetime | None:
    """The time a rung was first passed in the current interval; None if it was not. The budget must have notified.

    Anomalies count at any amount, everything else at the current one.
    """
    record = records.budgets[key]
    interval = record.current
    if rung.on is Basis.ANOMALY:
        found = passing_anomaly(rung, key, records)
        return _since(rung, found) if found else None
    if first := interval.passed.get(rung.name):
        return first
    match rung.on:
        case Basis.ACTUAL:
            return interval.highest_published if interval.has_reached(rung.ratio) else None
        case Basis.FORECAST:
            known = interval.forecast is not None and interval.forecast >= rung.ratio
            return interval.forecast_published if known else None
        case Basis.PROJECTED:
            crossing = projected_crossing(rung, record, budget)
            return crossing if crossing and crossing <= now else None


def passing_anomaly(rung: Rung, key: str, records: Records) -> Anomaly | None:
    """The first anomaly of the budget's current period that passes a rung: of those since an `undo`, if there are any.

    What `undo` accepts are the anomalies that had been reported; another one is news.
    """
    start = records.budgets[key].current.interval_start
    passing = [
        one
        for one in records.anomalies.get(key, ())
        if one.detected >= start and rung.is_passed_by(one.resource, one.deviation)
    ]
    undone = records.undone.get(key)
    news = [one for one in passing if undone is None or _since(rung, one) > undone]
    return min(news or passing, key=lambda one: (_since(rung, one), one.name), default=None)


def _since(rung: Rung, anomaly: Anomaly) -> datetime:
    return anomaly.passed.get(rung.name, anomaly.published)


def projected_crossing(rung: Rung, record: BudgetRecord, budget: Budget) -> datetime | None:
    """The time at which the cost, growing by the hourly burn since the newest notification, passes a rung."""
    if budget.hourly_burn is None:
        return None
    missing = rung.ratio * record.newest.amount - record.current.highest_cost
    hours = max(missing, Decimal(0)) / Decimal(repr(budget.hourly_burn))
    if hours > Decimal(PROJECTED_AT_MOST.total_seconds()) / 3600:
        return None
    return record.newest.published + timedelta(hours=float(hours))


def latched_intervals(records: Records, settings: Settings, now: datetime) -> dict[str, Interval]:
    """By budget, the current interval with the rungs that are passed by now: once passed, they stay so.

    Those that a notification passes are in it already. The others are projected, or came into the settings later: since
    when they are passed must not move with the next notification, or that would trip what was undone before it.
    """
    latched: dict[str, Interval] = {}
    for rung in passed_rungs(records, settings, now):
        interval = latched.get(rung.budget, records.budgets[rung.budget].current)
        if rung.rung.on is not Basis.ANOMALY and rung.rung.name not in interval.passed:
            passed = dict(sorted((interval.passed | {rung.rung.name: rung.since}).items()))
            latched[rung.budget] = msgspec.structs.replace(interval, passed=passed)
    return latched


def began(record: BudgetRecord) -> datetime:
    """The time of the first message about the current interval, at any amount."""
    start = record.current.interval_start
    return min(one.first_published for one in record.intervals if one.interval_start == start)


def is_let_go_by_command(records: Records, budget: str, rung: str, since: datetime) -> bool:
    """Whether a command published at or after ``since`` asked to undo the budget's steps, or accepted this rung."""
    undone = records.undone.get(budget)
    accepted = records.accepted.get(budget, {}).get(rung)
    return bool(undone and undone >= since) or bool(accepted and accepted >= since)


def _is_let_go(rung: ActiveRung, records: Records, now: datetime) -> bool:
    record = records.budgets[rung.budget]
    undone = records.undone.get(rung.budget)
    if undone and (undone >= rung.since or _was_accepted_at_another_amount(rung, record, records)):
        return True
    accepted = records.accepted.get(rung.budget, {}).get(rung.rung.name)
    if accepted and accepted >= began(record):
        return True
    snoozed = records.snoozed.get(rung.budget)
    was_there_before = any(rung.key(action) in records.in_force for action in rung.rung.do)
    return bool(snoozed and now < snoozed.until and not was_there_before)


def _was_accepted_at_another_amount(rung: ActiveRung, record: BudgetRecord, records: Records) -> bool:
    """Whether what was known when the overrun was accepted is past this rung at the present amount too.

    Neither a raise by less than the overrun nor an amount that follows last month's cost by cents trips again what was
    undone in this period.
    """
    undone = records.undone[rung.budget]
    amount = record.current.amount
    if rung.rung.on is Basis.ANOMALY:
        return False
    if rung.rung.on is Basis.ACTUAL:
        accepted = record.cost_at(undone)
        return accepted is not None and accepted >= rung.rung.ratio * amount
    return any(
        one.forecast * one.amount * FORECAST_TOLERANCE >= rung.rung.ratio * amount
        for one in record.intervals
        if one.interval_start == rung.interval_start
        and one.forecast is not None
        and one.passed.get(rung.rung.name, LATER) <= undone
    )


def _explain(rung: Rung, key: str, records: Records, budget: Budget) -> WhyPassed:
    """Why a rung is passed."""
    if anomaly := passing_anomaly(rung, key, records):
        return AnomalyReported(anomaly.resource, anomaly.detected.date(), anomaly.deviation, budget.currency)
    interval = records.budgets[key].current
    match rung.on:
        case Basis.ACTUAL:
            return CostReached(interval.highest_cost, rung, interval.amount, budget.currency)
        case Basis.FORECAST:
            return ForecastReached(rung, interval.amount, budget.currency)
        case _:
            return ProjectionReached(budget.hourly_burn or 0, rung, interval.amount, budget.currency)
