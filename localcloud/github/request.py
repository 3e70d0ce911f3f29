"""One request to GitHub, checked against GitHub's own description, and the reply to it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar, cast
from urllib.parse import unquote, urlencode

from localcloud.core.http import NO_CONTENT, HttpAnswer, HttpRequest
from localcloud.github.errors import CONTENT_TYPE, GitHubError, not_found
from localcloud.github.schema import API, HOST, Json, Operation, problems
from localcloud.github.serializers import Answers
from localcloud.github.state import PullRequest, Repository, State, Token

PAGE_SIZE = 30
LARGEST_PAGE = 100

ItemT = TypeVar("ItemT")


@dataclass(frozen=True)
class Reply:
    """The answer of an operation."""

    content: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def as_http(self, headers: Mapping[str, str]) -> HttpAnswer:
        """The reply on the wire, with further headers."""
        body = b"" if self.status == NO_CONTENT else json.dumps(self.content).encode()
        return HttpAnswer(self.status, body, CONTENT_TYPE, {**headers, **self.headers})


@dataclass(frozen=True)
class Exchange:
    """A request that was let in: what it names, what it brings, who sent it, and when."""

    state: State
    token: Token
    repository: Repository
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Json
    url: str
    """Its own address, without the query."""
    now: datetime
    answers: Answers

    def number(self, name: str) -> int:
        """A number in the path. Raises GitHubError (404) for anything else."""
        return whole_number(self.path[name])

    @property
    def pull_request(self) -> PullRequest:
        """The pull request in the path. Raises GitHubError (404)."""
        name = "pull_number" if "pull_number" in self.path else "issue_number"
        return one_of(self.repository.pull_requests, self.number(name))

    def text(self, name: str, default: str = "") -> str:
        """A text of the body."""
        return cast("str", self.body.get(name, default))

    def page(self, items: Sequence[ItemT]) -> tuple[Sequence[ItemT], dict[str, str]]:
        """One page of a list, and the header that leads to the others.

        https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api
        """
        size = min(max(int(self.query.get("per_page", PAGE_SIZE)), 1), LARGEST_PAGE)
        page, last = max(int(self.query.get("page", 1)), 1), -(-len(items) // size)
        others = {"prev": min(page - 1, last), "next": page + 1, "last": last, "first": 1}
        leading = ("prev", "first") if page >= last else ("next", "last")
        shown = others if 1 < page < last else {name: others[name] for name in leading}
        links = [f'<{self._page_url(number)}>; rel="{name}"' for name, number in shown.items()]
        return items[(page - 1) * size : page * size], {"link": ", ".join(links)} if last > 1 else {}

    def _page_url(self, page: int) -> str:
        return f"{self.url}?{urlencode({**self.query, 'page': page})}"


def whole_number(text: str) -> int:
    """A number in a path. Raises GitHubError (404) for anything else."""
    if not (text.isascii() and text.isdecimal()):
        raise not_found()
    return int(text)


def one_of(items: Mapping[int, ItemT], number: int) -> ItemT:
    """The item of this number. Raises GitHubError (404)."""
    if number not in items:
        raise not_found()
    return items[number]


def names_in(request: HttpRequest) -> dict[str, str]:
    """The parameters in the path, decoded."""
    return {name: unquote(value) for name, value in request.captured.items()}


def api_url(request: HttpRequest) -> str:
    """The URL at which the client finds the API."""
    host = request.headers.get("host")
    return f"http://{host}/{HOST}" if host else API


def check_query(operation: Operation, query: Mapping[str, str]) -> None:
    """Raises GitHubError (422) for a parameter that the operation does not have, or not with such a value."""
    known = operation.named("query")
    for name, value in query.items():
        if name not in known:
            raise GitHubError(422, f"Invalid request.\n\nThe local cloud does not know the query parameter '{name}'.")
        is_number = known[name].is_integer and value.isascii() and value.isdecimal()
        for problem in problems(known[name].schema, int(value) if is_number else value):
            raise GitHubError(422, f"Invalid request.\n\nIn the query parameter '{name}': {problem}")


def checked_body(operation: Operation, body: bytes) -> Json:
    """The body of a request. Raises GitHubError: 400 for no JSON object, 422 for one that is not as described."""
    if operation.body is None:
        return {}
    try:
        content = json.loads(body) if body else {}
    except ValueError as error:
        raise GitHubError(400, "Problems parsing JSON") from error
    if not isinstance(content, dict):
        raise GitHubError(400, "Body should be a JSON object")
    found = list(problems(operation.body.schema, content))
    if found:
        raise GitHubError(422, "Invalid request.\n\n" + "\n".join(found))
    return content
