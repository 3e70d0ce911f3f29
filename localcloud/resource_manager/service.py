"""Resource Manager: google.cloud.resourcemanager.v3, whether a project is there, and what one may do in it."""

import re
import threading
from typing import TYPE_CHECKING

import grpc
from google.iam.v1.iam_policy_pb2 import TestIamPermissionsRequest, TestIamPermissionsResponse
from google.longrunning.operations_pb2 import Operation

from localcloud.core.messages import invalid, project_number
from localcloud.core.operations import Operations
from localcloud.core.server import ApiError

if TYPE_CHECKING:
    from google.cloud.resourcemanager_v3.types import (
        CreateProjectRequest,
        GetProjectRequest,
        Project,
        SearchProjectsRequest,
        SearchProjectsResponse,
    )

_ID = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")


class ResourceManager:
    """Serves ``google.cloud.resourcemanager_v3.ProjectsClient``. Callers have every permission that was not denied."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
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
        return self._shown(self._project(request.name))

    def search_projects(self, request: "SearchProjectsRequest") -> "SearchProjectsResponse":
        """All projects, in one page; a query is refused."""
        from google.cloud.resourcemanager_v3.types import SearchProjectsResponse

        if request.query:
            raise ApiError(grpc.StatusCode.UNIMPLEMENTED, "query is not served by the local cloud")
        with self._lock:
            projects = sorted(self._projects)
        return SearchProjectsResponse(projects=[self._shown(project) for project in projects])

    def create_project(self, request: "CreateProjectRequest") -> Operation:
        """Make a project, at once. Raises ALREADY_EXISTS."""
        from google.cloud.resourcemanager_v3.types import Project

        project = request.project.project_id
        if not _ID.fullmatch(project):
            raise invalid(f"project_id: {project!r} must have 6 to 30 lowercase letters, digits and hyphens.")
        with self._lock:
            if project in self._projects:
                raise ApiError(grpc.StatusCode.ALREADY_EXISTS, "Requested entity already exists")
        self.add_project(project)
        made = self._shown(project)
        return self._operations.start("", lambda: Project.pb(made))

    def _shown(self, project: str) -> "Project":
        from google.cloud.resourcemanager_v3.types import Project

        parent = f"organizations/{self._organization}" if self._organization else ""
        return Project(
            name=f"projects/{project_number(project)}",
            project_id=project,
            display_name=project,
            parent=parent,
            state=Project.State.ACTIVE,
        )

    def test_iam_permissions(self, request: TestIamPermissionsRequest) -> TestIamPermissionsResponse:
        """The subset of these permissions that the caller has in a project."""
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
