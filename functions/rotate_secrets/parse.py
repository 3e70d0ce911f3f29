"""Parse messages: ticks and commands from the inbox, Secret Manager's notifications from the other topic."""

import re

import msgspec

from functions.rotate_secrets.commands import RollBack, Rotate, Status, checked
from functions.rotate_secrets.settings import Settings
from shared.decoding import decoder_of
from shared.errors import IgnoredMessage
from shared.events import Command, PubsubMessage, Tick, is_from_inbox, read_inbox

ROTATE, ADD = "SECRET_ROTATE", "SECRET_VERSION_ADD"
NOTIFICATIONS = "caretaker-secret-notifications"

_SECRET = re.compile(r"projects/[0-9]{1,20}/secrets/(?P<id>[A-Za-z0-9_-]{1,255})")


class SecretEvent(msgspec.Struct, frozen=True):
    """Secret Manager reports that it is time to rotate a secret."""

    secret: str
    """In full, with its project's number."""


class VersionAdded(msgspec.Struct, frozen=True):
    """Secret Manager reports that a version was added: by a person, or here."""

    secret: str
    """In full, with its project's number."""


Event = Tick | SecretEvent | VersionAdded | Command
Inbox = Tick | Rotate | RollBack | Status


def parse(message: PubsubMessage, settings: Settings) -> Event:
    """The message as a typed event. Raises ``IgnoredMessage`` for what can never succeed."""
    if is_from_inbox(message, "rotate_secrets"):
        event = read_inbox(message, decoder_of(Inbox))
        return checked(event, settings) if isinstance(event, Command) else event
    if not message.topic.endswith(f"/topics/{NOTIFICATIONS}"):
        raise IgnoredMessage(f"foreign: nothing is expected by the topic {message.topic}")
    return _notification(message, settings)


def _notification(message: PubsubMessage, settings: Settings) -> SecretEvent | VersionAdded:
    """See https://cloud.google.com/secret-manager/docs/event-notifications."""
    kind = message.attributes.get("eventType")
    if kind not in (ROTATE, ADD):
        raise IgnoredMessage(f"only {ROTATE} and {ADD} are of interest: leave others out by the subscription's filter")
    match = _SECRET.fullmatch(message.attributes.get("secretId", ""))
    if not match:
        raise IgnoredMessage("malformed: secretId is no name of a secret")
    names = {name for secret in settings.secrets.values() for name in secret.names}
    if match["id"] not in {name.rpartition("/")[2] for name in names}:
        raise IgnoredMessage("foreign: the settings name no secret of this id")
    return SecretEvent(match.string) if kind == ROTATE else VersionAdded(match.string)
