"""Tells a watcher of every gRPC call that a client makes."""

from collections.abc import Callable
from typing import Any, Protocol

import grpc


class CallWatcher(Protocol):
    """Is told of every API call: the seam where tests stop a run between two calls."""

    def before(self, method: str) -> None:
        """The call is about to be sent."""

    def after(self, method: str) -> None:
        """The call has been answered."""


class WatchingInterceptor(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
    """Stands between a client and its channel. A watcher that raises stops the call where it stands."""

    def __init__(self, watcher: CallWatcher) -> None:
        self._watcher = watcher

    def intercept_unary_unary(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        """Watch a call with one answer, which has arrived when ``continuation`` returns."""
        return self._watch(continuation, details, request)

    def intercept_unary_stream(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        """Watch a call that streams its answer. All streams of the suite are reads, so its start is what counts."""
        return self._watch(continuation, details, request)

    def _watch(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        method = details.method.decode() if isinstance(details.method, bytes) else details.method
        self._watcher.before(method)
        answer = continuation(details, request)
        self._watcher.after(method)
        return answer
