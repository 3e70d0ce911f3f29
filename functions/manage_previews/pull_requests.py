"""The edge to GitHub: pull requests, permissions, the one comment."""

from contextlib import suppress
from datetime import datetime
from typing import Literal
from urllib.parse import quote

import msgspec

from functions.manage_previews.changes import CommentWritten, WriteComment
from functions.manage_previews.messages import MARKER
from functions.manage_previews.names import parts_of
from functions.manage_previews.refusals import refusing
from functions.manage_previews.world import FoundComment, PullRequest
from shared.clients import Clients
from shared.errors import not_found_errors
from shared.github import Author, ByApp, GitHub
from shared.github_events import CommentCommand, Sha, command_on

CAN_WRITE = frozenset(("admin", "write"))
"""GitHub answers ``write`` for the role ``maintain`` too: https://docs.github.com/rest/collaborators/collaborators."""


class Repository(msgspec.Struct, frozen=True):
    """A repository, by its id."""

    id: int


class NamedRepository(Repository, frozen=True):
    """A repository with its name."""

    full_name: str


class Head(msgspec.Struct, frozen=True):
    """The head of a pull request; no repository, if that has been deleted."""

    sha: Sha
    repo: Repository | None


class Base(msgspec.Struct, frozen=True):
    """The base of a pull request."""

    repo: NamedRepository


class Label(msgspec.Struct, frozen=True):
    """A label."""

    name: str


class PullAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """GitHub's answer, as far as it is looked at: https://docs.github.com/rest/pulls/pulls."""

    number: int
    state: Literal["open", "closed"]
    draft: bool = False
    labels: tuple[Label, ...]
    head: Head
    base: Base

    def as_pull_request(self, repository: str) -> PullRequest:
        """As the plan knows it."""
        is_fork = self.head.repo is None or self.head.repo.id != self.base.repo.id
        return PullRequest(
            repository=repository,
            number=self.number,
            is_open=self.state == "open",
            is_draft=self.draft,
            is_fork=is_fork,
            labels=tuple(label.name for label in self.labels),
            head_sha=self.head.sha,
            full_name=self.base.repo.full_name,
        )


class PermissionAnswer(msgspec.Struct, frozen=True):
    """A collaborator's permission."""

    permission: str


class CommentAnswer(msgspec.Struct, frozen=True):
    """A comment."""

    id: int
    body: str = ""
    user: Author | None = None
    performed_via_github_app: ByApp | None = None


class SaidAnswer(msgspec.Struct, frozen=True):
    """A comment as far as a command is in it."""

    id: int
    body: str
    created_at: datetime
    issue_url: str
    user: Author | None = None

    def as_command(self, repository: str) -> CommentCommand | None:
        """The command on its first line, if there is one."""
        command = command_on(self.body)
        number = self.issue_url.rpartition("/")[2]
        if command is None or self.user is None or not number.isdecimal():
            return None
        return CommentCommand(
            repository=repository,
            number=int(number),
            comment_id=self.id,
            created_at=self.created_at,
            author=self.user.login,
            command=command,
        )


def open_pull_requests(repository: str, github: GitHub) -> list[PullRequest]:
    """All open pull requests of a repository, a hundred to a page.

    One that slips from one page to another, because a third was closed meanwhile, is missed: what there is of it
    has it asked for by itself.
    """
    query = {"state": "open", "sort": "created", "direction": "asc"}
    found = github.list(f"/repos/{repository}/pulls", PullAnswer, query)
    return [answer.as_pull_request(repository) for answer in found]


def pull_request(key: str, github: GitHub) -> PullRequest:
    """One pull request, open or closed. Raises ``NotFound``, which may be lost access."""
    repository, number = parts_of(key)
    return github.get(f"/repos/{repository}/pulls/{number}", PullAnswer).as_pull_request(repository)


def may_write(repository: str, login: str, github: GitHub) -> bool:
    """Whether a user has write access to a repository: GitHub answers 404 for an unknown user."""
    path = f"/repos/{repository}/collaborators/{quote(login, safe='')}/permission"
    try:
        return github.get(path, PermissionAnswer).permission in CAN_WRITE
    except not_found_errors():
        return False


def command_in(repository: str, comment_id: int, github: GitHub) -> CommentCommand | None:
    """The command in a comment, as GitHub has it now."""
    try:
        answer = github.get(f"/repos/{repository}/issues/comments/{comment_id}", SaidAnswer)
    except not_found_errors():
        return None
    return answer.as_command(repository)


def commands_since(repository: str, since: datetime, github: GitHub) -> tuple[CommentCommand, ...]:
    """The commands in comments that were written since a time, the oldest first."""
    query = {"since": f"{since:%Y-%m-%dT%H:%M:%SZ}", "sort": "created", "direction": "asc"}
    found = github.list(f"/repos/{repository}/issues/comments", SaidAnswer, query)
    commands = [answer.as_command(repository) for answer in found if answer.created_at >= since]
    return tuple(command for command in commands if command is not None)


def find_comment(key: str, known_id: int, github: GitHub) -> FoundComment | None:
    """The one comment of ours on a pull request: by its id, if that is known, else by the marker and who wrote it."""
    repository, number = parts_of(key)
    if known_id and (known := _comment(repository, known_id, github)):
        return FoundComment(known.id, known.body)
    for answer in github.list(f"/repos/{repository}/issues/{number}/comments", CommentAnswer):
        # Anybody can write the marker.
        if MARKER in answer.body and github.is_mine(answer.user, answer.performed_via_github_app):
            return FoundComment(answer.id, answer.body)
    return None


def write_comment(change: WriteComment, clients: Clients) -> CommentWritten:
    """Write the comment, or edit it in place; a deleted one is written again. Raises ``Refused``."""
    from google.api_core.exceptions import NotFound

    repository, number = parts_of(change.scope)
    github, body = GitHub(change.access, clients), {"body": change.text}
    with refusing():
        if change.comment_id:
            path = f"/repos/{repository}/issues/comments/{change.comment_id}"
            with suppress(NotFound):  # deleted by someone else
                return _as_written(github.send("PATCH", path, body, CommentAnswer))
        return _as_written(github.send("POST", f"/repos/{repository}/issues/{number}/comments", body, CommentAnswer))


def _as_written(answer: CommentAnswer) -> CommentWritten:
    return CommentWritten(answer.id, answer.body)


def _comment(repository: str, comment_id: int, github: GitHub) -> CommentAnswer | None:
    try:
        return github.get(f"/repos/{repository}/issues/comments/{comment_id}", CommentAnswer)
    except not_found_errors():
        return None
