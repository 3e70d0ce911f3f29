"""The entry point of `prune_backups`; `automation.py` says what it does."""

import functions_framework
from cloudevents.http import CloudEvent

from functions.prune_backups.automation import AUTOMATION
from shared.run import entry_point

answer = entry_point(AUTOMATION)


@functions_framework.cloud_event
def prune_backups(cloud_event: CloudEvent) -> None:
    """Handle one Pub/Sub push. If anything failed it raises, and Pub/Sub delivers the message again."""
    answer(cloud_event)
