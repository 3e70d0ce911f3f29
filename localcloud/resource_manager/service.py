"""Resource Manager: google.cloud.resourcemanager.v3, whether a project is there, and what one may do in it."""

import threading
from typing import TYPE_CHECKING

import grpc
from google.iam.v1.iam_policy_pb2 import TestIamPermissionsRequest, TestIamPermissionsResponse

from localcloud.core.messages import invalid, project_number
from localcloud.core.server import ApiError

if TYPE_CHECKING:
    from google.cloud.resourcemanager_v3.types import GetProjectRequest, Project


class ResourceManager:
    """Serves ``google.cloud.resourcemanager_v3.ProjectsClient``. Callers have every permission that was not denied."""

    def __init__(self) -> None:
        self._projects: set[str] = set()
        self._organization = ""
        self._denied: dict[str, set[str]] = {}
        self._lock = threading.Lock()

    def add_project(self, project: str, *, organization: str = "") -> None:
        """Let a project exist, by its id; within an organization, by its number, or in none."""
        with self._lock:
            self._projects.add(project)
            self._organization = organization or self._organization

    def deny(self, project: str, *permissions: str) -> None:
        """Deny callers these permissions in a project."""
        with self._lock:
            self._denied.setdefault(project, set()).update(permissions)

    def get_project(self, request: "GetProjectRequest") -> "Project":
        """One project. Google does not tell one that is not there from one that the caller may not see."""
        from google.cloud.resourcemanager_v3.types import Project

        project = self._project(request.name)
        parent = f"organizations/{self._organization}" if self._organization else ""
        return Project(
            name=f"projects/{project_number(project)}", project_id=project, parent=parent, state=Project.State.ACTIVE
        )

    def test_iam_permissions(self, request: TestIamPermissionsRequest) -> TestIamPermissionsResponse:
        """Which of these permissions the caller has in a project."""
        project = self._project(request.resource)
        if not request.permissions:
            raise invalid("At least one permission must be specified.")
        with self._lock:
            denied = self._denied.get(project, set())
        return TestIamPermissionsResponse(permissions=[one for one in request.permissions if one not in denied])

    def _project(self, name: str) -> str:
        collection, _, project = name.partition("/")
        if collection != "projects" or not project or "/" in project:
            raise invalid(f"Invalid name {name!r}: expected projects/PROJECT_ID.")
        with self._lock:
            if project not in self._projects:
                raise ApiError(grpc.StatusCode.PERMISSION_DENIED, "The caller does not have permission")
        return project
