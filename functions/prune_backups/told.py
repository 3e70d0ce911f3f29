"""Names, times and sizes as a person is told them. Names of objects may hold anything, and are made harmless."""

from datetime import UTC, datetime

LONGEST_NAME = 120


def shown(name: str) -> str:
    """A name as it can be printed anywhere: what is not printable is escaped, and what is too long is cut."""
    printable = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in name)
    return printable if len(printable) <= LONGEST_NAME else f"{printable[: LONGEST_NAME - 1]}…"


def told_time(moment: datetime) -> str:
    """A time in UTC, to the minute."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}Z"
