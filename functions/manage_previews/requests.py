"""The requests to a preview that the first line of a comment may hold. Pure."""

import re
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from shared.github_events import CommentCommand

_EXTENSION = re.compile(r"(?P<count>[1-9][0-9]{0,3})(?P<unit>[hd])")
_SHA = re.compile(r"[0-9a-f]{40}")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}


class Kind(StrEnum):
    """The kind of request."""

    START = "start"
    STOP = "stop"
    EXTEND = "extend"
    APPROVE = "approve"
    LABEL = "label"
    """The label that approves."""


NEAR_PUSH = timedelta(minutes=2)
"""A label that is set so soon after a push may be meant for the commit before it."""


class Request(msgspec.Struct, frozen=True):
    """A person's request: of two of the same kind, the later one counts."""

    at: datetime
    said: str
    """Its identity: a comment's id, or the label that was set, and when."""
    kind: Kind
    by: str
    """A login. It counts if that person may write to the repository."""
    sha: str = ""
    """The commit that is approved."""
    until: datetime | None = None
    """To when the preview is to be kept."""

    @property
    def comment_id(self) -> int:
        """Of the comment that says it; 0 for a label."""
        return int(self.said) if self.said.isdecimal() else 0

    def is_said_by(self, command: CommentCommand, longest: timedelta) -> bool:
        """Whether a comment asks for just this."""
        return any(
            (one.kind, one.by.lower(), one.sha, one.at.replace(microsecond=0))
            == (self.kind, self.by.lower(), self.sha, self.at.replace(microsecond=0))
            for one in read_requests(command, longest)
        )

    def is_near(self, pushed_at: datetime | None) -> bool:
        """Whether its commit was pushed shortly before, or after, or it is not known when."""
        return pushed_at is None or self.at - pushed_at < NEAR_PUSH

    def is_after(self, other: "Request | None") -> bool:
        """Whether it was said later than another one, or there is none. Of two of one moment the ids decide."""
        return other is None or (self.at, self.said) > (other.at, other.said)


def read_requests(command: CommentCommand, longest: timedelta) -> tuple[Request, ...]:
    """The requests in a comment: none, one, or start and approve together."""
    said, at, by = str(command.comment_id), command.created_at, command.author
    match command.command.split()[1:]:
        case []:
            return (Request(at, said, Kind.START, by),)
        case ["stop"]:
            return (Request(at, said, Kind.STOP, by),)
        case ["extend", length] if found := _EXTENSION.fullmatch(length):
            until = at + min(int(found["count"]) * _UNITS[found["unit"]], longest)
            return (Request(at, said, Kind.EXTEND, by, until=until),)
        case [sha] if _SHA.fullmatch(sha):
            return (Request(at, said, Kind.START, by), Request(at, said, Kind.APPROVE, by, sha=sha))
    return ()
