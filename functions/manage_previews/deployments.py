"""The edge to GitHub's deployments: those of previews, their statuses and environments."""

from contextlib import suppress
from urllib.parse import quote

import msgspec

from functions.manage_previews.changes import (
    CreateDeployment,
    DeleteEnvironment,
    DeploymentReported,
    EnvironmentDeleted,
    Gone,
    SetDeploymentStatus,
)
from functions.manage_previews.messages import EnvironmentsStay
from functions.manage_previews.names import parts_of
from functions.manage_previews.records import Deployed, DeploymentState
from functions.manage_previews.refusals import if_shown, refusing
from functions.manage_previews.world import FoundDeployment
from shared.clients import Clients
from shared.github import GitHub

DESCRIPTION = "A preview of the pull request"


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


def find_deployment(key: str, environment: str, known: Deployed, github: GitHub) -> FoundDeployment | None:
    """The deployment of a commit in an environment, with its last status.

    None for one that someone else has deleted, and if GitHub shows us no deployments: then it takes none from us.
    """
    return if_shown(lambda: _newest(f"/repos/{parts_of(key)[0]}/deployments", environment, known, github))


def _newest(path: str, environment: str, known: Deployed, github: GitHub) -> FoundDeployment | None:
    if known.id:
        found = [DeploymentAnswer(known.id, known.sha)]
    else:
        found = github.get(path, list[DeploymentAnswer], {"environment": environment, "sha": known.sha})
    for answer in found[:1]:
        statuses = github.get(f"{path}/{answer.id}/statuses", list[StatusAnswer], {"per_page": "1"})
        return FoundDeployment(answer.id, answer.sha, _state(statuses))
    return None


def is_ours(key: str, environment: str, github: GitHub) -> bool:
    """Whether all deployments to an environment are ours; not, if GitHub does not show them to us."""
    path = f"/repos/{parts_of(key)[0]}/deployments"
    found = if_shown(lambda: github.list(path, DescribedDeployment, {"environment": environment}))
    return found is not None and all(one.description == DESCRIPTION and one.transient_environment for one in found)


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
    with refusing():
        made = github.send("POST", path, body, DeploymentAnswer)
        _set_status(github, f"{path}/{made.id}/statuses", change.state, change.url)
    return DeploymentReported(made.id, made.sha, change.state)


def set_deployment_status(change: SetDeploymentStatus, clients: Clients) -> DeploymentReported | Gone:
    """Report the status of a deployment. Raises ``Refused``."""
    from google.api_core.exceptions import NotFound

    path = f"/repos/{parts_of(change.scope)[0]}/deployments/{change.deployment_id}/statuses"
    try:
        with refusing(NotFound):
            _set_status(GitHub(change.access, clients), path, change.state, change.url)
    except NotFound:
        return Gone()
    return DeploymentReported(change.deployment_id, change.sha, change.state)


def delete_environment(change: DeleteEnvironment, clients: Clients) -> EnvironmentDeleted:
    """Delete an environment; one that is gone already is as good. Raises ``Refused``."""
    from google.api_core.exceptions import NotFound

    path = f"/repos/{parts_of(change.scope)[0]}/environments/{quote(change.environment, safe='')}"
    with suppress(NotFound), refusing(NotFound, words=EnvironmentsStay):
        GitHub(change.access, clients).delete(path)
    return EnvironmentDeleted()


def _set_status(github: GitHub, path: str, state: DeploymentState, url: str) -> None:
    body: dict[str, str | bool | list[str]] = {"state": state, "description": DESCRIPTION, "auto_inactive": False}
    github.send("POST", path, body | ({"environment_url": url} if url else {}), StatusAnswer)


def _state(statuses: list[StatusAnswer]) -> DeploymentState | None:
    """The newest status; none of ours is as good as none at all."""
    known = {state.value: state for state in DeploymentState}
    return known.get(statuses[0].state) if statuses else None
