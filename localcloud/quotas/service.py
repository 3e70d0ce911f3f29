"""The Cloud Quotas API over REST: cloudquotas.googleapis.com/v1, how much of something a project may have."""

import re
import threading
from collections.abc import Mapping

import grpc

from localcloud.core.http import HttpRequest, Route
from localcloud.core.server import ApiError

UNLIMITED = -1
_NAME = re.compile(
    r"cloudquotas\.googleapis\.com/v1/"
    r"(?P<name>projects/(?P<project>[^/]+)/locations/global/services/(?P<service>[^/]+)/quotaInfos/(?P<quota>[^/]+))"
)


class CloudQuotas:
    """Serves ``projects.locations.services.quotaInfos.get``. Nothing is limited but what was."""

    def __init__(self) -> None:
        self._limits: dict[tuple[str, str], dict[tuple[tuple[str, str], ...], int]] = {}
        self._unknown: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    @property
    def routes(self) -> tuple[Route, ...]:
        """The HTTP routes."""
        return (Route("GET", _NAME, self._get),)

    def set_limit(self, project: str, quota: str, value: int, **dimensions: str) -> None:
        """Let a quota have a value where it has these dimensions (``region``), or everywhere; -1 is no limit."""
        with self._lock:
            self._limits.setdefault((project, quota), {(): UNLIMITED})[tuple(dimensions.items())] = value

    def forget(self, project: str, quota: str) -> None:
        """Let there be no quota of this id in a project."""
        with self._lock:
            self._unknown.add((project, quota))

    def _get(self, request: HttpRequest) -> object:
        captured = request.captured
        project, quota = captured["project"], captured["quota"]
        with self._lock:
            if (project, quota) in self._unknown:
                raise ApiError(grpc.StatusCode.NOT_FOUND, f"Resource '{captured['name']}' was not found")
            limits = dict(self._limits.get((project, quota), {(): UNLIMITED}))
        return {
            "name": captured["name"],
            "quotaId": quota,
            "service": captured["service"],
            "dimensionsInfos": [_info(dict(dimensions), value) for dimensions, value in limits.items()],
        }


def _info(dimensions: Mapping[str, str], value: int) -> dict[str, object]:
    """As Google's JSON has it: a number in quotes, a zero and an empty map left out."""
    where = [dimensions["region"]] if "region" in dimensions else []
    return {
        **({"dimensions": dimensions} if dimensions else {}),
        "details": {"value": str(value)} if value else {},
        "applicableLocations": where,
    }
