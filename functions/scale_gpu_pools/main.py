"""The entry point of `scale_gpu_pools`: `automation.py` is imported for the first message of its own."""

import functions_framework
from cloudevents.http import CloudEvent

from functions.scale_gpu_pools.parse import parse
from functions.scale_gpu_pools.settings import Settings
from shared.receiving import EntryPoint

entry_point = EntryPoint("scale_gpu_pools", Settings, parse)


@functions_framework.cloud_event
def scale_gpu_pools(cloud_event: CloudEvent) -> None:
    """Handle one Pub/Sub push. If anything failed it raises, and Pub/Sub delivers the message again."""
    if received := entry_point.receive(cloud_event):
        from functions.scale_gpu_pools.automation import AUTOMATION

        entry_point.run(AUTOMATION, received)
