"""Publishes what a webhook said, within the time that GitHub waits for an answer."""

import msgspec

from shared.clients import Clients
from shared.github_events import TOPIC, GithubEvent

ATTEMPT_SECONDS = 2.0
REPEATING_SECONDS = 4.0
"""The last attempt begins within these, so all of them take six seconds at most.

GitHub waits ten, and never sends again by itself
(https://docs.github.com/webhooks/using-webhooks/handling-failed-webhook-deliveries).
"""


def publish(
    event: GithubEvent,
    delivery: str,
    clients: Clients,
    *,
    attempt_seconds: float = ATTEMPT_SECONDS,
    repeating_seconds: float = REPEATING_SECONDS,
) -> None:
    """Publish an event with the id of its delivery; returns when that is confirmed. Raises what the call raises."""
    from google.pubsub_v1 import PublisherClient

    message = {"data": msgspec.json.encode(event), "attributes": {"delivery": delivery}}
    clients.of(PublisherClient).publish(
        request={"topic": f"projects/{clients.project}/topics/{TOPIC}", "messages": [message]},
        **clients.repeating(repeating_seconds, timeout=attempt_seconds),
    )
