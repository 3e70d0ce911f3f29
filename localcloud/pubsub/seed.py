"""Pub/Sub's part of a world: topics, and subscriptions to them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import grpc
import msgspec
from google.pubsub_v1 import types

from localcloud.core.server import ApiError
from localcloud.core.world_format import Seconds
from localcloud.core.world_place import Place, full_name
from localcloud.core.world_proto import Proto, complete

if TYPE_CHECKING:
    from localcloud.pubsub.service import PubSub


class Subscription(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Pub/Sub subscription; with a ``push_endpoint`` it pushes."""

    topic: str
    push_endpoint: str = ""
    ack_deadline_seconds: Seconds = 0
    filter: str = ""
    proto: Proto = {}


def add_topics(service: "PubSub", place: Place, topics: Sequence[str]) -> None:
    """Create topics, each named once. One may be there: a deployment creates the one that a budget publishes to."""
    for number, topic in enumerate(topics):
        with place.element(topic):
            try:
                service.create_topic(types.Topic(name=f"projects/{place.owner}/topics/{topic}"))
            except ApiError as error:
                if error.code is not grpc.StatusCode.ALREADY_EXISTS or topic in topics[:number]:
                    raise


def add_subscriptions(service: "PubSub", place: Place, subscriptions: Mapping[str, Subscription]) -> None:
    """Create subscriptions."""
    for subscription_id, spec in subscriptions.items():
        with place.key(subscription_id):
            service.create_subscription(_subscription(spec, subscription_id, place.owner))


def topic_of(name: str, project_id: str) -> str:
    """The full name of a topic, which may be given by its id."""
    return full_name("projects", name) if "/" in name else f"projects/{project_id}/topics/{name}"


def _subscription(spec: Subscription, subscription_id: str, project_id: str) -> types.Subscription:
    subscription = types.Subscription(
        name=f"projects/{project_id}/subscriptions/{subscription_id}",
        topic=topic_of(spec.topic, project_id),
        ack_deadline_seconds=spec.ack_deadline_seconds,
        filter=spec.filter,
    )
    if spec.push_endpoint:
        subscription.push_config = types.PushConfig(push_endpoint=spec.push_endpoint)
    complete(types.Subscription.pb(subscription), spec.proto)
    return subscription
