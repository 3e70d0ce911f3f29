"""The owner's settings for budgets: for each a ladder of rungs, and the resources that its actions may touch."""

import functools
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from functions.cap_spending.spend_caps import CappedService, SpendCap, cap_name
from shared.errors import SettingsError
from shared.settings import Model, ProjectId, Region, Section


class Action(StrEnum):
    """An action that a rung takes once cost has passed it."""

    NOTIFY = "notify"
    LIMIT_CLOUD_RUN = "limit_cloud_run"
    PAUSE_SCHEDULES = "pause_schedules"
    GPU_POOLS_OFF = "gpu_pools_off"
    PREVIEWS_OFF = "previews_off"
    PAUSE_USAGE = "pause_usage"
    DETACH_BILLING = "detach_billing"


class Basis(StrEnum):
    """The figure that a rung compares: with the budget's amount, or `on: anomaly` with an amount of its own."""

    ACTUAL = "actual"
    """The cost so far."""
    FORECAST = "forecast"
    """Google's forecast for the period, by the budget's own forecast threshold rules."""
    PROJECTED = "projected"
    """The cost so far and an hourly burn since the last notification, as notifications lag by hours."""
    ANOMALY = "anomaly"
    """By how much Google reports a project's cost to be above what it expected (public preview)."""


Projects = Annotated[tuple[ProjectId, ...], Meta(min_length=1)]
Locations = Annotated[tuple[Region, ...], Meta(min_length=1)]


HIGHEST_RATIO = 20
"""An owner who writes 80 means 80 %, and not eighty times the budget."""


class Rung(Model, frozen=True, kw_only=True):
    """One threshold of a ladder and what is done once it is passed."""

    at: Annotated[float, Meta(gt=0)] | UnsetType = UNSET
    """Ratio of cost to the budget's amount: 1.0 is all of it. Required, except for `on: anomaly`."""
    on: Basis = Basis.ACTUAL
    at_least: Annotated[float, Meta(gt=0)] | UnsetType = UNSET
    """For `on: anomaly`, required there: by how much cost exceeds what Google expected, in the budget's currency."""
    project_numbers: tuple[Annotated[str, Meta(pattern=r"^[0-9]+$", examples=["123456789012"])], ...] = ()
    """For `on: anomaly`: the projects whose anomalies count. Left out, all of the billing account."""
    do: Annotated[tuple[Action, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        if self.on is Basis.ANOMALY:
            if self.at is not UNSET:
                raise SettingsError("at", self.at, "`at_least: AMOUNT` instead, because the rung is `on: anomaly`")
            if self.at_least is UNSET:
                raise SettingsError("at_least", None, "an amount in the budget's currency, for `on: anomaly`")
            return
        if self.at is UNSET:
            raise SettingsError("at", None, "a ratio of the budget's amount, such as 0.8 for 80 %")
        if self.at > HIGHEST_RATIO:
            raise SettingsError("at", self.at, f"a ratio of the budget's amount: {self.at / 100:g} for {self.at:g} %")
        if self.at_least is not UNSET:
            raise SettingsError("at_least", self.at_least, f"it only with `on: anomaly`, not `on: {self.on}`")
        if self.project_numbers:
            numbers = list(self.project_numbers)
            raise SettingsError("project_numbers", numbers, f"it only with `on: anomaly`, not `on: {self.on}`")

    @property
    def name(self) -> str:
        """The rung's name in commands and reports, such as ``actual@0.8`` or ``anomaly@100``."""
        return rung_name(self.on, self.threshold)

    @property
    def threshold(self) -> float:
        """The ratio, or `on: anomaly` the amount, from which it is passed."""
        return self.at or self.at_least or 0

    @property
    def ratio(self) -> Decimal:
        """The threshold as the decimal that the owner wrote, so that 2.4 of 3.0 is exactly 0.8; 0 `on: anomaly`."""
        return Decimal(repr(self.at or 0))

    def is_passed_by(self, resource: str, deviation: Decimal) -> bool:
        """Whether an anomaly of this size in this project, by its full name, passes the rung."""
        is_meant = not self.project_numbers or resource.removeprefix("projects/") in self.project_numbers
        return self.on is Basis.ANOMALY and is_meant and deviation >= Decimal(repr(self.threshold))


@functools.lru_cache
def rung_name(basis: str, threshold: float) -> str:
    """The name of a rung: ratios and amounts as people write them, with no exponent."""
    return f"{basis}@{threshold:g}" if threshold < 1000 else f"{basis}@{threshold:.15g}"


class CloudRunScope(Model, frozen=True, kw_only=True):
    """The services and worker pools that `limit_cloud_run` may touch, and the instances it leaves each."""

    projects: Projects
    regions: Locations
    services: tuple[str, ...] = ()
    label: Annotated[
        str,
        Meta(
            pattern=r"^([a-z][a-z0-9_-]*=[a-z0-9_-]*)?$",
            examples=["team=research"],
            description="Instead of names: key=value.",
        ),
    ] = ""
    worker_pools: tuple[str, ...] = ()
    """By name. Their instance count is lowered."""
    max_instances: Annotated[int, Meta(ge=1)] = 1

    def __post_init__(self) -> None:
        has_services = bool(self.services or self.label)
        if (self.services and self.label) or not (has_services or self.worker_pools):
            raise SettingsError(
                "services", list(self.services), "either the names of services, or a `label: key=value`"
            )


class SchedulesScope(Model, frozen=True, kw_only=True):
    """The Cloud Scheduler jobs that `pause_schedules` may pause. The suite's own ticks never match."""

    projects: Projects
    locations: Locations
    job_prefix: Annotated[str, Meta(min_length=1)]


class BillingScope(Model, frozen=True, kw_only=True):
    """The projects that `detach_billing` may detach, each by name."""

    projects: Projects
    even_the_suites_own_project: str = ""
    """To detach the project that Caretaker itself runs in, name it here too. It stops Caretaker as well."""


class PauseScope(Model, frozen=True, kw_only=True):
    """The services that `pause_usage` may pause in each project, by Google's spend caps (public preview)."""

    projects: Projects
    services: Annotated[tuple[CappedService, ...], Meta(min_length=1)]
    even_the_suites_own_project: str = ""
    """To pause Cloud Run or its functions in the project that Caretaker itself runs in, name it here too."""


class CapsScope(Struct, frozen=True):
    """The spend caps that `pause_usage` may lower or make: those of a `PauseScope` on the budget's account."""

    names: tuple[str, ...]


Scope = CloudRunScope | SchedulesScope | BillingScope | CapsScope


class MayTouch(Model, frozen=True, kw_only=True):
    """The resources that each action of a budget's ladder may touch."""

    limit_cloud_run: CloudRunScope | None = None
    pause_schedules: SchedulesScope | None = None
    pause_usage: PauseScope | None = None
    detach_billing: BillingScope | None = None


class Budget(Model, frozen=True, kw_only=True):
    """One Cloud Billing budget and its ladder."""

    billing_account: Annotated[
        str, Meta(pattern=r"^[0-9A-Z]{6}-[0-9A-Z]{6}-[0-9A-Z]{6}$", examples=["0A1B2C-3D4E5F-6A7B8C"])
    ]
    id: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9-]*$",
            examples=["8f3d2c1b-0a9e-4d5c-8b7a-6f5e4d3c2b1a"],
            description="Left out, the deployment puts it in.",
        ),
    ] = ""
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$", examples=["USD"])]
    hourly_burn: Annotated[float, Meta(gt=0)] | None = None
    """For `on: projected`: what an hour costs at most, in the budget's currency."""
    ladder: Annotated[tuple[Rung, ...], Meta(min_length=1)]
    may_touch: MayTouch = MayTouch()

    def __post_init__(self) -> None:
        names = [rung.name for rung in self.ladder]
        for place, rung in enumerate(self.ladder):
            if names.index(rung.name) != place:
                raise SettingsError(f"ladder[{place}]", rung.name, "a rung that is not listed twice")
            if rung.on is Basis.PROJECTED and self.hourly_burn is None:
                raise SettingsError(
                    "hourly_burn",
                    None,
                    f"the cost of an hour, because the rung {rung.name} needs it",
                )
            if rung.on is not Basis.ACTUAL and Action.DETACH_BILLING in rung.do:
                raise SettingsError(
                    f"ladder[{place}].on", rung.on.value, "actual, because the rung does detach_billing"
                )
            for action in rung.do:
                if action in SCOPED and self.scope_of(action) is None:
                    raise SettingsError(f"may_touch.{action}", None, f"what {action} of the rung {rung.name} may touch")

    @property
    def name(self) -> str:
        """The budget's identity, whatever its key. It includes the currency, as costs in another are other numbers."""
        return f"{self.billing_account}:{self.id}:{self.currency}"

    @property
    def rungs(self) -> tuple[str, ...]:
        """The names of its rungs."""
        return tuple(rung.name for rung in self.ladder)

    def scope_of(self, action: Action) -> Scope | None:
        """The resources that an action may touch; None for an action that touches nothing or is not allowed."""
        pausing = self.may_touch.pause_usage
        scopes: dict[Action, Scope | None] = {
            Action.LIMIT_CLOUD_RUN: self.may_touch.limit_cloud_run,
            Action.PAUSE_SCHEDULES: self.may_touch.pause_schedules,
            Action.PAUSE_USAGE: None
            if pausing is None
            else CapsScope(
                tuple(
                    cap_name(self.billing_account, project, service)
                    for project in pausing.projects
                    for service in pausing.services
                )
            ),
            Action.DETACH_BILLING: self.may_touch.detach_billing,
        }
        return scopes.get(action)


SCOPED = frozenset({Action.LIMIT_CLOUD_RUN, Action.PAUSE_SCHEDULES, Action.PAUSE_USAGE, Action.DETACH_BILLING})
"""The actions that touch resources of Google Cloud itself, and so need to know which."""


class Settings(Section, frozen=True, kw_only=True):
    """The section `cap_spending` of ``caretaker.yaml``."""

    budgets: dict[Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]*$", examples=["my-key"])], Budget]
    """By a key of the owner's, which commands and reports use."""
    spend_caps: dict[Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]*$", examples=["my-key"])], SpendCap] = {}
    """Google's own spend caps (public preview), which Caretaker creates and keeps, by a key of the owner's."""
    wake: dict[str, tuple[str, ...]] = {}
    """Put in by the deployment: for each spending restriction, the inboxes of the automations that obey it."""

    def __post_init__(self) -> None:
        seen: dict[tuple[str, str], str] = {}
        for key, budget in self.budgets.items():
            other = seen.setdefault((budget.billing_account, budget.id or key), key)
            if other != key:
                raise SettingsError(f"budgets.{key}.id", budget.id, f"a budget that no other key has: `{other}` has it")
        capped: dict[str, str] = {}
        for key, cap in self.spend_caps.items():
            if (other := capped.setdefault(cap.name, key)) != key:
                raise SettingsError(
                    f"spend_caps.{key}.project", cap.project, f"a project and service of its own: `{other}` has them"
                )

    def check_complete(self) -> None:
        """Raise ``SettingsError`` for a budget whose id neither the owner nor the deployment has given."""
        for key, budget in self.budgets.items():
            if not budget.id:
                raise SettingsError(
                    f"cap_spending.budgets.{key}.id",
                    "",
                    "the budget's id, or a budget in deployment.yaml that Terraform creates",
                )

    def key_of(self, billing_account: str, budget_id: str) -> str | None:
        """The owner's key for a budget; None if it is not configured."""
        for key, budget in self.budgets.items():
            if budget.id and (budget.billing_account, budget.id) == (billing_account, budget_id):
                return key
        return None
