"""Assertions on a ``SettingsError``: its key, its value and the remedy, however the sentence is worded."""

import contextlib
import re
from collections.abc import Iterator

import pytest

from shared.errors import SettingsError


def parts_of(error: SettingsError) -> str:
    """``KEY: VALUE; REMEDY`` of each of its errors, a line each."""
    return "\n".join(f"{one.key}: {one.value!r}; {one.remedy}" for one in error.errors)


@contextlib.contextmanager
def refused(pattern: str) -> Iterator[None]:
    """Expect a ``SettingsError`` whose parts match a pattern."""
    with pytest.raises(SettingsError) as error:
        yield
    assert re.search(pattern, parts_of(error.value)), parts_of(error.value)
