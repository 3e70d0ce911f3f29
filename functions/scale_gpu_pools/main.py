"""The entry point of `scale_gpu_pools`; `automation.py` says what it does."""

import functions_framework
from cloudevents.http import CloudEvent

from functions.scale_gpu_pools.automation import AUTOMATION
from shared.run import entry_point

answer = entry_point(AUTOMATION)


@functions_framework.cloud_event
def scale_gpu_pools(cloud_event: CloudEvent) -> None:
    """Answer one Pub/Sub push; raises if anything failed, so that Pub/Sub delivers it again."""
    answer(cloud_event)
