"""Streaming pull: messages as they arrive, on a stream on which the client acknowledges them.

https://cloud.google.com/pubsub/docs/reference/rpc/google.pubsub.v1#google.pubsub.v1.StreamingPullRequest
"""

import threading
from collections.abc import Iterator

import grpc
from google.pubsub_v1 import types

from localcloud.core.messages import invalid
from localcloud.core.server import ApiError
from localcloud.pubsub.subscription import Subscription

MOST_AT_ONCE = 1000
DEADLINES = (10, 600)
LOOK_AGAIN_SECONDS = 1.0
"""Whether the client is still there is looked at so often, if no message arrives."""


class Stream:
    """One client's stream. It ends when the client ends it, or with its subscription."""

    def __init__(self, subscription: Subscription, first: types.StreamingPullRequest) -> None:
        shortest, longest = DEADLINES
        if not shortest <= first.stream_ack_deadline_seconds <= longest:
            raise invalid(f"Invalid stream ack deadline given; it must be between {shortest} and {longest} seconds.")
        self._subscription = subscription
        self._seconds = first.stream_ack_deadline_seconds
        self._most_out = first.max_outstanding_messages if first.max_outstanding_messages > 0 else MOST_AT_ONCE
        self._out: set[str] = set()
        self._is_over = False

    def answers(self, requests: Iterator[types.StreamingPullRequest]) -> Iterator[types.StreamingPullResponse]:
        """The messages as they arrive, while the client's requests are read beside. Raises ApiError at the end."""
        threading.Thread(target=self._read, args=(requests,), name="streaming pull", daemon=True).start()
        while not self._is_over:
            received = self._next()
            if received:
                yield types.StreamingPullResponse(received_messages=received)

    def _next(self) -> list[types.ReceivedMessage]:
        """Messages, up to as many as may be out; none if none has come for a while."""
        with self._subscription.arrived:
            if not self._subscription.is_open:
                raise ApiError(grpc.StatusCode.NOT_FOUND, "The subscription is gone, or detached from its topic.")
            self._out = self._subscription.still_out(self._out)
            received = self._subscription.pull(self._most_out - len(self._out), self._seconds)
            self._out.update(one.ack_id for one in received)
            if not received and not self._is_over:
                self._subscription.arrived.wait(LOOK_AGAIN_SECONDS)
            return received

    def _read(self, requests: Iterator[types.StreamingPullRequest]) -> None:
        try:
            for request in requests:
                self._obey(request)
        except grpc.RpcError:
            """The client cancelled its stream, as all do in the end."""
        finally:
            with self._subscription.arrived:
                self._is_over = True
                self._subscription.arrived.notify_all()

    def _obey(self, request: types.StreamingPullRequest) -> None:
        with self._subscription.arrived:
            self._seconds = request.stream_ack_deadline_seconds or self._seconds
            if request.ack_ids:
                self._subscription.acknowledge(request.ack_ids)
            pairs = zip(request.modify_deadline_ack_ids, request.modify_deadline_seconds, strict=False)
            for ack_id, seconds in pairs:
                self._subscription.modify_ack_deadline([ack_id], seconds)
            self._subscription.arrived.notify_all()
