"""Detaching a project puts what is in it out of reach, so it waits for reads there that failed: ten minutes at most."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from functions.cap_spending.changes import CapSpendingChange, DetachBilling
from functions.cap_spending.messages import DetachingWaits
from functions.cap_spending.records import Context
from functions.cap_spending.world import JobsIn, ServicesIn, WorkerPoolsIn, project_around
from shared.world import Unreadable, World

WAITS_AT_MOST = timedelta(minutes=10)
"""One tick: a passing fault is over after that, and detaching must not wait for one that does not."""


def detaching_that_waits(
    changes: Sequence[CapSpendingChange], context: Context, world: World
) -> dict[str, tuple[datetime, DetachingWaits]]:
    """By full name of a project, since when detaching it waits, and for what."""
    unreadable: dict[str, Unreadable] = {}
    for need, answer in world.answers.items():
        if isinstance(need, ServicesIn | WorkerPoolsIn | JobsIn) and isinstance(answer, Unreadable):
            unreadable.setdefault(project_around(need.parent), answer)
    waits = {}
    for change in changes:
        if isinstance(change, DetachBilling) and (answer := unreadable.get(change.target)):
            since = context.records.detaching_waits.get(change.target, context.now)
            if context.now - since < WAITS_AT_MOST:
                waits[change.target] = (since, DetachingWaits(change.target, answer))
    return waits
