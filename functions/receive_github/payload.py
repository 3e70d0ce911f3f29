"""GitHub's payloads, as far as they are looked at, and what is published of them."""

from datetime import datetime
from typing import Annotated, TypeVar, get_args

import msgspec
from msgspec import Meta

from shared.decoding import converted, decoder_of
from shared.errors import IgnoredMessage
from shared.events import decode, explain, in_utc
from shared.github_events import CommentCommand, GithubEvent, PullRequestAction, PullRequestEvent, command_on

ACTIONS = frozenset(get_args(PullRequestAction))
"""Of the event ``pull_request``, what previews depend on."""

Id = Annotated[int, Meta(ge=1, le=2**63 - 1)]
"""An id or a number of GitHub's. JSON has longer ones, and msgspec does not write them."""

PublishedT = TypeVar("PublishedT", PullRequestEvent, CommentCommand)


class Account(msgspec.Struct, frozen=True):
    """The user who did something."""

    login: str


class Repository(msgspec.Struct, frozen=True):
    """The repository of the event."""

    full_name: str


class Commit(msgspec.Struct, frozen=True):
    """The head of a pull request."""

    sha: str


class PullRequest(msgspec.Struct, frozen=True):
    """A pull request."""

    number: Id
    updated_at: datetime
    head: Commit


class Label(msgspec.Struct, frozen=True):
    """A label."""

    name: str


class PullRequestPayload(msgspec.Struct, frozen=True):
    """The event ``pull_request``."""

    action: str
    pull_request: PullRequest
    repository: Repository
    sender: Account
    label: Label | None = None


class Comment(msgspec.Struct, frozen=True):
    """A comment."""

    id: Id
    body: str
    created_at: datetime
    user: Account | None
    """None if that account is no more."""


class Issue(msgspec.Struct, frozen=True):
    """An issue, or a pull request, which then says so."""

    number: Id
    pull_request: dict[str, object] | None = None


class CommentPayload(msgspec.Struct, frozen=True):
    """The event ``issue_comment``."""

    action: str
    issue: Issue
    comment: Comment
    repository: Repository


def read_payload(event: str, body: bytes) -> GithubEvent | None:
    """The part of a payload that is published; None if no automation subscribes to it.

    Raises ``IgnoredMessage`` if it is not what GitHub sends; what it said is not repeated.
    """
    if event == "pull_request":
        return _pull_request(decode(body, decoder_of(PullRequestPayload)))
    if event == "issue_comment":
        return _comment(decode(body, decoder_of(CommentPayload)))
    return None


def _pull_request(said: PullRequestPayload) -> PullRequestEvent | None:
    if said.action not in ACTIONS:
        return None
    return _checked(
        {
            "repository": said.repository.full_name,
            "number": said.pull_request.number,
            "action": said.action,
            "head_sha": said.pull_request.head.sha,
            "updated_at": in_utc(said.pull_request.updated_at, "updated_at"),
            "sender": said.sender.login,
            "label": said.label.name if said.label else "",
        },
        PullRequestEvent,
    )


def _comment(said: CommentPayload) -> CommentCommand | None:
    command = command_on(said.comment.body)
    is_new = command is not None and said.action == "created"
    if not is_new or said.issue.pull_request is None or said.comment.user is None:
        return None
    return _checked(
        {
            "repository": said.repository.full_name,
            "number": said.issue.number,
            "comment_id": said.comment.id,
            "created_at": in_utc(said.comment.created_at, "created_at"),
            "author": said.comment.user.login,
            "command": command,
        },
        CommentCommand,
    )


def _checked(fields: dict[str, object], type_: type[PublishedT]) -> PublishedT:
    """The published event, with every field of the shape that it must have."""
    try:
        return converted({"type": type_.__struct_config__.tag, **fields}, type_)
    except msgspec.ValidationError as error:
        raise IgnoredMessage(f"malformed: {explain(error)}") from None
