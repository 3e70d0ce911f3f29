"""The few errors that the suite raises itself, each saying what to do about it."""

from collections.abc import Iterator
from contextlib import contextmanager


class CaretakerError(Exception):
    """Anything that went wrong and that a person can be told about in one sentence."""


class SettingsError(CaretakerError, ValueError):
    """A setting is wrong: names the key, the value, and what would do.

    A ``ValueError`` too, so that a settings type may raise it while msgspec makes one.
    """

    def __init__(self, key: str, value: object, what_would_do: str) -> None:
        self.key = key
        self.value = value
        self.what_would_do = what_would_do
        super().__init__(f"{key}: {value!r} will not do: {what_would_do}")


class IgnoredMessage(CaretakerError):
    """A message that can never succeed: it is acknowledged, reported and counted, and touches nothing."""


class RunFailed(CaretakerError):
    """Part of a run failed and is still owed: raised so that Pub/Sub delivers the message again."""


class StillAtWork(RunFailed):
    """An earlier delivery of the same message is at work, or has died: this one must not be acknowledged for it."""


class StillBusy(CaretakerError):
    """A resource is in the middle of something else: it is waited for, and a later run goes on."""


class StoredUnreadable(CaretakerError):
    """A stored document cannot be read by this version: nothing is decided from it, and nothing is written over it."""


class WriteConflict(CaretakerError):
    """A document was changed by another run between our read and our write."""


def cloud_errors() -> tuple[type[Exception], ...]:
    """What a call may raise. Anything else is a fault of ours and takes the run down with its traceback."""
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError

    return (GoogleAPIError, GoogleAuthError, CaretakerError)


@contextmanager
def no_answer(what: str) -> Iterator[None]:
    """Raise ``ServiceUnavailable`` for a request that gets none, as Google's clients do, and say only ``what`` it was.

    What `requests` raises tells the whole address, and that of an upload is as good as a password.
    """
    import requests
    from google.api_core.exceptions import ServiceUnavailable

    try:
        yield
    except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
        raise ServiceUnavailable(f"{what}: {type(error).__name__}") from None


def in_words(error: Exception) -> str:
    """An error as a report tells it: its kind, and what it says without Google's numeric code.

    That something was tried until its time was up says little without what went wrong the last time.
    """
    words = f"{type(error).__name__}: {getattr(error, 'message', None) or error}"
    cause = getattr(error, "cause", None)
    return f"{words}, last {in_words(cause)}" if isinstance(cause, Exception) else words
