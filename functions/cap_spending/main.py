"""The entry point of `cap_spending`: `automation.py` is imported for the first message of its own."""

import functions_framework
from cloudevents.http import CloudEvent

from functions.cap_spending.parse import parse
from functions.cap_spending.settings import Settings
from shared.receiving import EntryPoint

entry_point = EntryPoint("cap_spending", Settings, parse)


@functions_framework.cloud_event
def cap_spending(cloud_event: CloudEvent) -> None:
    """Handle one Pub/Sub push. If anything failed it raises, and Pub/Sub delivers the message again."""
    if received := entry_point.receive(cloud_event):
        from functions.cap_spending.automation import AUTOMATION

        entry_point.run(AUTOMATION, received)
