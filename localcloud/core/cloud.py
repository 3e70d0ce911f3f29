"""A cloud: services with one clock, on one gRPC port and one HTTP server."""

import dataclasses
import importlib
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

import grpc

from localcloud.core.clock import Clock
from localcloud.core.http import HttpAnswer, HttpRequest, HttpServer, Route, Surface
from localcloud.core.now import NowServer
from localcloud.core.operations import Operations
from localcloud.core.server import Server
from localcloud.core.service import Service

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

SURFACES = (("localcloud.core.control", "Control"), ("localcloud.rest.transcoder", "Transcoder"))
"""Answers over HTTP beside the services' own routes: classes that take the cloud, by module and name."""

T = TypeVar("T")


class Cloud:
    """Serves the services that its class names, in the order of their names there."""

    def __init__(self, *, now: datetime | None = None, running: bool = False) -> None:
        self.clock = Clock(now, running=running)
        self.server = Server(self.clock)
        self.http = HttpServer(self.server)
        self.operations = Operations(self.clock)
        self._made: dict[Service[Any], Any] = {}
        self._now_server: NowServer | None = None
        for module, name in (*SURFACES, *(surface for service in self.services() for surface in service.surfaces)):
            self.http.add_later(partial(_surface, module, name, self))
        self.server.add_operations(self.operations)
        for service in self.services():
            self._serve(service, self.of(service))

    @classmethod
    def services(cls) -> tuple[Service[Any], ...]:
        """The services that the class names."""
        named = {name: one for kind in reversed(cls.__mro__) for name, one in vars(kind).items()}
        return tuple(one for one in named.values() if isinstance(one, Service))

    @property
    def parts(self) -> Mapping[str, object]:
        """The parts that hold the cloud's state, by name: the clock, the operations, and each service."""
        made = {service.name: self.of(service) for service in self.services()}
        return {"clock": self.clock, "operations": self.operations, **made}

    def of(self, service: Service[T]) -> T:
        """The server of a service in this cloud; created on first use, which may be by another service."""
        if service not in self._made:
            self._made[service] = service.make(self)
        return cast("T", self._made[service])

    def check_billed(self, request: object) -> None:
        """Refuse a request to a service that needs billing. Raises ``ApiError``; a cloud without billing never does."""

    def channel(self) -> grpc.Channel:
        """Leads to its gRPC methods without a wire, for clients in this process."""
        from localcloud.core.direct import DirectChannel

        return DirectChannel(self.server)

    def adapter(self) -> "BaseAdapter":
        """Answers the requests of a session (of the package requests) without a wire."""
        from localcloud.core.direct import DirectAdapter

        return DirectAdapter(self.http)

    def answer(self, verb: str, target: str, content: bytes, headers: Mapping[str, str]) -> HttpAnswer:
        """Answers one request over HTTP to ``target`` (``/host/path?query``) without a wire."""
        return self.http.answer(verb, target, content, headers)

    def start(self, port: int = 0) -> Self:
        """Listen on loopback, on any free port if none is given."""
        self.server.start(port)
        return self

    def stop(self) -> None:
        """End everything that was started; what is being pushed is broken off."""
        self.server.stop()
        self.http.stop()
        self.clock.close()
        for service in self.services():
            if service.close:
                service.close(self.of(service))
        if self._now_server:
            self._now_server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def address(self) -> str:
        """The address of all services, as ``host:port``."""
        return f"127.0.0.1:{self.server.port}"

    @property
    def http_address(self) -> str:
        """The URL before all HTTP APIs, each by its host; they are served from the first time that it is asked for."""
        return self.http.url

    @property
    def now_address(self) -> str:
        """The URL that answers the clock's time; it is served from the first time that it is asked for."""
        if self._now_server is None:
            self._now_server = NowServer(self.clock)
        return self._now_server.url

    def _serve(self, service: Service[Any], made: Any) -> None:  # noqa: ANN401 - of any type
        check = self.check_billed if service.needs_billing else None
        for transport in service.transports:
            self.server.add(transport, made, check=check)
        if service.is_http:
            self.http.add_routes(*(_checked(route, check) for route in made.routes))


def _surface(module: str, name: str, cloud: Cloud) -> Surface:
    return cast("Surface", getattr(importlib.import_module(module), name)(cloud))


def _checked(route: Route, check: Callable[[object], None] | None) -> Route:
    if check is None:
        return route

    def handle(request: HttpRequest) -> object:
        check(request)
        return route.handle(request)

    return dataclasses.replace(route, handle=handle)
