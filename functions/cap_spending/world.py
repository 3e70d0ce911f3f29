"""What of Google Cloud `cap_spending` looks at, as typed values."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

import msgspec

from functions.cap_spending.settings import Action
from shared.holds import Current


class Look(StrEnum):
    """One kind of thing to read."""

    SERVICES = "Cloud Run services"
    JOBS = "Cloud Scheduler jobs"
    PROJECTS = "billing of projects"
    BUDGETS = "budgets"


LOOKS = {
    Action.LIMIT_CLOUD_RUN: Look.SERVICES,
    Action.PAUSE_SCHEDULES: Look.JOBS,
    Action.DETACH_BILLING: Look.PROJECTS,
}
"""What must be read for each action that touches resources."""


class RunService(msgspec.Struct, frozen=True):
    """A Cloud Run service; an instance count of 0 is Google's default."""

    name: str
    labels: Mapping[str, str]
    max_instances: int
    min_instances: int
    in_flight: bool
    etag: str

    @property
    def current(self) -> Current:
        """The field that we may hold."""
        return {"max_instances": self.max_instances}


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


Resource = RunService | ScheduledJob | ProjectBilling


class World(msgspec.Struct, frozen=True):
    """What was read: nothing of a kind that was not looked at."""

    looked_at: frozenset[Look] = frozenset()
    services: tuple[RunService, ...] = ()
    jobs: tuple[ScheduledJob, ...] = ()
    projects: tuple[ProjectBilling, ...] = ()
    amounts: Mapping[str, Decimal] = msgspec.field(default_factory=dict)
    """By budget key, the amount as the budget itself says it now; none for a budget without a fixed amount."""
    missing: frozenset[str] = frozenset()
    """By key, the budgets that are not there any more."""
