"""What a person may ask of `rotate_secrets`."""

from functions.rotate_secrets.settings import Settings
from shared.errors import IgnoredMessage
from shared.events import Command


class Rotate(Command, frozen=True, kw_only=True, tag="rotate"):
    """Change a secret now, or all of them if none is named; the version before it is not waited for."""

    secret: str = ""


class RollBack(Command, frozen=True, kw_only=True, tag="roll_back"):
    """Take back the rotation that is under way; or go back to the version before, while that is still accessible."""

    secret: str


class Status(Command, frozen=True, tag="status"):
    """Say where things stand."""


def checked(command: Command, settings: Settings) -> Command:
    """The command, if it speaks of what the settings know. Raises ``IgnoredMessage`` with what would do."""
    named = command.secret if isinstance(command, (Rotate, RollBack)) else ""
    if named and named not in settings.secrets:
        raise IgnoredMessage(f"no secret is called {named!r}: there are {', '.join(settings.secrets) or 'none'}")
    return command
