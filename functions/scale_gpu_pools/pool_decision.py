"""The decision on one pool: what it should be, what is seen of it, what follows, and what a person must know. Pure.

A decision is the same if it is made again from the records that it settles.
"""

from collections.abc import Iterator
from datetime import timedelta

import msgspec

from functions.scale_gpu_pools.desired import Context, Desired, PoolView, State
from functions.scale_gpu_pools.reconciler import PoolReconciler, Reconciliation, with_interval_ended
from functions.scale_gpu_pools.records import PoolRecord
from functions.scale_gpu_pools.settings import Pool
from functions.scale_gpu_pools.world import GpuPool, Seen, cluster_of
from shared.clock import format_time
from shared.decision import Alert
from shared.holds import Hold, Phase

SILENT_AT_MOST = timedelta(hours=1)
"""How long a signal without data may be all that keeps a pool on, before a person is notified."""


class PoolDecision(msgspec.Struct, frozen=True, kw_only=True):
    """What is seen of one pool, and what follows."""

    name: str
    key: str
    """What it is called to a person: the owner's key, or the name of one that is not listed any more."""
    pool: GpuPool | None
    """None if it does not exist."""
    desired: Desired | None = None
    reconciliation: Reconciliation
    waiting: str = ""
    """What is in flight, and must end before anything is done or concluded."""
    alerts: tuple[Alert, ...] = ()


def decide_pool(name: str, key: str, settings: Pool | None, seen: Seen, context: Context) -> PoolDecision:
    """The decision on the pool of this full name: ``key`` and ``settings`` are the owner's, if it is still listed."""
    key = key or name
    record = context.records.of(name)
    hold = context.records.holds.get(name)
    pool = seen.pools.get(name)
    if pool is None:
        gone = PoolRecord(ended=with_interval_ended(record, context.now).ended)
        notices = (f"{key} is skipped: there is no {name}",) if settings else ()
        return PoolDecision(
            name=name, key=key, pool=None, reconciliation=Reconciliation(record=gone, hold=None, notices=notices)
        )
    if hold and pool.size_field not in hold.fields:
        notice = f"{key}: somebody has changed how it is scaled; it is left alone, and was {originals(hold)}"
        return PoolDecision(
            name=name, key=key, pool=pool, reconciliation=Reconciliation(record=record, hold=hold, notices=(notice,))
        )
    if settings is None:
        want = Desired(state=State.ON, why="no longer in the settings: let go")
    else:
        want = PoolView(key, settings, record, pool, context).desired(seen.readings)
    reconciler = PoolReconciler(key, settings, pool, record, hold, want, context)
    reconciliation = reconciler.reconciliation()
    waiting = ""
    if busy := pool.in_flight or seen.busy.get(cluster_of(name), ""):
        # What is in flight is neither touched nor concluded upon.
        waiting = busy if reconciliation.change or (hold and hold.phase is Phase.INTENDED) else ""
        reconciliation = Reconciliation(record=record, hold=hold, notices=reconciliation.notices)
    alerts = tuple(_alerts(reconciler, reconciliation))
    if want.by_signal:
        reconciliation = _with_notice(reconciliation, f"{key} should be on because {want.why}")
    return PoolDecision(
        name=name, key=key, pool=pool, desired=want, reconciliation=reconciliation, waiting=waiting, alerts=alerts
    )


def _alerts(reconciler: PoolReconciler, reconciliation: Reconciliation) -> Iterator[Alert]:
    settings, pool, want = reconciler.settings, reconciler.pool, reconciler.want
    record, now = reconciliation.record, reconciler.context.now
    if settings is None or want.state is State.ZERO:
        return
    limit = timedelta(minutes=settings.nodes_within_minutes)
    if record.asked and not pool.nodes and now - record.asked >= limit:
        minutes = (now - record.asked) // timedelta(minutes=1)
        what = f"was asked for nodes at {format_time(record.asked)}, and has none after {minutes} minutes"
        reason = pool.problem or "Google gives no reason"
        stands = "it is asked for them again" if reconciliation.change else "the request stands"
        yield Alert("stock_out", pool.name, f"{reconciler.key} {what}: {reason}; {stands}")
    if record.silent and want.is_unheard and now - record.silent >= SILENT_AT_MOST:
        what = f"has been kept on since {format_time(record.silent)} by nothing but {want.why}"
        yield Alert("no_data", pool.name, f"{reconciler.key} {what}")


def _with_notice(reconciliation: Reconciliation, notice: str) -> Reconciliation:
    return msgspec.structs.replace(reconciliation, notices=(notice, *reconciliation.notices))


def originals(hold: Hold) -> str:
    """What a held pool was before, in words."""
    return ", ".join(f"{field} {held.original}" for field, held in sorted(hold.fields.items()))
