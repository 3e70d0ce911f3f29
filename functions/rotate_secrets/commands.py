"""The commands of `rotate_secrets`."""

from functions.rotate_secrets.settings import Settings
from shared.errors import IgnoredMessage
from shared.events import Command


class Rotate(Command, frozen=True, kw_only=True, tag="rotate"):
    """Rotate one secret, or all, now, without waiting for the grace period of the previous version."""

    secret: str = ""


class RollBack(Command, frozen=True, kw_only=True, tag="roll_back"):
    """Roll back the rotation in progress, or return to the previous version while it is accessible."""

    secret: str


class Status(Command, frozen=True, tag="status"):
    """Show the state of each secret."""


def checked(command: Command, settings: Settings) -> Command:
    """The command, if its secret is in the settings. Raises ``IgnoredMessage`` with the valid names."""
    named = command.secret if isinstance(command, (Rotate, RollBack)) else ""
    if named and named not in settings.secrets:
        raise IgnoredMessage(f"no secret is called {named!r}: there are {', '.join(settings.secrets) or 'none'}")
    return command
