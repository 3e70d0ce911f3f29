"""What `manage_previews` sees: pull requests, its own services, images, permissions, and what it wrote at GitHub."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from functions.manage_previews.names import key_of
from functions.manage_previews.records import DeploymentState


class PullRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A pull request as GitHub tells of it. What people may choose freely is left out, but for its labels."""

    repository: str
    number: int
    is_open: bool
    is_draft: bool = False
    is_fork: bool = False
    """Whether its commits come from another repository, or from one that is gone."""
    labels: tuple[str, ...] = ()
    head_sha: str

    @property
    def key(self) -> str:
        """What it is called here."""
        return key_of(self.repository, self.number)


class PreviewService(msgspec.Struct, frozen=True, kw_only=True):
    """A Cloud Run service that is a preview of ours."""

    name: str
    """In full."""
    key: str
    """Of the pull request that it shows."""
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


class World(msgspec.Struct, frozen=True, kw_only=True):
    """All that one run has looked at."""

    pull_requests: Mapping[str, PullRequest] = {}
    """By key: those that the event is about, open or closed."""
    lost: Mapping[str, str] = {}
    """By key, why nothing is known of it. GitHub answers 404 for what it does not let us see, too."""
    previews: Mapping[str, PreviewService] = {}
    """All there are, by key."""
    strangers: frozenset[str] = frozenset()
    """Full names of all other services of the region."""
    strays: tuple[str, ...] = ()
    """Full names of previews of ours whose repository is not in the settings any more."""
    may_write: Mapping[tuple[str, str], bool] = {}
    """By repository and login, of those that were asked about."""
    digests: Mapping[str, str] = {}
    """By place and tag (``LOCATION-docker.pkg.dev/...:tag``), of those that were asked about and are there."""
    comments: Mapping[str, FoundComment | None] = {}
    """By key, of those that were looked up."""
    deployments: Mapping[str, FoundDeployment | None] = {}
    """By key, of those that were looked up."""
