"""What is known of one secret when it is decided on, and what is decided."""

from collections.abc import Mapping
from typing import Any

import msgspec

from functions.rotate_secrets.changes import SecretChange
from functions.rotate_secrets.dependents import Aim
from functions.rotate_secrets.records import Occasion
from functions.rotate_secrets.saga import Saga
from functions.rotate_secrets.settings import Secret
from functions.rotate_secrets.world import ExistingSecret, World
from shared.clock import format_time
from shared.hours import ALWAYS
from shared.plan import Alert, Refusal

NOTHING = Saga()


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """What is to become of one secret."""

    change: SecretChange | None = None
    aim: Aim | None = None
    refusal: Refusal | None = None
    waiting: tuple[str, ...] = ()
    """What is in flight."""
    next: str = ""
    alerts: tuple[Alert, ...] = ()
    notices: tuple[str, ...] = ()


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """One secret, with all that decides about it."""

    key: str
    secret: Secret
    world: World
    occasion: Occasion

    @property
    def existing(self) -> ExistingSecret | None:
        """The secret as it is; None if it is not there."""
        return self.world.secrets.get(self.key)

    @property
    def here(self) -> ExistingSecret:
        """The secret as it is, where it is known to be there. Raises ``KeyError``."""
        return self.world.secrets[self.key]

    @property
    def saga(self) -> Saga:
        """Where it stands."""
        return (self.existing.saga if self.existing else None) or NOTHING

    @property
    def target(self) -> int:
        """The version that its dependents should serve with."""
        attempt = self.saga.attempt
        return attempt.version if attempt and not attempt.back and attempt.version else self.saga.current

    @property
    def is_open(self) -> bool:
        """Whether a maintenance window is open."""
        hours = self.occasion.settings.hours
        return (hours.window_at(self.occasion.now) if hours else ALWAYS) is not None

    @property
    def opens(self) -> str:
        """When the next maintenance window opens, in words."""
        hours = self.occasion.settings.hours
        window = hours.next_window(self.occasion.now) if hours else None
        return (
            f"when the maintenance window opens at {format_time(window.start)}"
            if window
            else "in no window of this year"
        )

    def words(self, field: str, before: str, after: str) -> Mapping[str, Any]:
        """What every change of this secret says."""
        name = self.secret.secret
        return {
            "target": name,
            "field": field,
            "before": before,
            "after": after,
            "scope": name,
            "existing": self.here,
        }

    def alert(self, kind: str, reason: str) -> Alert:
        """Something about this secret that a person must see."""
        return Alert(kind, self.key, reason)

    def refused(self, guard: str, reason: str) -> Outlook:
        """Nothing is done about this secret, and a person should look."""
        return Outlook(refusal=Refusal(self.secret.secret, guard, reason))
