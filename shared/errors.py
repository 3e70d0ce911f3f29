"""The few errors that the suite raises itself, each saying what to do about it."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

LONGEST_DEFERRAL = timedelta(hours=2)
LONGEST_SHOWN = 120
"""Characters of a value that an error quotes."""
LONGEST_ERROR = 600
"""Characters of an error in a report: it is stored, and read on a phone."""
_CREDENTIAL = (
    r"(?<=://)[^/@\s]*:[^/@\s]*(?=@)|\bgh[a-z]_\w+|\bgithub_pat_\w+|\bya29\.[\w.-]+|(?<=Bearer )\S+"
    r"|(?<=[?&]X-Goog-Signature=)\w+|\b(?<=password=)\S+|-----BEGIN .*"
)
_CONTROL = r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+"
"""Characters that break a line, or turn the direction of what follows: a text for a person has none."""


class CaretakerError(Exception):
    """A failure that one sentence can explain to a person."""


class SettingsError(CaretakerError, ValueError):
    """One wrong setting: its key and value, what was expected, and where it is written, once that is known.

    A ``ValueError`` too, so that a settings type may raise it from ``__post_init__``.
    """

    def __init__(
        self,
        key: str,
        value: object,
        expected: str,
        *,
        problem: str = "",
        remedy: str = "",
        file: str = "",
        line: int = 0,
    ) -> None:
        """``problem`` and ``remedy`` replace the usual words; a ``value`` of None is a key that is missing."""
        self.key = key
        self.value = value
        self.expected = expected
        self.problem = problem or (
            f"missing required key {key}" if value is None else f"invalid value {_shown(value)} for {key}"
        )
        self.remedy = remedy or f"expected {expected}"
        self.file = file
        self.line = line
        super().__init__(key, value, expected)

    def __str__(self) -> str:
        where = f" in {self.file}" if self.file else ""
        where += f" line {self.line}" if self.line else ""
        return f"{self.problem}{where}; {self.remedy}"

    @property
    def errors(self) -> "tuple[SettingsError, ...]":
        """All of them, where there are several."""
        return (self,)

    def renamed(self, key: str) -> "SettingsError":
        """The same error for the full name of its key."""
        problem = self.problem.replace(self.key, key) if self.key else self.problem
        return SettingsError(
            key, self.value, self.expected, problem=problem, remedy=self.remedy, file=self.file, line=self.line
        )

    def located(self, file: str, line: int) -> "SettingsError":
        """The same error with the place where the setting is written."""
        return SettingsError(
            self.key, self.value, self.expected, problem=self.problem, remedy=self.remedy, file=file, line=line
        )


class SeveralSettingsErrors(SettingsError):
    """All wrong settings of a file, each on a line of its own; as a ``SettingsError`` it is the first of them."""

    def __init__(self, errors: Sequence[SettingsError]) -> None:
        self._errors = tuple(errors)
        first = self._errors[0]
        super().__init__(
            first.key,
            first.value,
            first.expected,
            problem=first.problem,
            remedy=first.remedy,
            file=first.file,
            line=first.line,
        )

    def __str__(self) -> str:
        return "\n".join(map(str, self._errors))

    @property
    def errors(self) -> tuple[SettingsError, ...]:
        """Each of them."""
        return self._errors


def settings_error_of(errors: Sequence[SettingsError]) -> SettingsError:
    """One or more errors as the one to raise, in the order of their lines, each message once."""
    each = {str(one): one for error in errors for one in error.errors}
    in_order = sorted(each.values(), key=lambda error: (error.file, error.line))
    return in_order[0] if len(in_order) == 1 else SeveralSettingsErrors(in_order)


def _shown(value: object) -> str:
    """A value as an error quotes it: short, and without anything that looks like a credential."""
    text = repr(value) if isinstance(value, str) else str(value)
    if isinstance(value, bool):
        text = text.lower()
    return shortened(without_credentials(text), LONGEST_SHOWN)


def shortened(text: str, longest: int) -> str:
    """A text with at most so many characters."""
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def without_credentials(text: str) -> str:
    """A text with *** for each part that looks like a credential, such as the password of an address."""
    return re.sub(_CREDENTIAL, "***", text, flags=re.DOTALL)


def presentable(text: str) -> str:
    """A text from elsewhere as reports carry it: one bounded line, without anything that looks like a credential."""
    return shortened(re.sub(_CONTROL, " ", without_credentials(text)), LONGEST_ERROR)


class IgnoredMessage(CaretakerError):
    """A message that can never succeed: it is acknowledged, reported and counted, and touches nothing."""


class RunFailed(CaretakerError):
    """Part of a run failed and must be done again: raised so that Pub/Sub delivers the message again."""


class StillAtWork(RunFailed):
    """An earlier delivery of the same message is at work, or has died: this one must not be acknowledged for it."""


class Refused(CaretakerError):
    """A change is refused for good: the same call would be refused again, and ``learn`` may remember that."""


class Deferred(CaretakerError):
    """Nothing more is answered until a moment: the run fails, and what follows it may wait for that."""

    def __init__(self, message: str, *, seconds: float | None = None, at: datetime | None = None) -> None:
        """``seconds`` from now, or ``at`` a moment."""
        super().__init__(message)
        self._seconds = seconds
        self._at = at

    def until(self, now: datetime) -> datetime:
        """The time from which it may be asked again: within ``LONGEST_DEFERRAL``, even if the other side says later."""
        said = self._at or now + timedelta(seconds=min(self._seconds or 0.0, LONGEST_DEFERRAL.total_seconds()))
        return min(max(said, now), now + LONGEST_DEFERRAL)


class StillBusy(CaretakerError):
    """A resource is in the middle of something else: a later run continues."""


class StoredUnreadable(CaretakerError):
    """A stored document cannot be read by this version: nothing is decided from it, and nothing is written over it."""


class WriteConflict(CaretakerError):
    """A document was changed by another run between our read and our write."""


def cloud_errors() -> tuple[type[Exception], ...]:
    """The errors that a call may raise. Any other is a fault of ours and ends the run with its traceback."""
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError

    return (GoogleAPIError, GoogleAuthError, CaretakerError)


def not_found_errors() -> tuple[type[Exception], ...]:
    """The error of a call to a resource that is not there, for an ``except``: imported only once there is an error."""
    from google.api_core.exceptions import NotFound

    return (NotFound,)


def invalid_argument_errors() -> tuple[type[Exception], ...]:
    """The error of a request that is refused as it is, for an ``except``: imported only once there is an error."""
    from google.api_core.exceptions import InvalidArgument

    return (InvalidArgument,)


def already_exists_errors() -> tuple[type[Exception], ...]:
    """The error of a call that makes what there is already, for an ``except``, as above."""
    from google.api_core.exceptions import AlreadyExists

    return (AlreadyExists,)


def method_not_implemented_errors() -> tuple[type[Exception], ...]:
    """The error of a call that there is not (yet), for an ``except``, as above."""
    from google.api_core.exceptions import MethodNotImplemented

    return (MethodNotImplemented,)


@contextmanager
def no_answer(what: str) -> Iterator[None]:
    """Raise ``ServiceUnavailable`` for a request that gets none, as Google's clients do, and say only ``what`` it was.

    Errors of `requests` contain the whole address, and that of an upload is as good as a password.
    """
    import requests

    try:
        yield
    except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
        from google.api_core.exceptions import ServiceUnavailable

        raise ServiceUnavailable(f"{what}: {type(error).__name__}") from None


def in_words(error: Exception) -> str:
    """An error as reports show it: its kind, and its message without Google's numeric code, presentable.

    That something was tried until its time was up says little without what went wrong the last time.
    """
    return presentable(_words_of(error))


def _words_of(error: Exception) -> str:
    words = f"{type(error).__name__}: {getattr(error, 'message', None) or error}"
    cause = getattr(error, "cause", None)
    return f"{words}, last {_words_of(cause)}" if isinstance(cause, Exception) else words
