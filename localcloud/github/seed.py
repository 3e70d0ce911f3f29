"""The part of a world that is GitHub's: its types, and how they are created."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import msgspec

from localcloud.core.world_place import Place
from localcloud.github.state import CLOSED, Head

if TYPE_CHECKING:
    from localcloud.github.service import GitHub

Id = Annotated[int, msgspec.Meta(ge=1)]
Sha = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{40}$")]
FullName = Annotated[str, msgspec.Meta(pattern=r"^[\w.-]+/[\w.-]+$")]


class Role(StrEnum):
    """A collaborator's permission."""

    ADMIN = "admin"
    MAINTAIN = "maintain"
    WRITE = "write"
    TRIAGE = "triage"
    READ = "read"
    NONE = "none"


class Level(StrEnum):
    """A token's access level to one kind of resource."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


class DeploymentState(StrEnum):
    """The state of a deployment."""

    ERROR = "error"
    FAILURE = "failure"
    INACTIVE = "inactive"
    IN_PROGRESS = "in_progress"
    QUEUED = "queued"
    PENDING = "pending"
    SUCCESS = "success"


class PullRequestState(StrEnum):
    """Whether a pull request is open."""

    OPEN = "open"
    CLOSED = "closed"


class Comment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A comment on a pull request; GitHub chooses ids, which events may refer to."""

    login: str
    body: str
    id: Id | None = None
    created_at: datetime | None = None


class Deployment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A deployment that someone made, with its latest status."""

    environment: str
    sha: Sha
    login: str = "octocat"
    state: DeploymentState = DeploymentState.SUCCESS
    environment_url: str = ""


class PullRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pull request; with a ``head_repository`` it comes from that fork."""

    head_sha: Sha
    head_ref: str = "topic"
    head_repository: str = ""
    login: str = "octocat"
    title: str = "A change"
    draft: bool = False
    labels: list[str] = []
    state: PullRequestState = PullRequestState.OPEN
    comments: list[Comment] = []


class Hook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A webhook of a repository."""

    url: str
    secret: str


class Repository(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A repository on GitHub: its collaborators by login, its pull requests by number, deployments of others."""

    private: bool = True
    default_branch: str = "main"
    permissions: dict[str, Role] = {}
    pull_requests: dict[Id, PullRequest] = {}
    deployments: list[Deployment] = []
    hooks: dict[Id, Hook] = {}
    """By id, which GitHub chooses and here is said."""


class Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token: for all repositories and with all permissions, unless they are said."""

    login: str
    repositories: list[FullName] | None = None
    permissions: dict[str, Level] | None = None
    expires_at: datetime | None = None


class Installation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An app's installation, on all repositories by default, and its permissions there."""

    permissions: dict[str, Level]
    repositories: list[FullName] | None = None


class App(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A GitHub App; ``public_key`` (PEM) verifies what it signs."""

    public_key: str
    client_id: str = ""
    slug: str = "caretaker"
    installations: dict[Id, Installation] = {}


class GitHubWorld(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The state of GitHub: repositories by full name, tokens by value, apps by id."""

    repositories: dict[FullName, Repository] = {}
    tokens: dict[str, Token] = {}
    apps: dict[Id, App] = {}


def add_to_github(github: "GitHub", place: Place, world: GitHubWorld) -> None:
    """Create repositories with their pull requests, tokens, and apps."""
    for full_name, repository in world.repositories.items():
        with place.key("repositories", full_name):
            github.add_repository(full_name, private=repository.private, default_branch=repository.default_branch)
        for hook_id, hook in repository.hooks.items():
            github.add_hook(full_name, hook.url, hook.secret, hook_id=hook_id)
        for login, role in repository.permissions.items():
            github.set_permission(full_name, login, role)
    for full_name, repository in world.repositories.items():
        for number, pull in repository.pull_requests.items():
            with place.key("repositories", full_name, "pull_requests", number):
                _open(github, full_name, number, pull)
        for index, one in enumerate(repository.deployments):
            with place.key("repositories", full_name, f"deployments[{index}]"):
                github.deploy(
                    full_name,
                    one.environment,
                    one.sha,
                    login=one.login,
                    state=one.state,
                    environment_url=one.environment_url,
                )
    for value, token in world.tokens.items():
        github.add_token(
            value,
            token.login,
            repositories=token.repositories,
            permissions=token.permissions,
            expires_at=token.expires_at,
        )
    for app_id, app in world.apps.items():
        github.add_app(app_id, app.public_key, client_id=app.client_id, slug=app.slug)
        for installation_id, installed in app.installations.items():
            github.add_installation(
                installation_id, app_id, repositories=installed.repositories, permissions=installed.permissions
            )


def _open(github: "GitHub", full_name: str, number: int, pull: PullRequest) -> None:
    github.open_pull_request(
        full_name,
        number,
        Head(pull.head_sha, pull.head_ref, pull.head_repository),
        login=pull.login,
        title=pull.title,
        draft=pull.draft,
        labels=pull.labels,
    )
    for comment in pull.comments:
        comment_id = github.comment(full_name, number, comment.login, comment.body)
        github.identify_comment(full_name, comment_id, comment.id, comment.created_at)
    if pull.state == CLOSED:
        github.close(full_name, number)
