"""Triggers an automation again, for work that did not fit into one run."""

import msgspec

from shared.clients import Clients
from shared.events import Tick, inbox_of

SUPERSEDED_SECONDS = 3600
"""A continuation that could not begin within an hour leaves the work to the schedule."""


def publish_tick(clients: Clients, automation: str) -> None:
    """Trigger an automation by its own inbox, for work that did not fit into one run.

    Raises what Google's client raises.
    """
    from google.pubsub_v1 import PublisherClient, PubsubMessage

    data = msgspec.json.encode(Tick(every_seconds=SUPERSEDED_SECONDS))
    topic = f"projects/{clients.project}/topics/{inbox_of(automation)}"
    clients.of(PublisherClient).publish(topic=topic, messages=[PubsubMessage(data=data)], **clients.writing)
