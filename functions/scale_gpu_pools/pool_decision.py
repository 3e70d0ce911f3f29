"""The decision on one pool: what it should be, what is seen of it, what follows, and what a person must know. Pure.

A decision is the same if it is made again from the records that it settles.
"""

from collections.abc import Iterator
from datetime import timedelta

import msgspec

from functions.scale_gpu_pools.desired import Context, Desired, PoolView, State
from functions.scale_gpu_pools.messages import (
    KeptOnWithoutData,
    NotInSettings,
    PoolMissing,
    ScalingModeChanged,
    ShouldBeOn,
    StockOut,
)
from functions.scale_gpu_pools.reconciler import PoolReconciler, Reconciliation, with_interval_ended
from functions.scale_gpu_pools.records import PoolRecord
from functions.scale_gpu_pools.settings import Pool
from functions.scale_gpu_pools.world import GpuPool, Seen, cluster_of
from shared.decision import Alert, Message
from shared.holds import Phase

SILENT_AT_MOST = timedelta(hours=1)
"""A person is notified once missing data alone has kept a pool on for this long."""


class PoolDecision(msgspec.Struct, frozen=True, kw_only=True):
    """The decision on one pool."""

    name: str
    key: str
    """Its name in messages: the owner's key, or the resource's name if it is not listed any more."""
    settings: Pool | None = None
    """The owner's, if it is still listed."""
    pool: GpuPool | None
    """None if it does not exist."""
    desired: Desired | None = None
    reconciliation: Reconciliation
    waiting: Message | None = None
    """The operations in flight, which must end before anything is changed or concluded."""
    alerts: tuple[Alert, ...] = ()


def decide_pool(name: str, key: str, settings: Pool | None, seen: Seen, context: Context) -> PoolDecision:
    """The decision on the pool of this full name: ``key`` and ``settings`` are the owner's, if it is still listed."""
    key = key or name
    record = context.records.of(name)
    hold = context.records.holds.get(name)
    pool = seen.pools.get(name)
    if pool is None:
        gone = PoolRecord(ended=with_interval_ended(record, context.now).ended)
        notices = (PoolMissing(key, name),) if settings else ()
        return PoolDecision(
            name=name, key=key, pool=None, reconciliation=Reconciliation(record=gone, hold=None, notices=notices)
        )
    if hold and pool.size_field not in hold.fields:
        return PoolDecision(
            name=name,
            key=key,
            pool=pool,
            reconciliation=Reconciliation(record=record, hold=hold),
            alerts=(Alert("scaling_mode_changed", name, str(ScalingModeChanged(key, hold))),),
        )
    if settings is None:
        want = Desired(state=State.ON, why=NotInSettings())
    else:
        want = PoolView(key, settings, record, pool, context).desired(seen.readings)
    reconciler = PoolReconciler(key, settings, pool, record, hold, want, context)
    reconciliation = reconciler.reconciliation()
    waiting = None
    if busy := pool.in_flight or seen.busy.get(cluster_of(name)):
        # What is in flight is neither touched nor concluded upon.
        waiting = busy if reconciliation.change or (hold and hold.phase is Phase.INTENDED) else None
        reconciliation = Reconciliation(record=record, hold=hold, notices=reconciliation.notices)
    alerts = tuple(_alerts(reconciler, reconciliation))
    if want.by_signal:
        reconciliation = _with_notice(reconciliation, ShouldBeOn(key, want.why))
    return PoolDecision(
        name=name,
        key=key,
        settings=settings,
        pool=pool,
        desired=want,
        reconciliation=reconciliation,
        waiting=waiting,
        alerts=alerts,
    )


def _alerts(reconciler: PoolReconciler, reconciliation: Reconciliation) -> Iterator[Alert]:
    settings, pool, want = reconciler.settings, reconciler.pool, reconciler.want
    record, now = reconciliation.record, reconciler.context.now
    if settings is None or want.state is State.ZERO:
        return
    limit = timedelta(minutes=settings.nodes_within_minutes)
    if record.asked and not pool.nodes and now - record.asked >= limit:
        minutes = (now - record.asked) // timedelta(minutes=1)
        is_asked_again = reconciliation.change is not None
        stock_out = StockOut(reconciler.key, record.asked, minutes, pool.problem, is_asked_again)
        yield Alert("stock_out", pool.name, str(stock_out))
    if record.silent and want.is_unheard and now - record.silent >= SILENT_AT_MOST:
        yield Alert("no_data", pool.name, str(KeptOnWithoutData(reconciler.key, record.silent, want.why)))


def _with_notice(reconciliation: Reconciliation, notice: Message) -> Reconciliation:
    return msgspec.structs.replace(reconciliation, notices=(notice, *reconciliation.notices))
