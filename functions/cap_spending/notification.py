"""Cloud Billing's budget notifications as typed values.

Format: https://cloud.google.com/billing/docs/how-to/budgets-programmatic-notifications#notification-format
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

from functions.cap_spending.settings import Settings
from shared.decoding import decoded
from shared.errors import IgnoredMessage
from shared.events import MALFORMED, PubsubMessage, explain, in_utc

SCHEMA_VERSION = "1.0"

# Numbers are finite: msgspec refuses NaN and numbers that a double cannot hold. A period may begin with a credit.
Amount = Annotated[float, Meta(ge=0)]

BEGINS_EARLY_AT_MOST = timedelta(hours=1)
"""Clocks differ; a period that begins later than this after its notification is none."""
LONGEST_PERIOD = timedelta(days=3660)
"""A custom period may be years long. One that began before that is a mistake, or a made-up message."""


def is_plausible(named: datetime, published: datetime) -> bool:
    """Whether a message that was published then may name this time as one that has been."""
    return published - LONGEST_PERIOD <= named <= published + BEGINS_EARLY_AT_MOST


class BudgetNotification(msgspec.Struct, frozen=True):
    """A notification of a configured budget. Most are routine status."""

    budget: str
    """The owner's key for it."""
    interval_start: datetime
    cost: Decimal
    amount: Decimal
    forecast_threshold: Decimal | None
    """The highest forecast threshold *rule* of the budget that is passed, not a ratio of the forecast."""


class _Data(msgspec.Struct, frozen=True, rename="camel"):
    cost_amount: float
    cost_interval_start: datetime
    budget_amount: Amount
    currency_code: str
    forecast_threshold_exceeded: Amount | None = None


def parse_notification(message: PubsubMessage, settings: Settings) -> BudgetNotification:
    """The notification in a message of the budget topic.

    Raises ``IgnoredMessage`` for anything but a sane notification of a configured budget in its currency. What a
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
        data = decoded(message.data, _Data)
    except MALFORMED as error:
        raise IgnoredMessage(f"malformed: a notification of budget {key}: {explain(error)}") from None
    if data.cost_interval_start.tzinfo is None:
        raise IgnoredMessage(f"malformed: a notification of budget {key}: costIntervalStart has no time zone")
    if data.currency_code != settings.budgets[key].currency:
        raise IgnoredMessage(f"foreign: a notification of budget {key} is not in {settings.budgets[key].currency}")
    begins = in_utc(data.cost_interval_start, "costIntervalStart")
    if not is_plausible(begins, message.published):
        raise IgnoredMessage(
            f"malformed: a notification of budget {key}: costIntervalStart is not a time at which a period that is "
            "current when it is published can have begun"
        )
    forecast = data.forecast_threshold_exceeded
    return BudgetNotification(
        budget=key,
        interval_start=begins,
        cost=Decimal(repr(data.cost_amount)),
        amount=Decimal(repr(data.budget_amount)),
        forecast_threshold=None if forecast is None else Decimal(repr(forecast)),
    )
