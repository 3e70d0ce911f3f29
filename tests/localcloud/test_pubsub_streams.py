"""Pub/Sub's streaming pull, as the high-level clients use it, and seeking."""

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from google.api_core.exceptions import GoogleAPICallError, InvalidArgument, NotFound
from google.pubsub_v1 import types

from localcloud import LocalCloud
from tests.localcloud.messenger import Messenger, subscribed

START = datetime(2026, 11, 1, 9, tzinfo=UTC)
Request = types.StreamingPullRequest


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=START) as cloud:
        yield cloud


@pytest.fixture
def messenger(cloud: LocalCloud) -> Messenger:
    return subscribed(cloud.address)


class Stream:
    """A client's stream, which it writes to whenever it likes."""

    def __init__(self, messenger: Messenger, **first: object) -> None:
        self._requests: queue.Queue[Request | None] = queue.Queue()
        self.send(
            Request({"subscription": messenger.subscription("inbox"), "stream_ack_deadline_seconds": 60, **first})
        )
        self._answers = iter(messenger.subscriber.streaming_pull(requests=iter(self._requests.get, None), timeout=20))

    def send(self, request: Request) -> None:
        """Send something more."""
        self._requests.put(request)

    def received(self, count: int) -> list[types.ReceivedMessage]:
        """The next messages."""
        found: list[types.ReceivedMessage] = []
        while len(found) < count:
            found += next(self._answers).received_messages
        return found

    def end(self) -> None:
        """Half-close: nothing more will be sent. The server ends the stream."""
        self._requests.put(None)
        assert list(self._answers) == []


def publish(messenger: Messenger, *texts: str) -> None:
    """Publish messages."""
    messages = [types.PubsubMessage(data=text.encode()) for text in texts]
    messenger.publisher.publish(topic=messenger.topic("ticks"), messages=messages)


@contextlib.contextmanager
def soon(act: Callable[..., None], *what: object) -> Iterator[None]:
    """Do something while a stream waits; it is over when this ends, however slow the machine is."""
    timer = threading.Timer(0.05, act, what)
    timer.start()
    try:
        yield
    finally:
        timer.join()


def test_messages_arrive_are_acknowledged_and_come_again_on_the_stream(cloud: LocalCloud, messenger: Messenger) -> None:
    stream = Stream(messenger, max_outstanding_messages=2)
    with soon(publish, messenger, "one", "two", "three"):
        one, two = stream.received(2)
    assert [one.message.data, two.message.data] == [b"one", b"two"]
    stream.send(Request(ack_ids=[one.ack_id]))
    (three,) = stream.received(1)  # there is room for it now
    stream.send(Request(ack_ids=[three.ack_id], modify_deadline_ack_ids=[two.ack_id], modify_deadline_seconds=[0]))
    (again,) = stream.received(1)
    assert again.message.data == b"two"
    cloud.clock.advance(timedelta(seconds=61))  # its deadline passes
    (later,) = stream.received(1)
    stream.send(Request(ack_ids=[later.ack_id]))
    stream.end()
    assert not messenger.subscriber.pull(subscription=messenger.subscription("inbox"), max_messages=9).received_messages
    recorded = [call for call in cloud.server.calls if call.method.endswith("/StreamingPull")]
    assert [(call.code, call.request.subscription) for call in recorded] == [  # type: ignore[attr-defined]
        (grpc.StatusCode.OK, messenger.subscription("inbox"))
    ]


@pytest.mark.parametrize(
    ("first", "error"),
    [({"stream_ack_deadline_seconds": 5}, InvalidArgument), ({"subscription": "projects/p/subscriptions/x"}, NotFound)],
)
def test_what_a_stream_refuses(messenger: Messenger, first: dict[str, object], error: type[GoogleAPICallError]) -> None:
    with pytest.raises(error):
        Stream(messenger, **first).received(1)


def test_a_stream_fails_on_request_and_ends_with_its_subscription(cloud: LocalCloud, messenger: Messenger) -> None:
    cloud.server.fail("StreamingPull", grpc.StatusCode.UNAVAILABLE)
    with pytest.raises(GoogleAPICallError, match="injected UNAVAILABLE"):
        Stream(messenger).received(1)
    stream = Stream(messenger)
    with soon(messenger.delete), pytest.raises(NotFound):
        stream.received(1)


def test_seeking(cloud: LocalCloud, messenger: Messenger) -> None:
    messenger.subscribe("kept", retain_acked_messages=True)
    name = messenger.subscription("kept")
    for text in ("one", "two"):
        publish(messenger, text)
        cloud.clock.advance(timedelta(minutes=1))

    def pull() -> list[bytes]:
        received = messenger.subscriber.pull(subscription=name, max_messages=9).received_messages
        if received:
            messenger.subscriber.acknowledge(subscription=name, ack_ids=[one.ack_id for one in received])
        return [one.message.data for one in received]

    assert pull() == [b"one", b"two"]
    messenger.subscriber.seek(request={"subscription": name, "time": START + timedelta(seconds=30)})
    assert pull() == [b"two"]
    messenger.subscriber.seek(request={"subscription": name, "time": START})
    assert pull() == [b"one", b"two"]
    # Acknowledged messages of a subscription that does not retain them are gone; what waits is dropped by going on.
    inbox = messenger.subscription("inbox")
    messenger.subscriber.seek(request={"subscription": inbox, "time": cloud.clock.now()})
    assert not messenger.subscriber.pull(subscription=inbox, max_messages=9).received_messages
    messenger.subscriber.seek(request={"subscription": inbox, "time": START})
    assert not messenger.subscriber.pull(subscription=inbox, max_messages=9).received_messages
