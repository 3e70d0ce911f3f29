"""Service Usage: google.api.serviceusage.v1, which APIs are enabled in a project."""

import threading
from typing import TYPE_CHECKING

from google.longrunning.operations_pb2 import Operation

from localcloud.core.messages import invalid
from localcloud.core.operations import Operations

if TYPE_CHECKING:
    from google.cloud.service_usage_v1 import types

MOST = 30
"""Services that one call may ask for."""
MOST_ENABLED_AT_ONCE = 20
KNOWN = tuple(
    f"{name}.googleapis.com"
    for name in (
        *("artifactregistry", "billingbudgets", "cloudbilling", "cloudresourcemanager", "cloudscheduler"),
        *("cloudtrace", "compute", "container", "firestore", "iam", "logging", "monitoring", "orgpolicy", "pubsub"),
        *("run", "secretmanager", "serviceusage", "storage"),
    )
)
"""APIs that a list names, besides those that were enabled or disabled."""


class ServiceUsage:
    """Serves ``google.cloud.service_usage_v1.ServiceUsageClient``. All are enabled but those that were disabled."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._disabled: set[tuple[str, str]] = set()
        self._named: set[str] = set(KNOWN)
        self._lock = threading.Lock()

    def disable(self, project: str, *services: str) -> None:
        """Let APIs (``run.googleapis.com``) be disabled in a project."""
        with self._lock:
            self._named.update(services)
            self._disabled.update((project, service) for service in services)

    def get_service(self, request: "types.GetServiceRequest") -> "types.Service":
        """One service of a project, enabled or not."""
        return self._service(request.name)

    def batch_get_services(self, request: "types.BatchGetServicesRequest") -> "types.BatchGetServicesResponse":
        """Some services of a project, in the order in which they were asked for."""
        from google.cloud.service_usage_v1.types import BatchGetServicesResponse

        if not 0 < len(request.names) <= MOST:
            raise invalid(f"names: between 1 and {MOST} services can be asked for.")
        for name in request.names:
            if not name.startswith(f"{request.parent}/services/"):
                raise invalid(f"Invalid name {name!r}: expected {request.parent}/services/SERVICE.")
        return BatchGetServicesResponse(services=[self._service(name) for name in request.names])

    def list_services(self, request: "types.ListServicesRequest") -> "types.ListServicesResponse":
        """The known services of a project, or those in one state; in one page."""
        from google.cloud.service_usage_v1.types import ListServicesResponse

        if request.filter not in {"", "state:ENABLED", "state:DISABLED"}:
            raise invalid(f"filter: {request.filter!r} is neither state:ENABLED nor state:DISABLED.")
        with self._lock:
            names = sorted(self._named)
        services = [self._service(f"{request.parent}/services/{name}") for name in names]
        state = request.filter.partition(":")[2]
        return ListServicesResponse(services=[one for one in services if not state or one.state.name == state])

    def enable_service(self, request: "types.EnableServiceRequest") -> Operation:
        """Enable a service; it is enabled at once, as is one that was so before."""
        from google.cloud.service_usage_v1.types import EnableServiceResponse

        self._enable(request.name)
        answer = EnableServiceResponse(service=self._service(request.name))
        return self._operations.start("", lambda: EnableServiceResponse.pb(answer))

    def batch_enable_services(self, request: "types.BatchEnableServicesRequest") -> Operation:
        """Enable several."""
        from google.cloud.service_usage_v1.types import BatchEnableServicesResponse

        if not 0 < len(request.service_ids) <= MOST_ENABLED_AT_ONCE:
            raise invalid(f"service_ids: between 1 and {MOST_ENABLED_AT_ONCE} services can be enabled at once.")
        names = [f"{request.parent}/services/{one}" for one in request.service_ids]
        for name in names:
            self._enable(name)
        answer = BatchEnableServicesResponse(services=[self._service(name) for name in names])
        return self._operations.start("", lambda: BatchEnableServicesResponse.pb(answer))

    def disable_service(self, request: "types.DisableServiceRequest") -> Operation:
        """Disable a service."""
        from google.cloud.service_usage_v1.types import DisableServiceResponse

        self.disable(*_split(request.name))
        answer = DisableServiceResponse(service=self._service(request.name))
        return self._operations.start("", lambda: DisableServiceResponse.pb(answer))

    def _enable(self, name: str) -> None:
        project, service = _split(name)
        with self._lock:
            self._named.add(service)
            self._disabled.discard((project, service))

    def _service(self, name: str) -> "types.Service":
        from google.cloud.service_usage_v1.types import Service, ServiceConfig, State

        project, service = _split(name)
        with self._lock:
            state = State.DISABLED if (project, service) in self._disabled else State.ENABLED
        return Service(name=name, parent=f"projects/{project}", state=state, config=ServiceConfig(name=service))


def _split(name: str) -> tuple[str, str]:
    """The project and the service. Raises INVALID_ARGUMENT."""
    parent, _, service = name.partition("/services/")
    collection, _, project = parent.partition("/")
    if collection != "projects" or not project or not service:
        raise invalid(f"Invalid name {name!r}: expected projects/PROJECT/services/SERVICE.")
    return project, service
