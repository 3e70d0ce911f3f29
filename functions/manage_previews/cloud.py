"""The edge to the world: answers one need with typed values, and makes one change."""

from functions.manage_previews import deployments, pull_requests, services
from functions.manage_previews.changes import (
    CreateDeployment,
    DeleteEnvironment,
    DeletePreview,
    DeployPreview,
    PreviewChange,
    SetDeploymentStatus,
)
from functions.manage_previews.images import digests_of
from functions.manage_previews.world import (
    AboutPullRequests,
    CommandIn,
    CommandsSince,
    CommentOf,
    DeploymentOf,
    DigestsOf,
    IsOurs,
    Lost,
    MayWrite,
    OpenPullRequests,
    PreviewNeed,
    PullRequestOf,
    ServicesIn,
)
from shared.automation import Answered
from shared.clients import Clients
from shared.errors import not_found_errors
from shared.github import GitHub


def look(need: PreviewNeed, clients: Clients) -> object:
    """The answer to one need. Raises what a call raises: a failed read is never "closed"."""
    if isinstance(need, ServicesIn):
        return services.services(need.parent, clients)
    if isinstance(need, DigestsOf):
        return digests_of(need.place, need.tags, clients)
    github = GitHub(need.access, clients)
    if isinstance(need, OpenPullRequests | PullRequestOf):
        return _pull_requests(need, github)
    return _ask_github(need, github)


def _ask_github(
    need: MayWrite | CommandIn | CommandsSince | CommentOf | DeploymentOf | IsOurs, github: GitHub
) -> object:
    match need:
        case MayWrite(repository=repository, login=login):
            return pull_requests.may_write(repository, login, github)
        case CommandsSince(repository=repository, since=since):
            return pull_requests.commands_since(repository, since, github)
        case CommandIn(repository=repository, comment_id=comment_id):
            return pull_requests.command_in(repository, comment_id, github)
        case CommentOf(key=key, known_id=known_id):
            return pull_requests.find_comment(key, known_id, github)
        case DeploymentOf(key=key, environment=environment, known=known):
            return deployments.find_deployment(key, environment, known, github)
        case IsOurs(key=key, environment=environment):
            return deployments.is_ours(key, environment, github)


def _pull_requests(need: AboutPullRequests, github: GitHub) -> object:
    try:
        if isinstance(need, OpenPullRequests):
            return tuple(pull_requests.open_pull_requests(need.repository, github))
        return pull_requests.pull_request(need.key, github)
    except not_found_errors() as error:
        return Lost(str(getattr(error, "message", error)))


def apply(change: PreviewChange, clients: Clients) -> Answered | None:
    """Make one change. Raises what the call raises, ``StillBusy`` or ``Refused``, and never repeats it."""
    if isinstance(change, DeployPreview):
        services.deploy(change, clients)
        return None
    if isinstance(change, DeletePreview):
        services.delete(change, clients)
        return None
    if isinstance(change, CreateDeployment):
        return deployments.create_deployment(change, clients)
    if isinstance(change, SetDeploymentStatus):
        return deployments.set_deployment_status(change, clients)
    if isinstance(change, DeleteEnvironment):
        return deployments.delete_environment(change, clients)
    return pull_requests.write_comment(change, clients)
