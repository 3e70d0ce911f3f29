"""Cloud Run's part of a world: services, worker pools, jobs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from google.cloud import run_v2

from localcloud.core.world_format import Count
from localcloud.core.world_place import Place
from localcloud.core.world_proto import Proto, complete

if TYPE_CHECKING:
    from localcloud.run.jobs import CloudRunJobs
    from localcloud.run.resources import Resources
    from localcloud.run.services import CloudRun
    from localcloud.run.worker_pools import WorkerPools

HELLO_IMAGE = "us-docker.pkg.dev/cloudrun/container/hello"
SecretReference = Annotated[str, msgspec.Meta(pattern=r"^[^:]+:[^:]+$")]
"""A secret, by its id or in full, and one of its versions: ``database-url:4``, ``database-url:latest``."""


class ScalingMode(StrEnum):
    """Whether Cloud Run scales a service with its traffic, or keeps ``manual_instance_count``."""

    AUTOMATIC = "AUTOMATIC"
    MANUAL = "MANUAL"


class Scaling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The scaling of a Cloud Run service as a whole; a maximum of 0 is none."""

    min_instance_count: Count = 0
    max_instance_count: Count = 0
    scaling_mode: ScalingMode | None = None
    manual_instance_count: Count | None = None


class Service(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Cloud Run service with one container."""

    image: str = ""
    """By default Google's hello container."""
    env: dict[str, str] = {}
    secret_env: dict[str, SecretReference] = {}
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    scaling: Scaling = Scaling()
    proto: Proto = {}


class RunJob(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Cloud Run job with one container."""

    image: str = ""
    """By default Google's hello container."""
    env: dict[str, str] = {}
    secret_env: dict[str, SecretReference] = {}
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    proto: Proto = {}


class WorkerPool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Cloud Run worker pool with one container."""

    image: str = ""
    """By default Google's hello container."""
    env: dict[str, str] = {}
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    manual_instance_count: Count = 0
    proto: Proto = {}


def add_services(service: "CloudRun", place: Place, services: Mapping[str, Service]) -> None:
    """Create services that are ready."""
    for key, spec in services.items():
        with _ready_at_once(service), place.key(key):
            parent, service_id = place.parent_of(key)
            service.create_service(
                run_v2.CreateServiceRequest(parent=parent, service_id=service_id, service=_service(spec))
            )


def add_run_jobs(service: "CloudRunJobs", place: Place, jobs: Mapping[str, RunJob]) -> None:
    """Create jobs that are ready."""
    for key, spec in jobs.items():
        with _ready_at_once(service), place.key(key):
            parent, job_id = place.parent_of(key)
            service.create_job(run_v2.CreateJobRequest(parent=parent, job_id=job_id, job=_run_job(spec)))


def add_worker_pools(service: "WorkerPools", place: Place, pools: Mapping[str, WorkerPool]) -> None:
    """Create worker pools that are ready."""
    for key, spec in pools.items():
        with _ready_at_once(service), place.key(key):
            parent, pool_id = place.parent_of(key)
            service.create_worker_pool(
                run_v2.CreateWorkerPoolRequest(parent=parent, worker_pool_id=pool_id, worker_pool=_worker_pool(spec))
            )


@contextmanager
def _ready_at_once(service: "Resources[Any]") -> Iterator[None]:
    """Finish each change within its call."""
    delay, service.operation_delay = service.operation_delay, timedelta(0)
    try:
        yield
    finally:
        service.operation_delay = delay


def _worker_pool(spec: WorkerPool) -> run_v2.WorkerPool:
    pool = run_v2.WorkerPool(labels=spec.labels, annotations=spec.annotations)
    pool.scaling.manual_instance_count = spec.manual_instance_count
    _complete_with_container(pool, spec)
    return pool


def _complete_with_container(
    resource: run_v2.Service | run_v2.WorkerPool | run_v2.Job, spec: Service | WorkerPool | RunJob
) -> None:
    """Add what is said under ``proto``, and a container unless that has any."""
    secret_env = {} if isinstance(spec, WorkerPool) else spec.secret_env
    if spec.proto.get("template") is not None and (spec.image or spec.env or secret_env):
        raise ValueError("image, env: move them into the template under proto")
    complete(type(resource).pb(resource), spec.proto)
    template = resource.template.template if isinstance(resource, run_v2.Job) else resource.template
    if not template.containers:
        env = [run_v2.EnvVar(name=name, value=value) for name, value in spec.env.items()]
        env += [_from_secret(name, reference) for name, reference in secret_env.items()]
        template.containers = [run_v2.Container(image=spec.image or HELLO_IMAGE, env=env)]


def _from_secret(name: str, reference: str) -> run_v2.EnvVar:
    secret, _, version = reference.partition(":")
    return run_v2.EnvVar(name=name, value_source={"secret_key_ref": {"secret": secret, "version": version}})


def _run_job(spec: RunJob) -> run_v2.Job:
    job = run_v2.Job(labels=spec.labels, annotations=spec.annotations)
    _complete_with_container(job, spec)
    return job


def _service(spec: Service) -> run_v2.Service:
    service = run_v2.Service(labels=spec.labels, annotations=spec.annotations)
    if spec.scaling != Scaling():
        service.scaling = run_v2.ServiceScaling(
            {name: value for name, value in msgspec.structs.asdict(spec.scaling).items() if value is not None}
        )
    _complete_with_container(service, spec)
    return service
