"""What `rotate_secrets` remembers: what it was asked, and when. Where a rotation stands is on the secret itself."""

from datetime import datetime
from typing import ClassVar

import msgspec

from functions.rotate_secrets.commands import RollBack, Rotate
from functions.rotate_secrets.settings import Settings
from shared import automation
from shared.events import Command, Dated, Tick


class SecretEvent(msgspec.Struct, frozen=True):
    """Secret Manager says that it is time to rotate a secret."""

    secret: str
    """In full, with its project's number."""


Event = Tick | SecretEvent | Command
Occasion = automation.RunContext[Settings, "Event", "Records"]


class Records(automation.Records, frozen=True, kw_only=True):
    """The document `records/rotate_secrets`."""

    incidental_fields: ClassVar[frozenset[str]] = frozenset(("started", "promoted", "promoted_before", "failed"))

    notified: dict[str, datetime] = {}
    """By full name, when Secret Manager last said so."""
    rotate: dict[str, datetime] = {}
    """By the owner's key, when a person last asked for a new value."""
    roll_back: dict[str, datetime] = {}
    """By the owner's key, when a person last asked for the one before."""


def fold(records: Records, event: Dated[Event], settings: Settings) -> Records:
    """The records with what the event says: the newest word of each sort counts, in whatever order they come."""
    at = event.published
    match event.event:
        case SecretEvent(secret):
            return msgspec.structs.replace(records, notified=_newest(records.notified, [secret], at))
        case Rotate(secret=secret):
            keys = [secret] if secret else list(settings.secrets)
            return msgspec.structs.replace(records, rotate=_newest(records.rotate, keys, at))
        case RollBack(secret=secret):
            return msgspec.structs.replace(records, roll_back=_newest(records.roll_back, [secret], at))
    return records


def _newest(known: dict[str, datetime], keys: list[str], at: datetime) -> dict[str, datetime]:
    return dict(sorted((known | {key: max(at, known.get(key, at)) for key in keys}).items()))
