"""GitHub's REST API, for any client library.

It is served as api.github.com (see `localcloud.core.http`). What is served, and how requests
are checked, is GitHub's own OpenAPI description. Webhooks are not sent: their payloads are made elsewhere.
"""

import functools
import re
from collections.abc import Mapping

import msgspec

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
from localcloud.github.state import Repository

IN_A_REPOSITORY = {
    **github_comments.OPERATIONS,
    **github_deployments.OPERATIONS,
    **github_repositories.OPERATIONS,
}
OPERATIONS = (*github_apps.OPERATIONS, *github_users.OPERATIONS, *IN_A_REPOSITORY)
"""By GitHub's ids, all that is served."""
REDIRECTS = "https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects"


class GitHub(Activity):
    """Serves GitHub's REST API, and does what people do on GitHub."""

    @property
    def routes(self) -> tuple[Route, ...]:
        """The HTTP routes."""
        served = description().operations.items()
        return (
            *(Route(one.verb, one.pattern, functools.partial(self._answer, name), refusal) for name, one in served),
            *(
                Route(one.verb, by_id(one), functools.partial(self._answer, name), refusal)
                for name, one in served
                if name in IN_A_REPOSITORY
            ),
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
        repository = self._repository_of(path)
        moved = self.state.earlier_names.get(_full_name(path))
        if repository is None and moved is not None and token.reaches(moved):
            return _redirect(moved, operation, request)
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

    def _repository_of(self, path: Mapping[str, str]) -> Repository | None:
        if "repository_id" in path:
            return next((one for one in self.state.repositories.values() if str(one.id) == path["repository_id"]), None)
        return self.state.repositories.get(_full_name(path))


def _full_name(path: Mapping[str, str]) -> str:
    """As names are compared; of a repository that is named by its id, none."""
    return f"{path.get('owner', '')}/{path.get('repo', '')}".lower()


def by_id(operation: Operation) -> re.Pattern[str]:
    """The path of an operation in a repository that is named by its id, as redirects name it."""
    path = operation.path.replace("/repos/{owner}/{repo}", "/repositories/{repository_id}")
    return msgspec.structs.replace(operation, path=path).pattern


def _redirect(repository: Repository, operation: Operation, request: HttpRequest) -> Reply:
    """The current name of a repository, by its id."""
    rest = "/".join(request.path.removeprefix(HOST).split("/")[4:])
    url = f"{api_url(request)}/repositories/{repository.id}" + (f"/{rest}" if rest else "")
    status = 301 if operation.verb == "GET" else 307
    content = {"message": "Moved Permanently", "url": url, "documentation_url": REDIRECTS}
    return Reply(content, status, {"location": url})
