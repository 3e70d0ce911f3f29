"""The commands of `prune_backups`."""

from datetime import datetime

import msgspec

from functions.prune_backups.settings import Settings, TimeFrom
from shared.errors import IgnoredMessage
from shared.events import Command, in_utc


class Prune(Command, frozen=True, tag="prune"):
    """Prune now, without waiting for the tick."""


class Restore(Command, frozen=True, kw_only=True, tag="restore"):
    """Restore what was deleted in one set, or all, since a time, and delete nothing there until another time.

    An ``until`` that has gone by takes it back.
    """

    deleted_since: datetime
    until: datetime
    set: str = ""


class Retire(Command, frozen=True, kw_only=True, tag="retire"):
    """A group of a set gets no more backups: stop checking the age of its newest. A later backup cancels it.

    The rules still apply to what it has, so what they keep stays. ``retired: false`` takes it back.
    """

    set: str
    group: str = ""
    """Empty for a set without groups."""
    retired: bool = True


class Status(Command, frozen=True, tag="status"):
    """List the backups that stay, and why."""


def checked(command: Command, settings: Settings) -> Command:
    """The command, if it names a set of the settings. Raises ``IgnoredMessage`` with what is expected."""
    if not isinstance(command, Restore | Retire):
        return command
    if command.set not in settings.sets and (command.set or isinstance(command, Retire)):
        raise IgnoredMessage(f"no set is called {command.set!r}: there are {', '.join(settings.sets) or 'none'}")
    if isinstance(command, Retire):
        return command
    if not sets_of(command, settings):
        raise IgnoredMessage(
            f"{command.set or 'every set'}: a restored object has a new time of creation. Where names tell no other it "
            "would count as the newest backup: restore it under another prefix, as the README shows"
        )
    return msgspec.structs.replace(
        command,
        deleted_since=in_utc(command.deleted_since, "deleted_since"),
        until=in_utc(command.until, "until"),
    )


def sets_of(command: Restore, settings: Settings) -> list[str]:
    """The keys of the sets that a command is for; of those whose names have no time, none can be restored."""
    return [key for key, one in settings.sets.items() if command.set in ("", key) and one.time_from is TimeFrom.NAME]
