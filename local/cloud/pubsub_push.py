"""Delivers messages by HTTP, as Pub/Sub pushes them: a bounded number at a time."""

import base64
import http.client
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from local.cloud.clock import Clock

AT_A_TIME = 16
# https://cloud.google.com/pubsub/docs/push#receive_push
ACKNOWLEDGED = frozenset({102, 200, 201, 202, 204})


class Pusher:
    """Pushes messages on threads of its own, which start with the first push."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pool: ThreadPoolExecutor | None = None

    def push(self, subscription: Any, message: Any, attempt: int, done: Callable[[bool], None]) -> None:
        """Push a message, and say whether it was acknowledged. Time waits for it meanwhile."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="push")
        self._clock.begin_work()

        def work() -> None:
            try:
                done(self._post(subscription, message, attempt))
            finally:
                self._clock.end_work()

        self._pool.submit(work)

    def close(self) -> None:
        """Push nothing more."""
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _post(self, subscription: Any, message: Any, attempt: int) -> bool:
        url = urlsplit(subscription.push_config.push_endpoint)
        body = json.dumps(push_body(subscription, message, attempt)).encode()
        host = url.hostname or ""
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        connection = kind(host, url.port, timeout=subscription.ack_deadline_seconds)
        try:
            path = url.path + (f"?{url.query}" if url.query else "")
            connection.request(
                "POST", path or "/", body, {"Content-Type": "application/json", "User-Agent": "APIs-Google"}
            )
            return connection.getresponse().status in ACKNOWLEDGED
        except (OSError, http.client.HTTPException):
            # Whatever keeps the endpoint from answering in time is a delivery that was not acknowledged.
            return False
        finally:
            connection.close()


def push_body(subscription: Any, message: Any, attempt: int) -> dict[str, Any]:
    """The JSON of a push. Both spellings of id and time are there, as Google sends them."""
    publish_time = message.publish_time.ToJsonString()
    content: dict[str, Any] = {
        "data": base64.b64encode(message.data).decode(),
        "messageId": message.message_id,
        "message_id": message.message_id,
        "publishTime": publish_time,
        "publish_time": publish_time,
    }
    if message.attributes:
        content["attributes"] = dict(message.attributes)
    if message.ordering_key:
        content["orderingKey"] = message.ordering_key
    body: dict[str, Any] = {"message": content, "subscription": subscription.name}
    if subscription.dead_letter_policy.dead_letter_topic:
        body["deliveryAttempt"] = attempt
    return body
