"""Moments, as people are told of them."""

from datetime import UTC, datetime


def told(moment: datetime) -> str:
    """A moment in words, to the minute."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
