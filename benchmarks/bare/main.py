"""A bare functions-framework function: the floor that no function of ours can be below."""

import functions_framework
from cloudevents.http import CloudEvent


@functions_framework.cloud_event
def bare(cloud_event: CloudEvent) -> None:
    """Take an event, and do nothing with it."""
    del cloud_event
