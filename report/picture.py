"""The content of a report as one typed value: HTML, Markdown, JSON and the console show it, and no more."""

from datetime import date, datetime
from enum import StrEnum

import msgspec

from shared.settings import Mode


class Tone(StrEnum):
    """The emphasis of a part of the first sentence."""

    PLAIN = "plain"
    STRONG = "strong"
    ALERT = "alert"


class Span(msgspec.Struct, frozen=True):
    """A part of the first sentence."""

    text: str
    tone: Tone = Tone.PLAIN


class RungState(StrEnum):
    """The position of a rung on its ladder."""

    AHEAD = "ahead"
    IN_FORCE = "in force"
    LET_GO = "let go"


class RungPicture(msgspec.Struct, frozen=True):
    """One rung of a budget."""

    name: str
    basis: str
    share: str
    """Of the budget's amount: ``50 %``."""
    amount: float
    actions: tuple[str, ...]
    state: RungState
    passed: datetime | None = None


class CostPoint(msgspec.Struct, frozen=True):
    """A cost, as a budget reported it."""

    at: datetime
    cost: float


class BudgetPicture(msgspec.Struct, frozen=True, kw_only=True):
    """One budget in the time that is shown."""

    key: str
    currency: str
    amount: float
    cost: float | None
    """The newest that it has reported; None if it has reported nothing yet."""
    period_start: datetime | None
    published: datetime | None
    points: tuple[CostPoint, ...]
    rungs: tuple[RungPicture, ...]
    expected: float | None = None
    """The cost at the end of the time that is shown, at the pace of the last days."""

    @property
    def is_over(self) -> bool:
        """Whether it has cost more than its amount."""
        return self.cost is not None and self.cost > self.amount


class Cause(StrEnum):
    """Why something is held."""

    BUDGET = "by a budget"
    ROUTINE = "by hours, or idle"


class Bar(msgspec.Struct, frozen=True):
    """A time for which something was held; ``end`` is None if it still is."""

    start: datetime
    end: datetime | None
    cause: Cause
    by_hand_since: datetime | None = None


class Lane(msgspec.Struct, frozen=True):
    """The time for which one resource was held."""

    name: str
    resource: str
    bars: tuple[Bar, ...]


class HeldItem(msgspec.Struct, frozen=True):
    """One thing that is held now."""

    name: str
    resource: str
    what: str
    """Its value now and before: ``at most 1, was 20``."""
    standing: str
    """Its state, if it is not simply held: ``being given back``."""
    since: datetime


class HeldGroup(msgspec.Struct, frozen=True):
    """Things that are held for one reason, and that one command gives back."""

    reason: str
    since: datetime
    undo: str
    cause: Cause
    items: tuple[HeldItem, ...]


class Attention(msgspec.Struct, frozen=True):
    """Something that needs a person."""

    title: str
    subject: str
    reason: str
    source: str
    since: datetime | None


class Step(msgspec.Struct, frozen=True):
    """Something that would follow."""

    subject: str
    what: str
    at: datetime | None
    source: str


class Plan(msgspec.Struct, frozen=True):
    """Something that would be changed, if the mode were `act`."""

    name: str
    what: str
    reason: str
    follows: tuple[str, ...]
    source: str


class Amount(msgspec.Struct, frozen=True):
    """An amount under a name."""

    name: str
    amount: float


class SavingsPicture(msgspec.Struct, frozen=True):
    """The saving in one currency."""

    currency: str
    total: float
    days: tuple[tuple[date, float], ...]
    """Every day of the time that is shown, up to now."""
    pools: tuple[Amount, ...]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened: all that a run has to tell."""

    at: datetime
    source: str
    title: str
    why: str = ""
    items: tuple[str, ...] = ()
    undo: str = ""
    by: str = ""
    needs_attention: bool = False
    is_routine: bool = False


class LastRun(msgspec.Struct, frozen=True):
    """The last run of an automation; None if it has not run for days."""

    source: str
    at: datetime | None


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    project: str
    mode: Mode
    at: datetime
    start: datetime
    """The beginning of the month that is shown, in `time_zone`."""
    end: datetime
    time_zone: str
    sentence: tuple[Span, ...]
    budgets: tuple[BudgetPicture, ...]
    lanes: tuple[Lane, ...]
    attention: tuple[Attention, ...]
    upcoming: tuple[Step, ...]
    held: tuple[HeldGroup, ...]
    planned: tuple[Plan, ...]
    savings: tuple[SavingsPicture, ...]
    events: tuple[Event, ...]
    """The newest first."""
    last_runs: tuple[LastRun, ...]
    notes: tuple[str, ...] = ()
    """A part that could not be read."""

    @property
    def is_past(self) -> bool:
        """Whether the month that is shown is over: then nothing of it is about now."""
        return self.at >= self.end
