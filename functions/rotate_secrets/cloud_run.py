"""The edge to Cloud Run: what refers to secrets, by one list of each kind of resource in a location."""

from collections.abc import Iterable, Iterator
from typing import Any

from functions.rotate_secrets.cloud_run_answers import (
    Changeable,
    Execution,
    File,
    Instance,
    Job,
    Service,
    Serving,
    Template,
    WorkerPool,
)
from functions.rotate_secrets.world import Dependent, Reference
from shared import rest
from shared.clients import Clients
from shared.cloud_run import API, PAGE_SIZE, RPC
from shared.errors import method_not_implemented_errors

MANAGED_BY = "goog-managed-by"
FUNCTIONS = "cloudfunctions"
PREVIOUS = "previous"

Json = dict[str, Any]
"""A resource as Google's JSON has it: it is sent back with fields that are not known here."""


class _Services(rest.Page, frozen=True):
    services: tuple[Json, ...] = ()


class _Jobs(rest.Page, frozen=True):
    jobs: tuple[Json, ...] = ()


class _WorkerPools(rest.Page, frozen=True):
    worker_pools: tuple[Json, ...] = ()


class _Instances(rest.Page, frozen=True):
    instances: tuple[Instance, ...] = ()


class _Executions(rest.Page, frozen=True):
    executions: tuple[Execution, ...] = ()


def dependents_in(location: str, clients: Clients) -> tuple[Dependent, ...]:
    """All services, jobs, worker pools and instances of a location that refer to secrets."""
    lists = (_services, _jobs, _worker_pools, _instances)
    found = [one for listed in clients.in_parallel(lambda list_: list_(location, clients), lists) for one in listed]
    return tuple(one for one in found if one.references or one.serving)


def running_executions_in(location: str, clients: Clients) -> tuple[Dependent, ...]:
    """The executions of jobs that have not ended: each keeps the references that its job had when it started."""
    address, rpc = f"{API}/{location}/jobs/-/executions", f"{RPC}.Executions/ListExecutions"
    pages = rest.pages(clients, address, PAGE_SIZE, _Executions, rpc=rpc)
    return tuple(_execution(one) for page in pages for one in page.executions if not one.completion_time)


def service_dependent(resource: Json, clients: Clients) -> Dependent:
    """A service with what it serves with. Raises what a call raises."""
    service = rest.typed(resource, Service, "a service")
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
        resource=resource,
    )


def full_name(secret: str, project: str) -> str:
    """A secret of the same project is named by its id alone."""
    return secret if "/" in secret else f"projects/{project}/secrets/{secret}"


def is_previous(name: str) -> bool:
    """Whether a variable or a file takes the version before the current one, by its name."""
    return PREVIOUS in name.lower()


def file_of(secret: str) -> str:
    """The one file of a volume that lists none: it has the latest version, and the name of the secret."""
    return secret.rpartition("/")[2]


def project_of(name: str) -> str:
    """The project in a full name."""
    return name.split("/")[1]


def _services(parent: str, clients: Clients) -> list[Dependent]:
    address, rpc = f"{API}/{parent}/services", f"{RPC}.Services/ListServices"
    pages = rest.pages(clients, address, PAGE_SIZE, _Services, rpc=rpc)
    return [service_dependent(service, clients) for page in pages for service in page.services]


def _jobs(parent: str, clients: Clients) -> list[Dependent]:
    pages = rest.pages(clients, f"{API}/{parent}/jobs", PAGE_SIZE, _Jobs, rpc=f"{RPC}.Jobs/ListJobs")
    return [_job(resource) for page in pages for resource in page.jobs]


def _job(resource: Json) -> Dependent:
    job = rest.typed(resource, Job, "a job")
    template = job.template.template
    return Dependent(
        name=job.name,
        references=tuple(_references(template, project_of(job.name))),
        is_in_flight=job.reconciling,
        problem=_problem(job),
        has_tag=_has_tag(template),
        resource=resource,
    )


def _worker_pools(parent: str, clients: Clients) -> list[Dependent]:
    address, rpc = f"{API}/{parent}/workerPools", f"{RPC}.WorkerPools/ListWorkerPools"
    pages = rest.pages(clients, address, PAGE_SIZE, _WorkerPools, rpc=rpc)
    return [_worker_pool(resource, clients) for page in pages for resource in page.worker_pools]


def _worker_pool(resource: Json, clients: Clients) -> Dependent:
    pool = rest.typed(resource, WorkerPool, "a worker pool")
    splits = pool.instance_split_statuses or pool.instance_splits
    return Dependent(
        name=pool.name,
        references=tuple(_references(pool.template, project_of(pool.name))),
        serving=_serving(pool, [split.revision for split in splits], clients),
        is_in_flight=pool.reconciling,
        problem=_problem(pool),
        is_pinned=any(split.revision for split in pool.instance_splits),
        has_tag=_has_tag(pool.template),
        resource=resource,
    )


def _instances(parent: str, clients: Clients) -> list[Dependent]:
    """Instances can be started and stopped, and not changed. Where there is no such API yet, there are none."""
    address, rpc = f"{API}/{parent}/instances", f"{RPC}.Instances/ListInstances"
    try:
        listed = [
            one for page in rest.pages(clients, address, PAGE_SIZE, _Instances, rpc=rpc) for one in page.instances
        ]
    except method_not_implemented_errors():
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


def _execution(execution: Execution) -> Dependent:
    return Dependent(
        name=execution.name,
        references=tuple(_references(execution.template, project_of(execution.name))),
        cannot_change="a running execution cannot be changed",
    )


def _serving(resource: Serving, revisions: Iterable[str], clients: Clients) -> tuple[Reference, ...]:
    """The references of those revisions that serve, where these are not known to be those of the template.

    The newest revision is made from the template once the resource has been reconciled; until then Cloud Run still
    names the one before as the newest, and ``observed_generation`` is behind.
    """
    names = {
        f"{resource.name}/revisions/{revision}" if revision else resource.latest_ready_revision
        for revision in list(revisions) or [""]
    }
    is_settled = not resource.reconciling and resource.observed_generation == resource.generation
    if is_settled:
        names.discard(resource.latest_created_revision)
    rpc = f"{RPC}.Revisions/GetRevision"
    found = [
        reference
        for name in sorted(names - {""})
        for reference in _references(rest.get(clients, f"{API}/{name}", {}, Template, rpc=rpc), project_of(name))
    ]
    return tuple(dict.fromkeys(found))


def _problem(resource: Changeable) -> str:
    condition = resource.terminal_condition
    if resource.reconciling or condition.is_ready:
        return ""
    return condition.message or condition.state


def _has_tag(template: Template) -> bool:
    return any("@sha256:" not in container.image for container in template.containers)


def _references(template: Template, project: str) -> Iterator[Reference]:
    for container in template.containers:
        for variable in container.env:
            if key := variable.value_source.secret_key_ref:
                yield Reference(full_name(key.secret, project), key.version, is_previous(variable.name))
    for volume in template.volumes:
        if secret := volume.secret:
            name = full_name(secret.secret, project)
            for file in secret.items or (File(file_of(secret.secret)),):
                yield Reference(name, file.version, is_previous(file.path), is_file=True)
