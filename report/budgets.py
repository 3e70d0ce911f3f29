"""Budgets in the month that is shown: cost, ladder, and where it is heading. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from functions.cap_spending.ladder import active_rungs_of, passed_at
from functions.cap_spending.messages import percent
from functions.cap_spending.records import BudgetRecord, Interval
from functions.cap_spending.settings import Budget
from report.picture import BudgetPicture, CostPoint, RungPicture, RungState
from report.sources import Sources
from report.words import action
from shared.moments import Costed

PACE = timedelta(days=3)
"""The days that the pace is taken from: single days are unlike, and a week hides a recent change."""
SHORTEST_PACE = timedelta(days=1)


def budgets_of(sources: Sources) -> Iterator[BudgetPicture]:
    """Every budget of the settings, and what it has reported in the month."""
    if sources.spending is None:
        return
    for key, budget in sources.spending.budgets.items():
        record = sources.spending_records.budgets.get(key)
        interval = _interval(record, sources) if record else None
        points = _points(key, record, interval, sources)
        amount = float(interval.amount) if interval else 0.0
        yield BudgetPicture(
            key=key,
            currency=budget.currency,
            amount=amount,
            cost=points[-1].cost if points else None,
            period_start=interval.interval_start if interval else None,
            published=points[-1].at if points else None,
            points=points,
            rungs=tuple(_rungs(key, budget, record, interval, sources)),
            expected=_expected(points, sources),
        )


def _interval(record: BudgetRecord, sources: Sources) -> Interval | None:
    """The period and amount that the month is about: the present one, or for a month that is over the last in it."""
    if sources.now < sources.month.end:
        return record.current
    of_then = [one for one in record.intervals if one.first_published < sources.month.end]
    return max(of_then, key=lambda one: one.last, default=None)


def _points(
    key: str, record: BudgetRecord | None, interval: Interval | None, sources: Sources
) -> tuple[CostPoint, ...]:
    """The reports of the budget in its period, as far as that is in the month; in order of publication."""
    if record is None or interval is None:
        return ()
    start = interval.interval_start
    found = {
        moment.at: moment.cost
        for moment in sources.moments
        if isinstance(moment, Costed) and moment.budget == key and moment.period_start == start
    }
    if record.newest.interval_start == start:
        found[record.newest.published] = float(record.newest.cost)
    elif not found:
        found[interval.highest_published] = float(interval.highest_cost)
    return tuple(CostPoint(at, cost) for at, cost in sorted(found.items()) if sources.month.has(at))


def _rungs(
    key: str, budget: Budget, record: BudgetRecord | None, interval: Interval | None, sources: Sources
) -> Iterator[RungPicture]:
    active: set[str] = set()
    if record and interval is record.current:
        active = {one.name for one in active_rungs_of(key, budget, sources.spending_records, sources.now)}
    for rung in sorted(budget.ladder, key=lambda one: (one.ratio, one.on)):
        passed: datetime | None = None
        if record and interval:
            records = sources.spending_records
            is_current = interval is record.current
            now = passed_at(rung, key, records, budget, sources.now) if is_current else None
            passed = now or interval.passed.get(rung.name)
        state = RungState.AHEAD
        if passed:
            state = RungState.IN_FORCE if f"{key}/{rung.name}" in active else RungState.LET_GO
        yield RungPicture(
            rung.name,
            str(rung.on),
            percent(rung.ratio) if rung.at else "cost anomaly",
            rung.threshold if not rung.at else (float(rung.ratio * interval.amount) if interval else 0.0),
            tuple(action(str(one)) for one in rung.do),
            state,
            passed,
        )


def _expected(points: tuple[CostPoint, ...], sources: Sources) -> float | None:
    """At the pace of the last days; None after less than a day of them, or if the month is over."""
    if not points or sources.now >= sources.month.end:
        return None
    last = points[-1]
    recent = [point for point in points if point.at >= last.at - PACE]
    took = last.at - recent[0].at
    if took < SHORTEST_PACE:
        return None
    pace = (last.cost - recent[0].cost) / took.total_seconds()
    return last.cost + max(pace, 0.0) * (sources.month.end - last.at).total_seconds()
