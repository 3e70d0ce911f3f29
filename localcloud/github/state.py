"""The state of GitHub: users, repositories with their pull requests, deployments and webhooks; tokens and apps.

Logins and names of repositories are the same in capitals and small letters.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

OPEN, CLOSED = "open", "closed"


@dataclass
class User:
    """Someone with a login: a person, or an app's bot (``acme[bot]``)."""

    login: str
    id: int

    @property
    def kind(self) -> str:
        """GitHub's word for it."""
        return "Bot" if self.login.endswith("[bot]") else "User"


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The head of a pull request: a commit on a branch of a repository, its own if that is ""."""

    sha: str
    ref: str = "topic"
    repository: str = ""


@dataclass
class PullRequest:
    """A pull request; ``head_repository`` is "" when the fork that it came from has been deleted."""

    id: int
    number: int
    login: str
    title: str
    head_sha: str
    head_ref: str
    head_repository: str
    base_ref: str
    draft: bool
    labels: list[str]
    created_at: datetime
    updated_at: datetime
    locked: bool = False
    """Whether only people with write access may comment."""
    state: str = OPEN
    closed_at: datetime | None = None
    merged_at: datetime | None = None


@dataclass
class App:
    """A GitHub App, known by its id (or its client id), which signs with the private half of this key (PEM)."""

    id: int
    client_id: str
    slug: str
    public_key: str

    @property
    def login(self) -> str:
        """The login of the bot that acts for it."""
        return f"{self.slug}[bot]"


@dataclass
class Comment:
    """A comment on a pull request, written by a person or for an app."""

    id: int
    number: int
    login: str
    body: str
    created_at: datetime
    updated_at: datetime
    app: App | None = None


@dataclass
class DeploymentStatus:
    """One word on a deployment's way."""

    id: int
    login: str
    state: str
    description: str
    environment: str
    environment_url: str
    log_url: str
    created_at: datetime


@dataclass
class Deployment:
    """A deployment of a commit to an environment, and its statuses, the oldest first."""

    id: int
    login: str
    sha: str
    ref: str
    task: str
    payload: object
    environment: str
    description: str | None
    transient_environment: bool
    production_environment: bool
    created_at: datetime
    updated_at: datetime
    statuses: list[DeploymentStatus] = field(default_factory=list)


@dataclass
class Environment:
    """A target of deployments. The first deployment creates it, and the last does not delete it."""

    id: int
    name: str
    created_at: datetime


@dataclass
class Hook:
    """A repository's webhook. Its secret is never answered."""

    id: int
    url: str
    events: list[str]
    secret: str
    created_at: datetime
    updated_at: datetime
    content_type: str = "json"
    insecure_ssl: str = "0"


@dataclass
class Repository:
    """A repository. ``branches`` has the commit of each; ``commits`` is every one that can be asked for."""

    id: int
    full_name: str
    private: bool
    fork: bool
    default_branch: str
    created_at: datetime
    permissions: dict[str, str] = field(default_factory=dict)
    """GitHub's role names (admin, maintain, write, triage, read) by login in small letters."""
    branches: dict[str, str] = field(default_factory=dict)
    commits: set[str] = field(default_factory=set)
    pull_requests: dict[int, PullRequest] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    deployments: dict[int, Deployment] = field(default_factory=dict)
    environments: dict[str, Environment] = field(default_factory=dict)
    hooks: dict[int, Hook] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        """The login before the slash."""
        return self.full_name.partition("/")[0]

    @property
    def name(self) -> str:
        """The part after the slash."""
        return self.full_name.partition("/")[2]

    def sha_of(self, ref: str) -> str | None:
        """The commit that a branch name or a SHA refers to."""
        sha = self.branches.get(ref.removeprefix("refs/").removeprefix("heads/"))
        return sha or (ref if ref in self.commits else None)


@dataclass
class Token:
    """A token: whose it is, what it may do where (None means everything, everywhere), and how much it was used."""

    value: str
    login: str
    repositories: frozenset[str] | None = None
    """Full names in small letters."""
    permissions: Mapping[str, str] | None = None
    expires_at: datetime | None = None
    installation: "Installation | None" = None
    used: int = 0
    """Requests in the hour that ends at ``resets_at``."""
    resets_at: datetime | None = None

    def reaches(self, repository: Repository) -> bool:
        """Whether it may know of a repository."""
        limits = (self.repositories, self.installation.repositories if self.installation else None)
        return all(limit is None or repository.full_name.lower() in limit for limit in limits)


@dataclass
class Installation:
    """An app's installation, and its permissions there; no ``repositories`` means all."""

    id: int
    app: App
    repositories: frozenset[str] | None
    permissions: dict[str, str]


class State:
    """All of it, by what identifies each."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {}
        self.repositories: dict[str, Repository] = {}
        self.earlier_names: dict[str, Repository] = {}
        """By full name in small letters, repositories that were renamed or transferred."""
        self.tokens: dict[str, Token] = {}
        self.apps: dict[int, App] = {}
        self.installations: dict[int, Installation] = {}
        self._last_id = 0
        """A number, and no iterator: a snapshot puts it back, and futures that do the same get the same ids."""

    def new_id(self) -> int:
        """An id that nothing else has."""
        self._last_id += 1
        return self._last_id

    def user(self, login: str) -> User:
        """The user of this login, who is there from now on."""
        return self.users.setdefault(login.lower(), User(login, self.new_id()))

    def add_deployment(self, repository: Repository, deployment: Deployment) -> None:
        """Add a deployment, and the environment that it is made to."""
        repository.deployments[deployment.id] = deployment
        name = deployment.environment
        if name not in repository.environments:
            repository.environments[name] = Environment(self.new_id(), name, deployment.created_at)

    def repository(self, full_name: str) -> Repository:
        """A repository. Raises ``KeyError`` for an unknown one."""
        return self.repositories[full_name.lower()]


def names(repositories: Iterable[str] | None) -> frozenset[str] | None:
    """Full names as they are compared; None stays None."""
    return None if repositories is None else frozenset(one.lower() for one in repositories)
