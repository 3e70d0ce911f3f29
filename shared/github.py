"""GitHub's REST API: authentication, answers as typed values, pages, and which errors pass.

gidgethub (https://gidgethub.readthedocs.io) says what a request has to bear and what an answer means; it is sent by
`Clients.public_session`, so Google's credentials go nowhere else.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

import msgspec

from shared.clients import Clients
from shared.errors import Deferred, no_answer
from shared.github_access import App, GitHubAccess
from shared.rest import UnknownAnswer, typed
from shared.secret_values import latest_value

if TYPE_CHECKING:
    from gidgethub import HTTPException
    from google.api_core.exceptions import GoogleAPICallError
    from requests import Response

REQUESTER = "caretaker"
SECONDARY = "secondary rate limit"
FOR_GOOD = ("Resource not accessible by", "Must have admin rights", "is locked")
"""GitHub's messages to a token without the permission, for a user without it, and of a locked conversation."""
REDIRECTS = (HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.TEMPORARY_REDIRECT)
"""GitHub's answers to requests by a repository's earlier name, for reads and for writes."""
LATEST = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp())
PAGE_SIZE = 100
"""The most that GitHub lists at once."""

Query = Mapping[str, str]
Body = Mapping[str, "str | bool | list[str]"] | None
ValueT = TypeVar("ValueT")


class RateLimited(Deferred):
    """GitHub answers nothing more for a while."""


class Author(msgspec.Struct, frozen=True):
    """The author of something."""

    login: str


class ByApp(msgspec.Struct, frozen=True):
    """The app by which something was written."""

    id: int


class InstallationToken(msgspec.Struct, frozen=True):
    """A token that an app's own signature was exchanged for."""

    token: str


class GitHub:
    """GitHub, as one run asks it. Every method raises ``GoogleAPIError``, as Google's clients do, or ``RateLimited``.

    Google's exceptions are what the whole suite knows an error by: ``NotFound`` is 404, and so on.
    """

    def __init__(self, access: GitHubAccess, clients: Clients) -> None:
        self._access = access
        self._clients = clients

    def get(self, path: str, type_: type[ValueT], query: Query | None = None) -> ValueT:
        """The resource at a path, such as ``/repos/o/r/pulls/1``; tried again while the error is one that passes."""
        return self._read(path, type_, query or {})[0]

    def list(self, path: str, type_: type[ValueT], query: Query | None = None) -> list[ValueT]:
        """All pages of a list."""
        found: list[ValueT] = []
        page = 1
        while True:
            wanted = {**(query or {}), "per_page": str(PAGE_SIZE), "page": str(page)}
            items, has_more = self._read(path, list[type_], wanted)  # type: ignore[valid-type]
            found += items
            if not has_more:
                return found
            page += 1

    def send(self, verb: str, path: str, body: Body, type_: type[ValueT]) -> ValueT:
        """Change something, once, and return what it is now."""
        return typed(self._exchange(verb, path, body=body)[0], type_, f"{verb} {path}")

    def delete(self, path: str) -> None:
        """Delete something, once."""
        self._exchange("DELETE", path)

    def is_mine(self, author: Author | None, by_app: ByApp | None) -> bool:
        """Whether it is this suite that wrote something."""
        if self._access.app:
            return by_app is not None and by_app.id == self._access.app.id
        return author is not None and by_app is None and author.login == self._login

    @property
    def _login(self) -> str:
        """The user whose token it is: asked once in a run."""
        return self._clients.once(("github login", self._access), lambda: self.get("/user", Author).login)

    def _read(self, path: str, type_: type[ValueT], query: Query) -> tuple[ValueT, bool]:
        """A typed answer, and whether there are more pages."""
        answer, has_more = self._clients.repeated(lambda: self._exchange("GET", path, query=query))
        return typed(answer, type_, f"GET {path}"), has_more

    def _exchange(
        self, verb: str, path: str, *, query: Query | None = None, body: Body = None, jwt: str | None = None
    ) -> tuple[object, bool]:
        import gidgethub
        from gidgethub.sansio import create_headers, decipher_response

        # Who goes on asking past a limit may be banned:
        # https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
        limits = self._clients.once(("github limits", self._access), list[RateLimited])
        if limits:
            raise limits[0]
        headers = create_headers(REQUESTER, jwt=jwt, oauth_token=None if jwt else self._token)
        with no_answer(f"{verb} {path}"):
            answer = self._clients.public_session.request(
                verb,
                self._clients.url(f"{self._access.api}{path}"),
                params=query,
                json=body,
                headers=headers,
                timeout=self._clients.writing["timeout"],
                allow_redirects=False,
            )
        elsewhere = self._path_of(answer.headers.get("location", "")) if answer.status_code in REDIRECTS else ""
        if elsewhere and "/repositories/" not in path:
            return self._exchange(verb, elsewhere, query=None if "?" in elsewhere else query, body=body, jwt=jwt)
        lower = {name.lower(): value for name, value in answer.headers.items()}
        try:
            content, _, following = decipher_response(answer.status_code, lower, answer.content)
        except gidgethub.HTTPException as error:
            known = _error_of(error, answer, f"{verb} {path}", self._remedy)
            if isinstance(known, RateLimited):
                limits.append(known)
            raise known from None
        except ValueError:
            raise UnknownAnswer(f"{verb} {path}: {answer.status_code}, and not JSON") from None
        return content, following is not None

    def _path_of(self, location: str) -> str:
        """The address of a repository by its id, which is not redirected again; empty if it is not in this API."""
        apis = (self._access.api, self._clients.url(self._access.api))
        path = next((location.removeprefix(api) for api in apis if location.startswith(api)), "")
        return path if path.startswith("/repositories/") else ""

    @property
    def _remedy(self) -> str:
        """The remedy when GitHub knows the credentials no more."""
        if app := self._access.app:
            return f"check the id and the installation of the app, and its key in {app.private_key_secret}"
        return f"the token has expired or was revoked: store a new one in {self._access.token_secret}"

    @property
    def _token(self) -> str:
        """The token of every request: the stored one, or the one that an app gets for an hour."""
        app = self._access.app
        if app is None:
            return latest_value(self._access.token_secret or "", self._clients)
        return self._clients.once(("github installation", app), lambda: self._installation_token(app))

    def _installation_token(self, app: App) -> str:
        """See https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app."""
        from gidgethub.apps import get_jwt
        from jwt import PyJWTError

        key = latest_value(app.private_key_secret, self._clients)
        try:
            jwt = get_jwt(app_id=str(app.id), private_key=key)
        except (PyJWTError, ValueError, TypeError) as error:
            raise UnknownAnswer(f"{app.private_key_secret}: no private key in PEM ({type(error).__name__})") from None
        path = f"/app/installations/{app.installation}/access_tokens"
        answer, _ = self._clients.repeated(lambda: self._exchange("POST", path, jwt=jwt))
        return typed(answer, InstallationToken, f"POST {path}").token


def _error_of(error: "HTTPException", answer: "Response", what: str, remedy: str) -> Exception:
    """An error of GitHub's in the words of the suite; the remedy is for credentials that it does not know."""
    from gidgethub import RateLimitExceeded
    from google.api_core.exceptions import from_http_status

    # https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
    is_limit = isinstance(error, RateLimitExceeded) or "retry-after" in answer.headers
    is_used_up = answer.headers.get("x-ratelimit-remaining") == "0"
    message = f"{what}: {error}" + (f"; {remedy}" if answer.status_code == HTTPStatus.UNAUTHORIZED else "")
    if answer.status_code in (403, 429) and (is_limit or is_used_up or SECONDARY in str(error).lower()):
        return _limit_of(answer.headers, message)
    known: GoogleAPICallError = from_http_status(answer.status_code, message)
    return known


def _limit_of(headers: Mapping[str, str], message: str) -> RateLimited:
    """The time of the next request to GitHub: after ``retry-after``, at the reset of a used up limit, or in a minute.

    See https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit.
    """
    after, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    if after.isdecimal():
        return RateLimited(message, seconds=float(after))
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
        return RateLimited(message, at=datetime.fromtimestamp(min(int(reset), LATEST), UTC))
    return RateLimited(message, seconds=60)


def is_refused_for_good(error: "GoogleAPICallError") -> bool:
    """Whether GitHub would refuse the same write again: what it is about is gone, invalid, locked, or not permitted."""
    is_forbidden = error.code == HTTPStatus.FORBIDDEN and any(sign in error.message for sign in FOR_GOOD)
    return is_forbidden or error.code in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.UNPROCESSABLE_ENTITY)
