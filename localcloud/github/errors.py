"""Errors as GitHub's REST API answers them: https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api."""

import json
from collections.abc import Mapping

import grpc

from localcloud.core.http import STATUSES, HttpAnswer
from localcloud.core.server import ApiError

DOCUMENTATION = "https://docs.github.com/rest"
CONTENT_TYPE = "application/json; charset=utf-8"
CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    422: grpc.StatusCode.INVALID_ARGUMENT,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
}
"""The gRPC code under which a status is recorded among the calls."""


class GitHubError(ApiError):
    """GitHub's answer instead of a result; the operation adds the address of its documentation, and its headers."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: list[dict[str, str]] | None = None,
        documentation_url: str = "",
    ) -> None:
        super().__init__(CODES[status], message)
        self.http_status = status
        self.headers = dict(headers or {})
        self.errors = errors
        self.documentation_url = documentation_url


def not_found() -> GitHubError:
    """A resource that does not exist, or that the caller may not see."""
    return GitHubError(404, "Not Found")


def invalid_field(resource: str, field: str, message: str, *, code: str = "custom") -> GitHubError:
    """A value of the right form that is not allowed."""
    error = {"resource": resource, "code": code, "field": field, "message": message}
    return GitHubError(422, "Validation Failed", errors=[error])


def refusal(error: ApiError) -> HttpAnswer:
    """The answer; an injected error has the status that Google's APIs give its code."""
    ours = error if isinstance(error, GitHubError) else None
    status = ours.http_status if ours else STATUSES.get(error.code, (500, ""))[0]
    body: dict[str, object] = {"message": error.message}
    if ours and ours.errors is not None:
        body["errors"] = ours.errors
    body["documentation_url"] = (ours.documentation_url if ours else "") or DOCUMENTATION
    body["status"] = str(status)
    return HttpAnswer(status, json.dumps(body).encode(), CONTENT_TYPE, ours.headers if ours else {})
