"""The one clock: the system's, or the local cloud's when an endpoint for it is set. And times in words."""

import os
from datetime import UTC, datetime

ENDPOINT_VARIABLE = "CARETAKER_CLOCK_ENDPOINT"


def now(endpoint: str = "") -> datetime:
    """The time in UTC. A run reads it once, so that everything it decides belongs to one moment.

    ``CARETAKER_CLOCK_ENDPOINT``, or the argument, names an HTTP address that answers a time in ISO 8601.
    """
    endpoint = endpoint or os.environ.get(ENDPOINT_VARIABLE, "")
    if not endpoint:
        return datetime.now(UTC)
    from urllib.request import urlopen

    with urlopen(endpoint, timeout=10) as answer:
        return datetime.fromisoformat(answer.read().decode()).astimezone(UTC)


def format_time(moment: datetime) -> str:
    """A time for people, to the minute: ``2026-11-28 09:00 UTC``."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
