"""The resources that `cap_spending` reads, as typed values, and the need that each answers."""

import functools
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

import msgspec

from functions.cap_spending.settings import Action
from functions.cap_spending.spend_caps import OF_CAPS, CapState
from shared.holds import Current
from shared.world import Need, World

MAX_INSTANCES, MANUAL_INSTANCES = "max_instances", "manual_instances"
AMOUNT = "amount"
MANY = 4096
"""Names of resources of which it is remembered what they say."""


class ResourceKind(StrEnum):
    """A kind of resource that may be held."""

    SERVICES = "Cloud Run services"
    WORKER_POOLS = "Cloud Run worker pools"
    JOBS = "Cloud Scheduler jobs"
    PROJECTS = "billing of projects"
    CAPS = "spend caps"


KINDS = {
    Action.LIMIT_CLOUD_RUN: (ResourceKind.SERVICES, ResourceKind.WORKER_POOLS),
    Action.PAUSE_SCHEDULES: (ResourceKind.JOBS,),
    Action.PAUSE_USAGE: (ResourceKind.CAPS,),
    Action.DETACH_BILLING: (ResourceKind.PROJECTS,),
}
"""The kinds of resource that each action holds; other actions hold none."""


class RunService(msgspec.Struct, frozen=True):
    """A Cloud Run service; an instance count of 0 is Google's default."""

    name: str
    labels: Mapping[str, str]
    max_instances: int
    min_instances: int
    in_flight: bool
    etag: str
    manual_instances: int | None = None
    """Its instance count under manual scaling; None under automatic scaling."""

    @property
    def current(self) -> Current:
        """The fields that we may hold."""
        return {MAX_INSTANCES: self.max_instances, MANUAL_INSTANCES: self.manual_instances or 0}

    @property
    def limiting_field(self) -> str:
        """The field that limits it: Google ignores the maximum of a service that is scaled by hand."""
        return MAX_INSTANCES if self.manual_instances is None else MANUAL_INSTANCES


class WorkerPool(msgspec.Struct, frozen=True):
    """A Cloud Run worker pool: people, or what scales it for them, set how many instances it has."""

    name: str
    instances: int
    in_flight: bool
    etag: str

    @property
    def current(self) -> Current:
        """The field that we may hold."""
        return {MANUAL_INSTANCES: self.instances}


class ScheduledJob(msgspec.Struct, frozen=True):
    """A Cloud Scheduler job: whether it is paused, and the Pub/Sub topic that it publishes to, if it does."""

    name: str
    state: str
    topic: str

    in_flight: ClassVar[bool] = False

    @property
    def current(self) -> Current:
        """The field that we may hold."""
        return {"state": self.state}


class ProjectBilling(msgspec.Struct, frozen=True):
    """The billing account that a project is linked to, such as ``billingAccounts/…``; empty if it is detached."""

    name: str
    account: str

    in_flight: ClassVar[bool] = False

    @property
    def current(self) -> Current:
        """The field that we may hold."""
        return {"billing_account": self.account}


class GoogleCap(msgspec.Struct, frozen=True):
    """The spend cap of a project on a service, as far as it is ours; without a budget there is none."""

    name: str
    """The project and service it caps (`spend_caps.cap_name`)."""
    budget: str = ""
    """The full name of the budget."""
    amount: str = ""
    """As `spend_caps.plain` has it."""
    currency: str = ""
    state: CapState | None = None
    in_flight: bool = False
    """Whether Google is still enforcing, lifting or arming it."""
    etag: str = ""
    differs: tuple[str, ...] = ()
    """The fields besides the amount that a person has changed, by Google's names."""

    @property
    def current(self) -> Current:
        """The field that we may hold: empty where there is no cap."""
        return {AMOUNT: self.amount}


Resource = RunService | WorkerPool | ScheduledJob | ProjectBilling | GoogleCap


class BudgetAmount(msgspec.Struct, frozen=True):
    """The current state of a budget."""

    exists: bool
    period_ended: date | None = None
    """The last day of a custom period."""
    amount: Decimal | None = None
    """None if it follows the last period's cost, or is in another currency."""


class ServicesIn(Need[tuple[RunService, ...]], frozen=True):
    """All Cloud Run services of ``projects/P/locations/R``."""

    parent: str


class WorkerPoolsIn(Need[tuple[WorkerPool, ...]], frozen=True):
    """All Cloud Run worker pools of ``projects/P/locations/R``."""

    parent: str


class JobsIn(Need[tuple[ScheduledJob, ...]], frozen=True):
    """All Cloud Scheduler jobs of ``projects/P/locations/R``."""

    parent: str


class BillingOf(Need[ProjectBilling], frozen=True):
    """The billing account of ``projects/P``."""

    parent: str


class AmountOf(Need[BudgetAmount], frozen=True):
    """The amount of ``billingAccounts/A/budgets/B``, if it is in the currency that the settings expect."""

    budget: str
    currency: str


class CapOf(Need[GoogleCap], frozen=True):
    """The spend cap of a name such as ``billingAccounts/A/spendCaps/PROJECT/SERVICE``, if we have made one."""

    parent: str


Place = ServicesIn | WorkerPoolsIn | JobsIn | BillingOf | CapOf
"""A question whose answer has what an action may touch."""
CapSpendingNeed = Place | AmountOf


@functools.lru_cache(MANY)
def kind_of(name: str) -> ResourceKind:
    """The kind of resource of a full resource name."""
    if OF_CAPS in name:
        return ResourceKind.CAPS
    if "/services/" in name:
        return ResourceKind.SERVICES
    if "/workerPools/" in name:
        return ResourceKind.WORKER_POOLS
    return ResourceKind.JOBS if "/jobs/" in name else ResourceKind.PROJECTS


@functools.lru_cache(MANY)
def need_of(name: str) -> Place:
    """The question whose answer has a resource, by its full name."""
    match kind_of(name):
        case ResourceKind.SERVICES:
            return ServicesIn(name.partition("/services/")[0])
        case ResourceKind.WORKER_POOLS:
            return WorkerPoolsIn(name.partition("/workerPools/")[0])
        case ResourceKind.JOBS:
            return JobsIn(name.partition("/jobs/")[0])
        case ResourceKind.PROJECTS:
            return BillingOf(name)
        case ResourceKind.CAPS:
            return CapOf(name)


@functools.lru_cache(MANY)
def project_around(name: str) -> str:
    """The full name of the project that a resource is in, by the resource's own."""
    return "/".join(name.split("/")[:2])


def resources_in(world: World) -> dict[str, Resource]:
    """By full name, every resource that was read."""
    found: list[Resource] = []
    for need in world.answers:
        match need:
            case ServicesIn() if isinstance(services := world.get(need), tuple):
                found += services
            case WorkerPoolsIn() if isinstance(pools := world.get(need), tuple):
                found += pools
            case JobsIn() if isinstance(jobs := world.get(need), tuple):
                found += jobs
            case BillingOf() if isinstance(project := world.get(need), ProjectBilling):
                found.append(project)
            case CapOf() if isinstance(cap := world.get(need), GoogleCap):
                found.append(cap)
    return {resource.name: resource for resource in found}
