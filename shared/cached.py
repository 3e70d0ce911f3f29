"""A cache for pure functions of immutable values, such as records."""

import functools
import operator
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

Given = TypeVarTuple("Given")
ResultT = TypeVar("ResultT")


def cached_by_identity(function: Callable[[*Given], ResultT]) -> Callable[[*Given], ResultT]:
    """The function with its last result, for as long as its arguments are the very same objects.

    As ``functools.lru_cache(maxsize=1)``, for arguments that cannot be hashed. Most messages change nothing: what one
    run has worked out of records and settings, the next one need not.
    """
    last: tuple[tuple[object, ...], ResultT] | None = None

    @functools.wraps(function)
    def cached(*arguments: *Given) -> ResultT:
        nonlocal last
        known = last
        if known is None or not all(map(operator.is_, known[0], arguments)):
            known = last = arguments, function(*arguments)
        return known[1]

    return cached
