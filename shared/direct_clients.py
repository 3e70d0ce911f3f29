"""Clients that reach a cloud in this process without a wire: it saves half of a call's time."""

from typing import TYPE_CHECKING, Any, Protocol

import grpc
from requests import Session

from shared.clients import Clients, RetryPolicy
from shared.watching import CallWatcher, WatchingAdapter, WatchingInterceptor

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

ANYWHERE = "http://in-process"


class InThisProcess(Protocol):
    """A cloud that can be called without a wire."""

    def channel(self) -> grpc.Channel:
        """Leads to all of its gRPC methods."""

    def adapter(self) -> "BaseAdapter":
        """Answers the requests of a session."""


class DirectClients(Clients):
    """Clients whose channels lead straight to a cloud."""

    def __init__(self, project: str, cloud: InThisProcess, *, retry: RetryPolicy, watcher: CallWatcher) -> None:
        super().__init__(project, endpoint="in-process", http_endpoint=ANYWHERE, retry=retry, concurrency=1)
        self._channel = grpc.intercept_channel(cloud.channel(), WatchingInterceptor(watcher))
        self._adapter = WatchingAdapter(watcher, cloud.adapter(), ANYWHERE)

    def _channel_factory(self, transport: object) -> Any:
        del transport
        return lambda *_, **__: self._channel

    def _open_session(self, *, authorized: bool) -> Session:
        del authorized  # no authentication
        session = Session()
        session.trust_env = False
        session.mount(ANYWHERE, self._adapter)
        return session
