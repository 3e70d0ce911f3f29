"""The edge to the world: answers one need with typed values, and makes one change."""

from functions.manage_previews import pull_requests, services
from functions.manage_previews.changes import (
    CreateDeployment,
    DeletePreview,
    DeployPreview,
    PreviewChange,
    SetDeploymentStatus,
)
from functions.manage_previews.images import digests_of
from functions.manage_previews.world import (
    CommentOf,
    DeploymentOf,
    DigestsOf,
    Lost,
    MayWrite,
    OpenPullRequests,
    PreviewNeed,
    PullRequestOf,
    ServicesIn,
)
from shared.automation import Answered
from shared.clients import Clients
from shared.github import GitHub


def look(need: PreviewNeed, clients: Clients) -> object:
    """The answer to one need. Raises what a call raises: a failed read is never "closed"."""
    match need:
        case ServicesIn(parent=parent):
            return services.services(parent, clients)
        case DigestsOf(place=place, tags=tags):
            return digests_of(place, tags, clients)
    return _ask_github(need, GitHub(need.access, clients))


def _ask_github(need: OpenPullRequests | PullRequestOf | MayWrite | CommentOf | DeploymentOf, github: GitHub) -> object:
    from google.api_core.exceptions import NotFound

    match need:
        case MayWrite(repository=repository, login=login):
            return pull_requests.may_write(repository, login, github)
        case CommentOf(key=key, known_id=known_id):
            return pull_requests.find_comment(key, known_id, github)
        case DeploymentOf(key=key, environment=environment, known=known):
            return pull_requests.find_deployment(key, environment, known, github)
    try:
        if isinstance(need, OpenPullRequests):
            return tuple(pull_requests.open_pull_requests(need.repository, github))
        return pull_requests.pull_request(need.key, github)
    except NotFound as error:
        return Lost(error.message)


def apply(change: PreviewChange, clients: Clients) -> Answered | None:
    """Make one change. Raises what the call raises, ``StillBusy`` or ``Refused``, and never repeats it."""
    if isinstance(change, DeployPreview):
        services.deploy(change, clients)
        return None
    if isinstance(change, DeletePreview):
        services.delete(change, clients)
        return None
    if isinstance(change, CreateDeployment):
        return pull_requests.create_deployment(change, clients)
    if isinstance(change, SetDeploymentStatus):
        return pull_requests.set_deployment_status(change, clients)
    return pull_requests.write_comment(change, clients)
