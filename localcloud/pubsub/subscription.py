"""One subscription of Pub/Sub: what waits to be delivered, what is out, and what becomes of it."""

import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from google.pubsub_v1 import types

from localcloud.core.clock import Clock, Timer
from localcloud.core.messages import invalid
from localcloud.pubsub.filter import compile_filter
from localcloud.pubsub.push import Pusher

# Pushes back off without a retry policy too: https://cloud.google.com/pubsub/docs/push#push_backoff
PUSH_BACKOFF = (timedelta(milliseconds=100), timedelta(seconds=60))
NO_BACKOFF = (timedelta(0), timedelta(0))
MOST_DOUBLINGS = 20


@dataclass(eq=False)
class Delivery:
    """One message on its way to one subscription."""

    message: types.PubsubMessage
    attempt: int = 1
    deadline: Timer | None = None


class Subscription:
    """Delivers messages by push or pull until they are acknowledged. Its public methods are called under ``lock``.

    ``bury`` forwards a message that was delivered too often to the dead-letter topic, or returns False without one.
    """

    def __init__(
        self,
        resource: types.Subscription,
        clock: Clock,
        pusher: Pusher,
        lock: threading.RLock,
        bury: Callable[[types.Subscription, Delivery], bool],
    ) -> None:
        self.resource = resource
        self._clock = clock
        self._pusher = pusher
        self._lock = lock
        self._bury = bury
        self.lets_pass = compile_filter(resource.filter)
        self.is_open = True
        """Until it is deleted, or detached from its topic."""
        self.arrived = threading.Condition(lock)
        """Called with each message that waits to be pulled."""
        self._waiting: list[Delivery] = []
        self._unacknowledged: dict[str, types.PubsubMessage] = {}
        """By id, wherever they are: waiting, out, being pushed, or backing off."""
        self._acknowledged: list[types.PubsubMessage] = []
        """Only if the subscription retains them: seeking brings them back."""
        self._outstanding: dict[str, Delivery] = {}
        self._ack_ids_given = 0

    def offer(self, message: types.PubsubMessage) -> None:
        """Take in a message that was published, if the filter lets it pass."""
        if self.is_open and self.lets_pass(message.attributes):
            self._unacknowledged[message.message_id] = message
            self._deliver(Delivery(message))

    def configure(self, resource: types.Subscription) -> None:
        """Go on with other properties. What waits to be pulled is pushed if there is an endpoint from now on."""
        self.resource = resource
        if resource.push_config.push_endpoint:
            waiting, self._waiting = self._waiting, []
            for delivery in waiting:
                self._deliver(delivery)

    def close(self) -> None:
        """Drop every message, and deliver no other."""
        self.is_open = False
        self._waiting.clear()
        self._unacknowledged.clear()
        self._acknowledged.clear()
        self._outstanding.clear()
        self.arrived.notify_all()

    def pull(self, most: int, seconds: int | None = None) -> list[types.ReceivedMessage]:
        """Up to ``most`` of the messages that wait, each out for so long, or until its ack deadline."""
        received = []
        kept = [delivery for delivery in self._waiting if not self._is_too_old(delivery.message)]
        taken, self._waiting = kept[:most], kept[most:]
        for delivery in taken:
            self._ack_ids_given += 1
            ack_id = self._ack_id(self._ack_ids_given)
            self._outstanding[ack_id] = delivery
            self._expect_ack(ack_id, delivery, seconds or self.resource.ack_deadline_seconds)
            attempt = delivery.attempt if "dead_letter_policy" in self.resource else 0
            received.append(types.ReceivedMessage(ack_id=ack_id, message=delivery.message, delivery_attempt=attempt))
        return received

    def acknowledge(self, ack_ids: Iterable[str]) -> None:
        """Done with these. Ids that have expired are no error; INVALID_ARGUMENT for one that was never given."""
        for delivery in self._take_back(ack_ids).values():
            self._stop_waiting(delivery)
            self._finish(delivery.message)

    def backlog(self) -> list[types.PubsubMessage]:
        """The messages that are not acknowledged, as far as they are still kept."""
        self._unacknowledged = {key: one for key, one in self._unacknowledged.items() if not self._is_too_old(one)}
        return list(self._unacknowledged.values())

    def seek(self, moment: datetime) -> None:
        """Count what was published before a moment as acknowledged, and what was later as not, if it is retained."""
        self.reset([one for one in (*self._acknowledged, *self.backlog()) if one.publish_time >= moment])

    def reset(self, messages: Iterable[types.PubsubMessage]) -> None:
        """Deliver these, and count everything else as acknowledged."""
        for delivery in self._outstanding.values():
            self._stop_waiting(delivery)
        again = {one.message_id: one for one in sorted(messages, key=lambda one: one.publish_time)}
        known = [*self._acknowledged, *self.backlog()]
        self._acknowledged = [
            one for one in known if one.message_id not in again and self.resource.retain_acked_messages
        ]
        self._waiting, self._outstanding, self._unacknowledged = [], {}, again
        for message in list(again.values()):
            self._deliver(Delivery(message))

    def still_out(self, ack_ids: Iterable[str]) -> set[str]:
        """The given messages that are neither acknowledged nor expired."""
        return set(ack_ids) & self._outstanding.keys()

    def modify_ack_deadline(self, ack_ids: Iterable[str], seconds: int) -> None:
        """Give these so much time from now on; none means that they are to be delivered again."""
        for ack_id, delivery in self._take_back(ack_ids).items():
            self._stop_waiting(delivery)
            if seconds:
                self._outstanding[ack_id] = delivery
                self._expect_ack(ack_id, delivery, seconds)
            else:
                self._retry(delivery)

    def _deliver(self, delivery: Delivery) -> None:
        with self._lock:
            if not self.is_open or delivery.message.message_id not in self._unacknowledged:
                return
            if self._is_too_old(delivery.message):
                del self._unacknowledged[delivery.message.message_id]
                return
            if not self.resource.push_config.push_endpoint:
                self._waiting.append(delivery)
                self.arrived.notify_all()
                return
            resource = types.Subscription(self.resource)
            self._pusher.push(
                resource, delivery.message, delivery.attempt, lambda accepted: self._pushed(delivery, accepted=accepted)
            )

    def _pushed(self, delivery: Delivery, *, accepted: bool) -> None:
        with self._lock:
            if accepted:
                self._finish(delivery.message)
            else:
                self._retry(delivery)

    def _finish(self, message: types.PubsubMessage) -> None:
        """Count a message as acknowledged."""
        if self._unacknowledged.pop(message.message_id, None) and self.resource.retain_acked_messages:
            self._acknowledged = [one for one in self._acknowledged if not self._is_too_old(one)]
            self._acknowledged.append(message)

    def _expect_ack(self, ack_id: str, delivery: Delivery, seconds: int) -> None:
        delivery.deadline = self._clock.call_later(timedelta(seconds=seconds), lambda: self._expire(ack_id))

    def _expire(self, ack_id: str) -> None:
        with self._lock:
            if delivery := self._outstanding.pop(ack_id, None):
                self._retry(delivery)

    @staticmethod
    def _stop_waiting(delivery: Delivery) -> None:
        if delivery.deadline:
            delivery.deadline.cancel()

    def _retry(self, delivery: Delivery) -> None:
        """A delivery was not acknowledged: deliver it again after a while, or not any more."""
        if not self.is_open:
            return
        policy = self.resource.dead_letter_policy
        if policy and delivery.attempt >= policy.max_delivery_attempts and self._bury(self.resource, delivery):
            self._unacknowledged.pop(delivery.message.message_id, None)
            return
        again = Delivery(delivery.message, delivery.attempt + 1)
        backoff = self._backoff(delivery.attempt)
        if backoff:
            self._clock.call_later(backoff, lambda: self._deliver(again))
        else:
            self._deliver(again)

    def _backoff(self, attempt: int) -> timedelta:
        """The back-off after that many attempts. Pulled messages are available again at once."""
        shortest, longest = PUSH_BACKOFF if self.resource.push_config.push_endpoint else NO_BACKOFF
        if "retry_policy" in self.resource:
            shortest = max(shortest, self.resource.retry_policy.minimum_backoff)
            longest = max(shortest, self.resource.retry_policy.maximum_backoff)
        backoff: timedelta = min(longest, shortest * 2 ** min(attempt - 1, MOST_DOUBLINGS))
        return backoff

    def _is_too_old(self, message: types.PubsubMessage) -> bool:
        published: datetime = message.publish_time
        kept_for: timedelta = self.resource.message_retention_duration
        return self._clock.now() - published > kept_for

    def _ack_id(self, number: int) -> str:
        return f"{self.resource.name.rpartition('/')[2]}:{number}"

    def _take_back(self, ack_ids: Iterable[str]) -> dict[str, Delivery]:
        """The outstanding messages with these ack ids. INVALID_ARGUMENT for an id that was never issued."""
        known = list(ack_ids)
        if not known:
            raise invalid("No ack ids specified.")
        for ack_id in known:
            number = re.fullmatch(r".*:([1-9]\d*)", ack_id)
            if not number or ack_id != self._ack_id(int(number[1])) or int(number[1]) > self._ack_ids_given:
                raise invalid(f"Invalid ack id (ack_id={ack_id}).")
        return {ack_id: self._outstanding.pop(ack_id) for ack_id in known if ack_id in self._outstanding}
