"""Saves the state of a cloud, and restores it any number of times, so that many futures of one past can be tried.

What the services hold in their attributes is copied, and what their timers will do. What connects them stays as it is:
the services themselves, locks, threads, the port.
"""

import enum
import functools
import hashlib
import io
import itertools
import re
import threading
import types
from collections import deque
from concurrent.futures import Executor
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

import proto
from google.protobuf.message import Message

from localcloud.core.cloud import Cloud
from localcloud.core.http import HttpServer
from localcloud.core.kept import Kept
from localcloud.core.server import Server, copy_of

UNCHANGING = (
    *(str, bytes, int, float, type(None), datetime, timedelta, tzinfo, Decimal, enum.Enum, re.Pattern),
    *(type, types.ModuleType, types.BuiltinFunctionType),
)
# Counters only grow: nothing may depend on where they stand.
CONNECTING = (
    *(Server, HttpServer, Kept, Executor, threading.Thread, threading.Condition, itertools.count),
    *(type(threading.Lock()), type(threading.RLock())),
)
Hash = type(hashlib.md5(usedforsecurity=False))
UNFILLED = (
    *(Hash, Message, proto.Message, tuple, frozenset),
    *(types.FunctionType, types.MethodType, functools.partial),
)


class Snapshot:
    """All that a local cloud holds at one moment at which nothing is in flight."""

    def __init__(self, cloud: Cloud) -> None:
        cloud.clock.settle()
        self._services = list(cloud.parts.values())
        self._saved = self._copy([vars(service) for service in self._services])

    def restore(self) -> None:
        """Put everything back as it was. Can be done any number of times."""
        for service, saved in zip(self._services, self._copy(self._saved), strict=True):
            vars(service).update(saved)

    def _copy(self, attributes: list[dict[str, Any]]) -> list[dict[str, Any]]:
        copier = _Copier(self._services)
        return [{name: copier.copy(value) for name, value in one.items()} for one in attributes]


class _Copier:
    """Copies values deeply, each object once, also with shared references and cycles."""

    def __init__(self, kept: list[Any]) -> None:
        self._known: dict[int, Any] = {id(one): one for one in kept}

    def copy(self, value: Any) -> Any:
        """A copy of a value. Raises ``TypeError`` for one of a type that is not known here."""
        kind: Any = type(value)
        if _stays(kind):
            return value
        if id(value) in self._known:
            return self._known[id(value)]
        if _is_unfilled(kind):
            fresh = self._known[id(value)] = self._rebuilt(value)
        else:
            # It is known before what is within it is copied: that may lead back to it.
            fresh = self._known[id(value)] = _begun(value)
            self._fill(fresh, value)
        return fresh

    def _rebuilt(self, value: Any) -> Any:
        """A copy of what cannot be filled later."""
        match value:
            case Message() | proto.Message():
                return copy_of(value)
            case Hash():
                return value.copy()
            case types.MethodType():
                return types.MethodType(value.__func__, self.copy(value.__self__))
            case functools.partial():
                return functools.partial(self.copy(value.func), *self.copy(value.args), **self.copy(value.keywords))
            case types.FunctionType():
                return self._function(value)
        return type(value)(self.copy(one) for one in value)

    def _function(self, value: types.FunctionType) -> types.FunctionType:
        if value.__closure__ is None:
            return value
        cells = self.copy(value.__closure__)
        return types.FunctionType(value.__code__, value.__globals__, value.__name__, value.__defaults__, cells)

    def _fill(self, fresh: Any, value: Any) -> None:
        match value:
            case dict():
                for key, one in value.items():
                    fresh[self.copy(key)] = self.copy(one)
            case list() | deque():
                fresh.extend(self.copy(one) for one in value)
            case set():
                fresh.update(self.copy(one) for one in value)
            case io.BytesIO():
                fresh.write(value.getvalue())
            case types.CellType():
                fresh.cell_contents = self.copy(value.cell_contents)
            case _:
                kind: Any = type(value)
                for name in (*getattr(value, "__dict__", {}), *_slots_of(kind)):
                    object.__setattr__(fresh, name, self.copy(getattr(value, name)))


@functools.cache
def _stays(kind: type) -> bool:
    """Whether a snapshot shares values of a type. Of each type it is asked once: it takes longer than most copies."""
    return issubclass(kind, (*UNCHANGING, *CONNECTING))


@functools.cache
def _is_unfilled(kind: type) -> bool:
    return issubclass(kind, UNFILLED)


@functools.cache
def _slots_of(kind: type) -> tuple[str, ...]:
    return tuple(name for one in kind.__mro__ for name in getattr(one, "__slots__", ()))


def _begun(value: Any) -> Any:
    """The empty object that a copy fills."""
    if isinstance(value, (dict, list, deque, set, io.BytesIO, types.CellType)):
        return type(value)()
    if type(value).__module__.startswith("localcloud.") and not hasattr(value, "__struct_fields__"):
        return object.__new__(type(value))
    raise TypeError(f"a snapshot of the local cloud does not know how to copy {type(value)}: {value!r}")
