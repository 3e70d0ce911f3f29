"""GitHub's operations on deployments: https://docs.github.com/rest/deployments."""

from typing import cast

from localcloud.core.http import NO_CONTENT
from localcloud.github.errors import GitHubError, invalid_field, not_found
from localcloud.github.request import Exchange, Reply, one_of
from localcloud.github.state import Deployment, DeploymentStatus

LONGEST_DESCRIPTION = 140
PRODUCTION = "production"
FILTERS = ("sha", "ref", "task", "environment")


def list_deployments(exchange: Exchange) -> Reply:
    """repos/list-deployments: the newest first."""
    wanted = {name: exchange.query[name] for name in FILTERS if exchange.query.get(name, "none") != "none"}
    found = [
        one
        for one in reversed(exchange.repository.deployments.values())
        if all(getattr(one, name) == value for name, value in wanted.items())
    ]
    shown, headers = exchange.page(found)
    return Reply([exchange.answers.deployment(exchange.repository, one) for one in shown], headers=headers)


def create_deployment(exchange: Exchange) -> Reply:
    """repos/create-deployment: there are no commit statuses here, and no branch is behind the one it came from."""
    repository, ref = exchange.repository, exchange.text("ref")
    sha = repository.sha_of(ref)
    if sha is None:
        raise GitHubError(422, f"No ref found for: {ref}")
    environment = exchange.text("environment", PRODUCTION)
    new = Deployment(
        id=exchange.state.new_id(),
        login=exchange.token.login,
        sha=sha,
        ref=ref,
        task=exchange.text("task", "deploy"),
        payload=exchange.body.get("payload", {}),
        environment=environment,
        description=cast("str | None", exchange.body.get("description")),
        transient_environment=bool(exchange.body.get("transient_environment", False)),
        production_environment=bool(exchange.body.get("production_environment", environment == PRODUCTION)),
        created_at=exchange.now,
        updated_at=exchange.now,
    )
    exchange.state.add_deployment(repository, new)
    return Reply(exchange.answers.deployment(repository, new), 201)


def get_deployment(exchange: Exchange) -> Reply:
    """repos/get-deployment."""
    return Reply(exchange.answers.deployment(exchange.repository, _deployment(exchange)))


def list_statuses(exchange: Exchange) -> Reply:
    """repos/list-deployment-statuses: the newest first."""
    deployment = _deployment(exchange)
    shown, headers = exchange.page(deployment.statuses[::-1])
    return Reply([exchange.answers.status(exchange.repository, deployment, one) for one in shown], headers=headers)


def create_status(exchange: Exchange) -> Reply:
    """repos/create-deployment-status: a success makes earlier ones inactive, unless ``auto_inactive`` is false."""
    deployment = _deployment(exchange)
    description = exchange.text("description")
    if len(description) > LONGEST_DESCRIPTION:
        message = f"description is too long (maximum is {LONGEST_DESCRIPTION} characters)"
        raise invalid_field("DeploymentStatus", "description", message)
    deployment.environment = exchange.text("environment", deployment.environment)
    new = DeploymentStatus(
        id=exchange.state.new_id(),
        login=exchange.token.login,
        state=exchange.text("state"),
        description=description,
        environment=deployment.environment,
        environment_url=exchange.text("environment_url"),
        log_url=exchange.text("log_url") or exchange.text("target_url"),
        created_at=exchange.now,
    )
    deployment.statuses.append(new)
    deployment.updated_at = exchange.now
    if new.state == "success" and exchange.body.get("auto_inactive", True):
        _retire_earlier(exchange, deployment)
    return Reply(exchange.answers.status(exchange.repository, deployment, new), 201)


def list_environments(exchange: Exchange) -> Reply:
    """repos/get-all-environments."""
    found = list(exchange.repository.environments.values())
    shown, headers = exchange.page(found)
    environments = [exchange.answers.environment(exchange.repository, one) for one in shown]
    return Reply({"total_count": len(found), "environments": environments}, headers=headers)


def delete_environment(exchange: Exchange) -> Reply:
    """repos/delete-an-environment: its deployments stay."""
    if exchange.repository.environments.pop(exchange.path["environment_name"], None) is None:
        raise not_found()
    return Reply(status=NO_CONTENT)


def _retire_earlier(exchange: Exchange, newest: Deployment) -> None:
    """Prior successes in the same environment, unless it is transient or production, become inactive."""
    for one in exchange.repository.deployments.values():
        is_other = one.id != newest.id and one.environment == newest.environment
        is_lasting = not one.transient_environment and not one.production_environment
        if is_other and is_lasting and one.statuses and one.statuses[-1].state == "success":
            inactive = DeploymentStatus(
                id=exchange.state.new_id(),
                login=exchange.token.login,
                state="inactive",
                description="",
                environment=one.environment,
                environment_url="",
                log_url="",
                created_at=exchange.now,
            )
            one.statuses.append(inactive)


def _deployment(exchange: Exchange) -> Deployment:
    return one_of(exchange.repository.deployments, exchange.number("deployment_id"))


OPERATIONS = {
    "repos/create-deployment": create_deployment,
    "repos/create-deployment-status": create_status,
    "repos/delete-an-environment": delete_environment,
    "repos/get-all-environments": list_environments,
    "repos/get-deployment": get_deployment,
    "repos/list-deployment-statuses": list_statuses,
    "repos/list-deployments": list_deployments,
}
"""By GitHub's ids of operations."""
