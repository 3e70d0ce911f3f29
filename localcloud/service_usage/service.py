"""Service Usage: google.api.serviceusage.v1, which APIs are enabled in a project."""

import threading
from typing import TYPE_CHECKING

from localcloud.core.messages import invalid

if TYPE_CHECKING:
    from google.cloud.service_usage_v1.types import BatchGetServicesRequest, BatchGetServicesResponse

MOST = 30
"""Services that one call may ask for."""


class ServiceUsage:
    """Serves ``google.cloud.service_usage_v1.ServiceUsageClient``. All are enabled but those that were disabled."""

    def __init__(self) -> None:
        self._disabled: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def disable(self, project: str, *services: str) -> None:
        """Let APIs (``run.googleapis.com``) be disabled in a project."""
        with self._lock:
            self._disabled.update((project, service) for service in services)

    def batch_get_services(self, request: "BatchGetServicesRequest") -> "BatchGetServicesResponse":
        """Some services of a project, in the order in which they were asked for."""
        from google.cloud.service_usage_v1.types import BatchGetServicesResponse, Service, State

        if not 0 < len(request.names) <= MOST:
            raise invalid(f"names: between 1 and {MOST} services can be asked for.")
        project = request.parent.removeprefix("projects/")
        services = []
        for name in request.names:
            parent, _, service = name.partition("/services/")
            if parent != request.parent or not service:
                raise invalid(f"Invalid name {name!r}: expected {request.parent}/services/SERVICE.")
            with self._lock:
                state = State.DISABLED if (project, service) in self._disabled else State.ENABLED
            services.append(Service(name=name, parent=parent, state=state))
        return BatchGetServicesResponse(services=services)
