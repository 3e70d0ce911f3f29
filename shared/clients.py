"""Google's official clients: made on first use, pointed at an endpoint, with one policy for retries.

Without an endpoint a client is what Google's library makes of the function's own credentials. With
``CARETAKER_GRPC_ENDPOINT`` (``host:port``) every client speaks plaintext gRPC to that address, and with
``CARETAKER_HTTP_ENDPOINT`` (``http://host:port``) every HTTP request goes there, its own host before its path.
"""

import copy
import functools
import gc
import logging
import os
import threading
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, cast

import msgspec

if TYPE_CHECKING:
    import grpc
    from google.api_core.retry import Retry
    from requests import Session

    from shared.watching import CallWatcher

ENDPOINT_VARIABLE = "CARETAKER_GRPC_ENDPOINT"
HTTP_ENDPOINT_VARIABLE = "CARETAKER_HTTP_ENDPOINT"
PROJECT_VARIABLE = "CARETAKER_PROJECT"
RETRY_SECONDS_VARIABLE = "CARETAKER_RETRY_SECONDS"

SCOPE = "https://www.googleapis.com/auth/cloud-platform"

ClientT = TypeVar("ClientT")
ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class CallOptions(TypedDict):
    """The keyword arguments that every call of a Google client takes."""

    retry: "Retry | None"
    timeout: float


class RetryPolicy(msgspec.Struct, frozen=True):
    """How long a read is tried again, in seconds: it doubles from ``first`` to ``longest`` until ``give_up``.

    A write is never repeated within a run. Its answer may have been lost, so the run fails and the next
    one reads what really happened.
    """

    first: float = 0.5
    longest: float = 8.0
    give_up: float = 30.0
    timeout: float = 20.0


class Clients:
    """Every Google client of one process, by its class."""

    def __init__(
        self,
        project: str,
        *,
        endpoint: str = "",
        http_endpoint: str = "",
        retry: RetryPolicy | None = None,
        watcher: "CallWatcher | None" = None,
        concurrency: int = 8,
    ) -> None:
        self.project = project
        self._endpoint = endpoint
        self._http_endpoint = http_endpoint
        self._retry = retry or RetryPolicy()
        self._watcher = watcher
        self._concurrency = concurrency
        self._clients: dict[type, object] = {}
        self._sessions: dict[bool, Session] = {}
        self._lock = threading.Lock()
        self._read_once: dict[Hashable, object] = {}
        self._reading = threading.RLock()

    @classmethod
    def from_environment(cls, project: str = "", *, retry: RetryPolicy | None = None) -> "Clients":
        """Clients as the environment sets them: endpoints, seconds of retrying, and the project, if that is not given.

        Where the environment says nothing of retrying, ``retry`` holds.
        """
        seconds = os.environ.get(RETRY_SECONDS_VARIABLE)
        return cls(
            project or os.environ.get(PROJECT_VARIABLE) or os.environ.get("GOOGLE_CLOUD_PROJECT", ""),
            endpoint=os.environ.get(ENDPOINT_VARIABLE, ""),
            http_endpoint=os.environ.get(HTTP_ENDPOINT_VARIABLE, ""),
            retry=RetryPolicy(first=min(0.5, float(seconds) / 4), give_up=float(seconds)) if seconds else retry,
        )

    def of(self, client_class: type[ClientT]) -> ClientT:
        """The one client of this class, e.g. ``clients.of(run_v2.ServicesClient)``."""
        with self._lock:
            if client_class not in self._clients:
                self._clients[client_class] = self._connect(client_class)
            return cast("ClientT", self._clients[client_class])

    def for_one_run(self) -> "Clients":
        """The same clients, for one run: what is read ``once`` is read anew in the next."""
        view = copy.copy(self)
        vars(view).update(_read_once={}, _reading=threading.RLock())
        return view

    def once(self, key: Hashable, read: Callable[[], ResultT]) -> ResultT:
        """What ``read`` gives, read once in a run: a token, say, that every request of the run bears."""
        with self._reading:
            if key not in self._read_once:
                self._read_once[key] = read()
            return cast("ResultT", self._read_once[key])

    @property
    def session(self) -> "Session":
        """The one session for requests to Google's APIs over HTTP, authorized as the function's own account."""
        return self._session(authorized=True)

    @property
    def public_session(self) -> "Session":
        """The one session for requests to anybody else: it bears no credentials of the function's account."""
        return self._session(authorized=False)

    def _session(self, *, authorized: bool) -> "Session":
        with self._lock:
            if authorized not in self._sessions:
                self._sessions[authorized] = self._open_session(authorized=authorized)
            return self._sessions[authorized]

    def url(self, address: str) -> str:
        """Where a request to this ``https://`` address goes: there, or to the endpoint that replaces all hosts."""
        return f"{self._http_endpoint}/{address.removeprefix('https://')}" if self._http_endpoint else address

    def in_parallel(self, work: Callable[[ItemT], ResultT], items: Iterable[ItemT]) -> list[ResultT]:
        """The results of some work on each item, in order; a few calls at a time. Raises what the work raises."""
        listed = list(items)
        if self._concurrency == 1 or len(listed) < 2:
            return [work(item) for item in listed]
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(min(self._concurrency, len(listed))) as pool:
            return list(pool.map(work, listed))

    def close(self) -> None:
        """Close every connection. The clients are made anew if they are asked for again."""
        with self._lock:
            while self._sessions:
                _, session = self._sessions.popitem()
                session.close()
            while self._clients:
                _, client = self._clients.popitem()
                cast("Any", client).transport.close()

    @functools.cached_property
    def reading(self) -> CallOptions:
        """Options for a call that only reads: tried again while the error is one that passes."""
        return self.repeating(self._retry.give_up, timeout=self._retry.timeout)

    def repeating(self, give_up: float, *, timeout: float) -> CallOptions:
        """Options for a call that does no harm twice: tried again for so long while the error is one that passes."""
        from google.api_core.retry import Retry

        policy = self._retry
        return CallOptions(
            retry=Retry(_is_passing, initial=policy.first, maximum=policy.longest, multiplier=2.0, timeout=give_up),
            timeout=timeout,
        )

    def repeated(self, call: Callable[[], ResultT]) -> ResultT:
        """What a call returns that does no harm twice, and takes no options: tried again as ``reading`` says."""
        retry = self.reading["retry"]
        return retry(call)() if retry else call()

    @property
    def writing(self) -> CallOptions:
        """Options for a call that changes something: sent once."""
        return CallOptions(retry=None, timeout=self._retry.timeout)

    def _connect(self, client_class: type[ClientT]) -> ClientT:
        # Generated clients share one shape but no base class: https://googleapis.dev/python/gapic-generator-python
        generated: Any = client_class
        transport: Any = generated.get_transport_class("grpc")
        options: dict[str, Any] = {"transport": functools.partial(transport, channel=self._channel_factory(transport))}
        if self._endpoint:
            from google.auth.credentials import AnonymousCredentials

            options["credentials"] = AnonymousCredentials()
            options["client_options"] = {"api_endpoint": self._endpoint}
        client = cast("ClientT", generated(**options))
        _keep_payloads_out_of_logs(generated.__module__, transport.__module__)
        return client

    def _open_session(self, *, authorized: bool) -> "Session":
        from requests import Session

        if self._http_endpoint or not authorized:
            session = Session()
            session.trust_env = not self._http_endpoint  # no proxy between us and an endpoint of our own
        else:
            import google.auth
            from google.auth.transport.requests import AuthorizedSession

            credentials, _ = google.auth.default(scopes=[SCOPE])
            session = AuthorizedSession(credentials)
        if self._watcher:
            from shared.watching import WatchingAdapter

            for scheme in ("https://", "http://"):
                session.mount(scheme, WatchingAdapter(self._watcher, session.get_adapter(scheme), self._http_endpoint))
        return session

    def _channel_factory(self, transport: Any) -> "Callable[..., grpc.Channel]":
        import grpc

        def open_channel(host: str, **credentials: Any) -> grpc.Channel:
            # `api_endpoint` alone would still try TLS.
            if self._endpoint:
                channel = grpc.insecure_channel(self._endpoint)
            else:
                channel = transport.create_channel(host, **credentials)
            if self._watcher is None:
                return channel
            from shared.watching import WatchingInterceptor

            return grpc.intercept_channel(channel, WatchingInterceptor(self._watcher))

        return open_channel


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Import a large library without having the garbage collector scan it again and again meanwhile.

    An import makes many objects and little garbage. For Firestore's client it saves about an eighth of the time
    (docs/benchmarks.md), in every cold start that reads state.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _keep_payloads_out_of_logs(*modules: str) -> None:
    """Let these modules of Google's log nothing at DEBUG, regardless of the level of the loggers above them.

    Theirs would be whole requests and answers, and ``GOOGLE_SDK_PYTHON_LOGGING_SCOPE`` is enough to have them written
    (README of google-cloud-run, "Logging").
    """
    for module in modules:
        logging.getLogger(module).setLevel(logging.INFO)


def _is_passing(error: BaseException) -> bool:
    """Whether the same call may succeed a little later: https://cloud.google.com/storage/docs/retry-strategy."""
    from google.api_core import exceptions

    kinds = (
        exceptions.ServiceUnavailable,
        exceptions.InternalServerError,
        exceptions.BadGateway,
        exceptions.GatewayTimeout,  # the one of HTTP, and of gRPC too: DeadlineExceeded is one
        exceptions.TooManyRequests,
    )
    # There is no class for a request that the server gave up waiting for.
    is_timeout = isinstance(error, exceptions.GoogleAPICallError) and error.code == HTTPStatus.REQUEST_TIMEOUT
    return isinstance(error, kinds) or is_timeout
