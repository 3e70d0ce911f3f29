"""Topics, subscriptions and messages in few words, through the official clients, for tests."""

import warnings
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from google.pubsub_v1 import PublisherClient, SubscriberClient, types

from shared.clients import Clients


class Messenger:
    """Publishes and subscribes in one project; topics and subscriptions are known by their ids."""

    def __init__(self, address: str, project: str = "demo-project") -> None:
        self.clients = Clients(project, endpoint=address)
        self.publisher = self.clients.of(PublisherClient)
        self.subscriber = self.clients.of(SubscriberClient)
        self.project = f"projects/{project}"

    def topic(self, topic: str) -> str:
        """A topic's full name."""
        return f"{self.project}/topics/{topic}"

    def subscription(self, subscription: str) -> str:
        """A subscription's full name."""
        return f"{self.project}/subscriptions/{subscription}"

    def create_topic(self, topic: str = "ticks") -> types.Topic:
        """Make a topic."""
        return self.publisher.create_topic(name=self.topic(topic), **self.clients.writing)

    def delete_topic(self, topic: str = "ticks") -> None:
        """Delete a topic."""
        self.publisher.delete_topic(topic=self.topic(topic), **self.clients.writing)

    def subscribe(self, subscription: str = "inbox", topic: str = "ticks", **fields: object) -> types.Subscription:
        """Make a subscription, with further fields of it."""
        request = {"name": self.subscription(subscription), "topic": self.topic(topic), **fields}
        return self.subscriber.create_subscription(request=request, **self.clients.writing)

    def get(self, subscription: str = "inbox") -> types.Subscription:
        """A subscription as it is."""
        return self.subscriber.get_subscription(subscription=self.subscription(subscription), **self.clients.writing)

    def update(self, *paths: str, subscription: str = "inbox", **fields: object) -> types.Subscription:
        """Change the fields of a subscription at these paths."""
        resource = {"name": self.subscription(subscription), **fields}
        request = {"subscription": resource, "update_mask": {"paths": paths}}
        return self.subscriber.update_subscription(request=request, **self.clients.writing)

    def set_push_config(self, config: Mapping[str, str], subscription: str = "inbox") -> None:
        """Push elsewhere, or not at all."""
        request = {"subscription": self.subscription(subscription), "push_config": config}
        self.subscriber.modify_push_config(request=request, **self.clients.writing)

    def delete(self, subscription: str = "inbox") -> None:
        """Delete a subscription."""
        self.subscriber.delete_subscription(subscription=self.subscription(subscription), **self.clients.writing)

    def publish(self, data: bytes = b"look", topic: str = "ticks", **attributes: str) -> str:
        """Publish one message, and give its id."""
        (message_id,) = self.publish_all({"data": data, "attributes": attributes}, topic=topic)
        return message_id

    def publish_all(self, *messages: Mapping[str, Any], topic: str = "ticks") -> list[str]:
        """Publish messages in one request, and give their ids."""
        request = {"topic": self.topic(topic), "messages": messages}
        return list(self.publisher.publish(request=request, **self.clients.writing).message_ids)

    def pull(self, subscription: str = "inbox", most: int = 100) -> list[types.ReceivedMessage]:
        """The waiting messages, without waiting for more."""
        request = types.PullRequest(
            subscription=self.subscription(subscription), max_messages=most, return_immediately=True
        )
        with warnings.catch_warnings():
            # It is deprecated, but without it Google's emulator waits for a message to come.
            warnings.simplefilter("ignore", DeprecationWarning)
            answer = self.subscriber.pull(request=request, **self.clients.writing)
        return list(answer.received_messages)

    def acknowledge(self, *received: types.ReceivedMessage, subscription: str = "inbox") -> None:
        """Be done with messages."""
        self.acknowledge_ids(*[one.ack_id for one in received], subscription=subscription)

    def acknowledge_ids(self, *ack_ids: str, subscription: str = "inbox") -> None:
        """Be done with messages, by their ack ids."""
        request = {"subscription": self.subscription(subscription), "ack_ids": ack_ids}
        self.subscriber.acknowledge(request=request, **self.clients.writing)

    def defer(self, received: types.ReceivedMessage, seconds: int, subscription: str = "inbox") -> None:
        """Ask for time for a message; 0 gives it back."""
        request = {
            "subscription": self.subscription(subscription),
            "ack_ids": [received.ack_id],
            "ack_deadline_seconds": seconds,
        }
        self.subscriber.modify_ack_deadline(request=request, **self.clients.writing)


def data_of(received: list[types.ReceivedMessage]) -> list[bytes]:
    """The data of messages, sorted: they come in no order."""
    return sorted(one.message.data for one in received)


def backoff(shortest: float, longest: float) -> dict[str, timedelta]:
    """A retry policy, in seconds."""
    return {"minimum_backoff": timedelta(seconds=shortest), "maximum_backoff": timedelta(seconds=longest)}


def subscribed(address: str) -> Messenger:
    """A messenger with the topic `ticks` and its subscription `inbox`."""
    messenger = Messenger(address)
    messenger.create_topic()
    messenger.subscribe()
    return messenger
