"""The verdict on one pool: what it should be, what is seen of it, what follows, and what a person must know. Pure.

A verdict is the same if it is made again from the records that it settles.
"""

from collections.abc import Iterator
from datetime import timedelta

import msgspec

from functions.scale_gpu_pools.desired import Desired, Occasion, Situation, State
from functions.scale_gpu_pools.records import PoolRecord
from functions.scale_gpu_pools.settings import Pool
from functions.scale_gpu_pools.transition import Outlook, Transition, with_interval_ended
from functions.scale_gpu_pools.world import GpuPool, World, cluster_of
from shared.clock import format_time
from shared.holds import Hold, Phase
from shared.plan import Alert

SILENT_AT_MOST = timedelta(hours=1)
"""How long a signal without data may be all that keeps a pool on, until a person is told."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What is seen of one pool, and what follows."""

    name: str
    key: str
    """What it is called to a person: the owner's key, or the name of one that is not listed any more."""
    pool: GpuPool | None
    """None if it does not exist."""
    desired: Desired | None = None
    outlook: Outlook
    waiting: str = ""
    """What is in flight, and must end before anything is done or concluded."""
    alerts: tuple[Alert, ...] = ()


def verdict_on(name: str, key: str, settings: Pool | None, world: World, occasion: Occasion) -> Verdict:
    """The verdict on the pool of this full name: ``key`` and ``settings`` are the owner's, if it is still listed."""
    key = key or name
    record = occasion.records.of(name)
    hold = occasion.records.holds.get(name)
    pool = world.pools.get(name)
    if pool is None:
        gone = PoolRecord(ended=with_interval_ended(record, occasion.now).ended)
        notices = (f"{key} is skipped: there is no {name}",) if settings else ()
        return Verdict(name=name, key=key, pool=None, outlook=Outlook(record=gone, hold=None, notices=notices))
    if hold and pool.size_field not in hold.fields:
        notice = f"{key}: somebody has changed how it is scaled; it is left alone, and was {originals(hold)}"
        return Verdict(name=name, key=key, pool=pool, outlook=Outlook(record=record, hold=hold, notices=(notice,)))
    if settings is None:
        want = Desired(state=State.ON, why="no longer in the settings: let go")
    else:
        want = Situation(key, settings, record, pool, occasion).desired(world.readings)
    transition = Transition(key, settings, pool, record, hold, want, occasion)
    outlook = transition.outlook()
    waiting = ""
    if busy := pool.in_flight or world.busy.get(cluster_of(name), ""):
        # What is in flight is neither touched nor concluded upon.
        waiting = busy if outlook.step or (hold and hold.phase is Phase.INTENDED) else ""
        outlook = Outlook(record=record, hold=hold, notices=outlook.notices)
    alerts = tuple(_alerts(transition, outlook))
    if want.by_signal:
        outlook = _with_notice(outlook, f"{key} is to be on: {want.why}")
    return Verdict(name=name, key=key, pool=pool, desired=want, outlook=outlook, waiting=waiting, alerts=alerts)


def _alerts(transition: Transition, outlook: Outlook) -> Iterator[Alert]:
    settings, pool, want = transition.settings, transition.pool, transition.want
    record, now = outlook.record, transition.occasion.now
    if settings is None or want.state is State.ZERO:
        return
    limit = timedelta(minutes=settings.nodes_within_minutes)
    if record.asked and not pool.nodes and now - record.asked >= limit:
        minutes = (now - record.asked) // timedelta(minutes=1)
        what = f"was asked for nodes at {format_time(record.asked)}, and has none after {minutes} minutes"
        reason = pool.problem or "Google gives no reason"
        stands = "it is asked for them again" if outlook.step else "the request stands"
        yield Alert("stock_out", pool.name, f"{transition.key} {what}: {reason}; {stands}")
    if record.silent and want.is_unheard and now - record.silent >= SILENT_AT_MOST:
        what = f"has been kept on since {format_time(record.silent)} by nothing but {want.why}"
        yield Alert("no_data", pool.name, f"{transition.key} {what}")


def _with_notice(outlook: Outlook, notice: str) -> Outlook:
    return msgspec.structs.replace(outlook, notices=(notice, *outlook.notices))


def originals(hold: Hold) -> str:
    """What a held pool was before, in words."""
    return ", ".join(f"{field} {held.original}" for field, held in sorted(hold.fields.items()))
