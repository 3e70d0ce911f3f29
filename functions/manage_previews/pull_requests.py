"""The edge to GitHub: pull requests, permissions, the one comment, deployments."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Literal
from urllib.parse import quote

import msgspec

from functions.manage_previews.changes import (
    CommentWritten,
    CreateDeployment,
    DeleteEnvironment,
    DeploymentReported,
    EnvironmentDeleted,
    Gone,
    SetDeploymentStatus,
    WriteComment,
)
from functions.manage_previews.messages import MARKER, EnvironmentsStay
from functions.manage_previews.names import parts_of
from functions.manage_previews.records import Deployed, DeploymentState
from functions.manage_previews.world import FoundComment, FoundDeployment, PullRequest
from shared.clients import Clients
from shared.errors import Refused, in_words
from shared.github import Author, ByApp, GitHub, is_refused_for_good
from shared.github_events import CommentCommand, Sha, command_on

CAN_WRITE = frozenset(("admin", "write"))
"""GitHub answers ``write`` for the role ``maintain`` too: https://docs.github.com/rest/collaborators/collaborators."""
DESCRIPTION = "A preview of the pull request"


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


class DeploymentAnswer(msgspec.Struct, frozen=True):
    """A deployment."""

    id: int
    sha: str


class DescribedDeployment(msgspec.Struct, frozen=True):
    """A deployment, as far as it shows by whom it was made."""

    description: str | None = None
    transient_environment: bool = False


class StatusAnswer(msgspec.Struct, frozen=True):
    """One word on a deployment's way."""

    state: str


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
    from google.api_core.exceptions import NotFound

    path = f"/repos/{repository}/collaborators/{quote(login, safe='')}/permission"
    try:
        return github.get(path, PermissionAnswer).permission in CAN_WRITE
    except NotFound:
        return False


def command_in(repository: str, comment_id: int, github: GitHub) -> CommentCommand | None:
    """The command in a comment, as GitHub has it now."""
    from google.api_core.exceptions import NotFound

    try:
        answer = github.get(f"/repos/{repository}/issues/comments/{comment_id}", SaidAnswer)
    except NotFound:
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


def find_deployment(key: str, environment: str, known: Deployed, github: GitHub) -> FoundDeployment | None:
    """The deployment of a commit in an environment, with its last status."""
    from google.api_core.exceptions import NotFound

    path = f"/repos/{parts_of(key)[0]}/deployments"
    if known.id:
        found = [DeploymentAnswer(known.id, known.sha)]
    else:
        found = github.get(path, list[DeploymentAnswer], {"environment": environment, "sha": known.sha})
    with suppress(NotFound):  # deleted by someone else
        for answer in found[:1]:  # the newest
            statuses = github.get(f"{path}/{answer.id}/statuses", list[StatusAnswer], {"per_page": "1"})
            return FoundDeployment(answer.id, answer.sha, _state(statuses))
    return None


def is_ours(key: str, environment: str, github: GitHub) -> bool:
    """Whether all deployments to an environment are ours; not, if GitHub does not show them to us."""
    from google.api_core.exceptions import GoogleAPICallError

    path = f"/repos/{parts_of(key)[0]}/deployments"
    try:
        found = github.list(path, DescribedDeployment, {"environment": environment})
    except GoogleAPICallError as error:
        if is_refused_for_good(error):
            return False
        raise
    return all(one.description == DESCRIPTION and one.transient_environment for one in found)


def write_comment(change: WriteComment, clients: Clients) -> CommentWritten:
    """Write the comment, or edit it in place; a deleted one is written again. Raises ``Refused``."""
    from google.api_core.exceptions import NotFound

    repository, number = parts_of(change.scope)
    github, body = GitHub(change.access, clients), {"body": change.text}
    with _refusals():
        if change.comment_id:
            path = f"/repos/{repository}/issues/comments/{change.comment_id}"
            with suppress(NotFound):  # deleted by someone else
                return _as_written(github.send("PATCH", path, body, CommentAnswer))
        return _as_written(github.send("POST", f"/repos/{repository}/issues/{number}/comments", body, CommentAnswer))


def _as_written(answer: CommentAnswer) -> CommentWritten:
    return CommentWritten(answer.id, answer.body)


def create_deployment(change: CreateDeployment, clients: Clients) -> DeploymentReported:
    """Report a deployment and its status, without requiring that checks have passed. Raises ``Refused``."""
    body: dict[str, str | bool | list[str]] = {
        "ref": change.sha,
        "environment": change.environment,
        "description": DESCRIPTION,
        "auto_merge": False,
        "required_contexts": [],
        "transient_environment": True,
        "production_environment": False,
    }
    github, path = GitHub(change.access, clients), f"/repos/{parts_of(change.scope)[0]}/deployments"
    with _refusals():
        made = github.send("POST", path, body, DeploymentAnswer)
        _set_status(github, f"{path}/{made.id}/statuses", change.state, change.url)
    return DeploymentReported(made.id, made.sha, change.state)


def set_deployment_status(change: SetDeploymentStatus, clients: Clients) -> DeploymentReported | Gone:
    """Report the status of a deployment. Raises ``Refused``."""
    from google.api_core.exceptions import NotFound

    path = f"/repos/{parts_of(change.scope)[0]}/deployments/{change.deployment_id}/statuses"
    try:
        with _refusals(NotFound):
            _set_status(GitHub(change.access, clients), path, change.state, change.url)
    except NotFound:
        return Gone()
    return DeploymentReported(change.deployment_id, change.sha, change.state)


def delete_environment(change: DeleteEnvironment, clients: Clients) -> EnvironmentDeleted:
    """Delete an environment; one that is gone already is as good. Raises ``Refused``."""
    from google.api_core.exceptions import NotFound

    path = f"/repos/{parts_of(change.scope)[0]}/environments/{quote(change.environment, safe='')}"
    try:
        with suppress(NotFound), _refusals(NotFound):
            GitHub(change.access, clients).delete(path)
    except Refused as refused:
        raise Refused(str(EnvironmentsStay(str(refused)))) from None
    return EnvironmentDeleted()


@contextmanager
def _refusals(*but: type[Exception]) -> Iterator[None]:
    """Raise ``Refused`` for what GitHub would refuse again, but for some errors."""
    from google.api_core.exceptions import GoogleAPICallError

    try:
        yield
    except GoogleAPICallError as error:
        if is_refused_for_good(error) and not isinstance(error, but):
            raise Refused(in_words(error)) from None
        raise


def _set_status(github: GitHub, path: str, state: DeploymentState, url: str) -> None:
    body: dict[str, str | bool | list[str]] = {"state": state, "description": DESCRIPTION, "auto_inactive": False}
    github.send("POST", path, body | ({"environment_url": url} if url else {}), StatusAnswer)


def _comment(repository: str, comment_id: int, github: GitHub) -> CommentAnswer | None:
    from google.api_core.exceptions import NotFound

    try:
        return github.get(f"/repos/{repository}/issues/comments/{comment_id}", CommentAnswer)
    except NotFound:
        return None


def _state(statuses: list[StatusAnswer]) -> DeploymentState | None:
    """The newest status; none of ours is as good as none at all."""
    known = {state.value: state for state in DeploymentState}
    return known.get(statuses[0].state) if statuses else None
