"""The Budget API's defaults and validation."""

import re

from google.cloud.billing import budgets_v1

from localcloud.core.messages import invalid

SCHEMA_VERSION = "1.0"
LONGEST_DISPLAY_NAME = 60
MOST_CHANNELS = 5

_PARENT = re.compile(r"^billingAccounts/[0-9A-Za-z]{6}-[0-9A-Za-z]{6}-[0-9A-Za-z]{6}$")
_CURRENT = budgets_v1.ThresholdRule.Basis.CURRENT_SPEND
_FORECAST = budgets_v1.ThresholdRule.Basis.FORECASTED_SPEND


def check_parent(parent: str) -> None:
    """Refuse what is no billing account. Raises ``ApiError``."""
    if not _PARENT.match(parent):
        raise invalid(f"Invalid parent {parent!r}: expected billingAccounts/XXXXXX-XXXXXX-XXXXXX.")


def fill_in(budget: budgets_v1.Budget, currency: str) -> None:
    """Set what a new or changed budget leaves open; ``currency`` is the billing account's."""
    chosen = budget.budget_filter
    if "calendar_period" not in chosen and "custom_period" not in chosen:
        chosen.calendar_period = budgets_v1.CalendarPeriod.MONTH
    chosen.credit_types_treatment = (
        chosen.credit_types_treatment or budgets_v1.Filter.CreditTypesTreatment.INCLUDE_ALL_CREDITS
    )
    for rule in budget.threshold_rules:
        rule.spend_basis = rule.spend_basis or _CURRENT
    if "specified_amount" in budget.amount:
        money = budget.amount.specified_amount
        money.currency_code = money.currency_code or currency
    budgets_v1.Budget.pb(budget).notifications_rule.SetInParent()
    # It is documented as required, and gcloud, which sets the topic, has no way to name it.
    if budget.notifications_rule.pubsub_topic and not budget.notifications_rule.schema_version:
        budget.notifications_rule.schema_version = SCHEMA_VERSION


def check(budget: budgets_v1.Budget, currency: str) -> None:
    """Refuse a budget that the service refuses. Raises ``ApiError``."""
    if len(budget.display_name) > LONGEST_DISPLAY_NAME:
        raise invalid(f"Budget.display_name must have at most {LONGEST_DISPLAY_NAME} characters.")
    _check_amount(budget, currency)
    custom = "custom_period" in budget.budget_filter
    for rule in budget.threshold_rules:
        if rule.threshold_percent < 0:
            raise invalid("ThresholdRule.threshold_percent must not be negative.")
        if custom and rule.spend_basis == _FORECAST:
            raise invalid("ThresholdRule.spend_basis FORECASTED_SPEND cannot be combined with a custom period.")
    notifications = budget.notifications_rule
    if notifications.pubsub_topic and notifications.schema_version != SCHEMA_VERSION:
        raise invalid(f"NotificationsRule.schema_version must be {SCHEMA_VERSION!r} when pubsub_topic is set.")
    if len(notifications.monitoring_notification_channels) > MOST_CHANNELS:
        raise invalid(f"At most {MOST_CHANNELS} monitoring_notification_channels are allowed.")


def _check_amount(budget: budgets_v1.Budget, currency: str) -> None:
    if "last_period_amount" in budget.amount:
        if "custom_period" in budget.budget_filter:
            raise invalid("BudgetAmount.last_period_amount cannot be combined with a custom period.")
        return
    if "specified_amount" not in budget.amount:
        raise invalid("Budget.amount is required.")
    money = budget.amount.specified_amount
    if money.units < 0 or money.nanos < 0:
        raise invalid("BudgetAmount.specified_amount must not be negative.")
    if money.currency_code != currency:
        raise invalid(f"BudgetAmount.specified_amount.currency_code must be the billing account's, {currency}.")
