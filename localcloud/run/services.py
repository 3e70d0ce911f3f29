"""Cloud Run services: google.cloud.run.v2.Services.

A revision that refers to a version of a secret which cannot be accessed does not become ready, nor one whose program
does not start, and traffic to the latest ready revision does not move.
"""

import re

from google.cloud import run_v2
from google.iam.v1.iam_policy_pb2 import GetIamPolicyRequest, SetIamPolicyRequest
from google.iam.v1.policy_pb2 import Policy
from google.longrunning.operations_pb2 import Operation

from localcloud.core.clock import Clock
from localcloud.core.http import HttpAnswer, HttpRequest, Route
from localcloud.core.operations import Operations
from localcloud.iam.policies import IamPolicies
from localcloud.logging.service import Logging
from localcloud.run import defaults, rules
from localcloud.run.instances import Instances
from localcloud.run.resources import Kind, Resources
from localcloud.run.revisions import Revisions
from localcloud.run.secrets import problem_with, secret_versions
from localcloud.run.traffic import named_revisions, statuses
from localcloud.secret_manager.service import SecretManager

ADDRESS = re.compile(r"(?P<host>[a-z0-9-]+\.[a-z0-9-]+\.run\.app)/?.*")
VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")
NO_SERVICE = HttpAnswer(404, b"<title>404 Page not found</title>", "text/html; charset=UTF-8")


def _instances(service: run_v2.Service) -> int:
    """The instances that a service must have now: a new revision is ready when one has started."""
    is_new = service.latest_created_revision != service.latest_ready_revision
    return max(
        service.scaling.manual_instance_count,
        service.scaling.min_instance_count,
        service.template.scaling.min_instance_count,
        int(is_new and not service.template.health_check_disabled),
    )


SERVICES: Kind[run_v2.Service] = Kind(
    message=run_v2.Service,
    name="service",
    collection="services",
    mutable=rules.mutable(run_v2.Service),
    fill_in=defaults.fill_in,
    check=rules.check,
    instances=_instances,
)


class CloudRun(Resources[run_v2.Service]):
    """Serves ``google.cloud.run_v2.ServicesClient``, and each service's own address."""

    def __init__(self, clock: Clock, operations: Operations, secrets: SecretManager, logging: Logging) -> None:
        super().__init__(SERVICES, clock, operations)
        self.policies = IamPolicies()
        self.instances = Instances(secrets, logging)
        self.revisions = Revisions(clock)
        self._secrets = secrets
        self._rejected: dict[str, set[str]] = {}

    def reject_version(self, name: str, secret_version: str) -> None:
        """Let no revision of a service start with a version of a secret: the application cannot make anything of it.

        The version is named in full, with the id of its project, and need not exist yet.
        """
        with self._lock:
            self._rejected.setdefault(name, set()).add(secret_version)

    @property
    def routes(self) -> tuple[Route, ...]:
        """Any request to an address of a service."""
        return tuple(Route(verb, ADDRESS, self.answer) for verb in VERBS)

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """A service's response, without access control. UNIMPLEMENTED if nothing runs behind its image."""
        address = f"https://{request.captured['host']}"
        with self._lock:
            found = [name for name, service in self._resources.items() if service.uri == address]
        return self.instances.ask(found[0], request) if found else NO_SERVICE

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

    def get_iam_policy(self, request: GetIamPolicyRequest) -> Policy:
        """The IAM policy of a service. It is deleted with the service: another one of its name has its own."""
        with self._lock:
            return self.policies.get(self._existing(request.resource).uid)

    def set_iam_policy(self, request: SetIamPolicyRequest) -> Policy:
        """Replace that."""
        with self._lock:
            return self.policies.set(self._existing(request.resource).uid, request)

    def _made_revision(self, resource: run_v2.Service, revision: str) -> None:
        self.revisions.add(resource, revision)

    def _problem(self, resource: run_v2.Service) -> str:
        """Secrets that cannot be read, traffic to a revision that is not there, an instance that does not come up."""
        revision = resource.latest_created_revision.rpartition("/")[2]
        project = resource.name.split("/")[1]
        if unreadable := problem_with(resource.template, project, self._secrets):
            return f"Revision '{revision}' is not ready and cannot serve traffic. {unreadable}"
        not_started = (
            f"Revision '{revision}' is not ready and cannot serve traffic. The user-provided container failed to "
            "start and listen on the port defined provided by the PORT=8080 environment variable."
        )
        if self._rejected.get(resource.name, set()) & set(secret_versions(resource.template, project)):
            return not_started
        for named in named_revisions(resource):
            if not self.revisions.exists(resource.name, named):
                return (
                    f"Revision '{named}' does not exist or is deleted. Update all traffic to route to currently "
                    "available revisions."
                )
        if problem := super()._problem(resource):
            return problem
        return "" if self.instances.bring_up(resource) else not_started

    def _settled(self, resource: run_v2.Service, problem: str) -> None:
        self.revisions.settle(resource.latest_created_revision, problem)
        resource.uri = rules.address(*self._split(resource.name))
        resource.urls = [resource.uri]
        routes = "CONDITION_FAILED" if problem else "CONDITION_SUCCEEDED"
        resource.conditions = [
            rules.condition(routes, self._clock.now(), problem, "RoutesReady"),
            rules.condition(routes, self._clock.now(), problem, "ConfigurationsReady"),
        ]
        if not problem or resource.traffic_statuses:
            resource.traffic_statuses = statuses(resource)

    def _gone(self, name: str) -> None:
        self.revisions.remove(name)
        self.instances.take_down(name)
