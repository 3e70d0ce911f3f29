"""Snapshots: the messages that a subscription had not acknowledged, and all that have been published since.

https://cloud.google.com/pubsub/docs/replay-overview. A snapshot outlives its subscription, and expires on the Clock.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import grpc
from google.protobuf import empty_pb2
from google.pubsub_v1 import types

from localcloud.core.clock import Clock
from localcloud.core.messages import invalid, merge
from localcloud.core.server import ApiError
from localcloud.pubsub.policies import HasPolicies
from localcloud.pubsub.rules import already_exists, check_name, masked, not_found, page_of
from localcloud.pubsub.subscription import Subscription

DELETED_TOPIC = "_deleted-topic_"
# Message descriptions of google.pubsub.v1.Snapshot and CreateSnapshot
LONGEST_LIFE = timedelta(days=7)
SHORTEST_LIFE = timedelta(hours=1)
UNCHANGEABLE = frozenset({"name", "topic", "expire_time"})


@dataclass
class Snapshot:
    """A snapshot and the messages that it retains."""

    resource: types.Snapshot
    lets_pass: Callable[[Mapping[str, str]], bool]
    """The filter of the subscription that it was made of."""
    messages: list[types.PubsubMessage]


class HasSnapshots(HasPolicies):
    """Serves the methods of ``google.pubsub_v1`` PublisherClient and SubscriberClient that concern snapshots."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._snapshots: dict[str, Snapshot] = {}

    @abstractmethod
    def _topic(self, name: str) -> types.Topic:
        """A topic. Raises NOT_FOUND."""

    @abstractmethod
    def _subscription(self, name: str) -> Subscription:
        """A subscription. Raises NOT_FOUND."""

    def create_snapshot(self, request: types.CreateSnapshotRequest) -> types.Snapshot:
        """Retain a subscription's backlog. FAILED_PRECONDITION if that is so old that it would soon expire."""
        check_name("snapshots", request.name)
        with self._lock:
            self._drop_expired()
            if request.name in self._snapshots:
                raise already_exists(request.name)
            subscription = self._subscription(request.subscription)
            backlog = subscription.backlog()
            now = self._clock.now()
            expires = min((one.publish_time for one in backlog), default=now) + LONGEST_LIFE
            if expires - now < SHORTEST_LIFE:
                raise ApiError(
                    grpc.StatusCode.FAILED_PRECONDITION,
                    "The backlog in the subscription is too old: the snapshot would expire in less than 1 hour.",
                )
            resource = types.Snapshot(
                name=request.name, topic=subscription.resource.topic, expire_time=expires, labels=request.labels
            )
            self._snapshots[request.name] = Snapshot(resource, subscription.lets_pass, backlog)
            return types.Snapshot(resource)

    def get_snapshot(self, request: types.GetSnapshotRequest) -> types.Snapshot:
        """One snapshot."""
        with self._lock:
            return types.Snapshot(self._snapshot(request.snapshot).resource)

    def list_snapshots(self, request: types.ListSnapshotsRequest) -> types.ListSnapshotsResponse:
        """The snapshots of a project."""
        with self._lock:
            self._drop_expired()
            here = {
                name: one.resource for name, one in self._snapshots.items() if name.startswith(f"{request.project}/")
            }
            shown, token = page_of(here, request)
            return types.ListSnapshotsResponse(snapshots=shown, next_page_token=token)

    def list_topic_snapshots(self, request: types.ListTopicSnapshotsRequest) -> types.ListTopicSnapshotsResponse:
        """The names of a topic's snapshots."""
        with self._lock:
            self._topic(request.topic)
            self._drop_expired()
            here = {name: one.resource for name, one in self._snapshots.items() if one.resource.topic == request.topic}
            shown, token = page_of(here, request)
            return types.ListTopicSnapshotsResponse(snapshots=[one.name for one in shown], next_page_token=token)

    def update_snapshot(self, request: types.UpdateSnapshotRequest) -> types.Snapshot:
        """Change the masked fields of a snapshot: its labels."""
        with self._lock:
            found = self._snapshot(request.snapshot.name)
            paths = masked("UpdateSnapshotRequest", "Snapshot", request.update_mask.paths, UNCHANGEABLE)
            changed = types.Snapshot(found.resource)
            merge(types.Snapshot.pb(changed), types.Snapshot.pb(request.snapshot), paths)
            found.resource = changed
            return types.Snapshot(changed)

    def delete_snapshot(self, request: types.DeleteSnapshotRequest) -> empty_pb2.Empty:
        """Delete a snapshot with all that it retains."""
        with self._lock:
            self._snapshot(request.snapshot)
            self._forget(request.snapshot)
            return empty_pb2.Empty()

    def seek(self, request: types.SeekRequest) -> types.SeekResponse:
        """Bring a subscription to a time, or to a snapshot of its topic."""
        with self._lock:
            subscription = self._subscription(request.subscription)
            if "time" in request:
                subscription.seek(request.time)
            elif request.snapshot:
                snapshot = self._snapshot(request.snapshot)
                if snapshot.resource.topic != subscription.resource.topic:
                    raise invalid("The snapshot's topic must be the same as that of the subscription.")
                subscription.reset(one for one in snapshot.messages if subscription.lets_pass(one.attributes))
            else:
                raise invalid("The target of the SeekRequest must be set: a time or a snapshot.")
            return types.SeekResponse()

    def _retain(self, topic: str, message: types.PubsubMessage) -> None:
        """Add a message that is published to the snapshots of its topic."""
        self._drop_expired()
        for snapshot in self._snapshots.values():
            if snapshot.resource.topic == topic and snapshot.lets_pass(message.attributes):
                snapshot.messages.append(message)

    def _topic_deleted(self, topic: str) -> None:
        for snapshot in self._snapshots.values():
            if snapshot.resource.topic == topic:
                snapshot.resource.topic = DELETED_TOPIC

    def _snapshot(self, name: str) -> Snapshot:
        self._drop_expired()
        if name not in self._snapshots:
            raise not_found(name)
        return self._snapshots[name]

    def _drop_expired(self) -> None:
        now = self._clock.now()
        for name in [name for name, one in self._snapshots.items() if one.resource.expire_time <= now]:
            self._forget(name)

    def _forget(self, name: str) -> None:
        del self._snapshots[name]
        self.policies.forget(name)
