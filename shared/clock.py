"""The one clock: the system's, or the local cloud's when an endpoint for it is set. And times in words."""

import functools
import os
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.connections import Connections

ENDPOINT_VARIABLE = "CARETAKER_CLOCK_ENDPOINT"


def now(endpoint: str = "") -> datetime:
    """The time in UTC. A run reads it once, so that everything it decides belongs to one moment.

    ``CARETAKER_CLOCK_ENDPOINT``, or the argument, names an HTTP address that answers a time in ISO 8601. Raises
    ``RuntimeError`` if it answers anything else, and ``urllib3.exceptions.HTTPError`` if nothing.
    """
    endpoint = endpoint or os.environ.get(ENDPOINT_VARIABLE, "")
    if not endpoint:
        return datetime.now(UTC)
    answer = _connections().send("GET", endpoint, None, {})
    if answer.status != HTTPStatus.OK:
        raise RuntimeError(f"{endpoint} does not answer the time, but {answer.status}")
    return datetime.fromisoformat(answer.content.decode()).astimezone(UTC)


@functools.cache
def _connections() -> "Connections":
    """They are kept open, as every run asks for the time."""
    from shared.connections import Connections

    return Connections.to_endpoint(size=8, timeout=10)


def format_time(moment: datetime) -> str:
    """A time for people, to the minute: ``2026-11-28 09:00 UTC``."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
