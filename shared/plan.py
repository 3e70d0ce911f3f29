"""A decision as plain values: what would change and why, what is refused, what is waited for."""

from collections.abc import Callable, Iterable
from typing import ClassVar, Generic, TypeVar

import msgspec


class Saving(msgspec.Struct, frozen=True):
    """Money that was not spent."""

    amount: float
    currency: str


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be done now, independent of every other change of its plan."""

    target: str
    """Full name of the resource that changes."""
    field: str
    """What of it changes, in Google's words."""
    before: str
    after: str
    reason: str
    subject: str
    """What a refusal stops: this budget, pool, secret or set, and not the others."""

    guard: ClassVar[str] = ""
    """For a kind of change that cannot simply be undone: the name of the guard that stands before it."""
    is_money: ClassVar[bool] = False
    """Whether it matters to the bill that this succeeds, so that a failure must be loud."""

    @property
    def count(self) -> int:
        """How many things it changes, where one change is a batch of many."""
        return 1

    @property
    def kind(self) -> str:
        """The change's name in reports."""
        return type(self).__name__

    @property
    def saving(self) -> Saving | None:
        """What it puts on the books as saved."""
        return None

    def __str__(self) -> str:
        return f"{self.kind} {self.target}: {self.field} {self.before} -> {self.after}"


class Refusal(msgspec.Struct, frozen=True):
    """A guard's no: nothing of this subject is done, and a person should look."""

    subject: str
    guard: str
    reason: str
    is_alert: bool = False
    """Whether it is an alert too, of the guard's name."""


class Alert(msgspec.Struct, frozen=True):
    """Something that a person must see, although nothing has failed: alert policies watch for its kind."""

    kind: str
    """In snake case, such as ``stock_out``."""
    subject: str
    reason: str


ChangeT = TypeVar("ChangeT", bound=Change)
ChangeT_co = TypeVar("ChangeT_co", bound=Change, covariant=True)


class Plan(msgspec.Struct, Generic[ChangeT_co], frozen=True):
    """Changes that are possible now, and in words all that is not."""

    changes: tuple[ChangeT_co, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    waiting: tuple[str, ...] = ()
    """What is in flight and must end first."""
    next: tuple[str, ...] = ()
    """What would follow, and when."""
    alerts: tuple[Alert, ...] = ()
    """Repeated on each run for as long as it is so."""
    table: tuple[str, ...] = ()
    """The whole decision, line by line, for whoever observes it: what stays as it is, and why, is in it too."""


Guard = Callable[[Plan[ChangeT]], Iterable[Refusal]]


def guarded(plan: Plan[ChangeT], guards: Iterable[Guard[ChangeT]]) -> Plan[ChangeT]:
    """The plan without the changes of any subject that a guard refuses, judged on the whole plan."""
    refusals = plan.refusals + tuple(refusal for guard in guards for refusal in guard(plan))
    refused = {refusal.subject for refusal in refusals}
    return msgspec.structs.replace(
        plan,
        changes=tuple(change for change in plan.changes if change.subject not in refused),
        refusals=refusals,
        alerts=plan.alerts + tuple(Alert(one.guard, one.subject, one.reason) for one in refusals if one.is_alert),
    )
