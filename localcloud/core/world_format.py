"""The types of a world: what can exist in the local cloud at the start, and how that is written.

Names are those of Google's APIs (snake_case fields of the protos). Common things have a short form; under
``proto`` a resource takes any further field of its API message. ``docs/local-cloud.md`` describes the format,
and ``local/example_world.yaml`` shows it.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

import msgspec

from localcloud.core.world_proto import Proto
from localcloud.github.seed import GitHubWorld
from localcloud.secret_manager.seed import Secret
from localcloud.storage.seed import Bucket

Count = Annotated[int, msgspec.Meta(ge=0)]
Seconds = Annotated[int, msgspec.Meta(ge=0)]
SecretReference = Annotated[str, msgspec.Meta(pattern=r"^[^:]+:[^:]+$")]
"""A secret, by its id or in full, and one of its versions: ``database-url:4``, ``database-url:latest``."""
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class SpendBasis(StrEnum):
    """What a threshold rule looks at."""

    CURRENT_SPEND = "CURRENT_SPEND"
    FORECASTED_SPEND = "FORECASTED_SPEND"


class ScalingMode(StrEnum):
    """Whether Cloud Run scales a service with its traffic, or keeps ``manual_instance_count``."""

    AUTOMATIC = "AUTOMATIC"
    MANUAL = "MANUAL"


class JobState(StrEnum):
    """Whether a Cloud Scheduler job runs on its schedule."""

    ENABLED = "ENABLED"
    PAUSED = "PAUSED"


class LocationPolicy(StrEnum):
    """In which zones GKE's autoscaler adds nodes: evenly, or wherever it can."""

    BALANCED = "BALANCED"
    ANY = "ANY"


class ThresholdRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A share of a budget (1.0 is all of it) from which notifications carry it."""

    threshold_percent: Annotated[float, msgspec.Meta(ge=0)]
    spend_basis: SpendBasis = SpendBasis.CURRENT_SPEND


class Budget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A budget of a billing account; a bare number among ``threshold_rules`` is a rule on current spend."""

    display_name: str = ""
    amount: Decimal | None = None
    """In the account's currency; for the last period's cost say ``amount`` under ``proto``."""
    threshold_rules: list[float | ThresholdRule] = []
    pubsub_topic: str = ""
    """In full: projects/PROJECT/topics/TOPIC."""
    projects: list[str] = []
    """Ids of the projects whose cost it tracks; none means all of the account."""
    proto: Proto = {}


class BillingAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A billing account and its budgets, by budget id."""

    display_name: str = ""
    currency_code: str = "USD"
    open: bool = True
    budgets: dict[str, Budget] = {}


class Subscription(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Pub/Sub subscription; with a ``push_endpoint`` it pushes."""

    topic: str
    push_endpoint: str = ""
    ack_deadline_seconds: Seconds = 0
    filter: str = ""
    proto: Proto = {}


class Scaling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The scaling of a Cloud Run service as a whole; a maximum of 0 is none."""

    min_instance_count: Count = 0
    max_instance_count: Count = 0
    scaling_mode: ScalingMode | None = None
    manual_instance_count: Count | None = None


class Service(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Cloud Run service with one container."""

    image: str = ""
    """Google's hello container, if nothing is said."""
    env: dict[str, str] = {}
    secret_env: dict[str, SecretReference] = {}
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    scaling: Scaling = Scaling()
    proto: Proto = {}


class RunJob(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Cloud Run job with one container."""

    image: str = ""
    """Google's hello container, if nothing is said."""
    env: dict[str, str] = {}
    secret_env: dict[str, SecretReference] = {}
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    proto: Proto = {}


class WorkerPool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Cloud Run worker pool with one container."""

    image: str = ""
    """Google's hello container, if nothing is said."""
    env: dict[str, str] = {}
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    manual_instance_count: Count = 0
    proto: Proto = {}


class MonitoredResource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a time series is about."""

    type: str
    labels: dict[str, str] = {}


class TimeSeries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A gauge of Cloud Monitoring that has a value from a moment on, one point a minute, or none."""

    metric: str
    """Its type, such as pubsub.googleapis.com/subscription/num_undelivered_messages."""
    resource: MonitoredResource
    metric_labels: dict[str, str] = {}
    value: int | float | None = None
    """None means that there are no points."""
    since: Moment | None = None
    """A day before the clock's time, if nothing is said."""


class Job(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Cloud Scheduler job that publishes to ``topic``, or has another target under ``proto``."""

    schedule: str
    time_zone: str = ""
    description: str = ""
    state: JobState = JobState.ENABLED
    topic: str = ""
    data: str = ""
    attributes: dict[str, str] = {}
    proto: Proto = {}


class NodePoolAutoscaling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether GKE resizes a node pool by itself, and between which bounds: in each zone, or in all."""

    enabled: bool = True
    min_node_count: Count = 0
    max_node_count: Count = 0
    total_min_node_count: Count = 0
    total_max_node_count: Count = 0
    location_policy: LocationPolicy | None = None


class NodePool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A node pool of a GKE cluster."""

    locations: list[str] = []
    """Its zones; none means those of the cluster."""
    node_count: Count = 1
    """How many nodes it has in each zone."""
    autoscaling: NodePoolAutoscaling | None = None
    demand: Count | None = None
    """How many nodes its pods need in all, which the autoscaler follows; none means as many as there are."""
    proto: Proto = {}


class Cluster(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A GKE cluster and its node pools, by id."""

    node_pools: dict[str, NodePool] = {}
    proto: Proto = {}


class Repository(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Docker repository of Artifact Registry: by an image's name and its digest, the tags of each."""

    images: dict[str, dict[str, list[str]]] = {}


class Project(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A project and what is in it.

    Services, worker pools, both kinds of jobs, clusters and repositories are keyed by id and live in ``location``; the
    key ``LOCATION/ID`` puts one elsewhere.
    """

    billing_account_name: str = ""
    billing_locked: bool = False
    location: str = ""
    topics: list[str] = []
    subscriptions: dict[str, Subscription] = {}
    services: dict[str, Service] = {}
    worker_pools: dict[str, WorkerPool] = {}
    run_jobs: dict[str, RunJob] = {}
    """Of Cloud Run; ``jobs`` are Cloud Scheduler's."""
    jobs: dict[str, Job] = {}
    time_series: list[TimeSeries] = []
    clusters: dict[str, Cluster] = {}
    repositories: dict[str, Repository] = {}
    secrets: dict[str, Secret] = {}
    """By id; ``LOCATION/ID`` is a regional one."""
    buckets: dict[str, Bucket] = {}


class World(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that exists at the start: billing accounts and projects, by id, and GitHub."""

    billing_accounts: dict[str, BillingAccount] = {}
    projects: dict[str, Project] = {}
    github: GitHubWorld = GitHubWorld()
