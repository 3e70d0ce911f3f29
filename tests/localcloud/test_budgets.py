"""Billing budgets of the local cloud, through the official clients."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from google.api_core import exceptions
from google.cloud.billing import budgets_v1
from google.protobuf.field_mask_pb2 import FieldMask
from google.pubsub_v1 import PublisherClient, PubsubMessage, SubscriberClient

from localcloud import LocalCloud
from localcloud.core.server import ApiError
from shared.clients import Clients

pytestmark = pytest.mark.one_python

ACCOUNT = "billingAccounts/0X0X0X-0X0X0X-0X0X0X"
TOPIC = "projects/demo-project/topics/budget-alerts"
INBOX = "projects/demo-project/subscriptions/inbox"
JULY = datetime(2026, 7, 15, 6, tzinfo=UTC)
RULES = [
    {"threshold_percent": 0.5},
    {"threshold_percent": 0.9},
    {"threshold_percent": 1.0, "spend_basis": "FORECASTED_SPEND"},
]


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=JULY) as cloud:
        clients = Clients("demo-project", endpoint=cloud.address)
        clients.of(PublisherClient).create_topic(name=TOPIC, retry=None)
        clients.of(SubscriberClient).create_subscription(name=INBOX, topic=TOPIC, retry=None)
        cloud.budgets.currencies[ACCOUNT] = "EUR"
        yield cloud


@pytest.fixture
def budgets(cloud: LocalCloud) -> budgets_v1.BudgetServiceClient:
    return Clients("demo-project", endpoint=cloud.address).of(budgets_v1.BudgetServiceClient)


def create(budgets: budgets_v1.BudgetServiceClient, **fields: object) -> budgets_v1.Budget:
    budget = {
        "display_name": "Monthly",
        "amount": {"specified_amount": {"units": 1000}},
        "threshold_rules": RULES,
        "notifications_rule": {"pubsub_topic": TOPIC, "schema_version": "1.0"},
    }
    return budgets.create_budget(parent=ACCOUNT, budget=budgets_v1.Budget({**budget, **fields}), retry=None)


def update(budgets: budgets_v1.BudgetServiceClient, **fields: object) -> budgets_v1.Budget:
    return budgets.update_budget(budget=budgets_v1.Budget(fields), retry=None)


def received(cloud: LocalCloud) -> PubsubMessage:
    """The one message that was published."""
    subscriber = Clients("demo-project", endpoint=cloud.address).of(SubscriberClient)
    response = subscriber.pull(subscription=INBOX, max_messages=9, retry=None)
    (one,) = response.received_messages
    return one.message


def test_a_new_budget_is_filled_in(budgets: budgets_v1.BudgetServiceClient) -> None:
    made = create(budgets)
    assert made == budgets.get_budget(name=made.name)
    assert made.name.startswith(f"{ACCOUNT}/budgets/")
    assert made.amount.specified_amount.currency_code == "EUR"
    assert made.budget_filter.calendar_period == budgets_v1.CalendarPeriod.MONTH
    assert made.budget_filter.credit_types_treatment == budgets_v1.Filter.CreditTypesTreatment.INCLUDE_ALL_CREDITS
    assert made.threshold_rules[0].spend_basis == budgets_v1.ThresholdRule.Basis.CURRENT_SPEND
    assert made.etag


def test_update_by_mask_and_without(budgets: budgets_v1.BudgetServiceClient) -> None:
    made = create(budgets)
    masked = budgets.update_budget(
        {
            "budget": {"name": made.name, "amount": {"specified_amount": {"units": 2000}}},
            "update_mask": FieldMask(paths=["amount.specified_amount.units", "display_name"]),
        },
        retry=None,
    )
    assert masked.amount.specified_amount.units == 2000
    assert masked.amount.specified_amount.currency_code == "EUR"
    assert masked.display_name == ""
    # Without a mask only what the request sets is changed, as the API documents.
    unmasked = update(budgets, name=made.name, display_name="New")
    assert unmasked.display_name == "New"
    assert unmasked.amount == masked.amount
    assert len({made.etag, masked.etag, unmasked.etag}) == 3


def test_a_stale_etag_is_refused(budgets: budgets_v1.BudgetServiceClient) -> None:
    made = create(budgets)
    changed = update(budgets, name=made.name, etag=made.etag, display_name="2")
    with pytest.raises(exceptions.Aborted):
        update(budgets, name=made.name, etag=made.etag, display_name="3")
    assert budgets.get_budget(name=made.name) == changed


def test_deleting_twice_is_no_error(budgets: budgets_v1.BudgetServiceClient) -> None:
    made = create(budgets)
    budgets.delete_budget(name=made.name, retry=None)
    budgets.delete_budget(name=made.name, retry=None)
    with pytest.raises(exceptions.NotFound):
        budgets.get_budget(name=made.name)


def test_lists_by_scope_and_in_pages(budgets: budgets_v1.BudgetServiceClient) -> None:
    create(budgets)
    scoped = create(budgets, budget_filter={"projects": ["projects/demo-project"]})
    create(budgets)
    request = budgets_v1.ListBudgetsRequest(parent=ACCOUNT, page_size=2)
    assert [len(page.budgets) for page in budgets.list_budgets(request).pages] == [2, 1]
    in_scope = budgets_v1.ListBudgetsRequest(parent=ACCOUNT, scope="projects/demo-project")
    assert list(budgets.list_budgets(in_scope)) == [scoped]
    assert list(budgets.list_budgets(parent="billingAccounts/1X1X1X-1X1X1X-1X1X1X")) == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"display_name": "x" * 61}, "at most 60"),
        ({"amount": {}}, "amount is required"),
        ({"amount": {"specified_amount": {"units": -1}}}, "must not be negative"),
        ({"amount": {"specified_amount": {"units": 1, "currency_code": "USD"}}}, "billing account's, EUR"),
        ({"threshold_rules": [{"threshold_percent": -0.1}]}, "must not be negative"),
        ({"notifications_rule": {"pubsub_topic": TOPIC, "schema_version": "2.0"}}, "schema_version must be '1.0'"),
        (
            {"budget_filter": {"custom_period": {"start_date": {"year": 2026, "month": 7, "day": 1}}}},
            "FORECASTED_SPEND cannot",
        ),
        (
            {
                "budget_filter": {"custom_period": {"start_date": {"year": 2026, "month": 7, "day": 1}}},
                "threshold_rules": [],
                "amount": {"last_period_amount": {}},
            },
            "last_period_amount cannot",
        ),
    ],
)
def test_what_the_budget_api_refuses(
    budgets: budgets_v1.BudgetServiceClient, fields: dict[str, object], message: str
) -> None:
    with pytest.raises(exceptions.InvalidArgument, match=message):
        create(budgets, **fields)


def test_the_topic_must_exist(budgets: budgets_v1.BudgetServiceClient) -> None:
    rule = {"pubsub_topic": "projects/demo-project/topics/gone", "schema_version": "1.0"}
    with pytest.raises(exceptions.NotFound):
        create(budgets, notifications_rule=rule)


def test_a_routine_notification(cloud: LocalCloud, budgets: budgets_v1.BudgetServiceClient) -> None:
    budget = create(budgets)
    message_id = cloud.budgets.notify(budget.name, Decimal("140.321"))
    message = received(cloud)
    assert message.message_id == message_id
    assert message.attributes == {
        "billingAccountId": "0X0X0X-0X0X0X-0X0X0X",
        "budgetId": budget.name.rsplit("/", 1)[1],
        "schemaVersion": "1.0",
    }
    assert json.loads(message.data) == {
        "budgetDisplayName": "Monthly",
        "costAmount": 140.321,
        "costIntervalStart": "2026-07-01T07:00:00Z",
        "budgetAmount": 1000.0,
        "budgetAmountType": "SPECIFIED_AMOUNT",
        "currencyCode": "EUR",
    }


@pytest.mark.parametrize(
    ("cost", "forecast", "thresholds"),
    [
        ("499.99", None, {}),
        ("500", None, {"alertThresholdExceeded": 0.5}),
        ("1200", None, {"alertThresholdExceeded": 0.9}),
        ("100", "999", {}),
        ("100", "1500", {"forecastThresholdExceeded": 1.0}),
        ("900", "1000", {"alertThresholdExceeded": 0.9, "forecastThresholdExceeded": 1.0}),
    ],
)
def test_thresholds_are_the_highest_rules_passed(
    cloud: LocalCloud,
    budgets: budgets_v1.BudgetServiceClient,
    cost: str,
    forecast: str | None,
    thresholds: dict[str, float],
) -> None:
    start = datetime(2026, 1, 1, 8, tzinfo=UTC)
    cloud.budgets.notify(
        create(budgets).name,
        Decimal(cost),
        interval_start=start,
        forecast=Decimal(forecast) if forecast else None,
    )
    data = json.loads(received(cloud).data)
    assert data["costIntervalStart"] == "2026-01-01T08:00:00Z"
    assert {key: value for key, value in data.items() if key.endswith("Exceeded")} == thresholds


@pytest.mark.parametrize(
    ("budget_filter", "start", "kind"),
    [
        ({"calendar_period": "MONTH"}, "2026-07-01T07:00:00Z", "LAST_MONTH_COST"),
        ({"calendar_period": "QUARTER"}, "2026-07-01T07:00:00Z", "LAST_PERIODS_COST"),
        ({"calendar_period": "YEAR"}, "2026-01-01T08:00:00Z", "LAST_PERIODS_COST"),
    ],
)
def test_a_budget_on_the_last_period(
    cloud: LocalCloud,
    budgets: budgets_v1.BudgetServiceClient,
    budget_filter: dict[str, object],
    start: str,
    kind: str,
) -> None:
    budget = create(budgets, amount={"last_period_amount": {}}, budget_filter=budget_filter)
    with pytest.raises(ValueError, match="budget_amount"):
        cloud.budgets.notify(budget.name, Decimal(10))
    cloud.budgets.notify(budget.name, Decimal(10), budget_amount=Decimal("80.5"))
    data = json.loads(received(cloud).data)
    assert (data["budgetAmount"], data["budgetAmountType"]) == (80.5, kind)
    assert data["costIntervalStart"] == start


def test_a_custom_period_starts_on_its_first_day(cloud: LocalCloud, budgets: budgets_v1.BudgetServiceClient) -> None:
    first = {"year": 2026, "month": 6, "day": 20}
    budget = create(budgets, budget_filter={"custom_period": {"start_date": first}}, threshold_rules=[])
    cloud.budgets.notify(budget.name, Decimal("0.01"))
    assert json.loads(received(cloud).data)["costIntervalStart"] == "2026-06-20T07:00:00Z"


def test_a_budget_without_a_topic_notifies_nobody(cloud: LocalCloud, budgets: budgets_v1.BudgetServiceClient) -> None:
    with pytest.raises(ValueError, match="pubsub_topic"):
        cloud.budgets.notify(create(budgets, notifications_rule={}).name, Decimal(1))
    with pytest.raises(ApiError):
        cloud.budgets.notify(f"{ACCOUNT}/budgets/none", Decimal(1))
