"""Transient errors, after which the same call may succeed a little later, and the retries of calls."""

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from google.api_core.retry import Retry

ResultT = TypeVar("ResultT")


def repeated(call: Callable[[], ResultT], retry: "Callable[[], Retry]") -> ResultT:
    """The result of an idempotent call: it is retried as ``retry`` says while its error is transient.

    What repeats a call takes long to import, and most calls go well: it is asked for after the first that does not.
    """
    try:
        return call()
    except Exception as error:
        if not is_passing(error):
            raise
        failed = [error]

    def again() -> ResultT:
        if failed:
            raise failed.pop()
        return call()

    return retry()(again)()


def is_passing(error: BaseException) -> bool:
    """Whether the same call may succeed a little later: https://cloud.google.com/storage/docs/retry-strategy."""
    from google.api_core import exceptions
    from google.auth.exceptions import GoogleAuthError

    kinds = (
        exceptions.ServiceUnavailable,
        exceptions.InternalServerError,
        exceptions.BadGateway,
        exceptions.GatewayTimeout,  # the one of HTTP, and of gRPC too: DeadlineExceeded is one
        exceptions.TooManyRequests,
    )
    # There is no class for a request that the server gave up waiting for.
    is_timeout = isinstance(error, exceptions.GoogleAPICallError) and error.code == HTTPStatus.REQUEST_TIMEOUT
    return isinstance(error, kinds) or is_timeout or (isinstance(error, GoogleAuthError) and error.retryable)
