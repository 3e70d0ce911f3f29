"""The budgets of a world, by billing account."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import msgspec
from google.cloud.billing import budgets_v1

from localcloud.budgets.spend_caps import THRESHOLDS
from localcloud.core.world_place import Place, full_name
from localcloud.core.world_proto import Proto, complete

if TYPE_CHECKING:
    from localcloud.budgets.service import Budgets


class SpendBasis(StrEnum):
    """The figure that a threshold rule compares."""

    CURRENT_SPEND = "CURRENT_SPEND"
    FORECASTED_SPEND = "FORECASTED_SPEND"


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
    services: list[str] = []
    """The services whose cost it tracks, such as ``services/152E-C115-5142``; none means all."""
    is_capped: bool = False
    """Whether it has a spend cap, configured. What Google asks of every capped budget is then filled in."""
    proto: Proto = {}


def add_budgets(service: "Budgets", place: Place, budgets: Mapping[str, Budget]) -> None:
    """Create the budgets of an account, with ids that the real service chooses."""
    for budget_id, budget in budgets.items():
        with place.key(budget_id):
            if unknown := sorted(set(budget.projects) - place.projects):
                known = ", ".join(sorted(place.projects)) or "none"
                raise ValueError(f"unknown project {unknown[0]!r}; expected projects of the world: {known}")
            service.add_budget(f"{place.owner}/budgets/{budget_id}", _budget(budget), is_capped=budget.is_capped)


def set_cost_lag(service: "Budgets", place: Place, minutes: int) -> None:
    """The delay after which the cost of this account's projects counts in spend caps."""
    service.cost_lags[place.owner] = timedelta(minutes=minutes)


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
        budget.budget_filter.projects = [full_name("projects", project) for project in spec.projects]
    budget.budget_filter.services = spec.services
    if spec.is_capped:
        budget.budget_filter.credit_types_treatment = budgets_v1.Filter.CreditTypesTreatment.EXCLUDE_ALL_CREDITS
        budget.notifications_rule.enable_project_level_recipients = True
        budget.threshold_rules = [budgets_v1.ThresholdRule(threshold_percent=at) for at in THRESHOLDS]
    complete(budgets_v1.Budget.pb(budget), spec.proto)
    return budget
