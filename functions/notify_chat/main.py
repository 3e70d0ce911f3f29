"""The entry point of `notify_chat`; `automation.py` says what it does."""

import functions_framework
from cloudevents.http import CloudEvent

from functions.notify_chat.automation import AUTOMATION
from shared.run import entry_point

answer = entry_point(AUTOMATION)


@functions_framework.cloud_event
def notify_chat(cloud_event: CloudEvent) -> None:
    """Answer one Pub/Sub push; raises for every failure, so that Pub/Sub delivers it again."""
    answer(cloud_event)
