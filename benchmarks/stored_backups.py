"""The backups that are pruned: where they are, and what they are called."""

from datetime import UTC, datetime, timedelta

BUCKET = "my-backups"
PREFIX = "shop/"
NAME = "{time:%Y%m%dT%H%M%S%z}.dump"
NOW = datetime(2026, 11, 15, 4, tzinfo=UTC)
A_MINUTE = timedelta(minutes=1)


def name_of(number: int) -> str:
    """The name of a backup, by its number from the newest: one a minute."""
    return f"{PREFIX}{NOW - (number + 1) * A_MINUTE:%Y%m%dT%H%M%SZ}.dump"
