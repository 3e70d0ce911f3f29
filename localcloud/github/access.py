"""Authentication and permissions of GitHub's API: tokens, an app's own JWT, permissions, rate limits.

https://docs.github.com/rest/authentication/authenticating-to-the-rest-api
"""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import cast

from localcloud.core.clock import Clock
from localcloud.github.errors import GitHubError
from localcloud.github.state import App, Installation, State, Token

READ, WRITE = "read", "write"
LEVELS = ("", READ, WRITE, "admin")
LONGEST_JWT = timedelta(minutes=10)
CLOCK_DRIFT = timedelta(seconds=60)
WINDOW = timedelta(hours=1)
LIMITS_PAGE = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"

_PULLS = ("pull_requests",)
_COMMENTS = ("issues", "pull_requests")
_ADMINISTRATION = ("administration",)
_HOOKS = ("repository_hooks",)
_NONE = ((), "")
PERMISSIONS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "apps/create-installation-access-token": _NONE,
    "apps/get-authenticated": _NONE,
    "issues/create-comment": (_COMMENTS, WRITE),
    "issues/delete-comment": (_COMMENTS, WRITE),
    "issues/get-comment": (_COMMENTS, READ),
    "issues/list-comments": (_COMMENTS, READ),
    "issues/list-comments-for-repo": (_COMMENTS, READ),
    "issues/list-labels-on-issue": (_COMMENTS, READ),
    "issues/update-comment": (_COMMENTS, WRITE),
    "pulls/get": (_PULLS, READ),
    "pulls/list": (_PULLS, READ),
    "repos/create-deployment": (("deployments",), WRITE),
    "repos/create-deployment-status": (("deployments",), WRITE),
    "repos/delete-an-environment": (_ADMINISTRATION, WRITE),
    "repos/get": (("metadata",), READ),
    "repos/get-all-environments": (("actions",), READ),
    "repos/get-collaborator-permission-level": (("metadata",), READ),
    "repos/get-commit": (("contents",), READ),
    "repos/get-deployment": (("deployments",), READ),
    "repos/get-webhook": (_HOOKS, READ),
    "repos/get-webhook-config-for-repo": (_HOOKS, READ),
    "repos/list-deployment-statuses": (("deployments",), READ),
    "repos/list-deployments": (("deployments",), READ),
    "repos/list-webhooks": (_HOOKS, READ),
    "repos/update-webhook-config-for-repo": (_HOOKS, WRITE),
    "users/get-authenticated": _NONE,
}
"""Any one of these permissions, at least at this level; an app as itself, and a user about herself, need none:
https://docs.github.com/rest/authentication/permissions-required-for-fine-grained-personal-access-tokens"""


class Limits:
    """GitHub's rate limits: so many requests an hour for each token, and at times none at all."""

    def __init__(self, clock: Clock) -> None:
        self.an_hour = 5000
        self.status = 403
        """403 or 429: GitHub answers either."""
        self.secondary_until: datetime | None = None
        self._clock = clock

    def count(self, token: Token) -> dict[str, str]:
        """Count one request, and tell the headers of its answer. Raises GitHubError past a limit."""
        now = self._clock.now()
        if token.resets_at is None or token.resets_at <= now:
            token.used, token.resets_at = 0, now + WINDOW
        if self.secondary_until is not None and now < self.secondary_until:
            seconds = -((now - self.secondary_until) // timedelta(seconds=1))
            raise GitHubError(
                self.status,
                "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
                headers={**self._headers(token, token.resets_at), "retry-after": str(seconds)},
                documentation_url=f"{LIMITS_PAGE}#about-secondary-rate-limits",
            )
        if token.used >= self.an_hour:
            raise GitHubError(
                self.status,
                "API rate limit exceeded.",
                headers=self._headers(token, token.resets_at),
                documentation_url=f"{LIMITS_PAGE}#about-primary-rate-limits",
            )
        token.used += 1
        return self._headers(token, token.resets_at)

    def _headers(self, token: Token, resets_at: datetime) -> dict[str, str]:
        return {
            "x-ratelimit-limit": str(self.an_hour),
            "x-ratelimit-remaining": str(max(self.an_hour - token.used, 0)),
            "x-ratelimit-used": str(token.used),
            "x-ratelimit-reset": str(int(resets_at.timestamp())),
            "x-ratelimit-resource": "core",
        }


def credential(headers: Mapping[str, str]) -> str:
    """The token, or the JWT, that a request carries. Raises GitHubError (401) for none."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if not value:
        raise GitHubError(401, "Requires authentication")
    if scheme.lower() not in ("bearer", "token"):
        raise _bad_credentials()
    return value.strip()


def token_of(state: State, value: str, now: datetime) -> Token:
    """The token of this value. Raises GitHubError (401) for one that is unknown or has expired."""
    token = state.tokens.get(value)
    if token is None or (token.expires_at is not None and token.expires_at <= now):
        raise _bad_credentials()
    return token


def check_permission(token: Token, operation: str) -> None:
    """Raises GitHubError (403) unless the token permits an operation."""
    alternatives, level = PERMISSIONS[operation]
    if token.permissions is None or not alternatives:
        return
    granted = {**token.permissions, "metadata": token.permissions.get("metadata", READ)}
    if not any(LEVELS.index(granted.get(one, "")) >= LEVELS.index(level) for one in alternatives):
        accepted = "; ".join(f"{one}={level}" for one in alternatives)
        raise inaccessible(token, {"x-accepted-github-permissions": accepted})


def inaccessible(token: Token, headers: Mapping[str, str] | None = None) -> GitHubError:
    """The error (403) for what is not for such a token."""
    kind = "integration" if token.installation else "personal access token"
    return GitHubError(403, f"Resource not accessible by {kind}", headers=headers)


def app_of(state: State, jwt: str, moments: tuple[datetime, ...]) -> App:
    """The app that signed a JWT which is timely at one of these moments. Raises GitHubError (401)."""
    from google.auth.crypt import RSAVerifier  # with cryptography, 9 MiB that few need

    claims, signed, signature = _parts(jwt)
    issuer = str(claims.get("iss", ""))
    app = next((one for one in state.apps.values() if issuer in (str(one.id), one.client_id)), None)
    if app is None or not RSAVerifier.from_string(app.public_key).verify(signed, signature):
        raise _undecodable()
    problems = [_untimely(claims, moment) for moment in moments]
    if all(problems):
        raise GitHubError(401, problems[0])
    return app


def _parts(jwt: str) -> tuple[dict[str, object], bytes, bytes]:
    """The claims, what is signed, and the signature, of a JWT that is signed with RS256."""
    try:
        head, payload, signature = (_decoded(part) for part in jwt.split("."))
        header, claims = json.loads(head), json.loads(payload)
    except ValueError as error:
        raise _undecodable() from error
    if not isinstance(header, dict) or header.get("alg") != "RS256" or not isinstance(claims, dict):
        raise _undecodable()
    return claims, jwt.rpartition(".")[0].encode(), signature


def _decoded(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


def _untimely(claims: Mapping[str, object], now: datetime) -> str:
    """Why the claims do not hold at a moment; "" if they do."""
    expires, issued = claims.get("exp"), claims.get("iat")
    if not isinstance(expires, (int, float)) or expires <= now.timestamp():
        return (
            "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the "
            "assertion expires"
        )
    if datetime.fromtimestamp(expires, UTC) > now + LONGEST_JWT + CLOCK_DRIFT:
        return "'Expiration time' claim ('exp') is too far in the future"
    if not isinstance(issued, int) or issued > (now + CLOCK_DRIFT).timestamp():
        return "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
    return ""


def granted(installation: Installation, body: Mapping[str, object]) -> Mapping[str, str]:
    """The permissions of a token that is asked for. Raises GitHubError (422) for more than the installation's."""
    wanted = cast("Mapping[str, str] | None", body.get("permissions"))
    if wanted is None:
        return installation.permissions
    for name, level in wanted.items():
        if LEVELS.index(level) > LEVELS.index(installation.permissions.get(name, "")):
            raise GitHubError(422, "The permissions requested are not granted to this installation.")
    return wanted


def _bad_credentials() -> GitHubError:
    return GitHubError(401, "Bad credentials")


def _undecodable() -> GitHubError:
    return GitHubError(401, "A JSON web token could not be decoded")
