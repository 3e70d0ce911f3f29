"""The records of `rotate_secrets`: requests, and each rotation's terms until its old version is retired.

The state of a rotation is on the secret itself. A person's request is filed under the secret's full name: keys are
labels, and renaming one forgets nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Self

import msgspec

from functions.rotate_secrets.changes import AddVersion
from functions.rotate_secrets.commands import RollBack, Rotate
from functions.rotate_secrets.parse import Event, SecretEvent
from functions.rotate_secrets.rotation_state import NEVER
from functions.rotate_secrets.settings import Settings
from functions.rotate_secrets.terms import Terms
from shared import automation
from shared.debts import Debt
from shared.decision import Change
from shared.events import Dated

Context = automation.RunContext[Settings, Event, "Records"]


class Records(automation.Records, frozen=True, kw_only=True):
    """The document `records/rotate_secrets`."""

    incidental_fields: ClassVar[frozenset[str]] = frozenset(("started", "promoted", "promoted_before", "failed"))

    notified: dict[str, datetime] = {}
    """By full name with the project's number, when Secret Manager last reported that it is time."""
    rotate: dict[str, datetime] = {}
    """By full name, when a person last asked for a new value. (By key, in documents of earlier releases.)"""
    roll_back: dict[str, datetime] = {}
    """By full name, when a person last asked for the version before. (By key, in documents of earlier releases.)"""
    rotations: dict[str, Terms] = {}
    """By full name, the terms that a rotation began with, until the version before is retired."""

    def debts(self) -> tuple[Debt, ...]:
        """Every rotation that is under way, or whose old version is not retired."""
        return tuple(
            Debt(
                resource=name,
                field="version in use",
                original=str(terms.before) if terms.before else "none",
                applied="a newer one",
                held_by=(terms.key,),
                since=terms.started,
                undo=f"./deploy.sh send rotate_secrets roll_back --secret {terms.key}",
                asks_for={
                    "secrets": {"held": msgspec.to_builtins(terms.secret)},
                    "dependents_in": msgspec.to_builtins(terms.locations),
                },
            )
            for name, terms in self.rotations.items()
        )

    def before(self, changes: Sequence[Change]) -> Self:
        """The records with the terms of each rotation that begins."""
        begun = {
            change.existing.name: change.terms
            for change in changes
            if isinstance(change, AddVersion) and change.existing.name not in self.rotations
        }
        return msgspec.structs.replace(self, rotations={**self.rotations, **begun}) if begun else self


def requested(words: Mapping[str, datetime], secret: str, key: str) -> datetime:
    """The time of the last request for a secret."""
    return max(words.get(secret, NEVER), words.get(key, NEVER))


def fold(records: Records, event: Dated[Event], settings: Settings) -> Records:
    """The records with what the event says: the newest of each sort counts, in any order of arrival."""
    at = event.published
    match event.event:
        case SecretEvent(secret):
            return msgspec.structs.replace(records, notified=_newest(records.notified, [secret], at))
        case Rotate(secret=key):
            keys = [key] if key else settings.secrets
            names = [settings.secrets[one].secret for one in keys]
            return msgspec.structs.replace(records, rotate=_newest(records.rotate, names, at))
        case RollBack(secret=key):
            names = [settings.secrets[key].secret]
            return msgspec.structs.replace(records, roll_back=_newest(records.roll_back, names, at))
    return records


def _newest(known: dict[str, datetime], names: list[str], at: datetime) -> dict[str, datetime]:
    return dict(sorted((known | {name: max(at, known.get(name, at)) for name in names}).items()))
