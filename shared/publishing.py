"""Publishes to Pub/Sub by REST, as ticks read: docs/decisions/0028-publishing-by-rest.md."""

from collections.abc import Mapping, Sequence

import msgspec

from shared import rest
from shared.clients import Clients

API = "https://pubsub.googleapis.com/v1"
PUBLISH = "google.pubsub.v1.Publisher/Publish"


class Message(msgspec.Struct, frozen=True):
    """A message to publish, as Pub/Sub's JSON has it."""

    data: bytes
    attributes: Mapping[str, str] = {}


class _Published(rest.ApiMessage, frozen=True):
    message_ids: tuple[str, ...]


def publish(
    clients: Clients,
    topic: str,
    value: msgspec.Struct | Mapping[str, object],
    attributes: Mapping[str, str] | None = None,
) -> str:
    """Publish a value as JSON to a topic, by its full name; returns the id of the message when that is confirmed.

    Raises as ``publish_all`` does.
    """
    (published,) = publish_all(clients, topic, [Message(msgspec.json.encode(value), attributes or {})])
    return published


def publish_all(
    clients: Clients, topic: str, messages: Sequence[Message], *, may_come_twice: bool = False
) -> tuple[str, ...]:
    """Publish messages to a topic in one call; returns their ids, in order, when all of them are confirmed.

    It is sent once, as every write is, or if the messages may come twice, retried as a read. Raises ``GoogleAPIError``
    for an answer that is an error, or none, as Google's client does, and ``UnknownAnswer`` for another number of ids.
    """
    call = rest.read if may_come_twice else rest.write
    ids = call(clients, PUBLISH, f"{API}/{topic}:publish", {"messages": messages}, _Published).message_ids
    if len(ids) != len(messages):
        raise rest.UnknownAnswer(f"{PUBLISH}: {len(ids)} ids of {len(messages)} messages")
    return ids
