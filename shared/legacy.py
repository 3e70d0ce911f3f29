# ruff: noqa: ANN401, PLR0913
"""Temporary: an automation of the old contract (read, settle, plan, guards, intend) as one of the new.

It goes with the last automation that needs it.
"""

from collections.abc import Callable
from typing import Any, Generic

import msgspec

from shared.automation import AnyAutomation, Automation, RecordsT, RunContext
from shared.clients import Clients
from shared.decision import Decision
from shared.plan import guarded
from shared.world import Need, Unreadable, World

Occasion = RunContext


class Settled(msgspec.Struct, Generic[RecordsT], frozen=True):
    """The records after a look at the world, and what a person should know of what was found there."""

    records: RecordsT
    notices: tuple[str, ...] = ()


class _AllGuards(dict[str, Any]):
    """The old guards are judged inside `decide`: every name is known, and none is judged again."""

    def __contains__(self, name: object) -> bool:
        return True


class _ReadAll(Need[Any], frozen=True, eq=False):
    context: Any

    @property
    def resource(self) -> str:
        return "everything"


def legacy(
    *,
    read: Callable[[Any, Clients], Any],
    settle: Callable[[Any, Any, Any], Settled[Any]],
    plan: Callable[[Any, Any], Any],
    guards: Callable[[Any, Any], Any],
    intend: Callable[[Any, Any], Any],
    status: Callable[[Any, Any], tuple[str, ...]],
    looks_once: bool = False,
    goes_on: bool = False,
    **rest: Any,
) -> AnyAutomation:
    """The automation, in the new contract."""

    def needs(context: Any, world: World) -> tuple[Need[Any], ...]:
        return () if world.answers else (_ReadAll(context),)

    def decide(context: Any, world: World, applied: tuple[Any, ...]) -> Decision[Any, Any]:
        (seen,) = world.answers.values()
        if isinstance(seen, Unreadable):
            return Decision(records=context.records)
        settled = settle(context, seen, applied)
        context = msgspec.structs.replace(context, records=settled.records)
        planned = plan(context, seen)
        alerts = planned.alerts  # those of refusals are added by the engine
        planned = guarded(planned, guards(context, seen))
        return Decision(
            records=settled.records,
            changes=planned.changes,
            refusals=planned.refusals,
            waiting=planned.waiting,
            next=planned.next,
            alerts=alerts,
            notices=settled.notices,
            table=planned.table,
            intended=intend(context, planned.changes) if planned.changes else settled.records,
        )

    def reply(context: Any, world: World, decision: Any) -> tuple[str, ...]:
        del decision
        (seen,) = world.answers.values()
        return () if isinstance(seen, Unreadable) else status(context, seen)

    automation: AnyAutomation = Automation(
        needs=needs,
        look=lambda need, clients: read(need.context, clients),
        decide=decide,
        reply=reply,
        guards=_AllGuards(),
        single_pass=looks_once,
        continues=goes_on,
        **rest,
    )
    return automation
