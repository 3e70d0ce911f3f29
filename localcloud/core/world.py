"""What exists in the local cloud at first: read from ``--world FILE`` or a law's ``world:``, and made."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import msgspec
from google.cloud import billing_v1, container_v1, run_v2, scheduler_v1
from google.cloud.billing import budgets_v1
from google.protobuf.json_format import ParseError
from google.pubsub_v1 import types as pubsub

from localcloud.core.server import ApiError
from localcloud.core.world_format import (
    BillingAccount,
    Budget,
    Cluster,
    Job,
    JobState,
    NodePool,
    Project,
    RunJob,
    Scaling,
    Service,
    Subscription,
    ThresholdRule,
    WorkerPool,
    World,
)
from localcloud.core.world_proto import complete
from localcloud.github.seed import seed_github
from localcloud.secret_manager.seed import add_secret
from localcloud.storage.seed import seed_buckets
from shared.errors import SettingsError
from shared.settings import convert
from shared.yaml_file import YamlFile, located_in, read_yaml_file

if TYPE_CHECKING:
    from localcloud import LocalCloud
    from localcloud.run.jobs import CloudRunJobs
    from localcloud.run.services import CloudRun
    from localcloud.run.worker_pools import WorkerPools

__all__ = ["World", "WorldError", "load_world", "seed", "world_from"]

HELLO_IMAGE = "us-docker.pkg.dev/cloudrun/container/hello"


class WorldError(SettingsError):
    """An invalid world: names the key and the reason."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(key, None, why, problem=f"cannot create {key}", remedy=why)


def load_world(path: Path) -> World:
    """Read a world from a YAML file. Raises SettingsError with every key that is wrong, and its line."""
    return read_world(path)[1]


def read_world(path: Path) -> tuple[YamlFile, World]:
    """A world, and the lines of its keys for what `seed` may refuse. Raises SettingsError."""
    file = read_yaml_file(path)
    if file.data is not None:
        file.mapping("`projects`, `billing_accounts` or `github`")
    with located_in(file):
        return file, world_from(file.data)


def world_from(data: object) -> World:
    """Read a world from data that is parsed already; None is an empty one. Raises SettingsError."""
    return convert({} if data is None else data, World, "", may_end_in_line_break=True)


def seed(cloud: "LocalCloud", world: World) -> None:
    """Let ``world`` come true in ``cloud``, through the services' own methods, which may refuse it.

    None of it is recorded as a call, and nothing is reconciling afterwards. Raises WorldError.
    """
    for account_id, account in world.billing_accounts.items():
        with _at(f"billing_accounts.{account_id}"):
            _add_account(cloud, account_id, account)
    for project_id, project in world.projects.items():
        with _at(f"projects.{project_id}"):
            account_name = _full("billingAccounts", project.billing_account_name)
            cloud.resource_manager.add_project(project_id)
            if account_name or not cloud.billing.has_project(project_id):  # a further world may leave out the billing
                cloud.billing.add_project(project_id, account_name, locked=project.billing_locked)
            cloud.instance_groups.add_project(project_id)
        _add_topics(cloud, project_id, project.topics)
    for project_id, project in world.projects.items():
        _fill_secrets(cloud, project_id, project)
    for project_id, project in world.projects.items():
        _fill(cloud, project_id, project)
    for account_id, account in world.billing_accounts.items():
        for budget_id, budget in account.budgets.items():
            with _at(f"billing_accounts.{account_id}.budgets.{budget_id}"):
                name = f"{_full('billingAccounts', account_id)}/budgets/{budget_id}"
                cloud.budgets.add_budget(name, _budget(budget))
    seed_github(cloud.github, world.github, _at)


@contextmanager
def _at(path: str) -> Iterator[None]:
    try:
        yield
    except ApiError as error:
        raise WorldError(path, error.message) from error
    except SettingsError:
        raise
    except (ParseError, ValueError) as error:
        raise WorldError(path, str(error).partition("\n")[0]) from error


@contextmanager
def _at_once(service: "CloudRun | CloudRunJobs | WorkerPools") -> Iterator[None]:
    """Let changes come about within their calls."""
    delay, service.operation_delay = service.operation_delay, timedelta(0)
    try:
        yield
    finally:
        service.operation_delay = delay


def _full(collection: str, name: str) -> str:
    """The full name of what is named by its id or in full; "" stays ""."""
    return name if not name or name.startswith(f"{collection}/") else f"{collection}/{name}"


def _add_account(cloud: "LocalCloud", account_id: str, account: BillingAccount) -> None:
    name = _full("billingAccounts", account_id)
    cloud.billing.add_account(
        billing_v1.BillingAccount(
            name=name,
            open_=account.open,
            display_name=account.display_name,
            currency_code=account.currency_code,
        )
    )
    cloud.budgets.currencies[name] = account.currency_code


def _add_topics(cloud: "LocalCloud", project_id: str, topics: Sequence[str]) -> None:
    """Make topics, each named once. One may be there: the suite makes the one that a budget publishes to."""
    for place, topic in enumerate(topics):
        with _at(f"projects.{project_id}.topics: {topic!r}"):
            try:
                cloud.pubsub.create_topic(pubsub.Topic(name=f"projects/{project_id}/topics/{topic}"))
            except ApiError as error:
                if error.code is not grpc.StatusCode.ALREADY_EXISTS or topic in topics[:place]:
                    raise


def _fill(cloud: "LocalCloud", project_id: str, project: Project) -> None:
    """Make what is in a project."""
    path = f"projects.{project_id}"
    for subscription_id, subscription in project.subscriptions.items():
        with _at(f"{path}.subscriptions.{subscription_id}"):
            cloud.pubsub.create_subscription(_subscription(subscription, subscription_id, project_id))
    for key, service in project.services.items():
        with _at(f"{path}.services.{key}"), _at_once(cloud.run):
            parent, service_id = _place(key, project_id, project.location)
            cloud.run.create_service(
                run_v2.CreateServiceRequest(parent=parent, service_id=service_id, service=_service(service))
            )
    for key, run_job in project.run_jobs.items():
        with _at(f"{path}.run_jobs.{key}"), _at_once(cloud.run_jobs):
            parent, job_id = _place(key, project_id, project.location)
            cloud.run_jobs.create_job(run_v2.CreateJobRequest(parent=parent, job_id=job_id, job=_run_job(run_job)))
    _fill_worker_pools(cloud, project_id, project)
    _fill_time_series(cloud, project_id, project)
    _fill_repositories(cloud, project_id, project)
    seed_buckets(cloud.storage, project_id, project.buckets, _at)
    for key, job in project.jobs.items():
        with _at(f"{path}.jobs.{key}"):
            parent, job_id = _place(key, project_id, project.location)
            made = _job(job, f"{parent}/jobs/{job_id}", project_id)
            cloud.scheduler.create_job(scheduler_v1.CreateJobRequest(parent=parent, job=made))
            if job.state is JobState.PAUSED:
                cloud.scheduler.pause_job(scheduler_v1.PauseJobRequest(name=made.name))
    for key, cluster in project.clusters.items():
        with _at(f"{path}.clusters.{key}"):
            parent, cluster_id = _place(key, project_id, project.location)
        _add_cluster(cloud, f"{path}.clusters.{key}", f"{parent}/clusters/{cluster_id}", cluster)


def _fill_secrets(cloud: "LocalCloud", project_id: str, project: Project) -> None:
    for key, secret in project.secrets.items():
        with _at(f"projects.{project_id}.secrets.{key}"):
            location, _, secret_id = key.rpartition("/")
            parent = f"projects/{project_id}/locations/{location}" if location else f"projects/{project_id}"
            add_secret(cloud.secrets, parent, secret_id, secret)


def _fill_repositories(cloud: "LocalCloud", project_id: str, project: Project) -> None:
    for key, repository in project.repositories.items():
        with _at(f"projects.{project_id}.repositories.{key}"):
            parent, repository_id = _place(key, project_id, project.location)
            name = f"{parent}/repositories/{repository_id}"
            cloud.artifact_registry.add_repository(name)
            for image, digests in repository.images.items():
                for digest, tags in digests.items():
                    cloud.artifact_registry.push_image(name, image, digest, tags)


def _fill_worker_pools(cloud: "LocalCloud", project_id: str, project: Project) -> None:
    for key, pool in project.worker_pools.items():
        with _at(f"projects.{project_id}.worker_pools.{key}"), _at_once(cloud.worker_pools):
            parent, pool_id = _place(key, project_id, project.location)
            cloud.worker_pools.create_worker_pool(
                run_v2.CreateWorkerPoolRequest(parent=parent, worker_pool_id=pool_id, worker_pool=_worker_pool(pool))
            )


def _fill_time_series(cloud: "LocalCloud", project_id: str, project: Project) -> None:
    for series in project.time_series:
        cloud.monitoring.set_value(
            project_id,
            series.metric,
            series.value,
            resource_type=series.resource.type,
            resource_labels=series.resource.labels,
            metric_labels=series.metric_labels,
            since=series.since or cloud.clock.now() - timedelta(days=1),
        )


def _place(key: str, project_id: str, location: str) -> tuple[str, str]:
    """The parent and the id that a key, ``ID`` or ``REGION/ID``, refers to."""
    region, _, resource_id = key.rpartition("/")
    if not (region or location):
        raise ValueError(f"no region: give the project a `location`, or write REGION/{key}")
    return f"projects/{project_id}/locations/{region or location}", resource_id


def _subscription(spec: Subscription, subscription_id: str, project_id: str) -> pubsub.Subscription:
    subscription = pubsub.Subscription(
        name=f"projects/{project_id}/subscriptions/{subscription_id}",
        topic=_topic(spec.topic, project_id),
        ack_deadline_seconds=spec.ack_deadline_seconds,
        filter=spec.filter,
    )
    if spec.push_endpoint:
        subscription.push_config = pubsub.PushConfig(push_endpoint=spec.push_endpoint)
    complete(pubsub.Subscription.pb(subscription), spec.proto)
    return subscription


def _topic(name: str, project_id: str) -> str:
    return _full("projects", name) if "/" in name else f"projects/{project_id}/topics/{name}"


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


def _job(spec: Job, name: str, project_id: str) -> scheduler_v1.Job:
    job = scheduler_v1.Job(name=name, schedule=spec.schedule, time_zone=spec.time_zone, description=spec.description)
    if spec.topic:
        job.pubsub_target = scheduler_v1.PubsubTarget(
            topic_name=_topic(spec.topic, project_id), data=spec.data.encode(), attributes=spec.attributes
        )
    elif spec.data or spec.attributes:
        raise ValueError("data, attributes: expected a topic to publish them to")
    complete(scheduler_v1.Job.pb(job), spec.proto)
    return job


def _add_cluster(cloud: "LocalCloud", path: str, name: str, spec: Cluster) -> None:
    with _at(path):
        cluster = container_v1.Cluster()
        complete(container_v1.Cluster.pb(cluster), spec.proto)
        cloud.gke.add_cluster(name, cluster)
    for pool_id, pool in spec.node_pools.items():
        with _at(f"{path}.node_pools.{pool_id}"):
            full_name = cloud.gke.add_node_pool(name, _node_pool(pool, pool_id), pool.node_count)
            cloud.gke.set_demand(full_name, pool.demand)


def _node_pool(spec: NodePool, pool_id: str) -> container_v1.NodePool:
    pool = container_v1.NodePool(name=pool_id, locations=spec.locations)
    if spec.autoscaling:
        said = msgspec.structs.asdict(spec.autoscaling)
        pool.autoscaling = container_v1.NodePoolAutoscaling(
            {name: value for name, value in said.items() if value is not None}
        )
    complete(container_v1.NodePool.pb(pool), spec.proto)
    if "initial_node_count" not in spec.proto and "initialNodeCount" not in spec.proto:
        pool.initial_node_count = spec.node_count
    return pool


def _budget(spec: Budget) -> budgets_v1.Budget:
    budget = budgets_v1.Budget(display_name=spec.display_name)
    if spec.amount is not None:
        units, rest = divmod(spec.amount, 1)
        budget.amount.specified_amount = {"units": int(units), "nanos": int(rest * 10**9)}
    for rule in spec.threshold_rules:
        given = rule if isinstance(rule, ThresholdRule) else ThresholdRule(rule)
        budget.threshold_rules.append(budgets_v1.ThresholdRule(msgspec.structs.asdict(given)))
    if spec.pubsub_topic:
        budget.notifications_rule.pubsub_topic = spec.pubsub_topic
        budget.notifications_rule.schema_version = "1.0"
    if spec.projects:
        budget.budget_filter.projects = [_full("projects", project) for project in spec.projects]
    complete(budgets_v1.Budget.pb(budget), spec.proto)
    return budget
