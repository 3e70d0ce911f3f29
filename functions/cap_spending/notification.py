"""Cloud Billing's budget notifications as typed values.

Format: https://cloud.google.com/billing/docs/how-to/budgets-programmatic-notifications#notification-format
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

from functions.cap_spending.settings import Settings
from shared.errors import IgnoredMessage
from shared.events import MALFORMED, PubsubMessage, explain, in_utc

SCHEMA_VERSION = "1.0"

# A number that is finite and not negative: msgspec refuses NaN, and whatever a double cannot hold.
Amount = Annotated[float, Meta(ge=0)]


class BudgetNotification(msgspec.Struct, frozen=True):
    """What a configured budget says about itself. Most notifications are routine status."""

    budget: str
    """The owner's key for it."""
    interval_start: datetime
    cost: Decimal
    amount: Decimal
    forecast_threshold: Decimal | None
    """The highest forecast threshold *rule* of the budget that is passed, not a ratio of the forecast."""

    @property
    def ratio(self) -> Decimal:
        """Cost so far over the budget's amount."""
        return self.cost / self.amount


class _Data(msgspec.Struct, frozen=True, rename="camel"):
    cost_amount: Amount
    cost_interval_start: datetime
    budget_amount: Amount
    currency_code: str
    forecast_threshold_exceeded: Amount | None = None


def parse_notification(message: PubsubMessage, settings: Settings) -> BudgetNotification:
    """The notification in a message of the budget topic.

    Raises ``IgnoredMessage`` for whatever is not a sane notification of a configured budget in its currency. What a
    stranger's message said is not repeated.
    """
    key = settings.key_of(message.attributes.get("billingAccountId", ""), message.attributes.get("budgetId", ""))
    if key is None:
        raise IgnoredMessage("foreign: the billing account and budget of this message are not in the settings")
    version = message.attributes.get("schemaVersion", "")
    if version != SCHEMA_VERSION:
        raise IgnoredMessage(
            f"unknown shape: a notification of budget {key} has a schemaVersion other than {SCHEMA_VERSION}"
        )
    try:
        data = msgspec.json.decode(message.data, type=_Data)
    except MALFORMED as error:
        raise IgnoredMessage(f"malformed: a notification of budget {key}: {explain(error)}") from None
    if data.cost_interval_start.tzinfo is None:
        raise IgnoredMessage(f"malformed: a notification of budget {key}: costIntervalStart has no time zone")
    if data.budget_amount == 0:
        raise IgnoredMessage(f"malformed: a notification of budget {key}: budgetAmount is zero, so there is no ratio")
    if data.currency_code != settings.budgets[key].currency:
        raise IgnoredMessage(f"foreign: a notification of budget {key} is not in {settings.budgets[key].currency}")
    forecast = data.forecast_threshold_exceeded
    return BudgetNotification(
        budget=key,
        interval_start=in_utc(data.cost_interval_start, "costIntervalStart"),
        cost=Decimal(repr(data.cost_amount)),
        amount=Decimal(repr(data.budget_amount)),
        forecast_threshold=None if forecast is None else Decimal(repr(forecast)),
    )
