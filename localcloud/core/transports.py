"""Reads the RPCs of Google's APIs off their official client packages.

The packages register no service descriptors. Their transports, though, know each method's path, and which message it
takes: a transport is built on a channel that only notes what it is asked for.
"""
# ruff: noqa: ANN401 - a common form of all four kinds of stub has none of their types

import collections.abc
import functools
import importlib
import inspect
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn, Self

import grpc
import proto

from localcloud.core.plain_fields import find_at_once

UNARY, RESPONSE_STREAM, REQUEST_STREAM = "unary", "response-stream", "request-stream"


@dataclass(frozen=True)
class Rpc:
    """One RPC: its name in snake case, its path on the wire, what is streamed, and where the type of its request is."""

    snake_name: str
    path: str
    kind: str
    module: str
    name: str

    @functools.cached_property
    def request(self) -> type:
        """The type of its request, which is imported when it is first asked for."""
        found: type = getattr(importlib.import_module(self.module), self.name)
        if issubclass(found, proto.Message):
            find_at_once(found.meta.marshal)
        return found


@functools.cache
def rpcs_of(transport: type) -> tuple[Rpc, ...]:
    """Every RPC of an official gRPC transport, such as ``FirestoreGrpcTransport``."""
    return tuple(_rpcs_of(transport))


def _rpcs_of(transport: type) -> Iterator[Rpc]:
    channel = _NotingChannel()
    # Transports wrap the channel in an interceptor of their own, which makes stubs only when they are called.
    original = grpc.intercept_channel
    grpc.intercept_channel = lambda given, *_: given
    try:
        instance = transport(channel=channel)
    finally:
        grpc.intercept_channel = original
    for name, member in inspect.getmembers(transport, lambda one: isinstance(one, property)):
        returned = typing.get_type_hints(member.fget).get("return")
        if typing.get_origin(returned) is not collections.abc.Callable:
            continue
        (request,), _ = typing.get_args(returned)
        channel.path = ""
        instance._stubs.clear()  # noqa: SLF001 - a transport asks for each stub only once
        getattr(instance, name)
        if channel.path:
            yield Rpc(name, channel.path, channel.kind, request.__module__, request.__name__)


class _NotingChannel(grpc.Channel):
    """Notes the last RPC that a transport asked a stub for."""

    def __init__(self) -> None:
        self.path = ""
        self.kind = UNARY

    def _note(self, kind: str, path: str) -> Any:
        self.kind, self.path = kind, path
        return _never_called

    def unary_unary(self, method: str, *_: object, **__: object) -> Any:
        return self._note(UNARY, method)

    def unary_stream(self, method: str, *_: object, **__: object) -> Any:
        return self._note(RESPONSE_STREAM, method)

    def stream_unary(self, method: str, *_: object, **__: object) -> Any:
        return self._note(REQUEST_STREAM, method)

    def stream_stream(self, method: str, *_: object, **__: object) -> Any:
        return self._note(REQUEST_STREAM, method)

    def subscribe(self, *_: object, **__: object) -> None:
        """A channel that is never connected has no state to tell of."""

    def unsubscribe(self, *_: object, **__: object) -> None:
        """See `subscribe`."""

    def close(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


def _never_called(*_: object, **__: object) -> NoReturn:
    raise AssertionError("a transport that is only read off has called an API")
