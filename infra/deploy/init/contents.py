"""The resources of a project, as far as settings can name them."""

from typing import Annotated

import msgspec
from msgspec import Meta

from infra.suite.deployment import Email
from shared.github_events import Repository as RepositoryName
from shared.settings import Model, ProjectId, Region


class Answers(Model, frozen=True, kw_only=True):
    """A person's answers to `init`."""

    project: ProjectId
    """The project to look after."""
    suite_project: ProjectId
    """The project that Caretaker runs in."""
    regions: Annotated[tuple[Region, ...], Meta(min_length=1)]
    """The regions in which Cloud Run and Cloud Scheduler are read: their lists are by region."""
    time_zone: str
    emails: tuple[Email, ...] = ()
    repository: RepositoryName | None = None
    """On GitHub, as owner/name."""
    amount: Annotated[float, Meta(gt=0)] | None = None
    """Of the monthly budget to create, if the project has none."""


class FoundBudget(msgspec.Struct, frozen=True, kw_only=True):
    """A budget whose costs include the project's."""

    name: str
    """As people see it."""
    id: str
    currency: str
    """Empty for a budget whose amount is that of the period before."""
    has_forecast_rule: bool
    """Whether it has a rule for a forecast of its whole amount."""


class FoundService(msgspec.Struct, frozen=True, kw_only=True):
    """A Cloud Run service or worker pool."""

    name: str
    region: str
    account: str
    maximum: int
    """Instances; 0 if nothing limits them."""
    count: int = 0
    """Instances of a worker pool."""


class FoundJob(msgspec.Struct, frozen=True):
    """A Cloud Scheduler job."""

    name: str
    location: str


class FoundNodePool(msgspec.Struct, frozen=True, kw_only=True):
    """A node pool with GPUs."""

    location: str
    cluster: str
    name: str
    size: int
    """Nodes in each zone when it was created."""
    gpus: str
    """The type and the number in each node."""


class BackupNames(msgspec.Struct, frozen=True, order=True):
    """Objects of a bucket whose names have a time."""

    prefix: str
    pattern: str
    """As `name` of a set in `prune_backups`."""
    count: int


class FoundBucket(msgspec.Struct, frozen=True):
    """A bucket whose name says that it has backups."""

    name: str
    sets: tuple[BackupNames, ...]


class ProjectContents(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was found."""

    billing_account: str = ""
    budgets: tuple[FoundBudget, ...] = ()
    services: tuple[FoundService, ...] = ()
    worker_pools: tuple[FoundService, ...] = ()
    """The worker pools with GPUs."""
    jobs: tuple[FoundJob, ...] = ()
    node_pools: tuple[FoundNodePool, ...] = ()
    buckets: tuple[FoundBucket, ...] = ()
    secrets: tuple[str, ...] = ()
    """Full names."""
    unreadable: dict[str, str] = {}
    """By what could not be listed, the error."""
