"""Connections to Google's APIs, and its clients: made on first use, with one endpoint and one policy for retries.

Without an endpoint a client is what Google's library makes of the function's own credentials. With
``CARETAKER_GRPC_ENDPOINT`` (``host:port``) every client speaks plaintext gRPC to that address, and with
``CARETAKER_HTTP_ENDPOINT`` (``http://host:port``) every HTTP request goes there, its own host before its path.
"""

import copy
import functools
import logging
import os
import threading
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, cast

import msgspec

from shared import repeating

if TYPE_CHECKING:
    import grpc
    from google.api_core.retry import Retry
    from requests import Session

    from shared.connections import Answer, Connections
    from shared.watching import CallWatcher

ENDPOINT_VARIABLE = "CARETAKER_GRPC_ENDPOINT"
HTTP_ENDPOINT_VARIABLE = "CARETAKER_HTTP_ENDPOINT"
PROJECT_VARIABLE = "CARETAKER_PROJECT"
RETRY_SECONDS_VARIABLE = "CARETAKER_RETRY_SECONDS"

CONCURRENCY = 8
"""Calls at once, of a run."""

ClientT = TypeVar("ClientT")
ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class CallOptions(TypedDict):
    """The keyword arguments that every call of a Google client takes."""

    retry: "Retry | None"
    timeout: float


class RetryPolicy(msgspec.Struct, frozen=True):
    """The back-off of a read, in seconds: it doubles from ``first`` to ``longest`` until ``give_up``.

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
        concurrency: int = CONCURRENCY,
    ) -> None:
        self.project = project
        self._endpoint = endpoint
        self._http_endpoint = http_endpoint
        self._retry = retry or RetryPolicy()
        self._watcher = watcher
        self._concurrency = concurrency
        self._clients: dict[type, object] = {}
        self._sessions: dict[bool, Session] = {}
        self._connections: list[Connections] = []
        self._lock = threading.Lock()
        self._read_once: dict[Hashable, object] = {}
        self._reading = threading.RLock()

    @classmethod
    def from_environment(
        cls, project: str = "", *, retry: RetryPolicy | None = None, concurrency: int = CONCURRENCY
    ) -> "Clients":
        """Clients as the environment sets them: endpoints, seconds of retrying, and the project, if that is not given.

        Where the environment says nothing of retrying, ``retry`` holds. ``concurrency`` is how many calls may be made
        at once.
        """
        policy = retry or RetryPolicy()
        if seconds := os.environ.get(RETRY_SECONDS_VARIABLE):
            policy = msgspec.structs.replace(
                policy, first=min(policy.first, float(seconds) / 4), give_up=float(seconds)
            )
        return cls(
            project or os.environ.get(PROJECT_VARIABLE) or os.environ.get("GOOGLE_CLOUD_PROJECT", ""),
            endpoint=os.environ.get(ENDPOINT_VARIABLE, ""),
            http_endpoint=os.environ.get(HTTP_ENDPOINT_VARIABLE, ""),
            retry=policy,
            concurrency=concurrency,
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
        """The value of ``read``, read once in a run: for example a token that every request of the run carries."""
        with self._reading:
            if key not in self._read_once:
                self._read_once[key] = read()
            return cast("ResultT", self._read_once[key])

    def send(
        self,
        verb: str,
        address: str,
        *,
        call: str = "",
        query: str = "",
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> "Answer":
        """The answer of one of Google's APIs to a request to an ``https://`` address. It is sent once.

        ``call`` is its name to watchers, if it is not ``VERB host/path``. Raises ``urllib3.exceptions.HTTPError`` for
        no answer, ``GoogleAuthError`` for no credentials.
        """
        url = f"{self.url(address)}?{query}" if query else self.url(address)
        if self._watcher is None:
            return self._exchange(verb, url, content, headers or {})
        name = call or f"{verb} {address.removeprefix('https://')}"
        self._watcher.before(name)
        answer = self._exchange(verb, url, content, headers or {})
        self._watcher.after(name)
        return answer

    def _exchange(self, verb: str, url: str, content: bytes | None, headers: Mapping[str, str]) -> "Answer":
        from shared.connections import Connections

        with self._lock:
            if not self._connections:
                opened = Connections.to_endpoint if self._http_endpoint else Connections.to_google
                self._connections.append(opened(self._concurrency, self._retry.timeout))
            (ours,) = self._connections
        return ours.send(verb, url, content, headers)

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
        """The target of a request to this ``https://`` address: the same, or the endpoint that replaces all hosts.

        Raises ``ValueError`` where only gRPC has an endpoint: nothing may reach Google by mistake.
        """
        if self._http_endpoint:
            return f"{self._http_endpoint}/{address.removeprefix('https://')}"
        if self._endpoint:
            raise ValueError(f"gRPC goes to {self._endpoint}, and HTTP to Google: set {HTTP_ENDPOINT_VARIABLE} too")
        return address

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
            while self._connections:
                self._connections.pop().close()
            while self._clients:
                _, client = self._clients.popitem()
                cast("Any", client).transport.close()

    @functools.cached_property
    def reading(self) -> CallOptions:
        """Options for a call that only reads: tried again while the error is one that passes."""
        return CallOptions(retry=self._retrying(), timeout=self._retry.timeout)

    def repeated(self, call: Callable[[], ResultT]) -> ResultT:
        """The result of a call that takes no options and does no harm twice: it is retried as ``reading`` says."""
        return repeating.repeated(call, self._retrying)

    def _retrying(self) -> "Retry":
        from google.api_core.retry import Retry

        policy = self._retry
        return Retry(
            repeating.is_passing, initial=policy.first, maximum=policy.longest, multiplier=2.0, timeout=policy.give_up
        )

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

            from shared.connections import SCOPE

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


def _keep_payloads_out_of_logs(*modules: str) -> None:
    """Let these modules of Google's log nothing at DEBUG, regardless of the level of the loggers above them.

    Theirs would be whole requests and answers, and ``GOOGLE_SDK_PYTHON_LOGGING_SCOPE`` is enough to have them written
    (README of google-cloud-run, "Logging").
    """
    for module in modules:
        logging.getLogger(module).setLevel(logging.INFO)
