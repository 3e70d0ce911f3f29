"""Compute's managed instance groups of single zones, over REST: how many instances each is to have, and has.

compute.googleapis.com/compute/v1, instanceGroupManagers: aggregatedList and get. GKE makes the groups of its node pools
and sizes them; others can be added. What changes groups over the API is not served.
"""

import re
import threading
from collections.abc import Mapping

import grpc

from localcloud.compute.groups import COMPUTE, GROUP_FIELDS, InstanceGroup, resource
from localcloud.core.clock import Clock
from localcloud.core.http import HttpRequest, Route
from localcloud.core.messages import invalid, page
from localcloud.core.partial_response import Selection, select, selection
from localcloud.core.server import ApiError

LARGEST_PAGE = 500
SOME_SCOPES = ("regions/europe-west1", "zones/europe-west1-b", "zones/europe-west4-a", "zones/us-central1-a")
"""An aggregated list names every region and zone; here these, and those that have a group."""

WARNING_FIELDS: Selection = {"code": None, "message": None, "data": {"key": None, "value": None}}
LIST_FIELDS: Selection = {
    **dict.fromkeys(("kind", "id", "selfLink", "nextPageToken", "unreachables")),
    "items": {"*": {"instanceGroupManagers": GROUP_FIELDS, "warning": WARNING_FIELDS}},
}
PLAIN_FIELDS: Selection = {
    **dict.fromkeys(("kind", "nextPageToken")),
    "items": dict.fromkeys(("kind", "name", "zone", "selfLink", "size")),
}
STANDARD_PARAMETERS = {"alt", "fields", "prettyPrint"}
LIST_PARAMETERS = {"maxResults", "pageToken", "returnPartialSuccess", "includeAllScopes"}
PROJECT = r"compute\.googleapis\.com/compute/v1/projects/(?P<project>[^/]+)"


class InstanceGroups:
    """The managed instance groups of all projects."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.unreachable: set[str] = set()
        """Zones that do not answer: left out of a list that may be partial, else the call fails with UNAVAILABLE."""
        self.lock = threading.RLock()
        """Held while a group is read or changed."""
        self._projects: set[str] = set()
        self._groups: dict[str, InstanceGroup] = {}

    @property
    def routes(self) -> tuple[Route, ...]:
        """The HTTP routes."""
        every = re.compile(f"{PROJECT}/aggregated/instanceGroupManagers")
        one = re.compile(f"{PROJECT}/zones/(?P<zone>[^/]+)/instanceGroupManagers/(?P<group>[^/]+)")
        plain = re.compile(f"{PROJECT}/zones/(?P<zone>[^/]+)/instanceGroups")
        scalers = re.compile(f"{PROJECT}/zones/(?P<zone>[^/]+)/autoscalers")
        return (
            Route("GET", every, self._aggregated_list),
            Route("GET", one, self._get),
            Route("GET", plain, self._list_plain),
            Route("GET", scalers, self._list_autoscalers),
        )

    def add_project(self, project: str) -> None:
        """Let a project exist; adding a group does so, too."""
        with self.lock:
            self._projects.add(project)

    def add_group(self, project: str, zone: str, name: str, size: int = 0) -> InstanceGroup:
        """Make a group of running instances. Raises ALREADY_EXISTS."""
        group = InstanceGroup(_full_name(project, zone, name), size, size, self._clock.now())
        with self.lock:
            if group.name in self._groups:
                raise ApiError(grpc.StatusCode.ALREADY_EXISTS, f"The resource '{group.name}' already exists")
            self.add_project(project)
            self._groups[group.name] = group
        return group

    def remove_group(self, name: str) -> None:
        """Take away the group of this full name, with its instances."""
        with self.lock:
            del self._groups[name]

    def _aggregated_list(self, request: HttpRequest) -> object:
        selected = _selected(request, LIST_FIELDS, LIST_PARAMETERS)
        may_be_partial = _flag(request, "returnPartialSuccess")
        with self.lock:
            project = self._existing_project(request)
            answer = self._list(project, _size(request), request.query.get("pageToken", ""))
            unreachable = self._unreachable_in(project)
        if unreachable and not may_be_partial:
            raise _unavailable(unreachable[0])
        if unreachable:
            answer["unreachables"] = [f"projects/{project}/zones/{zone}" for zone in unreachable]
        return select(answer, selected)

    def _list(self, project: str, size: int, token: str) -> dict[str, object]:
        """One page; a scope that has nothing on it has a warning instead, as every scope is named on each page."""
        groups = {group.name: group for group in self._groups.values() if group.project == project}
        reachable = {name: group for name, group in groups.items() if group.zone not in self.unreachable}
        shown, next_token = page(reachable, size, token, default=LARGEST_PAGE, maximum=LARGEST_PAGE)
        scopes = {*SOME_SCOPES, *(f"zones/{group.zone}" for group in groups.values())}
        found: dict[str, list[object]] = {}
        for group in shown:
            found.setdefault(f"zones/{group.zone}", []).append(resource(group))
        path = f"projects/{project}/aggregated/instanceGroupManagers"
        answer: dict[str, object] = {
            "kind": "compute#instanceGroupManagerAggregatedList",
            "id": path,
            "items": {
                scope: {"instanceGroupManagers": found[scope]} if scope in found else {"warning": _nothing_in(scope)}
                for scope in sorted(scopes)
                if scope.removeprefix("zones/") not in self.unreachable
            },
            "selfLink": f"{COMPUTE}/{path}",
        }
        return answer | ({"nextPageToken": next_token} if next_token else {})

    def _unreachable_in(self, project: str) -> list[str]:
        """The zones that do not answer, of those that a list of the project names."""
        named = {scope.removeprefix("zones/") for scope in SOME_SCOPES}
        named |= {group.zone for group in self._groups.values() if group.project == project}
        return sorted(self.unreachable & named)

    def _get(self, request: HttpRequest) -> object:
        selected = _selected(request, GROUP_FIELDS, set())
        zone = request.captured["zone"]
        with self.lock:
            project = self._existing_project(request)
            if zone in self.unreachable:
                raise _unavailable(zone)
            name = _full_name(project, zone, request.captured["group"])
            if name not in self._groups:
                raise ApiError(grpc.StatusCode.NOT_FOUND, f"The resource '{name}' was not found")
            return select(resource(self._groups[name]), selected)

    def _list_plain(self, request: HttpRequest) -> object:
        """The instance groups that are managed in a zone, with the number of their instances; in one page."""
        selected = _selected(request, PLAIN_FIELDS, {"maxResults", "pageToken", "returnPartialSuccess"})
        zone = request.captured["zone"]
        with self.lock:
            project = self._existing_project(request)
            here = [one for one in self._groups.values() if (one.project, one.zone) == (project, zone)]
            items = [
                {
                    "kind": "compute#instanceGroup",
                    "name": one.name.rpartition("/")[2],
                    "zone": f"{COMPUTE}/projects/{project}/zones/{zone}",
                    "selfLink": one.url.replace("instanceGroupManagers", "instanceGroups"),
                    "size": one.running,
                }
                for one in sorted(here, key=lambda one: one.name)
            ]
        return select({"kind": "compute#instanceGroupList", "items": items}, selected)

    def _list_autoscalers(self, request: HttpRequest) -> object:
        """None: GKE resizes its groups itself."""
        _selected(request, {"items": None}, {"maxResults", "pageToken", "returnPartialSuccess"})
        with self.lock:
            self._existing_project(request)
        return {"kind": "compute#autoscalerList"}

    def _existing_project(self, request: HttpRequest) -> str:
        project = request.captured["project"]
        if project not in self._projects:
            raise ApiError(grpc.StatusCode.NOT_FOUND, f"The resource 'projects/{project}' was not found")
        return project


def _full_name(project: str, zone: str, name: str) -> str:
    return f"projects/{project}/zones/{zone}/instanceGroupManagers/{name}"


def _selected(request: HttpRequest, known: Selection, parameters: set[str]) -> Selection | None:
    """The fields that are wanted, None for all. Raises INVALID_ARGUMENT for them, or for another parameter."""
    for parameter in request.query:
        if parameter not in STANDARD_PARAMETERS | parameters:
            raise invalid(f"The local cloud does not know the query parameter '{parameter}' of {request.path}")
    return selection(request.query["fields"], known) if "fields" in request.query else None


def _size(request: HttpRequest) -> int:
    value = request.query.get("maxResults", str(LARGEST_PAGE))
    if not value.isdecimal() or not 1 <= int(value) <= LARGEST_PAGE:
        raise invalid(f"Invalid value for field 'maxResults': '{value}'. It must be from 1 to {LARGEST_PAGE}.")
    return int(value)


def _flag(request: HttpRequest, name: str) -> bool:
    value = request.query.get(name, "false").lower()
    if value not in ("true", "false"):
        raise invalid(f"Invalid value for field '{name}': '{value}'. It must be true or false.")
    return value == "true"


def _nothing_in(scope: str) -> Mapping[str, object]:
    return {
        "code": "NO_RESULTS_ON_PAGE",
        "message": f"There are no results for scope '{scope}' on this page.",
        "data": [{"key": "scope", "value": scope}],
    }


def _unavailable(zone: str) -> ApiError:
    return ApiError(grpc.StatusCode.UNAVAILABLE, f"The zone '{zone}' cannot be reached at the moment.")
