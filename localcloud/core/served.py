"""The methods that a kind of cloud serves, read from its services, as a table for its README."""

import re
from collections.abc import Iterator
from typing import Any

from localcloud.core.cloud import Cloud
from localcloud.core.rpcs import rpcs
from localcloud.core.server import OPERATIONS
from localcloud.core.service import Service


def served_lines(cloud: Cloud) -> Iterator[str]:
    """A row for each API: what it serves of it, and how many methods it leaves out."""
    yield "| API | served | left out |"
    yield "|---|---|---|"
    rows = [row for service in cloud.services() for row in _rows(service, cloud.of(service))]
    for api, served, left_out in sorted(rows):
        yield f"| `{api}` | {', '.join(served)} | {left_out or ''} |"


def methods_of(service: Service[Any], made: object) -> Iterator[tuple[str, list[str], list[str]]]:
    """Of each gRPC API of a service its name, the methods that are served, and those that are not."""
    for transport in service.transports:
        own = [rpc for rpc in rpcs(transport) if not rpc.path.startswith((OPERATIONS, "/google.cloud.location"))]
        # Pub/Sub's transports bring IAM's methods along.
        api = next(rpc.path.split("/")[1] for rpc in own if not rpc.path.startswith("/google.iam"))
        served = sorted(rpc.path.rpartition("/")[2] for rpc in own if hasattr(made, rpc.snake_name))
        left_out = sorted(rpc.path.rpartition("/")[2] for rpc in own if not hasattr(made, rpc.snake_name))
        yield api, served, left_out


def _rows(service: Service[Any], made: Any) -> Iterator[tuple[str, list[str], int]]:  # noqa: ANN401 - of any type
    for api, served, left_out in methods_of(service, made):
        yield api, [f"`{method}`" for method in served], len(left_out)
    found: dict[str, list[str]] = {}
    for route in made.routes if service.is_http else ():
        host, _, path = _readable(route.pattern).partition("/")
        found.setdefault(host, []).append(f"`{route.verb} /{path}`")
    for host, routes in found.items():
        yield host, routes, 0


def _readable(pattern: re.Pattern[str]) -> str:
    """A route's pattern as documentation writes paths: ``(?P<bucket>[^/]+)`` is ``{bucket}``."""
    text, depth, out = pattern.pattern, 0, ""
    for piece in re.findall(r"\\.|\(\?P<\w+>|\[[^\]]*\]|.", text, re.DOTALL):
        opened = re.fullmatch(r"\(\?P<(\w+)>", piece)
        if depth == 0:
            out += f"{{{opened[1]}}}" if opened else piece.removeprefix("\\")
        depth += bool(opened) or (depth > 0 and piece == "(")
        depth -= depth > 0 and piece == ")"
    return out
