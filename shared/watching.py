"""Tells a watcher of every call that a client makes, by gRPC or by HTTP."""

from collections.abc import Callable
from typing import Any, Protocol

import grpc
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter


class CallWatcher(Protocol):
    """Called before and after every API call, so that tests can stop a run between two of them.

    A call is ``package.Service/Method`` for an RPC, by gRPC or REST, and ``VERB host/path`` for any other request.
    """

    def before(self, method: str) -> None:
        """The call is about to be sent."""

    def after(self, method: str) -> None:
        """The call has been answered."""


class NoWatcher:
    """Watches no call."""

    def before(self, method: str) -> None:
        """A call is about to be sent."""

    def after(self, method: str) -> None:
        """A call has been answered."""


class WatchingInterceptor(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
    """Sits between a client and its channel. A watcher that raises stops the call there."""

    def __init__(self, watcher: CallWatcher) -> None:
        self._watcher = watcher

    def intercept_unary_unary(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        """Watch a call with one answer, which has arrived when ``continuation`` returns."""
        return self._watch(continuation, details, request)

    def intercept_unary_stream(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        """Watch a call that streams its answer. All streams of the suite are reads, so its start is what counts."""
        return self._watch(continuation, details, request)

    def _watch(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        path = details.method.decode() if isinstance(details.method, bytes) else details.method
        method = path.removeprefix("/")
        self._watcher.before(method)
        answer = continuation(details, request)
        self._watcher.after(method)
        return answer


class WatchingAdapter(BaseAdapter):
    """Stands between a session and the adapter that sends its requests: each is ``VERB host/path`` to the watcher."""

    def __init__(self, watcher: CallWatcher, adapter: BaseAdapter, endpoint: str) -> None:
        super().__init__()
        self._watcher = watcher
        self._adapter = adapter
        self._endpoint = endpoint or "https:/"

    def send(self, request: PreparedRequest, *positional: Any, **options: Any) -> Response:
        """Watch one request, which has been answered when the adapter returns."""
        address = (request.url or "").removeprefix(f"{self._endpoint}/").partition("?")[0]
        name = f"{request.method} {address}"
        self._watcher.before(name)
        answer = self._adapter.send(request, *positional, **options)
        self._watcher.after(name)
        return answer

    def close(self) -> None:
        """Close the adapter."""
        self._adapter.close()
