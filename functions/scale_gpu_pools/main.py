"""Scales GPU pools: to zero when they are idle or out of hours, and back when they are needed.

One event's way: a tick, a command or a change of restrictions wakes it; the run (`shared/run.py`) reads the pools and
the signals that matter, decides what each pool should be, applies the difference, one operation for each cluster at a
time, and reports.
"""

import functions_framework
from cloudevents.http import CloudEvent

from functions.scale_gpu_pools.cloud import apply, read
from functions.scale_gpu_pools.parse import parse
from functions.scale_gpu_pools.plan import guards, intend, plan, settle
from functions.scale_gpu_pools.records import Records, fold
from functions.scale_gpu_pools.settings import Settings
from functions.scale_gpu_pools.status import status
from shared.legacy import legacy
from shared.run import entry_point

AUTOMATION = legacy(
    name="scale_gpu_pools",
    section=Settings,
    records=Records,
    parse=parse,
    fold=fold,
    read=read,
    settle=settle,
    plan=plan,
    guards=guards,
    intend=intend,
    apply=apply,
    status=status,
)

answer = entry_point(AUTOMATION)


@functions_framework.cloud_event
def scale_gpu_pools(cloud_event: CloudEvent) -> None:
    """Answer one Pub/Sub push; raises for whatever is still owed, so that Pub/Sub delivers it again."""
    answer(cloud_event)
