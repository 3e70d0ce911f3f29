"""What `cap_spending` remembers: the facts that messages brought, and what was done about them.

Facts are folded so that the order of arrival does not matter: highest costs are kept by (interval, amount), first times
by rung, and the newest of each command wins. All times are those at which messages were published.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from functions.cap_spending.commands import Accept, LinkBilling, Snooze, Undo, budgets_of
from functions.cap_spending.notification import BudgetNotification
from functions.cap_spending.settings import Basis, Budget, Settings
from shared import automation
from shared.automation import Debt
from shared.decision import Change
from shared.events import Command, Dated, RestrictionsChanged, Tick
from shared.holds import Hold, with_intended

INTERVALS_KEPT = 3
AMOUNTS_KEPT = 8
"""Of each interval: an amount that follows last month's cost may change by cents on every notification."""

Event = BudgetNotification | Tick | RestrictionsChanged | Command
Context = automation.RunContext[Settings, "Event", "Records"]


class Newest(msgspec.Struct, frozen=True, order=True):
    """The newest notification of a budget, by publish time and message id: it says which period and amount are current.

    A period may begin earlier than the one before it: somebody has made a yearly budget of a monthly one.
    """

    published: datetime
    message_id: str
    interval_start: datetime
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
    last_published: datetime | None = None

    @property
    def last(self) -> datetime:
        """When the newest notification of it was published."""
        return self.last_published or self.highest_published

    def has_reached(self, ratio: Decimal) -> bool:
        """Whether the highest cost has reached this part of the amount. Any cost is more than an amount of nothing."""
        return self.highest_cost > 0 and self.highest_cost >= ratio * self.amount


class BudgetRecord(msgspec.Struct, frozen=True):
    """All that is known of one budget."""

    newest: Newest
    intervals: tuple[Interval, ...]

    @property
    def current(self) -> Interval:
        """The interval and amount that the newest message speaks of."""
        key = (self.newest.interval_start, self.newest.amount)
        return next(one for one in self.intervals if (one.interval_start, one.amount) == key)


class AcceptedCost(msgspec.Struct, frozen=True):
    """The most that a budget was known to have cost in a period when an overrun was accepted."""

    interval_start: datetime
    cost: Decimal


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
    accepted_costs: dict[str, AcceptedCost] = {}
    """By budget: what `undo` has accepted, at whatever amount."""
    labels: dict[str, str] = {}
    """By the owner's key, which budget it has named: keys may change, and what is remembered follows the budget."""
    linked: dict[str, datetime] = {}
    """By project: when it was asked to link billing again."""
    in_force: dict[str, datetime] = {}
    """By budget, rung and action: what has been done about a rung, and the interval that it was passed in."""
    holds: dict[str, Hold] = {}
    """By full resource name."""
    detaching_waits: dict[str, datetime] = {}
    """By full name of a project: since when detaching it waits for what could not be read in it."""

    def debts(self) -> tuple[Debt, ...]:
        """Every field that is held."""
        return tuple(
            Debt(name, field, str(held.original), str(held.applied), hold.held_by, hold.since, _undo_of(name, hold))
            for name, hold in self.holds.items()
            for field, held in hold.fields.items()
        )

    def before(self, changes: Sequence[Change]) -> "Records":
        """With every original that the changes are about to overwrite."""
        return msgspec.structs.replace(self, holds=with_intended(self.holds, changes))


def _undo_of(name: str, hold: Hold) -> str:
    command = "./deploy.sh send cap_spending"
    if "billing_account" in hold.fields:
        return f"{command} link_billing --project {name.removeprefix('projects/')}"
    return f"{command} undo"


def fold(records: Records, event: Dated[Event], settings: Settings) -> Records:
    """The records with what the event says. They are the same if it says nothing new."""
    return labelled(_folded(labelled(records, settings), event, settings), settings)


def _folded(records: Records, event: Dated[Event], settings: Settings) -> Records:
    match event.event:
        case BudgetNotification() as notification:
            return fold_notification(records, notification, event.published, event.message_id, settings)
        case Undo() as undo:
            keys = budgets_of(undo, settings) if undo.budget else {*settings.budgets, *_holding(records)}
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
        case LinkBilling(project=project):
            linked = {project: _later(records.linked.get(project), event.published)}
            return msgspec.structs.replace(records, linked=records.linked | linked)
    return records


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


def _holding(records: Records) -> set[str]:
    """The keys of the budgets that hold something, whether the settings still have them or not."""
    return {rung.split("/")[0] for hold in records.holds.values() for rung in hold.held_by}


def labelled(records: Records, settings: Settings) -> Records:
    """The records under the keys that the settings give their budgets now.

    What is known of a budget that the settings no longer have stays under its old key or, if that is taken now, under
    its own name.
    """
    now = {key: budget.name for key, budget in settings.budgets.items()}
    keys = {name: key for key, name in now.items()}
    renamed = {
        key: new
        for key, name in records.labels.items()
        if (new := keys.get(name, key if now.get(key, name) == name else name)) != key
    }
    used = {*records.budgets, *records.undone, *records.accepted, *records.snoozed, *_holding(records)}
    labels = {
        renamed.get(key, key): name for key in used if (name := records.labels.get(key) or now.get(key)) is not None
    }
    if not renamed and labels == records.labels:
        return records

    def rung(name: str) -> str:
        key, slash, rest = name.partition("/")
        return renamed.get(key, key) + slash + rest

    return msgspec.structs.replace(
        records,
        budgets={renamed.get(key, key): one for key, one in records.budgets.items()},
        undone={renamed.get(key, key): one for key, one in records.undone.items()},
        accepted={renamed.get(key, key): one for key, one in records.accepted.items()},
        accepted_costs={renamed.get(key, key): one for key, one in records.accepted_costs.items()},
        snoozed={renamed.get(key, key): one for key, one in records.snoozed.items()},
        in_force=dict(sorted((rung(key), one) for key, one in records.in_force.items())),
        holds={
            name: msgspec.structs.replace(hold, held_by=tuple(sorted(map(rung, hold.held_by))))
            for name, hold in records.holds.items()
        },
        labels=dict(sorted(labels.items())),
    )


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
