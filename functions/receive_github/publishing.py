"""Publishes what a webhook said, within the time that GitHub waits for an answer."""

from shared import publishing
from shared.clients import Clients, RetryPolicy
from shared.github_events import TOPIC, GithubEvent

POLICY = RetryPolicy(give_up=2.0, timeout=2.0)
"""The last attempt begins two seconds after the end of the first, so all of them take six seconds at most.

GitHub waits ten, and never sends again by itself
(https://docs.github.com/webhooks/using-webhooks/handling-failed-webhook-deliveries).
"""


def publish(event: GithubEvent, delivery: str, clients: Clients) -> None:
    """Publish an event with the id of its delivery; returns when that is confirmed. Raises what the call raises."""
    topic = f"projects/{clients.project}/topics/{TOPIC}"
    publishing.publish(clients, topic, event, {"delivery": delivery}, may_come_twice=True)
