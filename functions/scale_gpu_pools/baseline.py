"""The baseline of savings: the nodes that would really run if nothing had turned a pool off. Pure."""

from datetime import datetime

from functions.scale_gpu_pools.autoscaling import read_autoscaling
from shared.hours import Hours


def nodes_that_would_run(
    nodes: int, *, hours: Hours | None, autoscaling: str, zones: int, is_idle: bool, now: datetime
) -> int:
    """The nodes of a pool at zero that would really run now if nothing had turned it off.

    As many as it had; but its own autoscaler would have gone to its minimum while the pool is idle, and out of its
    hours, when no one works with it. ``autoscaling`` is what it was before, in words. Raises ``ValueError`` if they
    mean nothing.
    """
    bounds = read_autoscaling(autoscaling)
    is_out_of_hours = hours is not None and hours.window_at(now) is None
    if bounds.enabled and (is_idle or is_out_of_hours):
        return bounds.total_min_node_count or bounds.min_node_count * zones
    return nodes
