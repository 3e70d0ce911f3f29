"""Cloud Run's defaults for services, jobs and worker pools.

Of services and jobs this is what recorded answers of the real service show.
"""

from datetime import timedelta

from google.api.launch_stage_pb2 import LaunchStage
from google.cloud import run_v2

from localcloud.core.messages import duration, project_number

CLOUD_SQL = "/cloudsql"


def fill_in(service: run_v2.Service) -> None:
    """Set what Cloud Run sets of a service where the caller said nothing."""
    service.ingress = service.ingress or run_v2.IngressTraffic.INGRESS_TRAFFIC_ALL
    service.launch_stage = service.launch_stage or LaunchStage.GA
    if not service.traffic:
        latest = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
        service.traffic = [run_v2.TrafficTarget(type_=latest, percent=100)]
    template = service.template
    if "timeout" not in template:
        template.timeout = duration(timedelta(seconds=300))
    template.max_instance_request_concurrency = template.max_instance_request_concurrency or 80
    template.service_account = template.service_account or default_account(service.name)
    _mount_cloud_sql(template)
    is_only_one = len(template.containers) == 1
    for container in template.containers:
        _fill_in_container(container, takes_requests=is_only_one or bool(container.ports))
    # An empty message and none at all are the same to Cloud Run: never answer one.
    for message in (run_v2.Service.pb(service), run_v2.Service.pb(service).template):
        if message.HasField("scaling") and not message.scaling.ByteSize():
            message.ClearField("scaling")


def default_account(name: str) -> str:
    """The account that what is named so runs as if none is given: the project's default one of Compute Engine."""
    return f"{project_number(name.split('/')[1])}-compute@developer.gserviceaccount.com"


def _fill_in_container(container: run_v2.Container, *, takes_requests: bool) -> None:
    """Set what Cloud Run sets of a service's container: CPU is idle between requests unless resources are given."""
    if "resources" not in container:
        container.resources.cpu_idle = True
    _fill_in_limits(container)
    if takes_requests and not container.ports:
        container.ports = [run_v2.ContainerPort(name="http1", container_port=8080)]
    if takes_requests and "startup_probe" not in container:
        socket = run_v2.TCPSocketAction(port=container.ports[0].container_port)
        container.startup_probe = run_v2.Probe(
            timeout_seconds=240, period_seconds=240, failure_threshold=1, tcp_socket=socket
        )
    _fill_in_probe(container)


def _mount_cloud_sql(
    template: run_v2.RevisionTemplate | run_v2.WorkerPoolRevisionTemplate | run_v2.TaskTemplate,
) -> None:
    """Mount volumes of Cloud SQL where Cloud Run always does: another path in the request is dropped, as recorded."""
    volumes = {volume.name for volume in template.volumes if "cloud_sql_instance" in volume}
    for container in template.containers:
        for mount in container.volume_mounts:
            if mount.name in volumes:
                mount.mount_path = CLOUD_SQL


def _fill_in_limits(container: run_v2.Container) -> None:
    for resource, amount in (("memory", "512Mi"), ("cpu", "1000m")):
        container.resources.limits.setdefault(resource, amount)


def _fill_in_probe(container: run_v2.Container) -> None:
    if "startup_probe" in container:
        probe = container.startup_probe
        probe.timeout_seconds = probe.timeout_seconds or 1
        probe.period_seconds = probe.period_seconds or 10
        probe.failure_threshold = probe.failure_threshold or 3


def fill_in_job(job: run_v2.Job) -> None:
    """Set what Cloud Run sets of a job where the caller said nothing."""
    job.launch_stage = job.launch_stage or LaunchStage.GA
    job.template.task_count = job.template.task_count or 1
    task = job.template.template
    if "timeout" not in task:
        task.timeout = duration(timedelta(seconds=600))
    if "max_retries" not in task:
        task.max_retries = 3
    task.execution_environment = task.execution_environment or run_v2.ExecutionEnvironment.EXECUTION_ENVIRONMENT_GEN2
    task.service_account = task.service_account or default_account(job.name)
    _mount_cloud_sql(task)
    run_v2.Job.pb(job).latest_created_execution.SetInParent()
    for container in task.containers:
        _fill_in_limits(container)
        _fill_in_probe(container)


def fill_in_worker_pool(pool: run_v2.WorkerPool) -> None:
    """Set what Cloud Run sets of a worker pool where the caller said nothing."""
    pool.launch_stage = pool.launch_stage or LaunchStage.GA
    if not pool.instance_splits:
        latest = run_v2.InstanceSplitAllocationType.INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST
        pool.instance_splits = [run_v2.InstanceSplit(type_=latest, percent=100)]
    _mount_cloud_sql(pool.template)
    pool.custom_audiences = []  # they are ignored
    run_v2.WorkerPool.pb(pool).scaling.SetInParent()
