"""GitHub's permanent refusals of reads and writes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from functions.manage_previews.messages import WriteRefused
from shared.decision import Message
from shared.errors import Refused, in_words
from shared.github import is_refused_for_good

ValueT = TypeVar("ValueT")


def if_shown(read: Callable[[], ValueT]) -> ValueT | None:
    """The result of a read; None if GitHub does not show it, and would not another time."""
    from google.api_core.exceptions import GoogleAPICallError

    try:
        return read()
    except GoogleAPICallError as error:
        if not is_refused_for_good(error):
            raise
        return None


@contextmanager
def refusing(*but: type[Exception], words: Callable[[str], Message] = WriteRefused) -> Iterator[None]:
    """Raise ``Refused``, in these words, for what GitHub would refuse again, but for some errors."""
    from google.api_core.exceptions import GoogleAPICallError

    try:
        yield
    except GoogleAPICallError as error:
        if is_refused_for_good(error) and not isinstance(error, but):
            raise Refused(str(words(in_words(error)))) from None
        raise
