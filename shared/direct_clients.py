"""Clients that reach a cloud in this process without a wire: it saves half of a call's time."""

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import grpc
from google.api_core.exceptions import RetryError
from google.api_core.retry import Retry
from requests import Session
from urllib3 import HTTPHeaderDict

from shared import repeating
from shared.clients import Clients
from shared.connections import Answer
from shared.watching import CallWatcher, WatchingAdapter, WatchingInterceptor

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

ANYWHERE = "http://in-process"
ATTEMPTS = 4
"""Of a call that only reads."""


class Answered(Protocol):
    """An answer over HTTP."""

    @property
    def status(self) -> int:
        """Its status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Its headers, but for the one that says what its body is."""

    @property
    def content_type(self) -> str:
        """Its body."""

    @property
    def body(self) -> bytes:
        """Its body."""


class InThisProcess(Protocol):
    """A cloud that can be called without a wire."""

    def channel(self) -> grpc.Channel:
        """Leads to all of its gRPC methods."""

    def adapter(self) -> "BaseAdapter":
        """Answers the requests of a session."""

    def answer(self, verb: str, target: str, content: bytes, headers: Mapping[str, str]) -> "Answered":
        """Answers one request over HTTP to ``target``: ``/host/path?query``."""


class Attempts(Retry):
    """A fixed number of attempts without waits, so that what comes of a run does not depend on the machine's speed."""

    def __call__(self, call: Callable[..., Any], on_error: Callable[[Exception], Any] | None = None) -> Any:
        """The call with its attempts. It raises as Google's does: ``RetryError`` after the last of them."""
        del on_error

        def attempt(*values: Any, **options: Any) -> Any:
            for number in range(1, ATTEMPTS + 1):
                try:
                    return call(*values, **options)
                except Exception as error:
                    if not repeating.is_passing(error):
                        raise
                    if number == ATTEMPTS:
                        raise RetryError(f"{ATTEMPTS} attempts, last exception: {error}", error) from error
            return None

        return attempt


class DirectClients(Clients):
    """Clients whose channels lead straight to a cloud."""

    def __init__(self, project: str, cloud: InThisProcess, *, watcher: CallWatcher) -> None:
        super().__init__(project, endpoint="in-process", http_endpoint=ANYWHERE, concurrency=1)
        self._channel = grpc.intercept_channel(cloud.channel(), WatchingInterceptor(watcher))
        self._cloud = cloud
        self._watcher = watcher
        self._adapter = WatchingAdapter(watcher, cloud.adapter(), ANYWHERE)

    def _retrying(self) -> Retry:
        return Attempts()

    def _channel_factory(self, transport: object) -> Any:
        del transport
        return lambda *_, **__: self._channel

    def _exchange(self, verb: str, url: str, content: bytes | None, headers: Mapping[str, str]) -> Answer:
        found = self._cloud.answer(verb, url.removeprefix(ANYWHERE), content or b"", headers)
        return Answer(found.status, _headers(found.content_type, tuple(found.headers.items())), found.body)

    def _open_session(self, *, authorized: bool) -> Session:
        del authorized  # no authentication
        session = Session()
        session.trust_env = False
        session.mount(ANYWHERE, self._adapter)
        return session


@functools.lru_cache
def _headers(content_type: str, others: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    """The headers of an answer: nearly all answers have the same."""
    return HTTPHeaderDict({"Content-Type": content_type, **dict(others)})
