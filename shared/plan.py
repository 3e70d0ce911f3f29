"""Temporary: the old names of `shared/decision.py`, until every automation has moved to the new contract."""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

import msgspec

from shared.decision import Alert, Change, ChangeT_co, Message, Refusal, Saving

__all__ = ["Alert", "Change", "Guard", "Plan", "Refusal", "Saving", "guarded"]

ChangeT = TypeVar("ChangeT", bound=Change)


class Plan(msgspec.Struct, Generic[ChangeT_co], frozen=True):
    """The old form of a decision."""

    changes: tuple[ChangeT_co, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    waiting: tuple[Message | str, ...] = ()
    next: tuple[Message | str, ...] = ()
    alerts: tuple[Alert, ...] = ()
    table: tuple[str, ...] = ()


Guard = Callable[[Plan[ChangeT]], Iterable[Refusal]]


def guarded(plan: Plan[ChangeT], guards: Iterable[Guard[ChangeT]]) -> Plan[ChangeT]:
    """The plan without the changes of any scope that a guard refuses, judged on the whole plan."""
    refusals = plan.refusals + tuple(refusal for guard in guards for refusal in guard(plan))
    refused = {refusal.scope for refusal in refusals}
    return msgspec.structs.replace(
        plan,
        changes=tuple(change for change in plan.changes if change.scope not in refused),
        refusals=refusals,
        alerts=plan.alerts + tuple(Alert(one.guard, one.scope, one.reason) for one in refusals if one.is_alert),
    )
