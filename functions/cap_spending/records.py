"""What `cap_spending` remembers: the facts that messages brought, and what was done about them.

Facts are folded so that the order of arrival does not matter: highest costs are kept by (interval, amount), first times
by rung, and the newest of each command wins. All times are those at which messages were published.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from functions.cap_spending.commands import Accept, LinkBilling, Snooze, Undo, budgets_of
from functions.cap_spending.notification import BudgetNotification
from functions.cap_spending.settings import Basis, Budget, Settings
from shared import automation
from shared.decision import Change
from shared.events import Command, Dated, RestrictionsChanged, Tick
from shared.holds import Hold, with_intended

INTERVALS_KEPT = 3

Event = BudgetNotification | Tick | RestrictionsChanged | Command
Context = automation.RunContext[Settings, "Event", "Records"]


class Newest(msgspec.Struct, frozen=True, order=True):
    """The newest word on a budget, by interval, publish time and message id: it says which amount is current."""

    interval_start: datetime
    published: datetime
    message_id: str
    amount: Decimal
    cost: Decimal


class Interval(msgspec.Struct, frozen=True):
    """The most that was seen of one budget in one interval at one amount."""

    interval_start: datetime
    amount: Decimal
    first_published: datetime
    highest_cost: Decimal
    highest_published: datetime
    forecast: Decimal | None = None
    forecast_published: datetime | None = None
    passed: dict[str, datetime] = {}
    """For each rung the publish time of the first notification that had passed it."""

    @property
    def ratio(self) -> Decimal:
        """The highest ratio of cost to amount."""
        return self.highest_cost / self.amount


class BudgetRecord(msgspec.Struct, frozen=True):
    """All that is known of one budget."""

    newest: Newest
    intervals: tuple[Interval, ...]

    @property
    def current(self) -> Interval:
        """The interval and amount that the newest message speaks of."""
        key = (self.newest.interval_start, self.newest.amount)
        return next(one for one in self.intervals if (one.interval_start, one.amount) == key)


class Snoozed(msgspec.Struct, frozen=True):
    """Until when nothing new is done, and when that was said."""

    until: datetime
    said: datetime


class Records(automation.Records, frozen=True, kw_only=True):
    """The document `records/cap_spending`."""

    budgets: dict[str, BudgetRecord] = {}
    undone: dict[str, datetime] = {}
    """By budget: what was passed up to then is accepted."""
    accepted: dict[str, dict[str, datetime]] = {}
    """By budget and rung."""
    snoozed: dict[str, Snoozed] = {}
    """By budget."""
    linked: dict[str, datetime] = {}
    """By project: when it was asked to link billing again."""
    in_force: dict[str, datetime] = {}
    """By budget, rung and action: what has been done about a rung, and the interval that it was passed in."""
    holds: dict[str, Hold] = {}
    """By full resource name."""
    detaching_waits: dict[str, datetime] = {}
    """By full name of a project: since when detaching it waits for what could not be read in it."""

    def before(self, changes: Sequence[Change]) -> "Records":
        """With every original that the changes are about to overwrite."""
        return msgspec.structs.replace(self, holds=with_intended(self.holds, changes))


def fold(records: Records, event: Dated[Event], settings: Settings) -> Records:
    """The records with what the event says. They are the same if it says nothing new."""
    match event.event:
        case BudgetNotification() as notification:
            return fold_notification(records, notification, event.published, event.message_id, settings)
        case Undo() as undo:
            undone = {key: _later(records.undone.get(key), event.published) for key in budgets_of(undo, settings)}
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
        case LinkBilling(project=project):
            linked = {project: _later(records.linked.get(project), event.published)}
            return msgspec.structs.replace(records, linked=records.linked | linked)
    return records


def fold_notification(
    records: Records, said: BudgetNotification, published: datetime, message_id: str, settings: Settings
) -> Records:
    """The records with one notification, or with one reading of the budget put in its words."""
    newest = Newest(said.interval_start, published, message_id, said.amount, said.cost)
    known = records.budgets.get(said.budget)
    intervals = {(one.interval_start, one.amount): one for one in known.intervals} if known else {}
    key = (said.interval_start, said.amount)
    intervals[key] = _raised(intervals.get(key), said, published, settings.budgets[said.budget])
    starts = sorted({start for start, _ in intervals}, reverse=True)[:INTERVALS_KEPT]
    kept = tuple(intervals[key] for key in sorted(intervals, reverse=True) if key[0] in starts)
    record = BudgetRecord(max(newest, known.newest) if known else newest, kept)
    if record == known:
        return records
    return msgspec.structs.replace(records, budgets=records.budgets | {said.budget: record})


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
    )


def _passes(said: BudgetNotification, basis: Basis, ratio: Decimal) -> bool:
    match basis:
        case Basis.ACTUAL:
            return said.cost >= ratio * said.amount
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
