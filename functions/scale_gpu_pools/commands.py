"""What a person may ask of `scale_gpu_pools`."""

from datetime import datetime

import msgspec

from functions.scale_gpu_pools.settings import Settings
from shared.errors import IgnoredMessage
from shared.events import Command, in_utc


class Awake(Command, frozen=True, kw_only=True, tag="awake"):
    """Keep a pool on until a time, or all of them if none is named. A time that has gone by takes it back."""

    until: datetime
    pool: str = ""


class Off(Command, frozen=True, kw_only=True, tag="off"):
    """Keep a pool at zero until a time, or all of them if none is named. A time that has gone by takes it back."""

    until: datetime
    pool: str = ""


class Status(Command, frozen=True, tag="status"):
    """Say where things stand, and what was saved."""


def checked(command: Command, settings: Settings) -> Command:
    """The command, if it speaks of what the settings know. Raises ``IgnoredMessage`` with what would do."""
    if not isinstance(command, Awake | Off):
        return command
    if command.pool and command.pool not in settings.pools:
        raise IgnoredMessage(f"no pool is called {command.pool!r}: there are {', '.join(settings.pools) or 'none'}")
    return msgspec.structs.replace(command, until=in_utc(command.until, "until"))


def pools_of(command: Awake | Off, settings: Settings) -> list[str]:
    """The keys of the pools that a command is for."""
    return [command.pool] if command.pool else list(settings.pools)
