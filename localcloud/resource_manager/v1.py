"""Projects in version 1 of Resource Manager's API, as `gcloud projects` asks for them, put upon version 3.

https://cloud.google.com/resource-manager/reference/rest/v1/projects: get, list, create and its operation.
"""

import json
import re
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format

from localcloud.core.http import HttpAnswer, HttpRequest, google_refusal
from localcloud.core.messages import invalid
from localcloud.core.server import ApiError, protobuf
from localcloud.rest.transcoder import perform, request_type

if TYPE_CHECKING:
    from localcloud.core.cloud import Cloud

HOST = "cloudresourcemanager.googleapis.com"
SERVICE = "google.cloud.resourcemanager.v3.Projects"
OPERATIONS = "google.longrunning.Operations"
_PATH = re.compile(re.escape(HOST) + r"/v1/(?:projects(?:/(?P<project>[^/:]+))?|(?P<operation>operations/[^/:]+))")

Json = dict[str, Any]


class V1:
    """Resource Manager's older surface."""

    def __init__(self, cloud: "Cloud") -> None:
        self._server = cloud.server

    def serves(self, host: str) -> bool:
        """Whether it is Resource Manager's."""
        return host == HOST

    def answer(self, request: HttpRequest) -> HttpAnswer | None:
        """The answer; None to what is not of version 1, or is not served."""
        found = _PATH.fullmatch(request.path)
        if not found:
            return None
        try:
            answer = self._answer(request, found["project"], found["operation"])
        except ApiError as error:
            return google_refusal(error)
        return None if answer is None else HttpAnswer(200, json.dumps(answer).encode())

    def _answer(self, request: HttpRequest, project: str | None, operation: str | None) -> Json | None:
        match request.verb, project, operation:
            case "GET", None, None:
                found = self._perform(f"{SERVICE}/SearchProjects", {})
                return {"projects": [_down(one) for one in found.get("projects", [])]}
            case "GET", str(), None:
                return _down(self._perform(f"{SERVICE}/GetProject", {"name": f"projects/{project}"}))
            case "POST", None, None:
                return self._create(request)
            case "GET", None, str():
                return _with_project(self._perform(f"{OPERATIONS}/GetOperation", {"name": operation}))
        return None

    def _create(self, request: HttpRequest) -> Json:
        try:
            wanted = json.loads(request.body)
            made = {"project": {"projectId": wanted["projectId"]}}
        except (ValueError, KeyError, TypeError) as error:
            raise invalid("Invalid JSON payload received. Expected a project with its projectId.") from error
        return _with_project(self._perform(f"{SERVICE}/CreateProject", made))

    def _perform(self, rpc: str, request: Json) -> Json:
        message = json_format.ParseDict(request, request_type(self._server, rpc)())
        return json_format.MessageToDict(protobuf(perform(self._server, rpc, message)))


def _down(v3: Json) -> Json:
    """Version 1's form of a project."""
    collection, _, parent = v3.get("parent", "").partition("/")
    return {
        "projectNumber": v3["name"].partition("/")[2],
        "projectId": v3["projectId"],
        "name": v3["displayName"],
        "lifecycleState": v3["state"],
        **({"parent": {"type": collection.removesuffix("s"), "id": parent}} if parent else {}),
    }


def _with_project(operation: Json) -> Json:
    """An operation whose result is in version 1's form."""
    if "response" not in operation:
        return operation
    kind = "type.googleapis.com/google.cloudresourcemanager.v1.Project"
    return {**operation, "response": {"@type": kind, **_down(operation["response"])}}
