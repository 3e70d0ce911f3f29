"""Plays `cap_spending` through recorded charges: a notification every half hour, decided by its own pure decision.

A notification has the period's cost as known at its time: that is Google's lag. What pools at zero did not cost,
and what is in a detached project, is left out of it, so that a rung lets go or never trips because of what was saved.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from functions.cap_spending.automation import AUTOMATION
from functions.cap_spending.changes import CapSpendingChange, DetachBilling, SetRestrictions
from functions.cap_spending.notification import BudgetNotification
from functions.cap_spending.parse import Event
from functions.cap_spending.records import Records
from functions.cap_spending.settings import Basis, Budget, Settings
from functions.cap_spending.world import (
    AmountOf,
    BillingOf,
    BudgetAmount,
    JobsIn,
    ProjectBilling,
    ServicesIn,
    WorkerPoolsIn,
)
from shared.automation import RunContext
from shared.events import Dated, Tick
from shared.looking import MOST_ROUNDS, guarded
from shared.restrictions import SpendingRestrictions
from shared.world import Need, Unreadable, World
from simulate.billing import Charge
from simulate.playing import MOST_LOOKS, Step

PACIFIC = ZoneInfo("America/Los_Angeles")
"""A budget's periods begin at midnight there: https://cloud.google.com/billing/docs/how-to/budgets."""
NOTIFIED_EVERY = timedelta(minutes=30)
TICK = timedelta(minutes=10)
FORECAST_BY = timedelta(days=7)
"""A forecast continues the pace of so many days, weekends among them, to the end of the period, and there is none
before so much is known: no export has Google's own forecast."""
Share = Callable[[Charge], float]
"""The share of a recorded charge that there would have been."""


class Cost(msgspec.Struct, frozen=True):
    """The cost of a period as known at one moment."""

    at: datetime
    recorded: float
    simulated: float
    forecast: float | None = None
    """Of the whole period; None before enough is known."""


class SpendingStart(msgspec.Struct, frozen=True):
    """The state at the beginning of a day, from which it can be played again."""

    records: Records
    restrictions: SpendingRestrictions


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """The result for the budgets."""

    steps: tuple[Step, ...]
    costs: tuple[Cost, ...]
    days: Mapping[datetime, SpendingStart]
    """By its first moment."""


class SpendingPlayer:
    """The budgets of the settings, all of which the charges are taken to be of."""

    def __init__(
        self, settings: Settings, amounts: Mapping[str, float], charges: Sequence[Charge], lag: timedelta | None
    ) -> None:
        self.restrictions = SpendingRestrictions()
        self._settings, self._amounts = settings, amounts
        self._charges = sorted(((_known(one, lag), one) for one in charges), key=lambda pair: pair[0])
        self._next = 0
        self._costs: dict[datetime, tuple[float, float]] = {}
        self._totals: deque[tuple[datetime, float]] = deque()
        """The simulated cost of all periods, as known at each notification of the last days."""
        self._records = Records()
        self._detached: dict[str, datetime] = {}
        self._steps: list[Step] = []
        self._said: list[Cost] = []
        self._days: dict[datetime, SpendingStart] = {}
        self._is_projected = any(
            rung.on is Basis.PROJECTED for budget in settings.budgets.values() for rung in budget.ladder
        )

    def pass_minute(self, now: datetime, share: Share) -> None:
        """Let a minute pass: notifications come every half hour, and ticks where a projection needs them."""
        since_midnight = timedelta(hours=now.hour, minutes=now.minute)
        if not since_midnight:
            self._days[now] = SpendingStart(self._records, self.restrictions)
        if since_midnight % NOTIFIED_EVERY == timedelta():
            self._notify(now, share)
        elif self._is_projected and since_midnight % TICK == timedelta():
            self._run(Tick(every_seconds=600), now)

    def spent(self) -> Spent:
        """The result."""
        return Spent(steps=tuple(self._steps), costs=tuple(self._said), days=self._days)

    def _notify(self, now: datetime, share: Share) -> None:
        while self._next < len(self._charges) and self._charges[self._next][0] <= now:
            charge = self._charges[self._next][1]
            period = period_start(charge.start)
            recorded, simulated = self._costs.get(period, (0.0, 0.0))
            detached = self._detached.get(charge.project)
            part = 0.0 if detached and charge.start >= detached else share(charge)
            self._costs[period] = recorded + charge.cost, simulated + charge.cost * part
            self._next += 1
        period = period_start(now)
        recorded, simulated = self._costs.get(period, (0.0, 0.0))
        simulated = round(simulated, 6)
        forecast = self._forecast(now, simulated)
        self._said.append(Cost(now, recorded, simulated, forecast))
        for key, budget in self._settings.budgets.items():
            passed = forecast_threshold(budget, self._amounts[key], forecast)
            threshold = None if passed is None else Decimal(repr(passed))
            amount = Decimal(str(self._amounts[key]))
            self._run(BudgetNotification(key, period, Decimal(str(simulated)), amount, threshold), now)

    def _forecast(self, now: datetime, cost: float) -> float | None:
        self._totals.append((now, sum(simulated for _, simulated in self._costs.values())))
        if now - self._totals[0][0] < FORECAST_BY:
            return None
        while now - self._totals[0][0] > FORECAST_BY:
            self._totals.popleft()
        spent = self._totals[-1][1] - self._totals[0][1]
        return round(cost + spent * ((period_end(now) - now) / FORECAST_BY), 6)

    def _run(self, event: Event, now: datetime) -> None:
        """One run as the engine makes it."""
        dated = Dated(event, f"{now:%Y%m%d%H%M}", now)
        self._records = AUTOMATION.fold(self._records, dated, self._settings)
        applied: tuple[CapSpendingChange, ...] = ()
        changes: list[str] = []
        for _ in range(MOST_LOOKS):
            context = RunContext[Settings, Any, Records](
                event=dated,
                records=self._records,
                restrictions=self.restrictions,
                settings=self._settings,
                now=now,
                project="",
            )
            world = World()
            for _ in range(MOST_ROUNDS):
                if not (missing := world.missing(AUTOMATION.needs(context, world))):
                    break
                world = world.with_answers({need: self._answer(need) for need in missing})
            decision = guarded(AUTOMATION, context, world, AUTOMATION.decide(context, world, applied))
            self._records = decision.records.before(decision.changes)
            if not decision.changes:
                self._steps += [Step(now, tuple(changes))] if changes else []
                return
            applied = decision.changes
            for change in applied:
                self._apply(change, now)
                changes.append(f"{change.kind} {change.field} {change.before} -> {change.after}: {change.reason}")
        raise AssertionError(f"cap_spending is not settled after {MOST_LOOKS} looks")

    def _apply(self, change: CapSpendingChange, now: datetime) -> None:
        """Applies a change to the simulated cost. Services and jobs are not in the record, so none is changed."""
        if isinstance(change, SetRestrictions):
            self.restrictions = change.restrictions
        elif isinstance(change, DetachBilling):
            self._detached[change.target.removeprefix("projects/")] = now

    def _answer(self, need: Need[Any]) -> object:
        match need:
            case ServicesIn() | WorkerPoolsIn() | JobsIn():
                return ()
            case BillingOf(parent=parent):
                account = "" if parent.removeprefix("projects/") in self._detached else "billingAccounts/simulated"
                return ProjectBilling(parent, account)
            case AmountOf(budget=budget):
                key = next(key for key, one in self._settings.budgets.items() if budget.endswith(f"/{one.id}"))
                return BudgetAmount(exists=True, amount=Decimal(str(self._amounts[key])))
        return Unreadable(type(need).__name__, need.resource, "it is not simulated")


def forecast_threshold(budget: Budget, amount: float, forecast: float | None) -> float | None:
    """The highest forecast rung of a budget that a forecast is past, as Google's notification says it."""
    rungs = [rung.threshold for rung in budget.ladder if rung.on is Basis.FORECAST]
    return max((at for at in rungs if forecast is not None and forecast >= at * amount), default=None)


def period_end(moment: datetime) -> datetime:
    """The end of the calendar month of a moment."""
    return period_start(period_start(moment) + timedelta(days=32))


def period_start(moment: datetime) -> datetime:
    """The beginning of the calendar month of a moment."""
    return moment.astimezone(PACIFIC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _known(charge: Charge, lag: timedelta | None) -> datetime:
    if charge.known and lag is None:
        return charge.known
    return charge.end + (lag or timedelta())
