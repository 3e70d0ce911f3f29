"""Pub/Sub: topics, and subscriptions that push or are pulled, with filters, back-off and dead letters.

Delivery is at least once and in no order. Not modelled: streaming pull, ordering keys, exactly-once delivery, OIDC
tokens on pushes, snapshots, schemas, retention.
"""

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import grpc
from google.protobuf import empty_pb2
from google.pubsub_v1 import types

from local.cloud.clock import Clock, Timer
from local.cloud.engine import ApiError, copy_of, protobuf
from local.cloud.messages import merge, page, timestamp
from local.cloud.pubsub_filter import Test, compile_filter
from local.cloud.pubsub_push import Pusher
from local.cloud.pubsub_rules import check_message, check_subscription, check_topic_name

DELETED_TOPIC = "_deleted-topic_"
DEFAULT_ACK_DEADLINE = 10
# https://cloud.google.com/pubsub/docs/handling-failures#exponential_backoff; without a policy Pub/Sub retries soon.
NO_POLICY = timedelta(milliseconds=100)
FIRST_BACKOFF, LONGEST_BACKOFF = timedelta(seconds=10), timedelta(seconds=600)
DEAD_LETTER_ATTEMPTS = 5
LARGEST_PAGE = 1000


@dataclass(eq=False)
class Delivery:
    """One message on its way to one subscription."""

    message: Any
    attempt: int = 1
    ack_id: str = ""
    deadline: Timer | None = None


@dataclass(eq=False)
class Subscription:
    """A subscription with the messages that wait to be pulled and those that are out."""

    resource: Any
    lets_pass: Test
    waiting: list[Delivery] = field(default_factory=list)
    outstanding: dict[str, Delivery] = field(default_factory=dict)


class PubSub:
    """Serves ``google.pubsub_v1`` PublisherClient and SubscriberClient."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._topics: dict[str, Any] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._message_ids = itertools.count(1)
        self._ack_ids = itertools.count(1)
        self._lock = threading.RLock()
        self._pusher = Pusher(clock)

    def close(self) -> None:
        """Push nothing more."""
        self._pusher.close()

    # Publisher

    def create_topic(self, request: types.Topic) -> Any:
        """A new topic. ALREADY_EXISTS if there is one."""
        with self._lock:
            check_topic_name(request.name)
            if request.name in self._topics:
                raise ApiError(
                    grpc.StatusCode.ALREADY_EXISTS,
                    f"Resource already exists in the project (resource={_short(request.name)}).",
                )
            self._topics[request.name] = protobuf(copy_of(request))
            return copy_of(self._topics[request.name])

    def get_topic(self, request: types.GetTopicRequest) -> Any:
        """One topic."""
        with self._lock:
            return copy_of(self._topic(request.topic))

    def list_topics(self, request: types.ListTopicsRequest) -> Any:
        """The topics of a project."""
        with self._lock:
            topics = {name: topic for name, topic in self._topics.items() if name.startswith(f"{request.project}/")}
            shown, token = page(
                topics, request.page_size, request.page_token, default=LARGEST_PAGE, maximum=LARGEST_PAGE
            )
            return types.ListTopicsResponse.pb()(topics=shown, next_page_token=token)

    def delete_topic(self, request: types.DeleteTopicRequest) -> empty_pb2.Empty:
        """Delete a topic; its subscriptions stay, without one."""
        with self._lock:
            self._topic(request.topic)
            del self._topics[request.topic]
            for subscription in self._subscriptions.values():
                if subscription.resource.topic == request.topic:
                    subscription.resource.topic = DELETED_TOPIC
            return empty_pb2.Empty()

    def publish(self, request: types.PublishRequest) -> Any:
        """Publish messages to every subscription of a topic whose filter lets them pass."""
        with self._lock:
            self._topic(request.topic)
            messages = [protobuf(copy_of(message)) for message in request.messages]
            check_message(messages)
            for message in messages:
                message.message_id = f"{next(self._message_ids)}"
                message.publish_time.CopyFrom(timestamp(self._clock.now()))
                self._fan_out(request.topic, message)
            return types.PublishResponse.pb()(message_ids=[message.message_id for message in messages])

    # Subscriber

    def create_subscription(self, request: types.Subscription) -> Any:
        """A new subscription. ALREADY_EXISTS if there is one, NOT_FOUND if there is no such topic."""
        with self._lock:
            if request.name in self._subscriptions:
                raise ApiError(
                    grpc.StatusCode.ALREADY_EXISTS,
                    f"Resource already exists in the project (resource={_short(request.name)}).",
                )
            resource = protobuf(copy_of(request))
            resource.ack_deadline_seconds = resource.ack_deadline_seconds or DEFAULT_ACK_DEADLINE
            check_subscription(resource)
            self._topic(resource.topic)
            self._subscriptions[request.name] = Subscription(resource, compile_filter(resource.filter))
            return copy_of(resource)

    def get_subscription(self, request: types.GetSubscriptionRequest) -> Any:
        """One subscription."""
        with self._lock:
            return copy_of(self._subscription(request.subscription).resource)

    def list_subscriptions(self, request: types.ListSubscriptionsRequest) -> Any:
        """The subscriptions of a project."""
        with self._lock:
            resources = {
                name: known.resource
                for name, known in self._subscriptions.items()
                if name.startswith(f"{request.project}/")
            }
            shown, token = page(
                resources, request.page_size, request.page_token, default=LARGEST_PAGE, maximum=LARGEST_PAGE
            )
            return types.ListSubscriptionsResponse.pb()(subscriptions=shown, next_page_token=token)

    def update_subscription(self, request: types.UpdateSubscriptionRequest) -> Any:
        """Change the masked fields of a subscription; its topic and filter stay what they are."""
        with self._lock:
            known = self._subscription(request.subscription.name)
            paths = list(request.update_mask.paths)
            if not paths or {"name", "topic", "filter"} & set(paths):
                raise ApiError(
                    grpc.StatusCode.INVALID_ARGUMENT,
                    "The update_mask is empty or names a field that cannot change.",
                )
            changed = copy_of(known.resource)
            merge(changed, protobuf(request.subscription), paths)
            check_subscription(changed)
            known.resource = changed
            return copy_of(changed)

    def delete_subscription(self, request: types.DeleteSubscriptionRequest) -> empty_pb2.Empty:
        """Delete a subscription with all that it holds."""
        with self._lock:
            self._subscription(request.subscription)
            del self._subscriptions[request.subscription]
            return empty_pb2.Empty()

    def pull(self, request: types.PullRequest) -> Any:
        """The messages that wait, up to ``max_messages``; it answers at once, with none if there are none."""
        with self._lock:
            subscription = self._subscription(request.subscription)
            if request.max_messages < 1:
                raise ApiError(grpc.StatusCode.INVALID_ARGUMENT, "max_messages must be positive.")
            taken = subscription.waiting[: request.max_messages]
            del subscription.waiting[: request.max_messages]
            answer = types.PullResponse.pb()()
            for delivery in taken:
                delivery.ack_id = f"ack-{next(self._ack_ids)}"
                subscription.outstanding[delivery.ack_id] = delivery
                self._expect_ack(subscription, delivery, timedelta(seconds=subscription.resource.ack_deadline_seconds))
                received = answer.received_messages.add(ack_id=delivery.ack_id)
                received.message.CopyFrom(delivery.message)
                if subscription.resource.dead_letter_policy.dead_letter_topic:
                    received.delivery_attempt = delivery.attempt
            return answer

    def acknowledge(self, request: types.AcknowledgeRequest) -> empty_pb2.Empty:
        """Done with these; ids that have expired are no error."""
        with self._lock:
            subscription = self._subscription(request.subscription)
            for ack_id in request.ack_ids:
                delivery = subscription.outstanding.pop(ack_id, None)
                if delivery and delivery.deadline:
                    delivery.deadline.cancel()
            return empty_pb2.Empty()

    def modify_ack_deadline(self, request: types.ModifyAckDeadlineRequest) -> empty_pb2.Empty:
        """Ask for more time; none at all means: deliver it again."""
        with self._lock:
            subscription = self._subscription(request.subscription)
            for ack_id in request.ack_ids:
                delivery = subscription.outstanding.get(ack_id)
                if delivery is None:
                    continue
                if delivery.deadline:
                    delivery.deadline.cancel()
                if request.ack_deadline_seconds == 0:
                    self._give_back(subscription, delivery)
                else:
                    self._expect_ack(subscription, delivery, timedelta(seconds=request.ack_deadline_seconds))
            return empty_pb2.Empty()

    def _fan_out(self, topic: str, message: Any) -> None:
        for subscription in self._subscriptions.values():
            if subscription.resource.topic == topic and subscription.lets_pass(message.attributes):
                self._deliver(subscription, Delivery(message))

    def _deliver(self, subscription: Subscription, delivery: Delivery) -> None:
        with self._lock:
            if subscription.resource.name not in self._subscriptions:
                return
            if subscription.resource.push_config.push_endpoint:
                done: Callable[[bool], None] = lambda accepted: self._pushed(subscription, delivery, accepted)
                self._pusher.push(copy_of(subscription.resource), delivery.message, delivery.attempt, done)
            else:
                subscription.waiting.append(delivery)

    def _pushed(self, subscription: Subscription, delivery: Delivery, accepted: bool) -> None:  # noqa: FBT001
        if not accepted:
            with self._lock:
                self._fail(subscription, delivery)

    def _expect_ack(self, subscription: Subscription, delivery: Delivery, within: timedelta) -> None:
        delivery.deadline = self._clock.call_later(within, lambda: self._give_back(subscription, delivery))

    def _give_back(self, subscription: Subscription, delivery: Delivery) -> None:
        with self._lock:
            if subscription.outstanding.pop(delivery.ack_id, None):
                self._fail(subscription, delivery)

    def _fail(self, subscription: Subscription, delivery: Delivery) -> None:
        """A delivery was not acknowledged: deliver it again after a while, or to the dead-letter topic."""
        policy = subscription.resource.dead_letter_policy
        attempts = policy.max_delivery_attempts or DEAD_LETTER_ATTEMPTS
        if policy.dead_letter_topic in self._topics and delivery.attempt >= attempts:
            dead = copy_of(delivery.message)
            dead.attributes["CloudPubSubDeadLetterSourceSubscription"] = _short(subscription.resource.name)
            dead.attributes["CloudPubSubDeadLetterSourceSubscriptionProject"] = subscription.resource.name.split("/")[1]
            dead.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] = str(delivery.attempt)
            publish_time = delivery.message.publish_time.ToJsonString()
            dead.attributes["CloudPubSubDeadLetterSourceTopicPublishTime"] = publish_time
            self._fan_out(policy.dead_letter_topic, dead)
            return
        again = Delivery(delivery.message, delivery.attempt + 1)
        self._clock.call_later(
            _backoff(subscription.resource, delivery.attempt), lambda: self._deliver(subscription, again)
        )

    def _topic(self, name: str) -> Any:
        if name not in self._topics:
            raise ApiError(grpc.StatusCode.NOT_FOUND, f"Resource not found (resource={_short(name)}).")
        return self._topics[name]

    def _subscription(self, name: str) -> Subscription:
        if name not in self._subscriptions:
            raise ApiError(grpc.StatusCode.NOT_FOUND, f"Resource not found (resource={_short(name)}).")
        return self._subscriptions[name]


def _backoff(subscription: Any, attempt: int) -> timedelta:
    if not subscription.HasField("retry_policy"):
        return NO_POLICY
    policy = subscription.retry_policy
    first = policy.minimum_backoff.ToTimedelta() if policy.HasField("minimum_backoff") else FIRST_BACKOFF
    longest = policy.maximum_backoff.ToTimedelta() if policy.HasField("maximum_backoff") else LONGEST_BACKOFF
    return min(longest, first * 2 ** min(attempt - 1, 20))


def _short(name: str) -> str:
    return name.rpartition("/")[2]
