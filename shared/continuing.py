"""Triggers an automation again, for work that did not fit into one run."""

from shared.clients import Clients
from shared.events import Tick, inbox_of
from shared.publishing import publish

SUPERSEDED_SECONDS = 3600
"""A continuation that could not begin within an hour leaves the work to the schedule."""


def publish_tick(clients: Clients, automation: str) -> None:
    """Trigger an automation by its own inbox, for work that did not fit into one run.

    Raises what Google's client raises.
    """
    topic = f"projects/{clients.project}/topics/{inbox_of(automation)}"
    publish(clients, topic, Tick(every_seconds=SUPERSEDED_SECONDS))
