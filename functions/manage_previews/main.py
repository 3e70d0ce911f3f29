"""The entry point of `manage_previews`: `automation.py` is imported for the first message of its own."""

import functions_framework
from cloudevents.http import CloudEvent

from functions.manage_previews.parse import parse
from functions.manage_previews.settings import Settings
from shared.receiving import EntryPoint

entry_point = EntryPoint("manage_previews", Settings, parse)


@functions_framework.cloud_event
def manage_previews(cloud_event: CloudEvent) -> None:
    """Handle one Pub/Sub push. If anything failed it raises, and Pub/Sub delivers the message again."""
    if received := entry_point.receive(cloud_event):
        from functions.manage_previews.automation import AUTOMATION

        entry_point.run(AUTOMATION, received)
