"""Spend caps of the local cloud's budgets, over REST: each of Google's rules, and how a cap is enforced and lifted."""

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud.billing.budgets_v1 import BudgetServiceClient

from localcloud import LocalCloud
from localcloud.core.happenings import happen
from shared.clients import Clients

pytestmark = pytest.mark.one_python

ACCOUNT = "billingAccounts/0X0X0X-0X0X0X-0X0X0X"
HOST = "billingbudgets.googleapis.com/v1"
RUN = "services/152E-C115-5142"
CAPPED: dict[str, Any] = {
    "displayName": "Cloud Run, at most 50",
    "budgetFilter": {
        "projects": ["projects/demo"],
        "services": [RUN],
        "creditTypesTreatment": "EXCLUDE_ALL_CREDITS",
        "calendarPeriod": "MONTH",
    },
    "amount": {"specifiedAmount": {"units": "50"}},
    "thresholdRules": [{"thresholdPercent": at} for at in (0.5, 0.8, 1.0)],
    "notificationsRule": {"enableProjectLevelRecipients": True},
    "spendCap": {"inputState": "CONFIGURED"},
}


class Service:
    """The Budget API as it is called over REST."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud

    def call(self, verb: str, path: str, body: object = None) -> tuple[int, Any]:
        """A status, and what was answered."""
        answer = self.cloud.http.answer(verb, f"/{HOST}/{path}", json.dumps(body or {}).encode())
        return answer.status, json.loads(answer.body)

    def create(self, body: object = CAPPED) -> str:
        """The name of a new budget."""
        status, made = self.call("POST", f"{ACCOUNT}/budgets", body)
        assert status == 200, made
        return str(made["name"])

    def patch(self, name: str, body: object, mask: str = "") -> str:
        """The answer to a change: its status, or the reason for its refusal."""
        status, answered = self.call("PATCH", f"{name}?updateMask={mask}" if mask else name, body)
        return "OK" if status == 200 else str(answered["error"]["status"])

    def turn(self, name: str, state: str) -> str:
        """The same for setting the input state."""
        return self.patch(name, {"spendCap": {"inputState": state}}, "spendCap.inputState")

    def state(self, name: str) -> str:
        """The cap's actual state, and whether it is about to change."""
        cap = self.call("GET", name)[1]["spendCap"]
        return str(cap["outputState"]) + (" (reconciling)" if cap.get("reconciling") else "")

    def spend(self, cost: float, project: str = "demo") -> None:
        """Let Cloud Run of a project cost something."""
        happen("budgets.spend", {"project": project, "service": RUN, "cost": cost}, self.cloud)


@pytest.fixture
def caps() -> Iterator[Service]:
    with LocalCloud(now=datetime(2026, 11, 12, 8, tzinfo=UTC)) as cloud:
        yield Service(cloud)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("budgetFilter.projects", []),
        ("budgetFilter.projects", ["projects/demo", "projects/other"]),
        ("budgetFilter.services", []),
        ("budgetFilter.services", ["services/6F81-5844-456A"]),
        ("budgetFilter.services", [RUN, "services/29E7-DA93-CA13"]),
        ("budgetFilter.calendarPeriod", "QUARTER"),
        ("budgetFilter.creditTypesTreatment", "INCLUDE_ALL_CREDITS"),
        ("budgetFilter.labels", {"team": ["web"]}),
        ("budgetFilter.resourceAncestors", ["folders/1"]),
        ("amount", {"lastPeriodAmount": {}}),
        ("amount", {"specifiedAmount": {"units": "-1"}}),
        ("thresholdRules", [{"thresholdPercent": 1.0}]),
        ("thresholdRules", [{"thresholdPercent": at} for at in (0.5, 0.9, 1.0)]),
        ("thresholdRules", [{"thresholdPercent": at, "spendBasis": "FORECASTED_SPEND"} for at in (0.5, 0.8, 1.0)]),
        ("notificationsRule", {}),
        ("notificationsRule.disableDefaultIamRecipients", True),
        ("notificationsRule.pubsubTopic", "projects/demo/topics/budgets"),
        ("notificationsRule.monitoringNotificationChannels", ["projects/demo/notificationChannels/1"]),
        ("ownershipScope", "BILLING_ACCOUNT"),
        ("spendCap.inputState", "ENFORCED"),
        ("spendCap.inputState", "AWAITING_NEXT_PERIOD"),
        ("spendCap", {}),
    ],
)
def test_a_budget_that_cannot_have_a_cap_is_refused(caps: Service, path: str, value: object) -> None:
    body = deepcopy(CAPPED)
    *outer, last = path.split(".")
    at = body
    for part in outer:
        at = at[part]
    at[last] = value
    status, answered = caps.call("POST", f"{ACCOUNT}/budgets", body)
    assert (status, answered["error"]["status"]) == (400, "INVALID_ARGUMENT"), answered
    assert caps.call("GET", f"{ACCOUNT}/budgets") == (200, {})


def test_a_cap_is_enforced_once_its_cost_shows_then_lifted_and_armed_again(caps: Service) -> None:
    caps.cloud.budgets.cost_lags[ACCOUNT] = timedelta(hours=6)
    name = caps.create()
    caps.spend(49)
    caps.spend(500, project="other")
    caps.cloud.clock.advance(timedelta(hours=6))
    assert caps.state(name) == "CONFIGURED"
    caps.spend(1)
    assert caps.state(name) == "CONFIGURED"
    assert caps.turn(name, "AWAITING_NEXT_PERIOD") == "INVALID_ARGUMENT"
    caps.cloud.clock.advance(timedelta(hours=6))
    assert caps.state(name) == "ENFORCED"

    assert caps.patch(name, {"displayName": "New", "spendCap": {"inputState": "CONFIGURED"}}) == "FAILED_PRECONDITION"
    assert caps.patch(name, {}, "spend_cap") == "FAILED_PRECONDITION"
    assert caps.call("DELETE", name)[0] == 400
    assert caps.turn(name, "ENFORCED") == "INVALID_ARGUMENT"
    caps.cloud.budgets.operation_delay = timedelta(minutes=2)
    assert caps.turn(name, "AWAITING_NEXT_PERIOD") == "OK"
    assert caps.state(name) == "ENFORCED (reconciling)"
    assert caps.turn(name, "CONFIGURED") == "FAILED_PRECONDITION"
    caps.cloud.clock.advance(timedelta(minutes=2))
    assert caps.state(name) == "AWAITING_NEXT_PERIOD"
    assert caps.turn(name, "AWAITING_NEXT_PERIOD") == "INVALID_ARGUMENT"

    caps.cloud.budgets.operation_delay = timedelta(0)
    more = {"amount": {"specifiedAmount": {"units": "60"}}}
    assert caps.patch(name, more, "amount") == "INVALID_ARGUMENT"
    assert caps.patch(name, more | {"spendCap": {"inputState": "CONFIGURED"}}, "amount,spend_cap.input_state") == "OK"
    assert caps.state(name) == "CONFIGURED"
    caps.spend(10)
    caps.cloud.clock.advance(timedelta(hours=6))
    assert caps.state(name) == "ENFORCED"
    caps.cloud.clock.advance(timedelta(days=20))
    assert caps.state(name) == "CONFIGURED"


def test_an_amount_of_nothing_is_enforced_at_once_and_a_cap_can_become_a_regular_budget(caps: Service) -> None:
    name = caps.create(CAPPED | {"amount": {"specifiedAmount": {"units": "0"}}})
    assert caps.state(name) == "ENFORCED"
    assert caps.turn(name, "AWAITING_NEXT_PERIOD") == "OK"
    assert caps.patch(name, {}, "spendCap") == "OK"
    assert "spendCap" not in caps.call("GET", name)[1]
    assert caps.call("DELETE", name) == (200, {})


def test_the_official_client_sees_the_budget_and_cannot_change_it_without_its_cap(caps: Service) -> None:
    name = caps.create()
    client = Clients("demo", endpoint=caps.cloud.address).of(BudgetServiceClient)
    assert [one.name for one in client.list_budgets(parent=ACCOUNT, retry=None)] == [name]
    change = {"budget": {"name": name, "display_name": "Mine"}, "update_mask": {"paths": ["display_name"]}}
    with pytest.raises(exceptions.InvalidArgument, match="update_mask must contain spend_cap"):
        client.update_budget(request=change, retry=None)
    with pytest.raises(ValueError, match="pubsub_topic"):
        caps.cloud.budgets.notify(name, Decimal(1))
