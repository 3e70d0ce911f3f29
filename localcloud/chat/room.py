"""A room that a webhook posts to."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

MOST = 60
WITHIN = timedelta(minutes=1)
"""One message a second on average, with short bursts: https://docs.slack.dev/apis/web-api/rate-limits and
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
    times: list[datetime] = field(default_factory=list)
    """The times they were posted."""

    def is_limited(self, now: datetime) -> bool:
        """Whether another message would be one too many."""
        self.times = [one for one in self.times if now - one < WITHIN]
        return len(self.times) >= MOST

    def add(self, message: dict[str, object], now: datetime) -> None:
        """Take a message."""
        self.messages.append(message)
        self.times.append(now)
