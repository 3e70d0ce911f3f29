"""The changes that `manage_previews` makes."""

from typing import ClassVar

from functions.manage_previews.records import DeploymentState, GitHubChange, GitHubWrite, MakesPreview
from functions.manage_previews.spec import Spec
from shared.automation import Answered
from shared.decision import Change
from shared.github_access import GitHubAccess


class DeployPreview(MakesPreview, frozen=True, kw_only=True):
    """Make a preview's service, or give it another image or template."""

    spec: Spec
    etag: str
    """Of the service that is there; empty if there is none."""


class DeletePreview(Change, frozen=True, kw_only=True):
    """Take a preview's service away. It can be made again while its image is there."""

    guard: ClassVar[str] = "certain_end"
    is_money: ClassVar[bool] = True
    etag: str


class CommentWritten(Answered, frozen=True):
    """The comment as GitHub has it now."""

    id: int
    text: str


class DeploymentReported(Answered, frozen=True):
    """A deployment as GitHub has it now."""

    id: int
    sha: str
    state: DeploymentState


class Gone(Answered, frozen=True):
    """A deployment that was deleted by someone else."""


class EnvironmentDeleted(Answered, frozen=True):
    """An environment is gone."""


class WriteComment(GitHubChange, frozen=True, kw_only=True):
    """Write the one comment on a pull request, or edit it in place."""

    writes: ClassVar[GitHubWrite] = GitHubWrite.COMMENT
    access: GitHubAccess
    text: str
    comment_id: int
    """0 if there is none yet."""


class CreateDeployment(GitHubChange, frozen=True, kw_only=True):
    """Report a deployment and its status to GitHub, which shows them on the pull request."""

    writes: ClassVar[GitHubWrite] = GitHubWrite.DEPLOYMENT
    requests: ClassVar[int] = 2
    access: GitHubAccess
    sha: str
    state: DeploymentState
    url: str


class SetDeploymentStatus(GitHubChange, frozen=True, kw_only=True):
    """Report the status of a deployment to GitHub."""

    writes: ClassVar[GitHubWrite] = GitHubWrite.DEPLOYMENT
    access: GitHubAccess
    deployment_id: int
    sha: str
    state: DeploymentState
    url: str


class DeleteEnvironment(GitHubChange, frozen=True, kw_only=True):
    """Delete the environment that a preview's deployments were made to. Its deployments stay."""

    writes: ClassVar[GitHubWrite] = GitHubWrite.ENVIRONMENT
    access: GitHubAccess


PreviewChange = (
    DeployPreview | DeletePreview | WriteComment | CreateDeployment | SetDeploymentStatus | DeleteEnvironment
)
