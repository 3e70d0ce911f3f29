"""Budget notifications: what is one, and everything that is none."""

from datetime import UTC
from decimal import Decimal

import pytest

from functions.cap_spending.notification import BudgetNotification, parse_notification
from functions.cap_spending.parse import parse
from shared.errors import IgnoredMessage
from shared.events import PubsubMessage
from tests.functions.cap_spending.examples import (
    ACCOUNT,
    BUDGET_ID,
    NOVEMBER,
    OTHER_ACCOUNT,
    TEAM_BUDGET_ID,
    a_budget,
    a_message,
    attributes,
    notification,
    settings,
    settings_of,
    without,
)

RAW = '{"costAmount": %s, "costIntervalStart": "2026-11-01T07:00:00Z", "budgetAmount": %s, "currencyCode": "USD"}'


def test_a_notification_as_google_documents_it() -> None:
    # https://cloud.google.com/billing/docs/how-to/budgets-programmatic-notifications#notification_format
    said = parse_notification(
        a_message(
            b'{"budgetDisplayName": "name-of-budget", "alertThresholdExceeded": 1.0, "costAmount": 100.01,'
            b' "costIntervalStart": "2026-11-01T07:00:00Z", "budgetAmount": 100.00,'
            b' "budgetAmountType": "SPECIFIED_AMOUNT", "currencyCode": "USD", "forecastThresholdExceeded": 0.2}'
        ),
        settings(),
    )
    assert said == BudgetNotification("monthly", NOVEMBER, Decimal("100.01"), Decimal(100), Decimal("0.2"))


def test_what_says_nothing_of_thresholds_is_routine_status() -> None:
    data = without(notification(cost=3), "alertThresholdExceeded")
    said = parse_notification(a_message(data), settings())
    assert (said.cost, said.forecast_threshold) == (Decimal(3), None)


def test_the_interval_is_reported_in_utc() -> None:
    said = parse_notification(a_message(notification(interval="2026-11-01T00:00:00-07:00")), settings())
    assert said.interval_start == NOVEMBER
    assert said.interval_start.tzinfo is UTC


@pytest.mark.parametrize(
    ("cost", "amount", "ratio"),
    [
        ("2.4", "3.0", Decimal("0.8")),
        ("0.3", "0.1", Decimal(3)),
        ("1e2", "4E+2", Decimal("0.25")),
        ("9007199254740993", "9007199254740992", Decimal(1)),
        ("0", "0.01", Decimal(0)),
        ("-0.0", "1", Decimal(0)),
    ],
)
def test_money_is_calculated_in_decimals(cost: str, amount: str, ratio: Decimal) -> None:
    said = parse_notification(a_message((RAW % (cost, amount)).encode()), settings())
    assert said.cost / said.amount == ratio


def test_the_budget_is_known_by_account_and_id_together() -> None:
    both = settings_of(
        monthly=a_budget(), team=a_budget(id=TEAM_BUDGET_ID), other=a_budget(billing_account=OTHER_ACCOUNT)
    )
    budgets = [
        parse_notification(a_message(notification(), given=attributes(billingAccountId=account, budgetId=budget)), both)
        for account, budget in [(ACCOUNT, BUDGET_ID), (ACCOUNT, TEAM_BUDGET_ID), (OTHER_ACCOUNT, BUDGET_ID)]
    ]
    assert [said.budget for said in budgets] == ["monthly", "team", "other"]


FOREIGN = "foreign: the billing account and budget of this message are not in the settings"


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(attributes(billingAccountId=OTHER_ACCOUNT), id="another account"),
        pytest.param(attributes(budgetId=TEAM_BUDGET_ID), id="another budget"),
        pytest.param(attributes(billingAccountId=ACCOUNT.lower()), id="lower case"),
        pytest.param({"billingAccountId": ACCOUNT, "schemaVersion": "1.0"}, id="no budget"),
        pytest.param({"budgetId": BUDGET_ID, "schemaVersion": "1.0"}, id="no account"),
        pytest.param({}, id="no attributes"),
    ],
)
def test_only_a_configured_budget_is_heard(given: dict[str, str]) -> None:
    assert _why(a_message(notification(), given=given)) == FOREIGN


def test_another_currency_is_not_heard() -> None:
    assert (
        _why(a_message(notification(currencyCode="EUR"))) == "foreign: a notification of budget monthly is not in USD"
    )


@pytest.mark.parametrize("version", ["2.0", "1.0.0", "1", ""])
def test_another_schema_is_not_guessed_at(version: str) -> None:
    why = _why(a_message(notification(), given=attributes(schemaVersion=version)))
    assert why == "unknown shape: a notification of budget monthly has a schemaVersion other than 1.0"


MALFORMED = "malformed: a notification of budget monthly"
UNKNOWN = f"{MALFORMED}: not of a shape that is known here"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"", UNKNOWN, id="empty"),
        pytest.param(b"hello", UNKNOWN, id="no JSON"),
        pytest.param(b'{"costAmount": 1', UNKNOWN, id="cut short"),
        pytest.param(b"\xff\xfe\x00", UNKNOWN, id="not UTF-8"),
        pytest.param(b'{"currencyCode": "\xff"}', UNKNOWN, id="not UTF-8 inside"),
        pytest.param(b"null", f"{MALFORMED}: Expected `object`, got `null`", id="null"),
        pytest.param(b"[]", f"{MALFORMED}: Expected `object`, got `array`", id="array"),
        pytest.param(b"{}", f"{MALFORMED}: Object missing required field `costAmount`", id="nothing said"),
        pytest.param(b'{"x": ' + b"[" * 100_000, UNKNOWN, id="nested without end"),
        pytest.param((RAW % ("NaN", "400")).encode(), UNKNOWN, id="cost NaN"),
        pytest.param((RAW % ("Infinity", "400")).encode(), UNKNOWN, id="cost Infinity"),
        pytest.param((RAW % ("-Infinity", "400")).encode(), UNKNOWN, id="cost -Infinity"),
        pytest.param((RAW % ("1", "NaN")).encode(), UNKNOWN, id="amount NaN"),
        pytest.param(
            (RAW % ("1e400", "400")).encode(), f"{MALFORMED}: Number out of range - at `$.costAmount`", id="1e400"
        ),
        pytest.param(
            (RAW % ("9" * 400, "400")).encode(),
            f"{MALFORMED}: Number out of range - at `$.costAmount`",
            id="400 digits",
        ),
    ],
)
def test_what_cannot_be_read_is_not_heard(data: bytes, why: str) -> None:
    assert _why(a_message(data)) == why


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(notification(1, -400), "Expected `float` >= 0.0 - at `$.budgetAmount`", id="negative amount"),
        pytest.param(notification("1.5"), "Expected `float`, got `str` - at `$.costAmount`", id="a number as a string"),
        pytest.param(
            notification(1, "400"), "Expected `float`, got `str` - at `$.budgetAmount`", id="an amount as one"
        ),
        pytest.param(notification(None), "Expected `float`, got `null` - at `$.costAmount`", id="no cost"),
        pytest.param(notification(cost=True), "Expected `float`, got `bool` - at `$.costAmount`", id="a cost of true"),
        pytest.param(
            notification({"units": "1"}), "Expected `float`, got `object` - at `$.costAmount`", id="money as an object"
        ),
        pytest.param(
            notification(forecastThresholdExceeded="1.0"),
            "Expected `float | null`, got `str` - at `$.forecastThresholdExceeded`",
            id="a forecast as a string",
        ),
        pytest.param(
            notification(forecastThresholdExceeded=-1),
            "Expected `float` >= 0.0 - at `$.forecastThresholdExceeded`",
            id="a negative forecast",
        ),
        pytest.param(
            notification(interval="2026-11-01T07:00:00"), "costIntervalStart has no time zone", id="no time zone"
        ),
        pytest.param(notification(interval="1 November"), "not of a shape that is known here", id="no time"),
        pytest.param(notification(interval="2026-11-31T07:00:00Z"), "not of a shape that is known here", id="no day"),
        pytest.param(
            notification(interval=1793516400),
            "Expected `datetime`, got `int` - at `$.costIntervalStart`",
            id="a number",
        ),
        pytest.param(notification(currencyCode=840), "Expected `str`, got `int` - at `$.currencyCode`", id="no code"),
        *(
            pytest.param(without(notification(), key), f"Object missing required field `{key}`", id=f"no {key}")
            for key in ["costAmount", "costIntervalStart", "budgetAmount", "currencyCode"]
        ),
    ],
)
def test_what_makes_no_sense_is_not_heard(data: dict[str, object], why: str) -> None:
    assert _why(a_message(data)) == f"{MALFORMED}: {why}"


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_an_interval_beyond_the_calendar_is_not_heard(start: str) -> None:
    assert _why(a_message(notification(interval=start))) == "malformed: costIntervalStart is out of range"


def test_what_a_stranger_says_is_not_repeated() -> None:
    canary = "canary-8f3d"
    for data, given in [
        (notification(currencyCode=canary), attributes()),
        (notification(interval=canary), attributes()),
        (notification({canary: canary}), attributes()),
        (notification(), attributes(budgetId=canary)),
        (notification(), attributes(schemaVersion=canary)),
        (canary.encode(), attributes()),
    ]:
        assert canary not in _why(a_message(data, given=given))


def test_a_budget_without_an_id_yet_hears_nothing() -> None:
    undeployed = settings(id="")
    for given in [attributes(), attributes(budgetId=""), {"billingAccountId": ACCOUNT, "schemaVersion": "1.0"}]:
        with pytest.raises(IgnoredMessage, match="foreign"):
            parse(a_message(notification(), given=given), undeployed)


def _why(message: PubsubMessage) -> str:
    """Why the message was ignored."""
    with pytest.raises(IgnoredMessage) as ignored:
        parse(message, settings())
    return str(ignored.value)
