"""The terms of a rotation, fixed when it starts: edited settings apply to the next one."""

from datetime import datetime

import msgspec

from functions.rotate_secrets.rotation_state import NEVER
from functions.rotate_secrets.settings import Location, Secret


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a rotation, and the locations of its dependents."""

    key: str
    """The owner's key of it, for reports."""
    secret: Secret
    locations: tuple[Location, ...]
    """The locations in which dependents are searched."""
    dependents: tuple[str, ...] = ()
    """The full names of those that could be moved when it began."""
    was_used: bool = False
    """Whether anything was known to use it then."""
    started: datetime = NEVER
    before: int = 0
    """The version that counted then; 0 if there was none."""
