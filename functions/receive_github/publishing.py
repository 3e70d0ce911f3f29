"""Publishes what webhooks said, within the time that GitHub waits for an answer, and several of them in one call."""

import threading
import time
from concurrent.futures import Future

import msgspec

from shared.clients import Clients, RetryPolicy
from shared.errors import invalid_argument_errors
from shared.github_events import TOPIC, GithubEvent
from shared.publishing import Message, publish_all

POLICY = RetryPolicy(give_up=2.0, timeout=2.0)
"""The last attempt begins two seconds after the end of the first, so all of them take six seconds at most."""
LONGEST_WAIT = 0.5
"""Seconds for which a call waits for the one before: many times what one takes."""
LONGEST_PUBLISHING = LONGEST_WAIT + POLICY.timeout + POLICY.give_up + POLICY.timeout
"""Seconds until a webhook is published or not, at most.

GitHub waits ten, and never sends again by itself
(https://docs.github.com/webhooks/using-webhooks/handling-failed-webhook-deliveries).
"""


class _Batch:
    """The messages of one call, and its outcome for all who wait for it."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.outcome: Future[None] = Future()


class Publisher:
    """Publishes for all threads of a process: what comes while one call is under way is published by the next.

    The first message of a batch sends it, at once if no call is under way. A batch has as many messages as there are
    threads, at most: far less than the 1,000 and the 10 MB that Pub/Sub takes (https://cloud.google.com/pubsub/quotas).
    """

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._topic = f"projects/{clients.project}/topics/{TOPIC}"
        self._next = _Batch()
        self._joining = threading.Lock()
        self._under_way = threading.Lock()

    def publish(self, event: GithubEvent, delivery: str) -> None:
        """Publish an event with the id of its delivery, at least once; returns when that is confirmed.

        Raises what the call raises, after `LONGEST_PUBLISHING` at the latest.
        """
        begun = time.monotonic()
        message = Message(msgspec.json.encode(event), {"delivery": delivery})
        with self._joining:
            batch = self._next
            batch.messages.append(message)
        try:
            if batch.messages[0] is message:
                self._send_in_turn(batch)
            batch.outcome.result()
        except invalid_argument_errors():
            # The reason may be another message of the batch: so each is sent by itself, once, if there is time for it.
            if len(batch.messages) == 1 or time.monotonic() - begun > LONGEST_PUBLISHING - POLICY.timeout:
                raise
            publish_all(self._clients, self._topic, [message])

    def _send_in_turn(self, batch: _Batch) -> None:
        """Publish a batch when the call before has ended, or takes too long; others join it until then."""
        is_alone = self._under_way.acquire(timeout=LONGEST_WAIT)
        try:
            self._send(batch)
        finally:
            if is_alone:
                self._under_way.release()

    def _send(self, batch: _Batch) -> None:
        with self._joining:
            self._next = _Batch()
        try:
            publish_all(self._clients, self._topic, batch.messages, may_come_twice=True)
        except BaseException as error:
            batch.outcome.set_exception(error)
            raise
        batch.outcome.set_result(None)
