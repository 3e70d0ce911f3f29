"""The entry point of `prune_backups`: `automation.py` is imported for the first message of its own."""

import functions_framework
from cloudevents.http import CloudEvent

from functions.prune_backups.parse import parse
from functions.prune_backups.settings import Settings
from shared.receiving import EntryPoint

entry_point = EntryPoint("prune_backups", Settings, parse)


@functions_framework.cloud_event
def prune_backups(cloud_event: CloudEvent) -> None:
    """Handle one Pub/Sub push. If anything failed it raises, and Pub/Sub delivers the message again."""
    if received := entry_point.receive(cloud_event):
        from functions.prune_backups.automation import AUTOMATION

        entry_point.run(AUTOMATION, received)
