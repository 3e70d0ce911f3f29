"""Cloud Run services: google.cloud.run.v2.Services, without revisions and traffic of their own."""

from google.cloud import run_v2
from google.longrunning.operations_pb2 import Operation

from local.cloud import cloud_run_rules as rules
from local.cloud.clock import Clock
from local.cloud.cloud_run_resources import Kind, Resources
from local.cloud.operations import Operations


def _instances(service: run_v2.Service) -> int:
    """How many instances a service always has."""
    return max(
        service.scaling.manual_instance_count,
        service.scaling.min_instance_count,
        service.template.scaling.min_instance_count,
    )


SERVICES: Kind[run_v2.Service] = Kind(
    message=run_v2.Service,
    name="service",
    collection="services",
    mutable=rules.mutable(run_v2.Service),
    fill_in=rules.fill_in,
    check=rules.check,
    instances=_instances,
)


class CloudRun(Resources[run_v2.Service]):
    """Serves ``google.cloud.run_v2.ServicesClient``."""

    def __init__(self, clock: Clock, operations: Operations) -> None:
        super().__init__(SERVICES, clock, operations)

    def create_service(self, request: run_v2.CreateServiceRequest) -> Operation:
        """Make a service and its first revision."""
        return self._create(request.parent, request.service_id, request.service, validate_only=request.validate_only)

    def get_service(self, request: run_v2.GetServiceRequest) -> run_v2.Service:
        """One service as it is now."""
        return self._get(request.name)

    def list_services(self, request: run_v2.ListServicesRequest) -> run_v2.ListServicesResponse:
        """The services of one region, in order of name; there is no filter."""
        services, token = self._list(
            request.parent, request.page_size, request.page_token, show_deleted=request.show_deleted
        )
        return run_v2.ListServicesResponse(services=services, next_page_token=token)

    def update_service(self, request: run_v2.UpdateServiceRequest) -> Operation:
        """Change the fields of the mask, or without one replace all that a caller may set."""
        return self._update(
            request.service,
            request.update_mask.paths,
            allow_missing=request.allow_missing,
            validate_only=request.validate_only,
        )

    def delete_service(self, request: run_v2.DeleteServiceRequest) -> Operation:
        """Take a service away; its name is free again when the operation is done."""
        return self._delete(request.name, request.etag, validate_only=request.validate_only)
