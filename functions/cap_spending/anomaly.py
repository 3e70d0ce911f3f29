"""Cloud Billing's cost anomalies (public preview) as typed values. They may come by the topic of the budgets.

Format: https://cloud.google.com/billing/docs/how-to/notify#notification-format, read on 2026-11-28. Caretaker has never
had one from the real service. That page shows the expected amount as Google's ``Money`` and the deviation as a number,
so each may be either.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

from functions.cap_spending.notification import SCHEMA_VERSION, is_plausible
from functions.cap_spending.settings import Basis, Settings
from shared.decoding import decoded
from shared.errors import IgnoredMessage
from shared.events import MALFORMED, PubsubMessage, explain, in_utc

ACCOUNTS = "billingAccounts/"


class CostAnomaly(msgspec.Struct, frozen=True):
    """Costs of a project that differ from what Google expected. It names a billing account, and no budget."""

    budgets: tuple[str, ...]
    """The owner's keys for those of the account, in its currency, that have a rung `on: anomaly`."""
    name: str
    """`billingAccounts/ACCOUNT/anomalies/ID`: the same in each notification of it."""
    resource: str
    """`projects/NUMBER`."""
    detected: datetime
    deviation: Decimal
    """By how much the cost is above what was expected; below it, if negative."""
    currency: str


class _Money(msgspec.Struct, frozen=True, rename="camel"):
    currency_code: str = ""
    units: Annotated[str, Meta(pattern=r"^-?[0-9]{1,18}$")] | int = 0
    nanos: Annotated[int, Meta(gt=-(10**9), lt=10**9)] = 0


class _Data(msgspec.Struct, frozen=True, rename="camel"):
    anomaly_name: Annotated[str, Meta(min_length=1, max_length=200)]
    resource_name: Annotated[str, Meta(pattern=r"^[A-Za-z]+/[A-Za-z0-9:.-]{1,60}$")]
    detection_date: datetime
    deviation_amount: float | _Money
    expected_spend_amount: float | _Money | None = None
    actual_spend_amount: float | _Money | None = None


def is_anomaly(message: PubsubMessage) -> bool:
    """Whether this is one, by its attributes: a budget's notification names the account otherwise."""
    return "billingAccountName" in message.attributes and "budgetId" not in message.attributes


def parse_anomaly(message: PubsubMessage, settings: Settings) -> CostAnomaly:
    """The anomaly in a message of the budget topic.

    Raises ``IgnoredMessage`` for one that no rung waits for, and for anything but a sane one in its budgets' currency.
    What a stranger's message said is not repeated.
    """
    account = message.attributes["billingAccountName"].removeprefix(ACCOUNTS)
    waiting = {
        key: budget
        for key, budget in settings.budgets.items()
        if budget.billing_account == account and any(rung.on is Basis.ANOMALY for rung in budget.ladder)
    }
    if not waiting:
        raise IgnoredMessage("foreign: no budget of this anomaly's billing account has a rung `on: anomaly`")
    version = message.attributes.get("SchemaVersion") or message.attributes.get("schemaVersion")
    if version != SCHEMA_VERSION:
        raise IgnoredMessage(f"unknown shape: a cost anomaly has a SchemaVersion other than {SCHEMA_VERSION}")
    try:
        data = decoded(message.data, _Data)
    except MALFORMED as error:
        raise IgnoredMessage(f"malformed: a cost anomaly: {explain(error)}") from None
    if data.detection_date.tzinfo is None:
        raise IgnoredMessage("malformed: a cost anomaly: detectionDate has no time zone")
    detected = in_utc(data.detection_date, "detectionDate")
    if not is_plausible(detected, message.published):
        raise IgnoredMessage("malformed: a cost anomaly: detectionDate is not a time before it was published")
    currency = _currency(data)
    keys = tuple(key for key, budget in waiting.items() if budget.currency == currency)
    if not keys:
        raise IgnoredMessage("foreign: a cost anomaly is not in the currency of a budget with a rung `on: anomaly`")
    return CostAnomaly(keys, data.anomaly_name, data.resource_name, detected, _amount(data.deviation_amount), currency)


def _currency(data: _Data) -> str:
    amounts = (data.deviation_amount, data.expected_spend_amount, data.actual_spend_amount)
    return next((one.currency_code for one in amounts if isinstance(one, _Money) and one.currency_code), "")


def _amount(amount: float | _Money) -> Decimal:
    if isinstance(amount, _Money):
        return Decimal(amount.units) + Decimal(amount.nanos).scaleb(-9)
    return Decimal(repr(amount))
