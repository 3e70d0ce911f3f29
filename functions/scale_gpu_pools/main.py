"""The entry point of `scale_gpu_pools`; `automation.py` says what it does."""

import functions_framework
from cloudevents.http import CloudEvent

from functions.scale_gpu_pools.automation import AUTOMATION
from shared.run import entry_point

answer = entry_point(AUTOMATION)


@functions_framework.cloud_event
def scale_gpu_pools(cloud_event: CloudEvent) -> None:
    """Handle one Pub/Sub push. If anything failed it raises, and Pub/Sub delivers the message again."""
    answer(cloud_event)
