"""A room that a webhook posts to."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

MOST_OFTEN = timedelta(seconds=1)
"""Both products take about one message a second from a webhook; https://docs.slack.dev/apis/web-api/rate-limits and
https://developers.google.com/workspace/chat/limits"""


@dataclass
class Room:
    """A channel or a space."""

    key: str = ""
    token: str = ""
    """Of Google Chat's webhook."""
    is_archived: bool = False
    messages: list[dict[str, object]] = field(default_factory=list)
    """As they were posted, oldest first."""
    by_request: dict[str, dict[str, object]] = field(default_factory=dict)
    """By Google Chat's ``requestId``, the message that was answered."""
    newest: datetime | None = None

    def is_limited(self, now: datetime) -> bool:
        """Whether another message would come too soon."""
        return self.newest is not None and now - self.newest < MOST_OFTEN

    def add(self, message: dict[str, object], now: datetime) -> None:
        """Take a message."""
        self.messages.append(message)
        self.newest = now
