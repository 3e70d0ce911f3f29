"""GitHub's operations on repositories: pull requests, commits, collaborators, webhooks."""

import grpc

from localcloud.core.server import ApiError
from localcloud.github.errors import GitHubError
from localcloud.github.request import Exchange, Reply, one_of
from localcloud.github.state import PullRequest

SORTS = {"created": "created_at", "updated": "updated_at"}


def get_repository(exchange: Exchange) -> Reply:
    """repos/get."""
    return Reply(exchange.answers.repository(exchange.repository, schema="full-repository"))


def list_pull_requests(exchange: Exchange) -> Reply:
    """pulls/list: the newest first, unless it is said otherwise. UNIMPLEMENTED for two of the ways to sort."""
    query = exchange.query
    sort = query.get("sort", "created")
    if sort not in SORTS:
        raise ApiError(grpc.StatusCode.UNIMPLEMENTED, f"the local cloud does not sort pull requests by {sort}")
    direction = query.get("direction", "desc" if sort == "created" else "asc")
    found = [one for one in exchange.repository.pull_requests.values() if _matches(exchange, one)]
    found.sort(key=lambda one: (getattr(one, SORTS[sort]), one.number), reverse=direction == "desc")
    shown, headers = exchange.page(found)
    return Reply([exchange.answers.pull_request(exchange.repository, one) for one in shown], headers=headers)


def _matches(exchange: Exchange, pull: PullRequest) -> bool:
    query = exchange.query
    owner, colon, ref = query.get("head", "").partition(":")
    from_head = not colon or (pull.head_repository.partition("/")[0].lower(), pull.head_ref) == (owner.lower(), ref)
    has_state = query.get("state", "open") in (pull.state, "all")
    return has_state and from_head and query.get("base", pull.base_ref) == pull.base_ref


def get_pull_request(exchange: Exchange) -> Reply:
    """pulls/get."""
    return Reply(exchange.answers.pull_request(exchange.repository, exchange.pull_request, schema="pull-request"))


def list_labels(exchange: Exchange) -> Reply:
    """issues/list-labels-on-issue."""
    shown, headers = exchange.page(exchange.pull_request.labels)
    return Reply([exchange.answers.label(exchange.repository, one) for one in shown], headers=headers)


def get_commit(exchange: Exchange) -> Reply:
    """repos/get-commit."""
    ref = exchange.path["ref"]
    sha = exchange.repository.sha_of(ref)
    if sha is None:
        raise GitHubError(422, f"No commit found for SHA: {ref}")
    return Reply(exchange.answers.commit(exchange.repository, sha))


def get_permission(exchange: Exchange) -> Reply:
    """repos/get-collaborator-permission-level: a stranger may read a public repository; 404 for an unknown user."""
    login = exchange.path["username"]
    user = exchange.state.users.get(login.lower())
    if user is None:
        raise GitHubError(404, f"{login} is not a user")
    repository = exchange.repository
    stranger = "none" if repository.private else "read"
    role = repository.permissions.get(login.lower(), stranger)
    return Reply(exchange.answers.collaborator(user.login, role))


def list_hooks(exchange: Exchange) -> Reply:
    """repos/list-webhooks."""
    shown, headers = exchange.page(list(exchange.repository.hooks.values()))
    return Reply([exchange.answers.hook(exchange.repository, one) for one in shown], headers=headers)


def get_hook(exchange: Exchange) -> Reply:
    """repos/get-webhook."""
    return Reply(exchange.answers.hook(exchange.repository, one_of(exchange.repository.hooks, _hook_id(exchange))))


def get_hook_config(exchange: Exchange) -> Reply:
    """repos/get-webhook-config-for-repo."""
    return Reply(exchange.answers.hook_config(one_of(exchange.repository.hooks, _hook_id(exchange))))


def update_hook_config(exchange: Exchange) -> Reply:
    """repos/update-webhook-config-for-repo: what is not said stays."""
    hook = one_of(exchange.repository.hooks, _hook_id(exchange))
    hook.url = exchange.text("url", hook.url)
    hook.content_type = exchange.text("content_type", hook.content_type)
    hook.secret = exchange.text("secret", hook.secret)
    hook.insecure_ssl = str(exchange.body.get("insecure_ssl", hook.insecure_ssl))
    hook.updated_at = exchange.now
    return Reply(exchange.answers.hook_config(hook))


def _hook_id(exchange: Exchange) -> int:
    return exchange.number("hook_id")


OPERATIONS = {
    "issues/list-labels-on-issue": list_labels,
    "pulls/get": get_pull_request,
    "pulls/list": list_pull_requests,
    "repos/get": get_repository,
    "repos/get-collaborator-permission-level": get_permission,
    "repos/get-commit": get_commit,
    "repos/get-webhook": get_hook,
    "repos/get-webhook-config-for-repo": get_hook_config,
    "repos/list-webhooks": list_hooks,
    "repos/update-webhook-config-for-repo": update_hook_config,
}
"""By GitHub's ids of operations."""
