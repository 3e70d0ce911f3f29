"""Publishes to Pub/Sub by REST, as ticks read: docs/decisions/0026-ticks-by-rest.md."""

from collections.abc import Mapping

import msgspec

from shared import rest
from shared.clients import Clients

API = "https://pubsub.googleapis.com/v1"
PUBLISH = "google.pubsub.v1.Publisher/Publish"


class _Published(msgspec.Struct, frozen=True, rename="camel"):
    message_ids: tuple[str]


def publish(
    clients: Clients,
    topic: str,
    value: msgspec.Struct | Mapping[str, object],
    attributes: Mapping[str, str] | None = None,
    *,
    may_come_twice: bool = False,
) -> str:
    """Publish a value as JSON to a topic, by its full name; returns the id of the message when that is confirmed.

    It is sent once, as every write is, or if the message may come twice, retried as a read. Raises ``GoogleAPIError``
    for an answer that is an error, or none, as Google's client does.
    """
    message = {"data": msgspec.json.encode(value), "attributes": attributes or {}}
    call = rest.read if may_come_twice else rest.write
    (published,) = call(clients, PUBLISH, f"{API}/{topic}:publish", {"messages": [message]}, _Published).message_ids
    return published
