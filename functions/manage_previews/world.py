"""The reads of `manage_previews`: pull requests, its own services, images, permissions, and its writes at GitHub."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from functions.manage_previews.names import key_of
from functions.manage_previews.records import Deployed, DeploymentState
from shared.github_access import GitHubAccess
from shared.github_events import CommentCommand
from shared.world import AnswerT_co, Need


class PullRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A pull request as GitHub reports it, without the text that people choose freely, except its labels."""

    repository: str
    number: int
    is_open: bool
    is_draft: bool = False
    is_fork: bool = False
    """Whether its commits come from another repository, or from one that is gone."""
    labels: tuple[str, ...] = ()
    head_sha: str
    full_name: str = ""
    """Of its repository as GitHub has it now: another one, if that was renamed or transferred."""

    @property
    def key(self) -> str:
        """Its name."""
        return key_of(self.repository, self.number)


class PreviewService(msgspec.Struct, frozen=True, kw_only=True):
    """A Cloud Run service that is a preview of ours."""

    name: str
    """In full."""
    sha: str
    digest: str
    template: str
    """A checksum of all else that it was made with."""
    etag: str
    uri: str
    in_flight: bool = False
    problem: str = ""
    """Why it is not ready, in Cloud Run's words."""
    since: datetime


class FoundComment(msgspec.Struct, frozen=True):
    """The one comment of ours on a pull request."""

    id: int
    text: str


class FoundDeployment(msgspec.Struct, frozen=True):
    """The newest deployment of ours for a preview, with its last status."""

    id: int
    sha: str
    state: DeploymentState | None


class ListedService(msgspec.Struct, frozen=True, kw_only=True):
    """A service of the region, and the preview that it would be if it is ours."""

    name: str
    is_ours: bool
    """Whether it has the labels of a preview."""
    number: int | None
    """Of the pull request that its labels name."""
    repository: str
    """The value of its annotation."""
    preview: PreviewService


class Lost(msgspec.Struct, frozen=True):
    """GitHub answers 404: it is not there, or is not shown to us."""

    why: str


class ServicesIn(Need[tuple[ListedService, ...]], frozen=True):
    """All services of ``projects/P/locations/R``."""

    parent: str


class GitHubNeed(Need[AnswerT_co], frozen=True):
    """Something to ask GitHub."""

    access: GitHubAccess

    @property
    def resource(self) -> str:
        """All but how it is asked."""
        return ", ".join(str(getattr(self, field)) for field in self.__struct_fields__ if field != "access")


class OpenPullRequests(GitHubNeed[tuple[PullRequest, ...] | Lost], frozen=True):
    """All open pull requests of a repository."""

    repository: str


class PullRequestOf(GitHubNeed[PullRequest | Lost], frozen=True):
    """One pull request, by key."""

    key: str


class MayWrite(GitHubNeed[bool], frozen=True):
    """Whether a person has write access to a repository."""

    repository: str
    login: str


class CommandIn(GitHubNeed[CommentCommand | None], frozen=True):
    """The command in a comment, as GitHub has it; None if there is no such comment, or no command in it."""

    repository: str
    comment_id: int


class CommandsSince(GitHubNeed[tuple[CommentCommand, ...]], frozen=True):
    """The commands in the comments of a repository that were written since a time."""

    repository: str
    since: datetime


class CommentOf(GitHubNeed[FoundComment | None], frozen=True):
    """The one comment of ours on a pull request; its id is 0 if that is not known."""

    key: str
    known_id: int


class DeploymentOf(GitHubNeed[FoundDeployment | None], frozen=True):
    """The newest deployment of ours in an environment, as it was recorded."""

    key: str
    environment: str
    known: Deployed


class IsOurs(GitHubNeed[bool], frozen=True):
    """Whether all deployments to an environment are of the preview of a pull request."""

    key: str
    environment: str


class DigestsOf(Need[dict[str, str]], frozen=True):
    """By place and tag, the digests of the tags of one image that are there."""

    place: str
    tags: tuple[str, ...]


AboutPullRequests = OpenPullRequests | PullRequestOf
PreviewNeed = (
    ServicesIn
    | DigestsOf
    | AboutPullRequests
    | MayWrite
    | CommandIn
    | CommandsSince
    | CommentOf
    | DeploymentOf
    | IsOurs
)


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """All that one look has answered, by pull request."""

    pull_requests: Mapping[str, PullRequest] = {}
    """By key: those that the event is about, open or closed."""
    lost: Mapping[str, str] = {}
    """By key, why nothing is known of it. GitHub answers 404 for what it does not let us see, too."""
    previews: Mapping[str, PreviewService] = {}
    """All there are, by key."""
    foreign: frozenset[str] = frozenset()
    """Full names of all other services of the region."""
    orphans: Mapping[str, PreviewService] = {}
    """By full name, previews that we made and that no setting asks for any more."""
    strays: tuple[str, ...] = ()
    """Full names of other services that have the labels of a preview of a repository that is not in the settings."""
    listed: frozenset[str] = frozenset()
    """The regions whose services were listed."""
    may_write: Mapping[tuple[str, str], bool] = {}
    """By repository and login, of those that were asked about."""
    commands: Mapping[tuple[str, int], CommentCommand | None] = {}
    """By repository and comment, of those that were asked about: what GitHub has of them."""
    digests: Mapping[str, str] = {}
    """By place and tag (``LOCATION-docker.pkg.dev/...:tag``), of those that were asked about and are there."""
    comments: Mapping[str, FoundComment | None] = {}
    """By key, of those that were looked up."""
    deployments: Mapping[str, FoundDeployment | None] = {}
    """By key, of those that were looked up."""
    environments: Mapping[str, bool] = {}
    """By key, of those that were asked about, whether the environment is ours alone."""
    quiet_until: datetime | None = None
    """GitHub answers nothing until then; None if it may be asked."""
    blocked: frozenset[str] = frozenset()
    """The keys of which something that matters now could not be read: nothing is done about them."""
    unresolved: frozenset[str] = frozenset()
    """The keys of which it is not known what was written at GitHub: nothing more is written there."""
