"""The events published from GitHub's webhooks, which previews are managed by: only the fields that are needed.

A payload may be larger than Pub/Sub allows, and nearly all of it is not needed.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

TOPIC = "caretaker-pull-requests"
LONGEST_COMMAND = 200

Sha = Annotated[str, Meta(pattern=r"^[0-9a-f]{40}\Z")]
Number = Annotated[int, Meta(ge=1)]
Repository = Annotated[str, Meta(pattern=r"^[\w.-]+/[\w.-]+\Z", examples=["my-team/my-product"], max_length=200)]
Login = Annotated[str, Meta(min_length=1, max_length=100)]

PullRequestAction = Literal[
    "opened",
    "reopened",
    "synchronize",
    "closed",
    "labeled",
    "unlabeled",
    "converted_to_draft",
    "ready_for_review",
]


COMMAND = "/preview"


def command_on(body: str) -> str | None:
    """The command on the first line of a comment, as much of it as is looked at; None if there is none."""
    first_line = body.strip().partition("\n")[0].strip()
    return first_line[:LONGEST_COMMAND] if first_line.split(maxsplit=1)[:1] == [COMMAND] else None


class PullRequestEvent(msgspec.Struct, frozen=True, kw_only=True, tag="pull_request"):
    """Something has happened to a pull request: a hint to look, and for a label also whose word it was and on what."""

    repository: Repository
    number: Number
    action: PullRequestAction
    head_sha: Sha
    updated_at: datetime
    sender: Login
    label: Annotated[str, Meta(max_length=100)] = ""
    """The label that was set or taken away."""


class CommentCommand(msgspec.Struct, frozen=True, kw_only=True, tag="comment_command"):
    """A comment on a pull request whose first line is a command."""

    repository: Repository
    number: Number
    comment_id: int
    created_at: datetime
    author: Login
    command: Annotated[str, Meta(pattern=r"^/preview(\s|$)", max_length=LONGEST_COMMAND)]
    """The first line, such as ``/preview extend 24h``."""


GithubEvent = PullRequestEvent | CommentCommand
