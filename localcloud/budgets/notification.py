"""A budget's notification of a cost, and the period of that cost."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from google.cloud.billing import budgets_v1

_PACIFIC = ZoneInfo("America/Los_Angeles")
_CURRENT = budgets_v1.ThresholdRule.Basis.CURRENT_SPEND
_FORECAST = budgets_v1.ThresholdRule.Basis.FORECASTED_SPEND


def notification(
    budget: budgets_v1.Budget,
    cost: Decimal,
    *,
    start: datetime,
    amount: Decimal,
    forecast: Decimal | None,
    currency: str,
) -> dict[str, str | float]:
    """The data of one notification: https://cloud.google.com/billing/docs/how-to/budgets-programmatic-notifications.

    ``currency`` is the billing account's, for a budget that names none.
    """
    data: dict[str, str | float] = {"budgetDisplayName": budget.display_name}
    if (passed := _highest_passed(budget, _CURRENT, cost, amount)) is not None:
        data["alertThresholdExceeded"] = passed
    if forecast is not None and (passed := _highest_passed(budget, _FORECAST, forecast, amount)) is not None:
        data["forecastThresholdExceeded"] = passed
    return data | {
        "costAmount": float(cost),
        "costIntervalStart": start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "budgetAmount": float(amount),
        "budgetAmountType": _amount_type(budget),
        "currencyCode": budget.amount.specified_amount.currency_code or currency,
    }


def period_start(budget: budgets_v1.Budget, moment: datetime) -> datetime:
    """The start of the budget's period that contains ``moment`` (aware): midnight in the US Pacific time zone."""
    day = moment.astimezone(_PACIFIC).date().replace(day=1)
    if "custom_period" in budget.budget_filter:
        first = budget.budget_filter.custom_period.start_date
        day = date(first.year, first.month, first.day)
    elif budget.budget_filter.calendar_period == budgets_v1.CalendarPeriod.QUARTER:
        day = day.replace(month=day.month - (day.month - 1) % 3)
    elif budget.budget_filter.calendar_period == budgets_v1.CalendarPeriod.YEAR:
        day = day.replace(month=1)
    return datetime.combine(day, time(), _PACIFIC).astimezone(UTC)


def amount_of(budget: budgets_v1.Budget, last_period: Decimal | None) -> Decimal:
    """A budget's amount. Raises ``ValueError`` if it is the last period's cost, and that is not given."""
    if "specified_amount" in budget.amount:
        money = budget.amount.specified_amount
        return Decimal(money.units) + Decimal(money.nanos) / 10**9
    if last_period is None:
        raise ValueError(f"{budget.name} is set to the last period's cost: say it in budget_amount")
    return last_period


def _amount_type(budget: budgets_v1.Budget) -> str:
    if "specified_amount" in budget.amount:
        return "SPECIFIED_AMOUNT"
    monthly = budget.budget_filter.calendar_period == budgets_v1.CalendarPeriod.MONTH
    return "LAST_MONTH_COST" if monthly else "LAST_PERIODS_COST"


def _highest_passed(
    budget: budgets_v1.Budget, basis: budgets_v1.ThresholdRule.Basis, spent: Decimal, amount: Decimal
) -> float | None:
    """The highest threshold of the budget's rules on ``basis`` that ``spent`` has reached, if any."""
    passed = [
        rule.threshold_percent
        for rule in budget.threshold_rules
        if rule.spend_basis == basis and spent >= amount * Decimal(str(rule.threshold_percent))
    ]
    return max(passed, default=None)
