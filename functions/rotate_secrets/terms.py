"""What a rotation needs from beginning to end, fixed when it begins: edited settings count for the next one."""

from datetime import datetime

import msgspec

from functions.rotate_secrets.rotation_state import NEVER
from functions.rotate_secrets.settings import Location, Secret


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """How a secret is rotated, and where its dependents are."""

    key: str
    """The owner's key of it, for reports."""
    secret: Secret
    locations: tuple[Location, ...]
    """Where dependents are looked for."""
    dependents: tuple[str, ...] = ()
    """The full names of those that could be moved when it began."""
    was_used: bool = False
    """Whether anything was known to use it then."""
    started: datetime = NEVER
    before: int = 0
    """The version that counted then; 0 if there was none."""
