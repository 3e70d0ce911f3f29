"""The owner's settings for GPU pools: each pool's place, its hours, and the signals that it is idle or needed."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from shared.errors import SettingsError
from shared.hours import Hours
from shared.settings import Model, ProjectId, Region, Section

Location = Annotated[
    str, Meta(pattern=r"^[a-z]+-[a-z]+[0-9]+(-[a-z])?$", examples=["europe-west4"], description="A region, or a zone.")
]
Id = Annotated[str, Meta(pattern=r"^[a-z]([a-z0-9-]*[a-z0-9])?$", examples=["my-product"], max_length=63)]
Minutes = Annotated[int, Meta(ge=5, le=24 * 60)]
LabelText = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]*$", examples=["trainer-"], max_length=253)]


class NodePool(Model, frozen=True, kw_only=True):
    """A node pool of a GKE cluster."""

    project: ProjectId
    location: Location
    cluster: Id
    name: Id

    @property
    def full_name(self) -> str:
        """As the API calls it."""
        return f"projects/{self.project}/locations/{self.location}/clusters/{self.cluster}/nodePools/{self.name}"


class CloudRunPool(Model, frozen=True, kw_only=True):
    """A worker pool, or a service, of Cloud Run."""

    collection: ClassVar[str]

    project: ProjectId
    region: Region
    name: Id

    @property
    def full_name(self) -> str:
        """As the API calls it."""
        return f"projects/{self.project}/locations/{self.region}/{self.collection}/{self.name}"


class WorkerPool(CloudRunPool, frozen=True, kw_only=True):
    """A worker pool of Cloud Run: its manual instance count."""

    collection: ClassVar[str] = "workerPools"


class Service(CloudRunPool, frozen=True, kw_only=True):
    """A service of Cloud Run: its minimum of instances, or its manual instance count if it is scaled by hand."""

    collection: ClassVar[str] = "services"


class PendingMessages(Model, frozen=True, kw_only=True, tag_field="kind", tag="pending_messages"):
    """Work that waits in a Pub/Sub subscription: messages that are not acknowledged."""

    subscription: Annotated[
        str,
        Meta(
            pattern=r"^projects/[a-z0-9:.-]+/subscriptions/[A-Za-z][A-Za-z0-9._~+%-]{2,254}$",
            examples=["projects/my-product/subscriptions/jobs"],
        ),
    ]
    at_most: Annotated[int, Meta(ge=0)] = 0
    """More than so many are work."""

    @property
    def project(self) -> str:
        """The project of the metric."""
        return self.subscription.split("/")[1]

    @property
    def filter(self) -> str:
        """The Monitoring filter: https://cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-pubsub."""
        return (
            'metric.type = "pubsub.googleapis.com/subscription/num_undelivered_messages" AND '
            f'resource.type = "pubsub_subscription" AND resource.labels.subscription_id = "{self.name}"'
        )

    @property
    def name(self) -> str:
        """The subscription's id."""
        return self.subscription.rpartition("/")[2]

    def __str__(self) -> str:
        return f"undelivered messages of {self.name}"


class GpuSignal(Model, frozen=True, kw_only=True, tag_field="kind"):
    """A gauge of the GPUs of a cluster's containers: https://cloud.google.com/monitoring/api/metrics_kubernetes.

    While no container has a GPU there is no data. So that this is not taken for a gap, two more metrics are asked: the
    GPUs that containers request, and one that every node of the cluster has.
    """

    metric: ClassVar[str]
    title: ClassVar[str]

    project: ProjectId
    location: Location
    cluster: Id
    namespace: LabelText = ""
    """Only containers of this Kubernetes namespace; all, if left out."""
    pods: LabelText = ""
    """Only pods whose names begin like this, as those of one Deployment or Job do; all, if left out."""
    model: LabelText = ""
    """Only GPUs of this model, such as `nvidia-l4`; all, if left out."""
    at_most: float

    @property
    def filter(self) -> str:
        """The Monitoring filter, of selectors that it documents for time series."""
        model = f' AND metric.labels.model = "{self.model}"' if self.model else ""
        return self._containers(self.metric) + model

    @property
    def requested(self) -> str:
        """The filter of the GPUs that these containers request."""
        return self._containers("request")

    @property
    def nodes(self) -> str:
        """The filter of what every node of the cluster reports."""
        return (
            'metric.type = "kubernetes.io/node/cpu/allocatable_cores" AND resource.type = "k8s_node" AND '
            f"{self._cluster()}"
        )

    def _containers(self, metric: str) -> str:
        namespace = f' AND resource.labels.namespace_name = "{self.namespace}"' if self.namespace else ""
        pods = f' AND resource.labels.pod_name = starts_with("{self.pods}")' if self.pods else ""
        return (
            f'metric.type = "kubernetes.io/container/accelerator/{metric}" AND resource.type = "k8s_container" AND '
            f"{self._cluster()}{namespace}{pods}"
        )

    def _cluster(self) -> str:
        return f'resource.labels.location = "{self.location}" AND resource.labels.cluster_name = "{self.cluster}"'

    def __str__(self) -> str:
        only = [one for one in (self.namespace, self.pods, self.model) if one]
        return f"{self.title} of {self.cluster}{' (' + ', '.join(only) + ')' if only else ''}"


class GpuDutyCycle(GpuSignal, frozen=True, kw_only=True, tag="gpu_duty_cycle"):
    """The utilization of the GPUs, in percent."""

    metric: ClassVar[str] = "duty_cycle"
    title: ClassVar[str] = "GPU duty cycle"

    at_most: Annotated[float, Meta(ge=0, lt=100)] = 5.0
    """More than so many percent are work."""


class GpuMemory(GpuSignal, frozen=True, kw_only=True, tag="gpu_memory"):
    """The memory of the GPUs that is in use, in bytes."""

    metric: ClassVar[str] = "memory_used"
    title: ClassVar[str] = "GPU memory"

    at_most: Annotated[float, Meta(ge=0)] = 1e9
    """More than so many bytes are work."""


class Metric(Model, frozen=True, kw_only=True, tag_field="kind", tag="metric"):
    """Any gauge of Cloud Monitoring: the highest of its series counts."""

    project: ProjectId
    filter: Annotated[
        str, Meta(pattern=r'metric\.type\s*=\s*"', examples=['metric.type = "custom.googleapis.com/load"'])
    ]
    at_most: float
    """More is work."""

    def __str__(self) -> str:
        return f"metric {self.filter.partition('metric.type')[2].split(chr(34))[1]}"


Signal = PendingMessages | GpuDutyCycle | GpuMemory | Metric


class Idle(Model, frozen=True, kw_only=True):
    """The signals that must all be quiet for a whole window before a pool is idle."""

    for_minutes: Minutes = 30
    signals: Annotated[tuple[Signal, ...], Meta(min_length=1)]


class Savings(Model, frozen=True, kw_only=True):
    """Report what pools at zero have saved."""

    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$", examples=["USD"])]


class Pool(Model, frozen=True, kw_only=True):
    """One GPU pool."""

    node_pool: NodePool | None = None
    worker_pool: WorkerPool | None = None
    service: Service | None = None
    size: Annotated[int, Meta(ge=1, le=1000)]
    """Nodes in each zone, or instances, when it is on and no other size was saved."""
    zones: Annotated[int, Meta(ge=1, le=20)] = 1
    """In how many zones a node pool has nodes: for estimates of what it costs."""
    minimum: Annotated[int, Meta(ge=0)] = 0
    """Nodes in each zone, or instances, that stay when it is idle or out of hours. A spending restriction, and a person
    who says `off`, take these away too; what is at zero already is not brought up to it."""
    hours: Hours | None = None
    """The hours in which it is on unless idle; always, by default."""
    idle: Idle | None = None
    wake: tuple[Signal, ...] = ()
    """Any of these being active turns the pool on at any hour."""
    hourly_price: Annotated[float, Meta(ge=0)] | None = None
    """Of one node or instance, in the currency of `savings`."""
    on_drift: Literal["respect", "enforce"] = "respect"
    """The reaction to a person's resize of the pool: leave it until the next window, or apply the desired size."""
    on_for_minutes: Minutes | None = None
    """Once started, it stays on at least so long when it is idle or out of hours; if left out, as long as idle is asked
    for."""
    nodes_within_minutes: Minutes = 20
    """The time nodes may take to arrive before a stock-out is an alert."""

    def __post_init__(self) -> None:
        places = [name for name in ("node_pool", "worker_pool", "service") if getattr(self, name) is not None]
        if len(places) != 1:
            raise SettingsError("node_pool", places, "exactly one of `node_pool`, `worker_pool` and `service`")
        if self.minimum >= self.size:
            raise SettingsError("minimum", self.minimum, f"fewer than `size`, which is {self.size}")
        if self.idle and self.hours is None and not self.wake:
            raise SettingsError("wake", [], "a signal that turns it on again: an idle pool without `hours` stays off")

    @property
    def minutes_on(self) -> int:
        """The time it stays on once started: at least the window of its signals."""
        return max(self.on_for_minutes or 0, self.idle.for_minutes if self.idle else 0)

    @property
    def full_name(self) -> str:
        """As the API calls it."""
        place = self.node_pool or self.worker_pool or self.service
        return place.full_name if place else ""


class Settings(Section, frozen=True, kw_only=True):
    """The section `scale_gpu_pools` of ``caretaker.yaml``."""

    pools: dict[Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]*$", examples=["my-key"])], Pool]
    """By a key of the owner's, which commands and reports use."""
    savings: Savings | None = None

    def __post_init__(self) -> None:
        seen: dict[str, str] = {}
        for key, pool in self.pools.items():
            other = seen.setdefault(pool.full_name, key)
            if other != key:
                raise SettingsError(f"pools.{key}", pool.full_name, f"a pool that no other key has: `{other}` has it")
            if self.savings and pool.hourly_price is None:
                raise SettingsError(f"pools.{key}.hourly_price", None, "a price, because `savings` needs it")

    @property
    def currency(self) -> str:
        """Of all prices; nothing if no savings are asked for."""
        return self.savings.currency if self.savings else ""
