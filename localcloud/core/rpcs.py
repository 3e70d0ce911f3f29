"""The RPCs of the APIs that the local cloud serves, as data.

Google's packages know them too, but an API's package takes long to import: here nothing of it is imported before its
first call, and then only its messages. ``rpcs.txt`` is generated from the packages.
"""

import functools
import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from localcloud.core.transports import Rpc, rpcs_of

PATH = Path(__file__).with_name("rpcs.txt")


@dataclass(frozen=True)
class Api:
    """A gRPC API of an official client package."""

    module: str
    """Such as ``google.cloud.run_v2.services.executions``."""
    name: str
    """Such as ``Executions``."""

    @property
    def transport(self) -> type:
        """The official transport, which this imports."""
        found: type = getattr(importlib.import_module(f"{self.module}.transports"), f"{self.name}GrpcTransport")
        return found


def rpcs(transport: type | Api) -> tuple[Rpc, ...]:
    """Every RPC of an API, or of an official gRPC transport; an API that is not in the data yet has its transport's."""
    if isinstance(transport, Api):
        return _data().get(transport) or rpcs_of(transport.transport)
    return rpcs_of(transport)


@functools.cache
def _data() -> Mapping[Api, tuple[Rpc, ...]]:
    found: dict[Api, list[Rpc]] = {}
    for line in PATH.read_text(encoding="utf-8").splitlines():
        module, name, snake_name, path, kind, request_module, request_name = line.split()
        rpc = Rpc(snake_name, path, kind, request_module, request_name)
        found.setdefault(Api(module, name), []).append(rpc)
    return {api: tuple(of_api) for api, of_api in found.items()}


def rpcs_text(apis: Iterable[Api]) -> str:
    """The data as it should be: a line for each RPC, read from the official packages."""
    return "".join(
        f"{api.module} {api.name} {rpc.snake_name} {rpc.path} {rpc.kind} {rpc.module} {rpc.name}\n"
        for api in apis
        for rpc in rpcs_of(api.transport)
    )
