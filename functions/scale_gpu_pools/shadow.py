"""The savings that acting would have made while `mode` is observe: follows the pool as it would have been. Pure.

Adding up the times at which an observing run wanted zero says too much: it forgets that nodes which are back stay on
for a time. What it cannot know is how long work would have waited for nodes; `./deploy.sh simulate` plays that too.
"""

from datetime import datetime, timedelta

import msgspec

from functions.scale_gpu_pools.baseline import nodes_that_would_run
from functions.scale_gpu_pools.desired import Desired, State
from functions.scale_gpu_pools.messages import Restricted
from functions.scale_gpu_pools.records import Shadow
from functions.scale_gpu_pools.settings import Pool
from functions.scale_gpu_pools.world import AUTOSCALING, OFF, GpuPool


def followed(shadow: Shadow | None, settings: Pool, pool: GpuPool, desired: Desired, now: datetime) -> Shadow:
    """The shadow of a pool after one more look at it. It changes only when what is wanted does."""
    known = shadow or Shadow(watched=now)
    nodes = _not_running(settings, pool, desired, now) if desired.state is State.ZERO else 0
    if known.at_zero is not None and nodes != known.nodes:
        back = now if now > known.at_zero else known.back
        known = msgspec.structs.replace(known, node_hours=node_hours(known, now), at_zero=None, nodes=0, back=back)
    if nodes and known.at_zero is None:
        is_ordered = desired.by_a_person or isinstance(desired.why, Restricted)
        stays = known.back + timedelta(minutes=settings.minutes_on) if known.back and not is_ordered else now
        return msgspec.structs.replace(known, at_zero=max(now, stays), nodes=nodes)
    return known


def node_hours(shadow: Shadow, now: datetime) -> float:
    """For how many hours of nodes the pool would not have run."""
    if shadow.at_zero is None:
        return shadow.node_hours
    return shadow.node_hours + max((now - shadow.at_zero) / timedelta(hours=1), 0.0) * shadow.nodes


def _not_running(settings: Pool, pool: GpuPool, desired: Desired, now: datetime) -> int:
    return nodes_that_would_run(
        pool.nodes_above(desired.minimum),
        hours=settings.hours,
        autoscaling=str(pool.current.get(AUTOSCALING, OFF)),
        zones=pool.zones,
        is_idle=desired.idle_in is not None,
        now=now,
    )
