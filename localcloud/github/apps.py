"""GitHub's operations on apps: an app's identity, and the tokens of its installations.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
"""

from datetime import UTC, datetime, timedelta
from typing import cast

from localcloud.core.http import HttpRequest
from localcloud.github.access import app_of, credential, granted
from localcloud.github.errors import GitHubError, not_found
from localcloud.github.request import Reply, api_url, checked_body, one_of, whole_number
from localcloud.github.schema import Json, Operation
from localcloud.github.serializers import Answers, moment
from localcloud.github.state import App, Installation, State, Token

TOKEN_LIFE = timedelta(hours=1)


def get_app(state: State, operation: Operation, request: HttpRequest, now: datetime) -> Reply:
    """apps/get-authenticated."""
    del operation
    return Reply(Answers(state, api_url(request)).app(_asking(state, request, now)))


def create_token(state: State, operation: Operation, request: HttpRequest, now: datetime) -> Reply:
    """apps/create-installation-access-token."""
    app = _asking(state, request, now)
    installation = one_of(state.installations, whole_number(request.captured["installation_id"]))
    if installation.app.id != app.id:
        raise not_found()
    body = checked_body(operation, request.body)
    chosen = _chosen(state, installation, body)
    token = Token(
        value=f"ghs_{state.new_id():036d}",
        login=app.login,
        repositories=chosen,
        permissions=granted(installation, body),
        expires_at=now + TOKEN_LIFE,
        installation=installation,
    )
    state.tokens[token.value] = token
    answer: Json = {
        "token": token.value,
        "expires_at": moment(now + TOKEN_LIFE),
        "permissions": token.permissions,
        "repository_selection": "all" if chosen is None and installation.repositories is None else "selected",
    }
    return Reply(answer, 201)


def _asking(state: State, request: HttpRequest, now: datetime) -> App:
    """The app whose JWT is timely by this clock or by the wall's, which is the only one that client libraries know."""
    return app_of(state, credential(request.headers), (now, datetime.now(UTC)))


def _chosen(state: State, installation: Installation, body: Json) -> frozenset[str] | None:
    """The repositories that a token is asked for. Raises GitHubError (422) for one that is not installed."""
    wanted_names = cast("list[str]", body.get("repositories", []))
    wanted_ids = cast("list[int]", body.get("repository_ids", []))
    if not wanted_names and not wanted_ids:
        return None
    found = {
        key
        for key, one in state.repositories.items()
        if (one.name in wanted_names or one.id in wanted_ids)
        and (installation.repositories is None or key in installation.repositories)
    }
    if len(found) < len(set(wanted_names)) + len(set(wanted_ids)):
        raise GitHubError(
            422,
            "There is at least one repository that does not exist or is not accessible to the parent installation.",
        )
    return frozenset(found)


OPERATIONS = {
    "apps/create-installation-access-token": create_token,
    "apps/get-authenticated": get_app,
}
"""By GitHub's ids of operations: those that an app calls as itself, with a JWT in place of a token."""
