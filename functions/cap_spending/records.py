"""The records of `cap_spending`: the facts from messages, and the actions they led to.

Facts are folded so that the order of arrival does not matter: highest costs are kept by (interval, amount), first times
by rung, and the newest of each command wins. All times are those at which messages were published.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

import msgspec

from functions.cap_spending.cap_changes import CreateCap
from functions.cap_spending.parse import Event
from functions.cap_spending.settings import Settings
from functions.cap_spending.spend_caps import OF_CAPS, parts_of
from shared import automation
from shared.debts import Debt, debts_of
from shared.decision import Change
from shared.holds import Hold, with_intended
from shared.moments import Costed, Moment
from shared.restrictions import undo_of

INTERVALS_KEPT = 3
MADE_CAP = "spend_cap"
"""The field of a debt that is a spend cap which we have made."""
STEPS_KEPT = 16
"""Of each interval, the newest. An `undo` that arrives after so many more rises of the cost accepts none of them."""
AMOUNTS_KEPT = 8
"""Of each interval: an amount that follows last month's cost may change by cents on every notification."""

ANOMALIES_KEPT = 50
"""Of each budget, the newest: Google reports a few in a day at most, and those of earlier periods do not count."""

Context = automation.RunContext[Settings, Event, "Records"]


class Newest(msgspec.Struct, frozen=True, order=True):
    """The newest notification of a budget, by publish time and message id: it says which period and amount are current.

    A period may begin earlier than the one before it, if a monthly budget was changed to a yearly one.
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
        """The time its newest notification was published."""
        return self.last_published or self.highest_published

    def has_reached(self, ratio: Decimal) -> bool:
        """Whether the highest cost has reached this part of the amount. Any cost is more than an amount of nothing."""
        return self.highest_cost > 0 and self.highest_cost >= ratio * self.amount


class Step(msgspec.Struct, frozen=True):
    """A cost that was higher than any that had been published before in its period."""

    interval_start: datetime
    published: datetime
    cost: Decimal


class BudgetRecord(msgspec.Struct, frozen=True):
    """All that is known of one budget."""

    newest: Newest
    intervals: tuple[Interval, ...]
    steps: tuple[Step, ...] = ()
    """The steps of the cost: an `undo` accepts the cost known when it was published, whenever it arrives."""

    def cost_at(self, moment: datetime) -> Decimal | None:
        """The highest cost of the current period that was published by then, at any amount; None if there was none."""
        start = self.newest.interval_start
        known = (one.cost for one in self.steps if one.interval_start == start and one.published <= moment)
        return max(known, default=None)

    @property
    def current(self) -> Interval:
        """The interval and amount that the newest message speaks of."""
        start, amount = self.newest.interval_start, self.newest.amount
        return next(one for one in self.intervals if one.amount == amount and one.interval_start == start)


class Anomaly(msgspec.Struct, frozen=True):
    """One cost anomaly, with the most that was reported of it."""

    name: str
    resource: str
    detected: datetime
    deviation: Decimal
    published: datetime
    """The time it was first reported to be as large."""
    passed: dict[str, datetime] = {}
    """For each rung the publish time of the first notification that had passed it."""


class Snoozed(msgspec.Struct, frozen=True):
    """Until when nothing new is done, and when that was said."""

    until: datetime
    said: datetime


class CapCommand(StrEnum):
    """A person's newest command on a spend cap."""

    ARM = "arm"
    LIFT = "lift"
    REMOVE = "remove"


class CapAsked(msgspec.Struct, frozen=True):
    """The newest command for a spend cap, and whether it has been seen to be done."""

    what: CapCommand
    said: datetime
    is_done: bool = False


class KeptCap(msgspec.Struct, frozen=True):
    """A spend cap that we have made, or are about to make."""

    amount: str = ""
    """The amount of the settings that it was last seen with: any other that it has then is a person's."""
    first_seen: datetime | None = None


class Records(automation.Records, frozen=True, kw_only=True):
    """The document `records/cap_spending`."""

    incidental_fields: ClassVar[frozenset[str]] = frozenset({"first_seen"})

    budgets: dict[str, BudgetRecord] = {}
    anomalies: dict[str, tuple[Anomaly, ...]] = {}
    """By budget."""
    undone: dict[str, datetime] = {}
    """By budget: what was passed up to then is accepted."""
    accepted: dict[str, dict[str, datetime]] = {}
    """By budget and rung."""
    snoozed: dict[str, Snoozed] = {}
    """By budget."""
    labels: dict[str, str] = {}
    """By the owner's key, which budget it has named: keys may change, and what is remembered follows the budget."""
    linked: dict[str, datetime] = {}
    """By project: when it was asked to link billing again."""
    in_force: dict[str, datetime] = {}
    """By budget, rung and action: what has been done about a rung, and the interval that it was passed in."""
    holds: dict[str, Hold] = {}
    """By full resource name."""
    spend_caps: dict[str, KeptCap] = {}
    """The caps that the settings keep, by `spend_caps.cap_name`."""
    caps_asked: dict[str, CapAsked] = {}
    """By the same."""
    detaching_waits: dict[str, datetime] = {}
    """By full name of a project: since when detaching it waits for what could not be read in it."""

    def debts(self) -> tuple[Debt, ...]:
        """Every field that is held."""
        kept = (_debt_of(name, cap) for name, cap in self.spend_caps.items() if name not in self.holds)
        return (*debts_of(self.holds, _undo_of, _asks_for), *kept)

    def moments_since(self, before: "Records") -> Iterable[Moment]:
        """Each cost that a budget has reported since."""
        for key, record in self.budgets.items():
            known = before.budgets.get(key)
            if known is None or record.newest.published > known.newest.published:
                newest = record.newest
                yield Costed(
                    at=newest.published,
                    budget=key,
                    cost=float(newest.cost),
                    amount=float(newest.amount),
                    period_start=newest.interval_start,
                )

    def before(self, changes: Sequence[Change]) -> "Records":
        """With every original that the changes are about to overwrite, and every spend cap that they make."""
        made = {
            change.target: KeptCap(first_seen=change.at)
            for change in changes
            if isinstance(change, CreateCap) and change.hold is None and change.target not in self.spend_caps
        }
        return msgspec.structs.replace(
            self,
            holds=with_intended(self.holds, changes),
            spend_caps=dict(sorted((self.spend_caps | made).items())),
        )


def _undo_of(name: str, hold: Hold) -> str:
    command = "./deploy.sh send cap_spending"
    if "billing_account" in hold.fields:
        return f"{command} link_billing --project {name.removeprefix('projects/')}"
    return undo_of(hold.held_by)


def _debt_of(name: str, cap: KeptCap) -> Debt:
    """A spend cap that is kept: nothing that was there before, so only `destroy` needs to know."""
    account, project, service = parts_of(name)
    asks_for = {"billing_account": account.removeprefix("billingAccounts/"), "project": project, "service": service}
    return Debt(
        resource=name,
        field=MADE_CAP,
        original="none",
        applied=cap.amount,
        held_by=("spend_caps",),
        since=cap.first_seen or datetime.min.replace(tzinfo=UTC),
        undo="./deploy.sh send cap_spending remove_spend_caps",
        asks_for={"spend_caps": {"held": asks_for}},
    )


def _asks_for(name: str, hold: Hold) -> dict[str, object]:
    """A budget that would ask for what restoring a resource needs."""
    project = {"projects": [name.split("/")[1]]}
    if account := hold.fields.get("billing_account"):
        id_ = str(account.original).removeprefix("billingAccounts/")
        budget = {"billing_account": id_, "may_touch": {"detach_billing": project}}
    elif OF_CAPS in name:
        on, capped, service = parts_of(name)
        budget = {
            "billing_account": on.removeprefix("billingAccounts/"),
            "may_touch": {"pause_usage": {"projects": [capped], "services": [service]}},
        }
    elif "/jobs/" in name:
        budget = {"may_touch": {"pause_schedules": project}}
    else:
        named = {"services" if "/services/" in name else "worker_pools": [name.rpartition("/")[2]]}
        budget = {"may_touch": {"limit_cloud_run": project | named}}
    return {"budgets": {"held": budget}}
