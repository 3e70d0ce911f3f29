"""The trigger of a function: a Pub/Sub message, and the events that every automation knows."""

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Generic, TypeVar

import msgspec
from cloudevents.http import CloudEvent
from msgspec import Meta

from shared.decoding import converted
from shared.errors import IgnoredMessage

SENT_BY = "sent_by"
"""The attribute in which a command's sender names itself: Cloud Audit Logs has the proof."""
PLAN = "plan"
"""The attribute of a command that is only to be planned (``ASKED``), or to be carried out as planned (a checksum)."""
ASKED = "?"
TOPIC_SOURCE = "//pubsub.googleapis.com/"
A_YEAR_IN_SECONDS = 366 * 24 * 3600

MALFORMED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""The errors of decoding JSON that is invalid, of another type, or nested too deeply."""


class PubsubMessage(msgspec.Struct, frozen=True):
    """One message as it was published, with the full name of the topic that it was pushed from."""

    topic: str
    message_id: str
    published: datetime
    attributes: Mapping[str, str]
    data: bytes


class Tick(msgspec.Struct, frozen=True, tag="tick", forbid_unknown_fields=True):
    """Cloud Scheduler says that it is time to look; ``every_seconds`` is the period of its schedule."""

    every_seconds: Annotated[int, Meta(gt=0, le=A_YEAR_IN_SECONDS)]


class RestrictionsChanged(msgspec.Struct, frozen=True, tag="restrictions_changed", forbid_unknown_fields=True):
    """The spending restrictions in force have changed: a hint to look, not an order."""


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person asks for something. Only an automation's inbox carries commands."""


EventT_co = TypeVar("EventT_co", covariant=True)


class Dated(msgspec.Struct, Generic[EventT_co], frozen=True):
    """An event with the message that brought it: its id, and when it was published."""

    event: EventT_co
    message_id: str
    published: datetime


class _Envelope(msgspec.Struct, frozen=True):
    """The ``message`` of a Pub/Sub push, as functions-framework and Eventarc hand it on."""

    message_id: str = msgspec.field(name="messageId")
    publish_time: datetime = msgspec.field(name="publishTime")
    data: str = ""
    attributes: dict[str, str] = msgspec.field(default_factory=dict)


class _Push(msgspec.Struct, frozen=True):
    message: _Envelope


def read_message(cloud_event: CloudEvent) -> PubsubMessage:
    """The Pub/Sub message inside a CloudEvent, from our own push subscription or from Eventarc alike.

    Raises ``IgnoredMessage`` if the event carries no such message, or its data is not base64.
    """
    source = str(cloud_event["source"])
    try:
        envelope = converted(cloud_event.data, _Push).message
        data = base64.b64decode(envelope.data, validate=True)
    except (msgspec.ValidationError, binascii.Error) as error:
        raise IgnoredMessage(f"undecodable: the event carries no Pub/Sub message ({explain(error)})") from None
    return PubsubMessage(
        topic=source.removeprefix(TOPIC_SOURCE),
        message_id=envelope.message_id,
        published=in_utc(envelope.publish_time, "publishTime"),
        attributes=envelope.attributes,
        data=data,
    )


def in_utc(moment: datetime, name: str) -> datetime:
    """A moment that a message speaks of, in UTC, where one without a zone is taken to be.

    Raises ``IgnoredMessage`` with its name for one at the ends of the calendar, which UTC does not have.
    """
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise IgnoredMessage(f"malformed: {name} is out of range") from None


def inbox_of(automation: str) -> str:
    """The id of the topic that carries an automation's ticks and commands."""
    return f"caretaker-{automation.replace('_', '-')}"


def automation_of(inbox: str) -> str:
    """The automation that an inbox belongs to, by the topic's id or full name."""
    return inbox.rpartition("/")[2].removeprefix("caretaker-").replace("-", "_")


def is_from_inbox(message: PubsubMessage, automation: str) -> bool:
    """Whether a message came by the automation's own inbox, where publishing is authority to command."""
    return message.topic.endswith(f"/topics/{inbox_of(automation)}")


DecodedT = TypeVar("DecodedT")


def read_inbox(message: PubsubMessage, decoder: "msgspec.json.Decoder[DecodedT]") -> DecodedT:
    """The tick, command or other event of an inbox; ``decoder`` knows the union of those that it may carry.

    Raises ``IgnoredMessage`` if the data is none of them.
    """
    return decode(message.data, decoder)


def decode(data: bytes, decoder: "msgspec.json.Decoder[DecodedT]") -> DecodedT:
    """The value of some JSON. Raises ``IgnoredMessage`` for another type, without repeating what may be secret."""
    try:
        return decoder.decode(data)
    except MALFORMED as error:
        raise IgnoredMessage(f"malformed: {explain(error)}") from None


def explain(error: Exception) -> str:
    """The type that was expected of some JSON, and where, without repeating its content."""
    text = str(error)
    return (
        text
        if text.startswith(("Expected", "Object missing", "Number out of range"))
        else "not of a shape that is known here"
    )


class RerunRequested(msgspec.Struct, frozen=True):
    """The event of a run once another run has requested a rerun: everything, instead of its own."""


def is_superseded(event: object, published: datetime, now: datetime) -> bool:
    """Whether a tick is older than its period: a newer one is due, so a backlog need not replay."""
    return isinstance(event, Tick) and now - published > timedelta(seconds=event.every_seconds)
