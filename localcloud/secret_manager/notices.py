"""Secret Manager's notifications to a secret's topics.

Format: https://cloud.google.com/secret-manager/docs/event-notifications
"""

from collections.abc import Iterable
from typing import Protocol
from zoneinfo import ZoneInfo

import grpc
from google.cloud import secretmanager_v1 as secretmanager
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from google.pubsub_v1.types import PublishRequest, PublishResponse, PubsubMessage

from localcloud.core.clock import Clock
from localcloud.core.server import ApiError

_PACIFIC = ZoneInfo("America/Los_Angeles")


class Publisher(Protocol):
    """The part of Pub/Sub that Secret Manager needs."""

    def publish(self, request: PublishRequest) -> PublishResponse:
        """Publish the messages of ``request`` to its topic."""


class Notices:
    """Publishes what happens to secrets."""

    def __init__(self, clock: Clock, pubsub: Publisher) -> None:
        self._clock = clock
        self._pubsub = pubsub

    def greet(self, topics: Iterable[str]) -> None:
        """Tell each topic that it has been configured. Raises NOT_FOUND for one that is not there."""
        for topic in topics:
            message = PubsubMessage(attributes={"eventType": "TOPIC_CONFIGURED"})
            self._pubsub.publish(PublishRequest(topic=topic, messages=[message]))

    def of_secret(self, event: str, secret: secretmanager.Secret, **more: str) -> None:
        """Tell the topics of a secret what happened to it."""
        self._publish(event, secret, secretmanager.Secret.pb(secret), more)

    def of_version(self, event: str, secret: secretmanager.Secret, version: secretmanager.SecretVersion) -> None:
        """Tell the topics of a secret what happened to one of its versions."""
        self._publish(event, secret, secretmanager.SecretVersion.pb(version), {"versionId": version.name})

    def _publish(self, event: str, secret: secretmanager.Secret, resource: Message, more: dict[str, str]) -> None:
        message = PubsubMessage(
            data=MessageToJson(resource).encode(),
            attributes={
                "eventType": event,
                "dataFormat": "JSON_API_V1",
                "secretId": secret.name,
                "timestamp": self._clock.now().astimezone(_PACIFIC).isoformat(),
                **more,
            },
        )
        for topic in secret.topics:
            try:
                self._pubsub.publish(PublishRequest(topic=topic.name, messages=[message]))
            except ApiError as error:
                # A topic that has been deleted since does not matter here: the secret still changes.
                if error.code is not grpc.StatusCode.NOT_FOUND:
                    raise
