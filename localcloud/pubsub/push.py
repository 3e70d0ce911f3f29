"""Delivers messages by HTTP, as Pub/Sub pushes them: a bounded number at a time."""

import base64
import http.client
import json
import re
import socket
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from urllib.parse import urlsplit

from google.pubsub_v1 import types

from localcloud.core.clock import Clock
from localcloud.core.kept import Kept

AT_A_TIME = 16
# https://cloud.google.com/pubsub/docs/push#receive_push
ACKNOWLEDGED = frozenset({102, 200, 201, 202, 204})
HEADER_NAME = re.compile(r"[A-Za-z0-9_-]+")
FRAMING = frozenset(("connection", "content-length", "host", "transfer-encoding"))


class Pusher(Kept):
    """Pushes messages on threads of its own, which start with the first push."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pool: ThreadPoolExecutor | None = None
        self._open: set[http.client.HTTPConnection] = set()
        self._lock = threading.Lock()

    def push(
        self,
        subscription: types.Subscription,
        message: types.PubsubMessage,
        attempt: int,
        done: Callable[[bool], None],
    ) -> None:
        """Push a message, then say whether it was acknowledged. The clock waits for it meanwhile."""
        url = subscription.push_config.push_endpoint
        if "no_wrapper" in subscription.push_config:
            body, headers = unwrapped(subscription, message)
        else:
            body = json.dumps(push_body(subscription, message, attempt)).encode()
            headers = {"Content-Type": "application/json"}
        timeout = subscription.ack_deadline_seconds

        def work() -> None:
            try:
                done(self._post(url, body, headers, timeout))
            finally:
                self._clock.end_work()

        self._clock.begin_work()
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="push")
            self._pool.submit(work).add_done_callback(_show_error)

    def close(self) -> None:
        """Push nothing more, and break off what is under way."""
        with self._lock:
            if self._pool is None:
                return
            self._pool.shutdown(wait=False, cancel_futures=True)
            for connection in self._open:
                if connection.sock is not None:
                    # Its other end may have gone already.
                    with suppress(OSError):
                        connection.sock.shutdown(socket.SHUT_RDWR)
        self._pool.shutdown()

    def _post(self, endpoint: str, body: bytes, headers: Mapping[str, str], timeout: float) -> bool:
        """Whether the endpoint acknowledges; the ack deadline, in real seconds, bounds each step of the request."""
        url = urlsplit(endpoint)
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        connection = kind(url.hostname or "", url.port, timeout=timeout)
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        with self._lock:
            self._open.add(connection)
        try:
            connection.request("POST", path, body, {**headers, "User-Agent": "APIs-Google"})
            return connection.getresponse().status in ACKNOWLEDGED
        except (OSError, http.client.HTTPException):
            # An endpoint that does not respond in time has not acknowledged the delivery.
            return False
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()


def unwrapped(subscription: types.Subscription, message: types.PubsubMessage) -> tuple[bytes, dict[str, str]]:
    """The body and the header of a push without a wrapper: the data alone, and metadata if they are asked for.

    https://cloud.google.com/pubsub/docs/payload-unwrapping
    """
    if not subscription.push_config.no_wrapper.write_metadata:
        return message.data, {}
    headers = {
        "x-goog-pubsub-subscription-name": subscription.name,
        "x-goog-pubsub-message-id": message.message_id,
        "x-goog-pubsub-publish-time": types.PubsubMessage.pb(message).publish_time.ToJsonString(),
    }
    if message.ordering_key:
        headers["x-goog-pubsub-ordering-key"] = message.ordering_key
    attributes = {key: value for key, value in message.attributes.items() if _fits_header(key, value)}
    return message.data, attributes | headers


def _fits_header(key: str, value: str) -> bool:
    """Whether an attribute can be sent as a header field, and is none that frames the request."""
    return bool(HEADER_NAME.fullmatch(key)) and key.lower() not in FRAMING and value.isascii() and value.isprintable()


def push_body(subscription: types.Subscription, message: types.PubsubMessage, attempt: int) -> dict[str, object]:
    """The JSON of a push. Both spellings of id and time are there, as Google sends them; empty fields are not."""
    publish_time = types.PubsubMessage.pb(message).publish_time.ToJsonString()
    content: dict[str, object] = {
        "messageId": message.message_id,
        "message_id": message.message_id,
        "publishTime": publish_time,
        "publish_time": publish_time,
    }
    if message.data:
        content["data"] = base64.b64encode(message.data).decode()
    if message.attributes:
        content["attributes"] = dict(message.attributes)
    if message.ordering_key:
        content["orderingKey"] = message.ordering_key
    body: dict[str, object] = {"message": content, "subscription": subscription.name}
    if "dead_letter_policy" in subscription:
        body["deliveryAttempt"] = attempt
    return body


def _show_error(work: "Future[None]") -> None:
    """Let a fault of our own be logged, which a pool would keep to itself."""
    if not work.cancelled():
        work.result()
