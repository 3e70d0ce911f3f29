"""Spend caps of budgets: what Google's discovery document says of ``Budget.spendCap`` (revision 20261011).

The official gRPC packages do not know the field yet, so caps are made and changed over REST (`rest.py`). Which rules
have no independent check is listed in docs/local-cloud.md.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import grpc
from google.cloud.billing import budgets_v1

from localcloud.core.messages import invalid
from localcloud.core.server import ApiError

ELIGIBLE_SERVICES = {
    "services/AEFD-7695-64FA": "Gemini API",
    "services/C7E2-9256-1C43": "Agent Platform",
    "services/152E-C115-5142": "Cloud Run",
    "services/29E7-DA93-CA13": "Cloud Run functions",
}
"""By the names that the catalogue of Cloud Billing has for them."""
THRESHOLDS = [0.5, 0.8, 1.0]
CAP, INPUT_STATE = "spend_cap", "spend_cap.input_state"
CAP_PATHS = frozenset((CAP, INPUT_STATE))


class State(StrEnum):
    """The states of a spend cap, desired or actual."""

    CONFIGURED = "CONFIGURED"
    ENFORCED = "ENFORCED"
    AWAITING_NEXT_PERIOD = "AWAITING_NEXT_PERIOD"


@dataclass(frozen=True)
class SpendCap:
    """The cap of one budget."""

    input_state: State
    output_state: State
    period: datetime
    """The start of the period that the states are of: a new one arms every cap again."""
    becomes: State | None = None
    """Its next state, which it reaches at ``settles``."""
    settles: datetime | None = None

    @property
    def reconciling(self) -> bool:
        """Whether the service is at work on it."""
        return self.becomes is not None


@dataclass(frozen=True)
class Spent:
    """Gross cost of one service in a project, and when it was incurred."""

    project: str
    service: str
    cost: Decimal
    at: datetime


def visible_cost(
    spent: Iterable[Spent], budget: budgets_v1.Budget, period: datetime, now: datetime, lag: timedelta
) -> Decimal:
    """The part of this period's cost that a cap knows: cost incurred at least ``lag`` ago."""
    project, service = budget.budget_filter.projects[0], budget.budget_filter.services[0]
    seen = (
        one.cost for one in spent if (one.project, one.service) == (project, service) and period <= one.at <= now - lag
    )
    return sum(seen, Decimal(0))


def settled(cap: SpendCap, *, is_reached: bool, period: datetime, now: datetime, delay: timedelta) -> SpendCap:
    """The cap as it is by now: what was in the works has ended, a new period has begun, its amount is reached."""
    if cap.becomes and cap.settles and cap.settles <= now:
        cap = replace(cap, output_state=cap.becomes, becomes=None, settles=None)
    if cap.reconciling:
        return cap
    if cap.period != period:
        cap = SpendCap(State.CONFIGURED, State.CONFIGURED, period)
    if cap.output_state is State.CONFIGURED and is_reached:
        cap = _turned(cap, State.ENFORCED, now, delay)
    return cap


def changed(cap: SpendCap, state: State, now: datetime, delay: timedelta) -> SpendCap:
    """The cap once its input state is set, by a request that `check_change` has let pass."""
    cap = replace(cap, input_state=state)
    if state is cap.output_state or (cap.output_state is State.ENFORCED and state is State.CONFIGURED):
        return cap
    return _turned(cap, state, now, delay)


def _turned(cap: SpendCap, state: State, now: datetime, delay: timedelta) -> SpendCap:
    if not delay:
        return replace(cap, output_state=state)
    return replace(cap, becomes=state, settles=now + delay)


def input_state(given: object) -> State:
    """The state that a request sets. Raises INVALID_ARGUMENT for any other value."""
    if given not in (State.CONFIGURED, State.AWAITING_NEXT_PERIOD):
        raise invalid(f"SpendCap.input_state must be CONFIGURED or AWAITING_NEXT_PERIOD, not {given!r}.")
    return State(str(given))


def check_new(state: State) -> None:
    """Raises INVALID_ARGUMENT for a new cap that is to be anything but configured."""
    if state is not State.CONFIGURED:
        raise invalid("SpendCap.input_state must be CONFIGURED when a spend cap is created.")


def check_change(cap: SpendCap, paths: Sequence[str], state: State | None, *, has_mask: bool) -> None:
    """Raises for what may not be changed of a budget that has a cap; ``state`` is None if the request names none."""
    if has_mask and not CAP_PATHS.intersection(paths):
        raise invalid("update_mask must contain spend_cap or spend_cap.input_state: the budget is a spend cap.")
    others = sorted(set(paths) - CAP_PATHS)
    if cap.output_state is State.ENFORCED and others:
        raise _precondition(f"The spend cap is ENFORCED: only spend_cap.input_state can change, not {others[0]}.")
    if cap.reconciling:
        raise _precondition("The spend cap is reconciling.")
    if state is None:
        if CAP in paths and cap.output_state is State.ENFORCED:
            raise _precondition("The spend cap is ENFORCED: only spend_cap.input_state can change.")
        if INPUT_STATE in paths:
            raise invalid("SpendCap.input_state is required.")
        return
    if state is State.AWAITING_NEXT_PERIOD and cap.output_state is not State.ENFORCED:
        raise invalid(f"SpendCap.input_state AWAITING_NEXT_PERIOD lifts an ENFORCED cap; this is {cap.output_state}.")


def check_deletion(cap: SpendCap) -> None:
    """Raises for a cap that may not be deleted as it is."""
    if cap.reconciling or cap.output_state is State.ENFORCED:
        raise _precondition("The spend cap is ENFORCED, or reconciling: lift it first.")


def check_capped(budget: budgets_v1.Budget) -> None:
    """Raises INVALID_ARGUMENT for a budget that cannot have a spend cap."""
    chosen, notifications = budget.budget_filter, budget.notifications_rule
    exclude = budgets_v1.Filter.CreditTypesTreatment.EXCLUDE_ALL_CREDITS
    current = budgets_v1.ThresholdRule.Basis.CURRENT_SPEND
    rules = [rule.threshold_percent for rule in budget.threshold_rules if rule.spend_basis == current]
    refused = {
        "Filter.projects must contain exactly one project": len(chosen.projects) != 1,
        "Filter.services must contain exactly one eligible service": len(chosen.services) != 1
        or chosen.services[0] not in ELIGIBLE_SERVICES,
        "Filter.calendar_period must be MONTH": chosen.calendar_period != budgets_v1.CalendarPeriod.MONTH,
        "Filter.credit_types_treatment must be EXCLUDE_ALL_CREDITS": chosen.credit_types_treatment != exclude,
        "Filter.credit_types must be empty": bool(chosen.credit_types),
        "Filter.resource_ancestors must be empty": bool(chosen.resource_ancestors),
        "Filter.subaccounts must be empty": bool(chosen.subaccounts),
        "Filter.labels must be empty": bool(chosen.labels),
        "BudgetAmount.specified_amount must be set": "specified_amount" not in budget.amount,
        "threshold_rules must be CURRENT_SPEND at 0.5, 0.8 and 1.0": sorted(rules) != THRESHOLDS
        or len(budget.threshold_rules) != len(THRESHOLDS),
        "NotificationsRule.enable_project_level_recipients must be true": not (
            notifications.enable_project_level_recipients
        ),
        "NotificationsRule.disable_default_iam_recipients must be false": notifications.disable_default_iam_recipients,
        "NotificationsRule.pubsub_topic must be empty": bool(notifications.pubsub_topic),
        "NotificationsRule.monitoring_notification_channels must be empty": bool(
            notifications.monitoring_notification_channels
        ),
    }
    for rule, is_broken in refused.items():
        if is_broken:
            raise invalid(f"{rule} when spend_cap is set.")


def _precondition(message: str) -> ApiError:
    return ApiError(grpc.StatusCode.FAILED_PRECONDITION, message)
