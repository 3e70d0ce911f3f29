"""The trigger of a function: one message, however it is wrapped."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from cloudevents.http import CloudEvent

from shared.errors import IgnoredMessage
from shared.events import (
    Command,
    PubsubMessage,
    RestrictionsChanged,
    Tick,
    inbox_of,
    is_from_inbox,
    is_superseded,
    read_inbox,
    read_message,
)

NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)
TOPIC = "projects/p/topics/t"
PUSH: dict[str, Any] = {
    "message": {
        "data": base64.b64encode(b"hello").decode(),
        "attributes": {"a": "b"},
        "messageId": "7",
        "message_id": "7",
        "publishTime": "2026-11-15T12:00:00.250Z",
        "publish_time": "2026-11-15T12:00:00.250Z",
        "orderingKey": "k",
    },
    "subscription": "projects/p/subscriptions/s",
    "deliveryAttempt": 3,
}


def an_event(data: object, source: str = f"//pubsub.googleapis.com/{TOPIC}") -> CloudEvent:
    """A CloudEvent around this data."""
    return CloudEvent({"type": "google.cloud.pubsub.topic.v1.messagePublished", "source": source}, data)


def a_push(**changes: object) -> dict[str, object]:
    """A push whose message is changed so; None takes a field away."""
    message = PUSH["message"] | changes
    return PUSH | {"message": {key: value for key, value in message.items() if value is not None}}


def test_a_push() -> None:
    published = NOON + timedelta(milliseconds=250)
    assert read_message(an_event(PUSH)) == PubsubMessage(TOPIC, "7", published, {"a": "b"}, b"hello")


def test_what_may_be_left_out() -> None:
    message = read_message(an_event(a_push(data=None, attributes=None)))
    assert (message.data, message.attributes) == (b"", {})


@pytest.mark.parametrize(
    ("text", "published"),
    [
        ("2026-11-15T12:00:00Z", NOON),
        ("2026-11-15T12:00:00+00:00", NOON),
        ("2026-11-15T14:00:00+02:00", NOON),
        ("2026-11-15T12:00:00", NOON),
        ("2026-11-15T12:00:00.000000400Z", NOON),
        ("2026-11-15T12:00:00.123456789Z", NOON + timedelta(microseconds=123457)),
    ],
)
def test_the_time_of_publication(text: str, published: datetime) -> None:
    message = read_message(an_event(a_push(publishTime=text)))
    assert (message.published, message.published.tzinfo) == (published, UTC)


@pytest.mark.parametrize(
    "data",
    [
        None,
        b"bytes",
        "text",
        [],
        {},
        {"message": None},
        {"message": []},
        a_push(messageId=None),
        a_push(messageId=7),
        a_push(publishTime=None),
        a_push(publishTime="yesterday"),
        a_push(publishTime=1794744000),
        a_push(data="!"),
        a_push(data="aGVsbG8"),
        a_push(data=5),
        a_push(attributes={"a": 1}),
        a_push(attributes=[]),
    ],
)
def test_what_carries_no_message_is_ignored(data: object) -> None:
    with pytest.raises(IgnoredMessage, match=r"^undecodable: the event carries no Pub/Sub message"):
        read_message(an_event(data))


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_time_beyond_the_calendar_is_ignored(text: str) -> None:
    with pytest.raises(IgnoredMessage, match=r"^malformed: publishTime is out of range"):
        read_message(an_event(a_push(publishTime=text)))


@pytest.mark.parametrize(
    ("topic", "is_inbox"),
    [
        ("projects/p/topics/caretaker-scale-gpu-pools", True),
        ("projects/q/topics/caretaker-scale-gpu-pools", True),
        ("projects/p/topics/caretaker-scale-gpu-pools-2", False),
        ("projects/p/topics/my-caretaker-scale-gpu-pools", False),
        ("projects/p/topics/caretaker-cap-spending", False),
        ("projects/p/subscriptions/caretaker-scale-gpu-pools", False),
        ("caretaker-scale-gpu-pools", False),
        ("", False),
    ],
)
def test_the_inbox_is_known_by_its_topic(topic: str, *, is_inbox: bool) -> None:
    message = PubsubMessage(topic, "1", NOON, {}, b"")
    assert is_from_inbox(message, "scale_gpu_pools") is is_inbox
    assert inbox_of("scale_gpu_pools") == "caretaker-scale-gpu-pools"


class Wave(Command, frozen=True, tag="wave"):
    """A command for the tests."""

    to: str = ""


DECODER = msgspec.json.Decoder(Tick | RestrictionsChanged | Wave)


@pytest.mark.parametrize(
    ("data", "event"),
    [
        (b'{"type": "tick", "every_seconds": 600}', Tick(every_seconds=600)),
        (b' {"every_seconds": 1, "type": "tick"} ', Tick(every_seconds=1)),
        (b'{"type": "restrictions_changed"}', RestrictionsChanged()),
        (b'{"type": "wave", "to": "you"}', Wave(to="you")),
    ],
)
def test_what_an_inbox_carries(data: bytes, event: object) -> None:
    assert read_inbox(PubsubMessage(TOPIC, "1", NOON, {}, data), DECODER) == event


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not of a shape that is known here"),
        (b"\xff", "not of a shape that is known here"),
        (b'{"type": "canary"}', "not of a shape that is known here"),
        (b'{"type": "wave", "canary": 1}', "not of a shape that is known here"),
        (b'{"type": "wave", "to": 7}', "Expected `str`, got `int` - at `$.to`"),
        (b'{"type": "tick", "every_seconds": -600}', "Expected `int` >= 1 - at `$.every_seconds`"),
        (b'{"type": "tick", "every_seconds": 1e999}', "Number out of range - at `$.every_seconds`"),
        (b"{}", "Object missing required field `type`"),
        (b"[" * 100_000, "Expected `object`, got `array`"),
        (b'{"type": "wave", "x": ' + b"[" * 100_000, "not of a shape that is known here"),
    ],
)
def test_what_an_inbox_does_not_carry_is_ignored_and_not_repeated(data: bytes, why: str) -> None:
    with pytest.raises(IgnoredMessage) as ignored:
        read_inbox(PubsubMessage(TOPIC, "1", NOON, {}, data), DECODER)
    assert str(ignored.value) == f"malformed: {why}"
    assert "canary" not in str(ignored.value)


@pytest.mark.parametrize(("age", "expected"), [(-60, False), (0, False), (600, False), (601, True), (86400, True)])
def test_a_tick_is_superseded_when_it_is_older_than_its_period(age: int, *, expected: bool) -> None:
    published = NOON - timedelta(seconds=age)
    assert is_superseded(Tick(every_seconds=600), published, NOON) is expected
    assert is_superseded(RestrictionsChanged(), published, NOON) is False
    assert is_superseded(Wave(), published, NOON) is False
