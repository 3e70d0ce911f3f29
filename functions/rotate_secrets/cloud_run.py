"""The edge to Cloud Run: what refers to secrets, by one list of each kind of resource in a location.

https://cloud.google.com/run/docs/reference/rpc/google.cloud.run.v2
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from functions.rotate_secrets.world import LATEST, Dependent, Reference
from shared.clients import Clients

if TYPE_CHECKING:
    from google.cloud.run_v2 import (
        Execution,
        Instance,
        Job,
        Revision,
        RevisionTemplate,
        SecretVolumeSource,
        Service,
        TaskTemplate,
        WorkerPool,
        WorkerPoolRevisionTemplate,
    )

    Template = RevisionTemplate | TaskTemplate | WorkerPoolRevisionTemplate | Revision | Instance

PAGE_SIZE = 1000
MANAGED_BY = "goog-managed-by"
FUNCTIONS = "cloudfunctions"
PREVIOUS = "previous"


def dependents_in(location: str, clients: Clients) -> tuple[Dependent, ...]:
    """All services, jobs, worker pools and instances of a location that refer to secrets."""
    lists = (_services, _jobs, _worker_pools, _instances)
    found = [one for listed in clients.in_parallel(lambda list_: list_(location, clients), lists) for one in listed]
    return tuple(one for one in found if one.references or one.serving)


def running_executions_in(location: str, clients: Clients) -> tuple[Dependent, ...]:
    """The executions of jobs that have not ended: each keeps the references that its job had when it started."""
    from google.cloud.run_v2 import ExecutionsClient

    request = {"parent": f"{location}/jobs/-", "page_size": PAGE_SIZE}
    listed = clients.of(ExecutionsClient).list_executions(request=request, **clients.reading)
    return tuple(_execution(one) for one in listed if "completion_time" not in one)


def service_dependent(service: "Service", clients: Clients) -> Dependent:
    """A service with what it serves with. Raises what a call raises."""
    targets = service.traffic_statuses or service.traffic
    return Dependent(
        name=service.name,
        references=tuple(_references(service.template, project_of(service.name))),
        serving=_serving(service, [target.revision for target in targets], clients),
        is_in_flight=service.reconciling,
        problem=_problem(service),
        is_pinned=any(target.revision for target in service.traffic),
        has_tag=_has_tag(service.template),
        is_function=service.labels.get(MANAGED_BY) == FUNCTIONS,
        resource=service,
    )


def full_name(secret: str, project: str) -> str:
    """A secret of the same project is named by its id alone."""
    return secret if "/" in secret else f"projects/{project}/secrets/{secret}"


def is_previous(name: str) -> bool:
    """Whether a variable or a file takes the version before the current one, by its name."""
    return PREVIOUS in name.lower()


def files_of(secret: "SecretVolumeSource") -> list[tuple[str, str]]:
    """The version in each file. A volume without items has the latest one, in a file of the secret's name."""
    items = [(item.path, item.version or LATEST) for item in secret.items]
    return items or [(secret.secret.rpartition("/")[2], LATEST)]


def project_of(name: str) -> str:
    """The project in a full name."""
    return name.split("/")[1]


def _services(parent: str, clients: Clients) -> list[Dependent]:
    from google.cloud.run_v2 import ServicesClient

    request = {"parent": parent, "page_size": PAGE_SIZE}
    listed = clients.of(ServicesClient).list_services(request=request, **clients.reading)
    return [service_dependent(service, clients) for service in listed]


def _jobs(parent: str, clients: Clients) -> list[Dependent]:
    from google.cloud.run_v2 import JobsClient

    request = {"parent": parent, "page_size": PAGE_SIZE}
    return [
        Dependent(
            name=job.name,
            references=tuple(_references(job.template.template, project_of(job.name))),
            is_in_flight=job.reconciling,
            problem=_problem(job),
            has_tag=_has_tag(job.template.template),
            resource=job,
        )
        for job in clients.of(JobsClient).list_jobs(request=request, **clients.reading)
    ]


def _worker_pools(parent: str, clients: Clients) -> list[Dependent]:
    from google.cloud.run_v2 import WorkerPoolsClient

    request = {"parent": parent, "page_size": PAGE_SIZE}
    return [
        Dependent(
            name=pool.name,
            references=tuple(_references(pool.template, project_of(pool.name))),
            serving=_serving(
                pool, [split.revision for split in pool.instance_split_statuses or pool.instance_splits], clients
            ),
            is_in_flight=pool.reconciling,
            problem=_problem(pool),
            is_pinned=any(split.revision for split in pool.instance_splits),
            has_tag=_has_tag(pool.template),
            resource=pool,
        )
        for pool in clients.of(WorkerPoolsClient).list_worker_pools(request=request, **clients.reading)
    ]


def _instances(parent: str, clients: Clients) -> list[Dependent]:
    """Instances can be started and stopped, and not changed. Where there is no such API yet, there are none."""
    from google.api_core.exceptions import MethodNotImplemented
    from google.cloud.run_v2 import InstancesClient

    request = {"parent": parent, "page_size": PAGE_SIZE}
    try:
        listed = list(clients.of(InstancesClient).list_instances(request=request, **clients.reading))
    except MethodNotImplemented:
        return []
    return [
        Dependent(
            name=instance.name,
            references=tuple(_references(instance, project_of(instance.name))),
            is_in_flight=instance.reconciling,
            cannot_change="an instance cannot be changed: create it anew with the new version",
        )
        for instance in listed
    ]


def _execution(execution: "Execution") -> Dependent:
    return Dependent(
        name=execution.name,
        references=tuple(_references(execution.template, project_of(execution.name))),
        cannot_change="a running execution cannot be changed",
    )


def _serving(resource: "Service | WorkerPool", revisions: Iterable[str], clients: Clients) -> tuple[Reference, ...]:
    """The references of those revisions that serve, where these are not known to be those of the template.

    The newest revision is made from the template once the resource has been reconciled; until then Cloud Run still
    names the one before as the newest, and ``observed_generation`` is behind.
    """
    from google.cloud.run_v2 import RevisionsClient

    names = {
        f"{resource.name}/revisions/{revision}" if revision else resource.latest_ready_revision
        for revision in list(revisions) or [""]
    }
    is_settled = not resource.reconciling and resource.observed_generation == resource.generation
    if is_settled:
        names.discard(resource.latest_created_revision)
    revisions_client = clients.of(RevisionsClient) if names - {""} else None
    found = [
        reference
        for name in sorted(names - {""})
        if revisions_client
        for reference in _references(
            revisions_client.get_revision(request={"name": name}, **clients.reading), project_of(name)
        )
    ]
    return tuple(dict.fromkeys(found))


def _problem(resource: "Service | Job | WorkerPool") -> str:
    from google.cloud.run_v2 import Condition

    condition = resource.terminal_condition
    if resource.reconciling or condition.state == Condition.State.CONDITION_SUCCEEDED:
        return ""
    return condition.message or Condition.State(condition.state).name


def _has_tag(template: "Template") -> bool:
    return any("@sha256:" not in container.image for container in template.containers)


def _references(template: "Template", project: str) -> Iterator[Reference]:
    for container in template.containers:
        for variable in container.env:
            if "value_source" in variable:
                source = variable.value_source.secret_key_ref
                name = full_name(source.secret, project)
                yield Reference(name, source.version or LATEST, is_previous(variable.name))
    for volume in template.volumes:
        if "secret" in volume:
            for path, version in files_of(volume.secret):
                yield Reference(full_name(volume.secret.secret, project), version, is_previous(path), is_file=True)
