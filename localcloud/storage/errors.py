"""Errors as Cloud Storage's JSON API answers them: https://cloud.google.com/storage/docs/json_api/v1/status-codes."""

import json
from collections.abc import Mapping

import grpc

from localcloud.core.http import STATUSES, HttpAnswer
from localcloud.core.server import ApiError

NOT_MODIFIED = 304
CODES = {
    NOT_MODIFIED: grpc.StatusCode.ABORTED,
    400: grpc.StatusCode.INVALID_ARGUMENT,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    409: grpc.StatusCode.ALREADY_EXISTS,
    410: grpc.StatusCode.NOT_FOUND,
    412: grpc.StatusCode.FAILED_PRECONDITION,
    416: grpc.StatusCode.OUT_OF_RANGE,
    499: grpc.StatusCode.CANCELLED,
}
"""The gRPC code under which a status is recorded among the calls."""
REASONS = {
    400: "invalid",
    401: "authError",
    403: "forbidden",
    404: "notFound",
    409: "conflict",
    410: "gone",
    412: "conditionNotMet",
    416: "requestedRangeNotSatisfiable",
    429: "rateLimitExceeded",
    499: "clientClosedRequest",
    500: "internalError",
    501: "notImplemented",
    503: "backendError",
    504: "gatewayTimeout",
}


class StorageError(ApiError):
    """Cloud Storage's answer instead of a result."""

    def __init__(
        self, status: int, message: str, reason: str = "", *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(CODES[status], message)
        self.http_status = status
        self.reason_word = reason or REASONS.get(status, "")
        self.headers = dict(headers or {})


def invalid(message: str) -> StorageError:
    """A request that could never succeed."""
    return StorageError(400, message)


def no_such_bucket() -> StorageError:
    """The bucket that a request names is not there."""
    return StorageError(404, "The specified bucket does not exist.")


def no_such_object(bucket: str, name: str) -> StorageError:
    """The object, or the generation of it, that a request names is not there."""
    return StorageError(404, f"No such object: {bucket}/{name}")


def condition_not_met() -> StorageError:
    """A precondition does not hold."""
    return StorageError(412, "At least one of the pre-conditions you specified did not hold.")


def refusal(error: ApiError) -> HttpAnswer:
    """The answer; an injected error has the status that Google's APIs give its code."""
    if isinstance(error, StorageError):
        status, reason, headers = error.http_status, error.reason_word, error.headers
    else:
        status, headers = STATUSES.get(error.code, (500, ""))[0], {}
        reason = REASONS.get(status, "")
    if status == NOT_MODIFIED:
        return HttpAnswer(status, b"", headers=headers)
    one = {"message": error.message, "domain": "global", "reason": reason}
    body = {"error": {"code": status, "message": error.message, "errors": [one]}}
    return HttpAnswer(status, json.dumps(body).encode(), headers=headers)
