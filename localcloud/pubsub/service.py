"""Pub/Sub: topics, and subscriptions that push or are pulled, with filters, back-off and dead letters.

Delivery is at least once and in no order. Not modelled: ordering keys, exactly-once delivery, OIDC
tokens on pushes, schemas, the expiration of subscriptions.
"""

import itertools
from collections.abc import Iterator

import grpc
from google.protobuf import empty_pb2
from google.pubsub_v1 import types

from localcloud.core.clock import Clock
from localcloud.core.messages import invalid, merge
from localcloud.core.server import ApiError
from localcloud.pubsub.push import Pusher
from localcloud.pubsub.rules import (
    already_exists,
    answered,
    check_messages,
    check_name,
    check_subscription,
    completed,
    kept,
    masked,
    not_found,
    page_of,
)
from localcloud.pubsub.snapshots import DELETED_TOPIC, HasSnapshots
from localcloud.pubsub.streaming import Stream
from localcloud.pubsub.subscription import Delivery, Subscription

UNCHANGEABLE = frozenset({"name", "topic", "filter", "enable_message_ordering"})
UNCHANGEABLE_OF_TOPICS = frozenset({"name", "kms_key_name"})
LONGEST_DEADLINE = 600


class PubSub(HasSnapshots):
    """Serves ``google.pubsub_v1`` PublisherClient and SubscriberClient."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._topics: dict[str, types.Topic] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._message_ids = itertools.count(1)
        self._pusher = Pusher(clock)

    def close(self) -> None:
        """Push nothing more."""
        self._pusher.close()

    # Publisher

    def create_topic(self, request: types.Topic) -> types.Topic:
        """A new topic. ALREADY_EXISTS if there is one."""
        check_name("topics", request.name)
        with self._lock:
            if request.name in self._topics:
                raise already_exists(request.name)
            self._topics[request.name] = types.Topic(request)
            return types.Topic(request)

    def update_topic(self, request: types.UpdateTopicRequest) -> types.Topic:
        """Change the masked fields of a topic. INVALID_ARGUMENT for those that stay as they were made."""
        with self._lock:
            changed = types.Topic(self._topic(request.topic.name))
            paths = masked("UpdateTopicRequest", "Topic", request.update_mask.paths, UNCHANGEABLE_OF_TOPICS)
            merge(types.Topic.pb(changed), types.Topic.pb(request.topic), paths)
            self._topics[changed.name] = changed
            return types.Topic(changed)

    def get_topic(self, request: types.GetTopicRequest) -> types.Topic:
        """One topic."""
        with self._lock:
            return types.Topic(self._topic(request.topic))

    def list_topics(self, request: types.ListTopicsRequest) -> types.ListTopicsResponse:
        """The topics of a project."""
        with self._lock:
            here = {name: topic for name, topic in self._topics.items() if name.startswith(f"{request.project}/")}
            shown, token = page_of(here, request)
            return types.ListTopicsResponse(topics=shown, next_page_token=token)

    def delete_topic(self, request: types.DeleteTopicRequest) -> empty_pb2.Empty:
        """Delete a topic; its subscriptions stay, without a topic. One of the same name is another topic."""
        with self._lock:
            self._topic(request.topic)
            del self._topics[request.topic]
            self.policies.forget(request.topic)
            self._topic_deleted(request.topic)
            for subscription in self._subscriptions.values():
                resource = subscription.resource
                if resource.topic == request.topic:
                    resource.topic = DELETED_TOPIC
                if resource.dead_letter_policy and resource.dead_letter_policy.dead_letter_topic == request.topic:
                    resource.dead_letter_policy.dead_letter_topic = DELETED_TOPIC
            return empty_pb2.Empty()

    def list_topic_subscriptions(
        self, request: types.ListTopicSubscriptionsRequest
    ) -> types.ListTopicSubscriptionsResponse:
        """The names of a topic's subscriptions."""
        with self._lock:
            self._topic(request.topic)
            here = {
                name: one.resource for name, one in self._subscriptions.items() if one.resource.topic == request.topic
            }
            shown, token = page_of(here, request)
            return types.ListTopicSubscriptionsResponse(
                subscriptions=[one.name for one in shown], next_page_token=token
            )

    def detach_subscription(self, request: types.DetachSubscriptionRequest) -> types.DetachSubscriptionResponse:
        """Take a subscription off its topic; the messages that it holds are dropped."""
        with self._lock:
            subscription = self._subscription(request.subscription)
            subscription.resource.detached = True
            subscription.close()
            return types.DetachSubscriptionResponse()

    def publish(self, request: types.PublishRequest) -> types.PublishResponse:
        """Publish messages to every subscription of a topic whose filter lets them pass."""
        with self._lock:
            self._topic(request.topic)
            check_messages(request.messages)
            ids = [self._publish(request.topic, types.PubsubMessage(message)) for message in request.messages]
            return types.PublishResponse(message_ids=ids)

    # Subscriber

    def create_subscription(self, request: types.Subscription) -> types.Subscription:
        """A new subscription. ALREADY_EXISTS if there is one, NOT_FOUND if one of its topics does not exist."""
        resource = completed(request)
        check_subscription(resource)
        with self._lock:
            if request.name in self._subscriptions:
                raise already_exists(request.name)
            self._topic(resource.topic)
            self._check_dead_letter_topic(resource)
            self._subscriptions[request.name] = Subscription(
                kept(resource), self._clock, self._pusher, self._lock, self._bury
            )
            return answered(resource) if resource.push_config.push_endpoint else types.Subscription(resource)

    def get_subscription(self, request: types.GetSubscriptionRequest) -> types.Subscription:
        """One subscription."""
        with self._lock:
            return types.Subscription(self._subscription(request.subscription).resource)

    def list_subscriptions(self, request: types.ListSubscriptionsRequest) -> types.ListSubscriptionsResponse:
        """The subscriptions of a project."""
        with self._lock:
            here = {
                name: subscription.resource
                for name, subscription in self._subscriptions.items()
                if name.startswith(f"{request.project}/")
            }
            shown, token = page_of(here, request)
            return types.ListSubscriptionsResponse(subscriptions=shown, next_page_token=token)

    def update_subscription(self, request: types.UpdateSubscriptionRequest) -> types.Subscription:
        """Change the masked fields of a subscription. INVALID_ARGUMENT for those that stay as they were made."""
        with self._lock:
            subscription = self._subscription(request.subscription.name)
            paths = masked("UpdateSubscriptionRequest", "Subscription", request.update_mask.paths, UNCHANGEABLE)
            changed = types.Subscription(subscription.resource)
            merge(types.Subscription.pb(changed), types.Subscription.pb(request.subscription), paths)
            return self._configure(subscription, changed)

    def modify_push_config(self, request: types.ModifyPushConfigRequest) -> empty_pb2.Empty:
        """Push to another endpoint; without one, let the messages be pulled."""
        with self._lock:
            subscription = self._subscription(request.subscription)
            changed = types.Subscription(subscription.resource)
            changed.push_config = request.push_config
            self._configure(subscription, changed)
            return empty_pb2.Empty()

    def delete_subscription(self, request: types.DeleteSubscriptionRequest) -> empty_pb2.Empty:
        """Delete a subscription with all that it holds."""
        with self._lock:
            self._subscription(request.subscription).close()
            del self._subscriptions[request.subscription]
            self.policies.forget(request.subscription)
            return empty_pb2.Empty()

    def pull(self, request: types.PullRequest) -> types.PullResponse:
        """The messages that wait, up to ``max_messages``; it answers at once, with none if there are none."""
        with self._lock:
            subscription = self._subscription(request.subscription)
            if request.max_messages < 1:
                raise invalid("No max_messages specified.")
            if subscription.resource.detached:
                raise ApiError(grpc.StatusCode.FAILED_PRECONDITION, "The subscription is detached from its topic.")
            return types.PullResponse(received_messages=subscription.pull(request.max_messages))

    def streaming_pull(self, requests: Iterator[types.StreamingPullRequest]) -> Iterator[types.StreamingPullResponse]:
        """Messages as they arrive, until the client ends the stream."""
        first = next(requests)
        with self._lock:
            stream = Stream(self._subscription(first.subscription), first)
        return stream.answers(requests)

    def acknowledge(self, request: types.AcknowledgeRequest) -> empty_pb2.Empty:
        """Done with these; ids that have expired are no error."""
        with self._lock:
            self._subscription(request.subscription).acknowledge(request.ack_ids)
            return empty_pb2.Empty()

    def modify_ack_deadline(self, request: types.ModifyAckDeadlineRequest) -> empty_pb2.Empty:
        """Ask for more time; none at all means: deliver it again."""
        seconds = request.ack_deadline_seconds
        if not 0 <= seconds <= LONGEST_DEADLINE:
            raise invalid(f"Invalid ack deadline given (ack_deadline_secs={seconds}).")
        with self._lock:
            self._subscription(request.subscription).modify_ack_deadline(request.ack_ids, seconds)
            return empty_pb2.Empty()

    def _publish(self, topic: str, message: types.PubsubMessage) -> str:
        """Give a message its id and time, and offer it to the topic's subscriptions."""
        now = self._clock.now()
        message.message_id = str(next(self._message_ids))
        # Pub/Sub counts in milliseconds.
        message.publish_time = now.replace(microsecond=now.microsecond // 1000 * 1000)
        for subscription in self._subscriptions.values():
            if subscription.resource.topic == topic:
                subscription.offer(message)
        self._retain(topic, message)
        return message.message_id

    def _bury(self, subscription: types.Subscription, delivery: Delivery) -> bool:
        """Publish a message that was delivered too often to the dead-letter topic, if that exists.

        https://cloud.google.com/pubsub/docs/handling-failures#dead_letter_topic
        """
        topic = subscription.dead_letter_policy.dead_letter_topic
        if topic not in self._topics:
            return False
        _, project, _, subscription_id = subscription.name.split("/")
        dead = types.PubsubMessage(delivery.message)
        publish_time = types.PubsubMessage.pb(dead).publish_time.ToJsonString()
        dead.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] = str(delivery.attempt)
        dead.attributes["CloudPubSubDeadLetterSourceSubscription"] = subscription_id
        dead.attributes["CloudPubSubDeadLetterSourceSubscriptionProject"] = project
        dead.attributes["CloudPubSubDeadLetterSourceTopicPublishTime"] = publish_time
        self._publish(topic, dead)
        return True

    def _configure(self, subscription: Subscription, changed: types.Subscription) -> types.Subscription:
        resource = completed(changed)
        check_subscription(resource)
        self._check_dead_letter_topic(resource)
        subscription.configure(kept(resource))
        return answered(resource)

    def _check_dead_letter_topic(self, resource: types.Subscription) -> None:
        policy = resource.dead_letter_policy
        if policy and policy.dead_letter_topic not in {*self._topics, DELETED_TOPIC}:
            raise not_found(policy.dead_letter_topic)

    def _check_exists(self, name: str) -> None:
        if name not in {*self._topics, *self._subscriptions, *self._snapshots}:
            raise not_found(name)

    def _topic(self, name: str) -> types.Topic:
        if name not in self._topics:
            raise not_found(name)
        return self._topics[name]

    def _subscription(self, name: str) -> Subscription:
        if name not in self._subscriptions:
            raise not_found(name)
        return self._subscriptions[name]
