"""GitHub's REST API, for any client library.

It is served as api.github.com (see `localcloud.core.http`). What is served, and how requests
are checked, is GitHub's own OpenAPI description. Webhooks are not sent: their payloads are made elsewhere.
"""

import functools

from localcloud.core.http import HttpAnswer, HttpRequest, Route
from localcloud.github import apps as github_apps
from localcloud.github import comments as github_comments
from localcloud.github import deployments as github_deployments
from localcloud.github import repositories as github_repositories
from localcloud.github import users as github_users
from localcloud.github.access import check_permission, credential, token_of
from localcloud.github.errors import GitHubError, not_found, refusal
from localcloud.github.people import Activity
from localcloud.github.request import Exchange, Reply, api_url, check_query, checked_body, names_in
from localcloud.github.schema import HOST, Operation, description
from localcloud.github.serializers import Answers

IN_A_REPOSITORY = {
    **github_comments.OPERATIONS,
    **github_deployments.OPERATIONS,
    **github_repositories.OPERATIONS,
}
OPERATIONS = (*github_apps.OPERATIONS, *github_users.OPERATIONS, *IN_A_REPOSITORY)
"""By GitHub's ids, all that is served."""


class GitHub(Activity):
    """Serves GitHub's REST API, and does what people do on GitHub."""

    @property
    def routes(self) -> tuple[Route, ...]:
        """What is served over HTTP."""
        return tuple(
            Route(operation.verb, operation.pattern, functools.partial(self._answer, name), refusal)
            for name, operation in description().operations.items()
        )

    def _answer(self, name: str, request: HttpRequest) -> HttpAnswer:
        operation = description().operations[name]
        headers: dict[str, str] = {}
        try:
            with self.lock:
                if name in github_apps.OPERATIONS:
                    perform = github_apps.OPERATIONS[name]
                    return perform(self.state, operation, request, self._clock.now()).as_http(headers)
                return self._perform(name, operation, request, headers).as_http(headers)
        except GitHubError as error:
            error.headers = {**headers, **error.headers}
            error.documentation_url = error.documentation_url or operation.documentation_url
            raise

    def _perform(self, name: str, operation: Operation, request: HttpRequest, headers: dict[str, str]) -> Reply:
        now = self._clock.now()
        token = token_of(self.state, credential(request.headers), now)
        headers |= self.limits.count(token)
        if name in github_users.OPERATIONS:
            return github_users.OPERATIONS[name](token, Answers(self.state, api_url(request)))
        path = names_in(request)
        repository = self.state.repositories.get(f"{path['owner']}/{path['repo']}".lower())
        if repository is None or not token.reaches(repository):
            raise not_found()
        check_permission(token, name)
        check_query(operation, request.query)
        api = api_url(request)
        exchange = Exchange(
            state=self.state,
            token=token,
            repository=repository,
            path=path,
            query=request.query,
            body=checked_body(operation, request.body),
            url=f"{api}{request.path.removeprefix(HOST)}",
            now=now,
            answers=Answers(self.state, api),
        )
        return IN_A_REPOSITORY[name](exchange)
