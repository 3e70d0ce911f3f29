"""GitHub's permanent refusals of reads and writes."""

from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors import Refused, in_words
from shared.github import is_refused_for_good


@contextmanager
def shown() -> Iterator[None]:
    """Go on after it, if GitHub does not show what is read here, and would not another time."""
    from google.api_core.exceptions import GoogleAPICallError

    try:
        yield
    except GoogleAPICallError as error:
        if not is_refused_for_good(error):
            raise


@contextmanager
def refusing(*but: type[Exception]) -> Iterator[None]:
    """Raise ``Refused`` for what GitHub would refuse again, but for some errors."""
    from google.api_core.exceptions import GoogleAPICallError

    try:
        yield
    except GoogleAPICallError as error:
        if is_refused_for_good(error) and not isinstance(error, but):
            raise Refused(in_words(error)) from None
        raise
