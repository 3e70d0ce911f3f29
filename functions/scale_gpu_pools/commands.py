"""The commands of `scale_gpu_pools`."""

from datetime import datetime

import msgspec

from functions.scale_gpu_pools.settings import Settings
from shared.errors import IgnoredMessage
from shared.events import Command, in_utc


class Awake(Command, frozen=True, kw_only=True, tag="awake"):
    """Keep one pool, or all, on until a time. A time in the past cancels it."""

    until: datetime
    pool: str = ""


class Off(Command, frozen=True, kw_only=True, tag="off"):
    """Keep one pool, or all, at zero until a time. A time in the past cancels it."""

    until: datetime
    pool: str = ""


class Status(Command, frozen=True, tag="status"):
    """Show the state of each pool, and the savings."""


def checked(command: Command, settings: Settings) -> Command:
    """The command, if its pool is in the settings. Raises ``IgnoredMessage`` with the valid names."""
    if not isinstance(command, Awake | Off):
        return command
    if command.pool and command.pool not in settings.pools:
        raise IgnoredMessage(f"no pool is called {command.pool!r}: there are {', '.join(settings.pools) or 'none'}")
    return msgspec.structs.replace(command, until=in_utc(command.until, "until"))


def pools_of(command: Awake | Off, settings: Settings) -> list[str]:
    """The keys of the pools that a command is for."""
    return [command.pool] if command.pool else list(settings.pools)
