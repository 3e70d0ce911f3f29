"""The edge to Google Cloud: answers one need with typed values, and makes one change.

Every client is imported when it is first needed.
"""

from functions.scale_gpu_pools import cloud_run, gke, monitoring
from functions.scale_gpu_pools.changes import RecordSaving, ScaleChange
from functions.scale_gpu_pools.records import Interval
from functions.scale_gpu_pools.savings import MonthOfSavings, SavingsBook, document_of, with_interval
from functions.scale_gpu_pools.world import (
    CloudRunPoolsIn,
    GroupsOf,
    NodePoolsOf,
    OperationsIn,
    PoolNeed,
    ReadingOf,
    SavingsOf,
    is_node_pool,
)
from shared.clients import Clients
from shared.state import State


def look(need: PoolNeed, clients: Clients) -> object:
    """The answer to one need. Raises what the call raises: a failed read is never "idle", and never "gone"."""
    match need:
        case NodePoolsOf(cluster=cluster):
            return gke.node_pools(cluster, clients)
        case GroupsOf(project=project):
            return gke.groups_of(project, clients)
        case CloudRunPoolsIn(parent=parent, collection=collection):
            return cloud_run.pools_in(parent, collection, clients)
        case ReadingOf(signal=signal, minutes=minutes, now=now):
            return monitoring.reading(signal, minutes, now, clients)
        case OperationsIn(location=location):
            return gke.operations_in(location, clients)
        case SavingsOf():
            return _savings(need, clients)


def apply(change: ScaleChange, clients: Clients) -> None:
    """Make one change. Raises what the call raises, or ``StillBusy``, and never repeats it."""
    if isinstance(change, RecordSaving):
        _record_saving(change, clients)
    elif is_node_pool(change.target):
        gke.change_pool(change, clients)
    else:
        cloud_run.change_pool(change, clients)


def _record_saving(change: RecordSaving, clients: Clients) -> None:
    state = State(clients)
    (known,) = state.read(document_of(change.target, change.interval.stopped or change.interval.began))
    book = known.as_type(MonthOfSavings)
    fuller = with_interval(book, change.interval)
    if fuller != book:
        state.write(known, fuller)


def _savings(need: SavingsOf, clients: Clients) -> SavingsBook:
    """The savings of these months, in one call."""
    wanted = [(name, document_of(name, month)) for name in need.pools for month in need.months]
    found: dict[str, tuple[Interval, ...]] = {}
    for (name, _), document in zip(wanted, State(clients).read(*(path for _, path in wanted)), strict=True):
        found[name] = (*found.get(name, ()), *document.as_type(MonthOfSavings).intervals.values())
    return SavingsBook(found)
