"""The edge to Google Cloud: reads what the plan needs into typed values, and makes one change.

Every client is imported when it is first needed.
"""

from collections.abc import Collection
from typing import Protocol

import msgspec

from functions.scale_gpu_pools import cloud_run, gke, monitoring
from functions.scale_gpu_pools.changes import PoolChange, RecordSaving, ScaleChange
from functions.scale_gpu_pools.commands import Status
from functions.scale_gpu_pools.desired import Occasion
from functions.scale_gpu_pools.plan import clusters_concerned, names_of, questions_of
from functions.scale_gpu_pools.records import Interval
from functions.scale_gpu_pools.savings import MonthOfSavings, SavingsBook, document_of, months_before, with_interval
from functions.scale_gpu_pools.world import GpuPool, World
from shared.clients import Clients
from shared.state import State


class PoolKind(Protocol):
    """One kind of pool: how it is read, and changed. Its modules are `gke.py` and `cloud_run.py`."""

    def is_of_kind(self, name: str) -> bool:
        """Whether a full resource name is of this kind."""

    def pools(self, names: Collection[str], clients: Clients) -> list[GpuPool]:
        """The pools of this kind among these names that exist, and perhaps others beside them."""

    def change_pool(self, change: PoolChange, clients: Clients) -> None:
        """Make one change of a pool. Raises what the call raises, or ``StillBusy``."""


KINDS: tuple[PoolKind, ...] = (gke, cloud_run)


def read(occasion: Occasion, clients: Clients) -> World:
    """As much of the world as the plan needs: the pools, then the signals that matter, then what is in flight.

    Raises what a call raises: a failed read is never "idle", and never "gone".
    """
    names = names_of(occasion)
    world = World(pools=_pools(names, clients))
    world = msgspec.structs.replace(
        world, readings=monitoring.readings(questions_of(occasion, world), occasion.now, clients)
    )
    busy = gke.operations_in_flight(clusters_concerned(occasion, world), clients)
    is_asked = isinstance(occasion.event.event, Status) and occasion.settings.savings
    savings = _savings(occasion, clients) if is_asked else SavingsBook()
    return msgspec.structs.replace(world, busy=busy, savings=savings)


def apply(change: ScaleChange, clients: Clients) -> None:
    """Make one change. Raises what the call raises, or ``StillBusy``, and never repeats it."""
    if isinstance(change, RecordSaving):
        _record_saving(change, clients)
    else:
        kind = next(kind for kind in KINDS if kind.is_of_kind(change.target))
        kind.change_pool(change, clients)


def _pools(names: Collection[str], clients: Clients) -> dict[str, GpuPool]:
    found = (pool for kind in KINDS for pool in kind.pools(names, clients))
    return {pool.name: pool for pool in found if pool.name in names}


def _record_saving(change: RecordSaving, clients: Clients) -> None:
    state = State(clients)
    (known,) = state.read(document_of(change.target, change.interval.began))
    book = known.as_type(MonthOfSavings)
    fuller = with_interval(book, change.interval)
    if fuller != book:
        state.write(known, fuller)


def _savings(occasion: Occasion, clients: Clients) -> SavingsBook:
    """What this month and the last have saved, in one call."""
    pools = [pool.full_name for pool in occasion.settings.pools.values()]
    wanted = [(name, document_of(name, month)) for name in pools for month in months_before(occasion.now)]
    found: dict[str, tuple[Interval, ...]] = {}
    if not wanted:
        return SavingsBook()
    for (name, _), document in zip(wanted, State(clients).read(*(path for _, path in wanted)), strict=True):
        found[name] = (*found.get(name, ()), *document.as_type(MonthOfSavings).intervals.values())
    return SavingsBook(found)
