"""Cloud Run services: google.cloud.run.v2.Services, without revisions and traffic of their own.

A change is accepted at once and brought about later: its operation finishes ``operation_delay`` after the
call, on the Clock, and until then the service is ``reconciling``. A change that arrives meanwhile is accepted
too and supersedes the one before (as a desired state does; ours to assume): ``reconciling`` ends with the
newest. Etags change with every write, that of the reconciliation included, which is stricter than we know the
service to be.
"""

import threading
import uuid
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from hashlib import sha256

import grpc
from google.cloud import run_v2
from google.longrunning.operations_pb2 import Operation

from local.cloud import cloud_run_rules as rules
from local.cloud.clock import Clock
from local.cloud.engine import ApiError
from local.cloud.messages import merge, page
from local.cloud.operations import Operations

MOST_SERVICES = 1000  # of a project in a region
KEPT_AFTER_DELETION = timedelta(days=30)
DEFAULT_PAGE = 100
LARGEST_PAGE = 1000


class CloudRun:
    """Serves ``google.cloud.run_v2.ServicesClient``."""

    def __init__(self, clock: Clock, operations: Operations) -> None:
        self.operation_delay = timedelta(0)
        """How long a service reconciles after a change; 0 finishes each change within its call."""
        self._clock = clock
        self._operations = operations
        self._services: dict[str, run_v2.Service] = {}
        self._revisions: dict[str, dict[str, run_v2.RevisionTemplate]] = {}
        self._version = 0
        self._lock = threading.RLock()

    def create_service(self, request: run_v2.CreateServiceRequest) -> Operation:
        """Make a service and its first revision."""
        rules.check_parent(request.parent)
        rules.check_service_id(request.service_id)
        name = f"{request.parent}/services/{request.service_id}"
        with self._lock:
            if name in self._services:
                raise ApiError(grpc.StatusCode.ALREADY_EXISTS, f"Resource '{request.service_id}' already exists.")
            if len(self._inside(request.parent)) >= MOST_SERVICES:
                raise ApiError(
                    grpc.StatusCode.RESOURCE_EXHAUSTED,
                    f"Quota exceeded: at most {MOST_SERVICES} services in {request.parent}.",
                )
            return self._change(
                None,
                self._desired(self._blank(name), request.service, ["*"], "CreateServiceRequest"),
                request,
            )

    def get_service(self, request: run_v2.GetServiceRequest) -> run_v2.Service:
        """One service as it is now."""
        with self._lock:
            return run_v2.Service(self._existing(request.name))

    def list_services(self, request: run_v2.ListServicesRequest) -> run_v2.ListServicesResponse:
        """The services of one region, in order of name; there is no filter."""
        rules.check_parent(request.parent)
        with self._lock:
            here = self._inside(request.parent)
            if not request.show_deleted:
                here = {name: service for name, service in here.items() if "delete_time" not in service}
            services, token = page(
                here, request.page_size, request.page_token, default=DEFAULT_PAGE, maximum=LARGEST_PAGE
            )
            return run_v2.ListServicesResponse(services=services, next_page_token=token)

    def update_service(self, request: run_v2.UpdateServiceRequest) -> Operation:
        """Change the fields of the mask, or without one replace all that a caller may set."""
        name = request.service.name
        parent, service_id = rules.split_name(name)
        with self._lock:
            if request.allow_missing and name not in self._services:
                return self.create_service(
                    run_v2.CreateServiceRequest(
                        parent=parent,
                        service=request.service,
                        service_id=service_id,
                        validate_only=request.validate_only,
                    )
                )
            current = self._existing(name)
            self._check_etag(current, request.service.etag)
            if "delete_time" in current:
                raise ApiError(grpc.StatusCode.FAILED_PRECONDITION, f"Resource '{service_id}' is being deleted.")
            paths = list(request.update_mask.paths) or ["*"]
            desired = self._desired(current, request.service, paths, "UpdateServiceRequest")
            return self._change(current, desired, request)

    def delete_service(self, request: run_v2.DeleteServiceRequest) -> Operation:
        """Take a service away; its name is free again when the operation is done."""
        with self._lock:
            service = run_v2.Service(self._existing(request.name))
            self._check_etag(service, request.etag)
            service.delete_time = self._clock.now()
            service.expire_time = self._clock.now() + KEPT_AFTER_DELETION
            service.reconciling = True
            if request.validate_only:
                return self._operation(service, timedelta(0), lambda: service)
            self._store(service)
            return self._operation(service, self.operation_delay, lambda: self._removed(service))

    def _inside(self, parent: str) -> dict[str, run_v2.Service]:
        prefix = f"{parent}/services/"
        return {name: service for name, service in self._services.items() if name.startswith(prefix)}

    def _existing(self, name: str) -> run_v2.Service:
        parent, service_id = rules.split_name(name)
        if name not in self._services:
            project, location = parent.split("/")[1::2]
            raise ApiError(
                grpc.StatusCode.NOT_FOUND,
                f"Resource '{service_id}' of kind 'SERVICE' in region '{location}' in project '{project}' "
                "does not exist.",
            )
        return self._services[name]

    @staticmethod
    def _check_etag(service: run_v2.Service, etag: str) -> None:
        if etag and etag != service.etag:
            service_id = service.name.rsplit("/", 1)[-1]
            given, current = etag.strip('"'), service.etag.strip('"')
            raise ApiError(
                grpc.StatusCode.ABORTED,
                f"Conflict for resource '{service_id}': version '{given}' was specified but "
                f"current version is '{current}'.",
            )

    def _blank(self, name: str) -> run_v2.Service:
        parent, service_id = rules.split_name(name)
        uri = rules.address(parent, service_id)
        uid = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name}/{self._version}"))
        return run_v2.Service(name=name, uid=uid, create_time=self._clock.now(), uri=uri, urls=[uri])

    @staticmethod
    def _desired(current: run_v2.Service, wanted: run_v2.Service, paths: Iterable[str], request: str) -> run_v2.Service:
        """What ``current`` becomes by taking over ``paths`` of ``wanted``, checked and filled in."""
        desired = run_v2.Service(current)
        chosen = [path for path in paths if path.split(".")[0] not in rules.OUTPUT_ONLY]
        merge(
            run_v2.Service.pb(desired),
            run_v2.Service.pb(wanted),
            rules.MUTABLE if "*" in chosen else chosen,
        )
        rules.fill_in(desired)
        rules.check(desired, request)
        return desired

    def _change(
        self,
        current: run_v2.Service | None,
        desired: run_v2.Service,
        request: run_v2.CreateServiceRequest | run_v2.UpdateServiceRequest,
    ) -> Operation:
        """Accept ``desired`` in the place of ``current`` and start bringing it about."""
        if desired == current:
            return self._operation(desired, timedelta(0), lambda: desired)
        desired.generation += 1
        revision = self._revision(current, desired)
        if request.validate_only:
            return self._operation(desired, timedelta(0), lambda: desired)
        if revision:
            template = run_v2.RevisionTemplate(desired.template)
            template.revision = ""
            self._revisions.setdefault(desired.name, {})[revision] = template
            desired.latest_created_revision = f"{desired.name}/revisions/{revision}"
        desired.reconciling = True
        desired.terminal_condition = condition("CONDITION_RECONCILING", self._clock.now())
        self._store(desired)
        name, generation = desired.name, desired.generation
        return self._operation(desired, self.operation_delay, lambda: self._reconciled(name, generation))

    def _revision(self, current: run_v2.Service | None, desired: run_v2.Service) -> str:
        """The id of the revision that ``desired`` needs beyond those of ``current``; "" if none.

        A revision is made when the template changes, not by a change of the service's own scaling, labels or
        traffic. Raises ALREADY_EXISTS for a template that bears the name of a revision made from another.
        """
        template = run_v2.RevisionTemplate(desired.template)
        template.revision = ""
        before = run_v2.RevisionTemplate(current.template) if current else None
        if before is not None:
            if desired.template == before:
                return ""
            before.revision = ""
        named = desired.template.revision
        if named:
            known = self._revisions.get(desired.name, {}).get(named)
            if known is not None and known != template:
                raise ApiError(
                    grpc.StatusCode.ALREADY_EXISTS,
                    f"Revision named '{named}' with different configuration already exists.",
                )
            return "" if known is not None else named
        if template == before:
            return ""
        service_id = desired.name.rsplit("/", 1)[-1]
        digest = sha256(f"{desired.uid}/{desired.generation}".encode()).digest()
        suffix = "".join(chr(ord("a") + byte % 26) for byte in digest[:3])
        return f"{service_id}-{desired.generation:05}-{suffix}"

    def _store(self, service: run_v2.Service) -> None:
        """Write ``service`` under a new etag, a version that only grows."""
        now = self._clock.now()
        self._version = max(self._version + 1, int(now.timestamp() * 1_000_000))
        service.etag = f'"{self._version}"'
        service.update_time = now
        self._services[service.name] = service

    def _operation(self, service: run_v2.Service, delay: timedelta, work: Callable[[], run_v2.Service]) -> Operation:
        parent, _ = rules.split_name(service.name)
        pb = run_v2.Service.pb
        return self._operations.start(parent, lambda: pb(work()), metadata=pb(service), after=delay)

    def _reconciled(self, name: str, generation: int) -> run_v2.Service:
        """Finish the change that made ``generation``; a newer one, or a deletion, goes on."""
        with self._lock:
            if name not in self._services:
                raise ApiError(grpc.StatusCode.ABORTED, f"Resource '{name}' was deleted meanwhile.")
            service = run_v2.Service(self._services[name])
            if service.generation == generation and "delete_time" not in service:
                service.reconciling = False
                service.observed_generation = generation
                service.latest_ready_revision = service.latest_created_revision
                service.terminal_condition = condition("CONDITION_SUCCEEDED", self._clock.now())
                self._store(service)
            return run_v2.Service(service)

    def _removed(self, service: run_v2.Service) -> run_v2.Service:
        with self._lock:
            # Deleted twice, its name may meanwhile be another service's.
            if service.name in self._services and self._services[service.name].uid == service.uid:
                del self._services[service.name]
                del self._revisions[service.name]
            return service


def condition(state: str, when: datetime, message: str = "") -> run_v2.Condition:
    """Whether a service or worker pool is ready, and what Cloud Run says about it."""
    ready = run_v2.Condition.State[state]
    return run_v2.Condition(type_="Ready", state=ready, message=message, last_transition_time=when)
