"""Parse messages by their topic: messages from GitHub or from a registry cannot command."""

from datetime import UTC, datetime, timedelta

import msgspec

from functions.manage_previews.events import Event, ImagePushed, Pause, Resume, Status
from functions.manage_previews.settings import Settings
from shared.decoding import decoder_of
from shared.errors import IgnoredMessage
from shared.events import PubsubMessage, RestrictionsChanged, Tick, decode, in_utc, is_from_inbox, read_inbox
from shared.github_events import TOPIC, CommentCommand, GithubEvent, PullRequestEvent

REGISTRY_TOPIC = "gcr"
"""The name that Artifact Registry demands."""

EARLIEST = datetime(2008, 1, 1, tzinfo=UTC)
"""GitHub is not older."""
CLOCK_SKEW = timedelta(days=1)
"""By how much GitHub's clock may be ahead of Pub/Sub's: far more than it is."""

Inbox = Tick | RestrictionsChanged | Pause | Resume | Status


def parse(message: PubsubMessage, settings: Settings) -> Event:
    """The message as a typed event. Raises ``IgnoredMessage`` for what can never succeed."""
    if is_from_inbox(message, "manage_previews"):
        command: Event = read_inbox(message, decoder_of(Inbox))
        return command
    topic = message.topic.rpartition("/")[2]
    if topic == REGISTRY_TOPIC:
        return decode(message.data, decoder_of(ImagePushed))
    if topic != TOPIC:
        raise IgnoredMessage(f"foreign: nothing is expected by the topic {message.topic}")
    event: PullRequestEvent | CommentCommand = decode(message.data, decoder_of(GithubEvent))
    known = settings.spelling_of(event.repository)
    if known is None:
        raise IgnoredMessage(f"foreign: {event.repository} is not in manage_previews.repositories")
    event = msgspec.structs.replace(event, repository=known)
    if isinstance(event, CommentCommand):
        return msgspec.structs.replace(event, created_at=_in_range(event.created_at, "created_at", message))
    return msgspec.structs.replace(event, updated_at=_in_range(event.updated_at, "updated_at", message))


def _in_range(moment: datetime, name: str, message: PubsubMessage) -> datetime:
    """The moment in UTC. Raises ``IgnoredMessage`` if GitHub cannot have written it: records would keep it."""
    moment = in_utc(moment, name)
    if not EARLIEST <= moment <= message.published + CLOCK_SKEW:
        raise IgnoredMessage(f"malformed: {name} is out of range")
    return moment
