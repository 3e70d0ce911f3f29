"""Cost anomalies: read from the budget topic in Google's documented format, and the rungs that they pass."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from functions.cap_spending.anomaly import CostAnomaly, parse_anomaly
from functions.cap_spending.parse import parse
from shared.errors import IgnoredMessage
from shared.report import Outcome
from shared.settings import Mode
from tests.functions.cap_spending.examples import (
    ACCOUNT,
    DECEMBER,
    NOON,
    OTHER_ACCOUNT,
    TEAM_BUDGET_ID,
    a_budget,
    a_message,
    settings,
    settings_of,
)
from tests.functions.cap_spending.stage import Stage
from tests.functions.cap_spending.test_edited_settings import maximum

RUNG: dict[str, object] = {"on": "anomaly", "at_least": 100, "do": ["notify", "limit_cloud_run"]}
WAITING = settings(RUNG)
ATTRIBUTES = {
    "scope": "scope_project",
    "billingAccountName": f"billingAccounts/{ACCOUNT}",
    "resourceDisplayName": "My project",
    "resourceName": "projects/123456",
    "SchemaVersion": "1.0",
}
NOVEMBER_14 = "2026-11-14T08:00:00Z"


def anomaly(deviation: object = 131.01, name: str = "aaa", **more: object) -> dict[str, object]:
    """The data of an anomaly, in the format that Google's page shows."""
    return {
        "anomalyName": f"billingAccounts/{ACCOUNT}/anomalies/{name}",
        "billingAccountName": f"billingAccounts/{ACCOUNT}",
        "resourceName": "projects/123456",
        "resourceDisplayName": "My project",
        "detectionDate": NOVEMBER_14,
        "Scope": "SCOPE_PROJECT",
        "expectedSpendAmount": {"currencyCode": "USD", "units": "8", "nanos": 988106832},
        "actualSpendAmount": 196.22,
        "deviationAmount": deviation,
        "deviationPercentage": "Infinity",
        **more,
    }


@pytest.mark.parametrize(
    ("deviation", "amount"),
    [
        (31.01, "31.01"),
        (-4, "-4"),
        ({"currencyCode": "USD", "units": "31", "nanos": 10_000_000}, "31.01"),
        ({"units": 31}, "31"),
        ({"nanos": -500_000_000}, "-0.5"),
    ],
)
def test_a_deviation_is_a_number_or_money(deviation: object, amount: str) -> None:
    assert parse(a_message(anomaly(deviation), given=ATTRIBUTES), WAITING) == CostAnomaly(
        budgets=("monthly",),
        name=f"billingAccounts/{ACCOUNT}/anomalies/aaa",
        resource="projects/123456",
        detected=datetime(2026, 11, 14, 8, tzinfo=UTC),
        deviation=Decimal(amount),
        currency="USD",
    )


UNKNOWN = "malformed: a cost anomaly: "


@pytest.mark.parametrize(
    ("data", "given", "why"),
    [
        ({}, {"billingAccountName": f"billingAccounts/{OTHER_ACCOUNT}"}, "foreign: no budget of this anomaly's"),
        ({}, {"SchemaVersion": "2.0"}, "unknown shape: a cost anomaly has a SchemaVersion other than 1.0"),
        ({"deviationAmount": None}, {}, UNKNOWN),
        ({"deviationAmount": "NaN"}, {}, UNKNOWN),
        ({"deviationAmount": {"units": "many"}}, {}, UNKNOWN),
        ({"resourceName": "projects/../x"}, {}, UNKNOWN),
        ({"anomalyName": ""}, {}, UNKNOWN),
        ({"detectionDate": "2026-11-14"}, {}, UNKNOWN),
        ({"detectionDate": "2026-11-14T08:00:00"}, {}, f"{UNKNOWN}detectionDate has no time zone"),
        ({"detectionDate": "9999-01-01T00:00:00Z"}, {}, f"{UNKNOWN}detectionDate is not a time before"),
        ({"detectionDate": "1999-01-01T00:00:00Z"}, {}, f"{UNKNOWN}detectionDate is not a time before"),
        ({"expectedSpendAmount": {"currencyCode": "EUR"}}, {}, "foreign: a cost anomaly is not in the currency"),
        ({"expectedSpendAmount": 8.99}, {}, "foreign: a cost anomaly is not in the currency"),
    ],
)
def test_what_is_ignored(data: dict[str, object], given: dict[str, str], why: str) -> None:
    with pytest.raises(IgnoredMessage) as error:
        parse_anomaly(a_message(anomaly() | data, given={**ATTRIBUTES, **given}), WAITING)
    assert str(error.value).startswith(why)


def test_without_a_rung_for_it_an_anomaly_is_counted_and_nothing_more() -> None:
    with Stage() as stage:
        report = stage.push(anomaly(), given=ATTRIBUTES)
        assert (report.outcome, report.why.split(":")[0]) == (Outcome.IGNORED, "foreign")


def report_of(stage: Stage, deviation: float, name: str = "aaa", after: float = 0, **more: object) -> Any:
    return stage.push(anomaly(deviation, name=name, **more), given=ATTRIBUTES, after=after)


def test_an_anomaly_is_acted_upon_once_until_the_next_period(capsys: pytest.CaptureFixture[str]) -> None:
    with Stage(settings(RUNG)) as stage:
        stage.notify(120)
        report_of(stage, 99.99)
        assert maximum(stage) == 20
        report = report_of(stage, 131.01, after=1)
        assert maximum(stage) == 1
        assert "anomaly of 2026-11-14 in projects/123456: 131.01 USD above" in report.changes[0].reason
        assert report_of(stage, 131.01).outcome is Outcome.UNCHANGED
        stage.notify(130, 800, after=1)  # an anomaly is one at any amount
        assert maximum(stage) == 1
        stage.notify(1, interval=DECEMBER, after=24 * 16)
        assert maximum(stage) == 20
        report_of(stage, 500, "late")
        assert maximum(stage) == 20
    printed = capsys.readouterr().out
    assert printed.count('"budget_alert"') == 1
    assert printed.count('"cost_anomaly"') == 4
    assert "My project" not in printed


def test_undo_accepts_what_was_reported_and_another_anomaly_counts_again() -> None:
    with Stage(settings(RUNG)) as stage:
        stage.notify(120)
        report_of(stage, 131)
        stage.command(after=1, type="undo")
        assert maximum(stage) == 20
        report_of(stage, 150, after=1)  # the same one has grown
        assert maximum(stage) == 20
        report_of(stage, 131, "bbb", after=1)
        assert maximum(stage) == 1
        stage.command(after=1, type="accept", rung="anomaly@100")
        assert maximum(stage) == 20
        report_of(stage, 900, "ccc", after=1)
        assert maximum(stage) == 20


def test_before_the_first_notification_no_period_is_known_and_an_anomaly_waits_for_it() -> None:
    with Stage(settings(RUNG)) as stage:
        report_of(stage, 131)
        assert maximum(stage) == 20
        stage.notify(120, after=1)
        assert maximum(stage) == 1


def test_observing_only_notifies(capsys: pytest.CaptureFixture[str]) -> None:
    with Stage(settings(RUNG), mode=Mode.OBSERVE) as stage:
        stage.notify(120)
        report_of(stage, 131)
        assert maximum(stage) == 20
    assert capsys.readouterr().out.count('"budget_alert"') == 1


def test_it_counts_for_budgets_of_its_account_and_currency_whose_rung_takes_its_project() -> None:
    rungs: dict[str, Any] = {
        "monthly": a_budget(RUNG),
        "team": a_budget(RUNG | {"project_numbers": ["777"]}, id=TEAM_BUDGET_ID),
        "euros": a_budget(RUNG, id="in-euros", currency="EUR"),
        "other": a_budget(RUNG, billing_account=OTHER_ACCOUNT),
    }
    with Stage(settings_of(**rungs)) as stage:
        stage.notify(120)
        stage.notify(12, budget=TEAM_BUDGET_ID)
        report_of(stage, 131)
        assert set(stage.records.anomalies) == {"monthly", "team"}
        assert set(stage.records.in_force) == {"monthly/anomaly@100/notify", "monthly/anomaly@100/limit_cloud_run"}


def test_a_budget_that_is_renamed_keeps_its_anomalies() -> None:
    with Stage(settings(RUNG)) as stage:
        stage.notify(120)
        report_of(stage, 131)
        stage.settings = settings_of(everything=a_budget(RUNG))
        stage.tick(1)
        assert maximum(stage) == 1
        assert set(stage.records.anomalies) == {"everything"}


def test_the_newest_anomalies_are_kept() -> None:
    with Stage(settings(RUNG)) as stage:
        for day in range(60):
            stage.push(
                anomaly(50, name=str(day), detectionDate=f"2026-{9 + day // 30:02d}-{1 + day % 30:02d}T07:00:00Z"),
                given=ATTRIBUTES,
            )
        kept = stage.records.anomalies["monthly"]
        assert (len(kept), kept[0].detected.day, kept[-1].detected.month) == (50, 30, 9)
    assert kept[0].detected < NOON
