"""The entry point of `rotate_secrets`: `automation.py` is imported for the first message of its own."""

import functions_framework
from cloudevents.http import CloudEvent

from functions.rotate_secrets.parse import parse
from functions.rotate_secrets.settings import Settings
from shared.receiving import EntryPoint

entry_point = EntryPoint("rotate_secrets", Settings, parse)


@functions_framework.cloud_event
def rotate_secrets(cloud_event: CloudEvent) -> None:
    """Handle one Pub/Sub push. If anything failed it raises, and Pub/Sub delivers the message again."""
    if received := entry_point.receive(cloud_event):
        from functions.rotate_secrets.automation import AUTOMATION

        entry_point.run(AUTOMATION, received)
