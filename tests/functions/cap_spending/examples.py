"""Settings, messages and times that the tests of `cap_spending` share."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from functions.cap_spending.settings import Settings
from shared.events import PubsubMessage, inbox_of
from shared.settings import Mode, parse

PROJECT = "caretaker-home"
ACCOUNT = "0A1B2C-3D4E5F-6A7B8C"
OTHER_ACCOUNT = "FFFFFF-FFFFFF-FFFFFF"
BUDGET_ID = "8f3d2c1b-0a9e-4d5c-8b7a-6f5e4d3c2b1a"
TEAM_BUDGET_ID = "1b2c3d4e-0a9e-4d5c-8b7a-000000000002"
INBOX = f"projects/{PROJECT}/topics/{inbox_of('cap_spending')}"
BUDGET_TOPIC = f"projects/{PROJECT}/topics/caretaker-budget-notifications"
WHERE = "projects/my-product/locations/europe-west1"
API, WORKER = f"{WHERE}/services/api", f"{WHERE}/services/worker"
IMPORT = f"{WHERE}/jobs/batch-import"
EXPERIMENTS = "projects/my-experiments"

# Budget periods begin at midnight in the Pacific time zone.
NOVEMBER = datetime(2026, 11, 1, 7, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, 8, tzinfo=UTC)
NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)

MAY_TOUCH: dict[str, object] = {
    "limit_cloud_run": {
        "projects": ["my-product"],
        "regions": ["europe-west1"],
        "services": ["api", "worker"],
        "max_instances": 1,
    },
    "pause_schedules": {"projects": ["my-product"], "locations": ["europe-west1"], "job_prefix": "batch-"},
    "detach_billing": {"projects": ["my-experiments"]},
}
LADDER: list[dict[str, object]] = [
    {"at": 0.5, "do": ["notify"]},
    {"at": 1.0, "do": ["notify", "gpu_pools_off", "pause_schedules", "limit_cloud_run"]},
    {"at": 1.5, "do": ["notify", "detach_billing"]},
]


def a_budget(*rungs: Mapping[str, object], **more: object) -> dict[str, object]:
    """One budget of the settings, as `caretaker.yaml` has it: with these rungs, or the usual three."""
    return {
        "billing_account": ACCOUNT,
        "id": BUDGET_ID,
        "currency": "USD",
        "ladder": list(rungs) or LADDER,
        "may_touch": MAY_TOUCH,
        **more,
    }


def settings_of(wake: Mapping[str, Sequence[str]] | None = None, **budgets: Mapping[str, object]) -> Settings:
    """Settings with these budgets, by their keys."""
    section = {"mode": Mode.ACT, "budgets": budgets, "wake": wake or {}}
    return parse({"cap_spending": section}, "cap_spending", Settings).section


def settings(*rungs: Mapping[str, object], **more: object) -> Settings:
    """Settings with one budget, called `monthly`."""
    return settings_of(monthly=a_budget(*rungs, **more))


def hours(count: float) -> timedelta:
    """A length of time."""
    return timedelta(hours=count)


def notification(
    cost: object = 120.0, amount: object = 400.0, *, interval: object = NOVEMBER, **more: object
) -> dict[str, object]:
    """The data of a budget notification, in Google's documented format."""
    return {
        "budgetDisplayName": "Everything, monthly",
        "alertThresholdExceeded": 0.5,
        "costAmount": cost,
        "costIntervalStart": f"{interval:%Y-%m-%dT%H:%M:%SZ}" if isinstance(interval, datetime) else interval,
        "budgetAmount": amount,
        "budgetAmountType": "SPECIFIED_AMOUNT",
        "currencyCode": "USD",
        **more,
    }


def attributes(**more: str) -> dict[str, str]:
    """The attributes of a budget notification."""
    return {"billingAccountId": ACCOUNT, "budgetId": BUDGET_ID, "schemaVersion": "1.0"} | more


def a_message(
    data: object,
    *,
    topic: str = BUDGET_TOPIC,
    published: datetime = NOON,
    message_id: str = "1",
    given: Mapping[str, str] | None = None,
) -> PubsubMessage:
    """A message as it comes by a topic: bytes as they are, anything else as JSON."""
    encoded = data if isinstance(data, bytes) else json.dumps(data).encode()
    return PubsubMessage(topic, message_id, published, attributes() if given is None else given, encoded)


def without(data: Mapping[str, object], *keys: str) -> dict[str, object]:
    """A mapping without these keys."""
    return {key: value for key, value in data.items() if key not in keys}
