"""The entry point of `notify_chat`: `automation.py` is imported for the first message of its own."""

import functions_framework
from cloudevents.http import CloudEvent

from functions.notify_chat.parse import parse
from functions.notify_chat.settings import Settings
from shared.receiving import EntryPoint

entry_point = EntryPoint("notify_chat", Settings, parse)


@functions_framework.cloud_event
def notify_chat(cloud_event: CloudEvent) -> None:
    """Handle one Pub/Sub push. If anything failed it raises, and Pub/Sub delivers the message again."""
    if received := entry_point.receive(cloud_event):
        from functions.notify_chat.automation import AUTOMATION

        entry_point.run(AUTOMATION, received)
