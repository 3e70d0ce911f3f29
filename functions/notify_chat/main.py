"""The entry point of `notify_chat`; `automation.py` says what it does."""

import functions_framework
from cloudevents.http import CloudEvent

from functions.notify_chat.automation import AUTOMATION
from shared.run import entry_point

answer = entry_point(AUTOMATION)


@functions_framework.cloud_event
def notify_chat(cloud_event: CloudEvent) -> None:
    """Handle one Pub/Sub push. If anything failed it raises, and Pub/Sub delivers the message again."""
    answer(cloud_event)
