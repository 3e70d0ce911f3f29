"""The answer to `status`."""

import json
from collections.abc import Iterator

import pytest

from shared.report import Outcome
from tests.functions.cap_spending.examples import (
    API,
    EXPERIMENTS,
    IMPORT,
    NOON,
    TEAM_BUDGET_ID,
    WORKER,
    a_budget,
    hours,
    settings,
    settings_of,
)
from tests.functions.cap_spending.simulation import ACCOUNT_NAME
from tests.functions.cap_spending.stage import Stage

READ = "BatchGetDocuments"


@pytest.fixture
def stage() -> Iterator[Stage]:
    with Stage() as stage:
        yield stage


def test_before_anything_was_said(stage: Stage) -> None:
    report = stage.command(type="status")
    assert (report.outcome, report.status) == (Outcome.UNCHANGED, ("monthly: no notification yet",))
    assert stage.calls() == [READ]


def test_what_is_in_force_and_what_is_held(stage: Stage) -> None:
    stage.notify(604)
    stage.calls()
    report = stage.command(1, type="status")
    rungs, by = "actual@0.5 in force, actual@1 in force, actual@1.5 in force", "held (monthly/actual@1)"
    assert report.status == (
        f"monthly: 604.00 of 400.00 USD (151 %) since 2026-11-01; {rungs}",
        f"{EXPERIMENTS}: billing_account {ACCOUNT_NAME} -> none, held (monthly/actual@1.5)",
        f"{IMPORT}: state ENABLED -> PAUSED, {by}",
        f"{API}: max_instances 20 -> 1, {by}",
        f"{WORKER}: max_instances 10 -> 1, {by}",
    )
    assert stage.calls() == [READ]


def test_what_is_held_back() -> None:
    known = settings_of(
        monthly=a_budget({"at": 0.5, "do": ["notify"]}, {"at": 0.8, "on": "forecast", "do": ["previews_off"]}),
        team=a_budget({"at": 0.5, "do": ["notify"]}, id=TEAM_BUDGET_ID),
    )
    with Stage(known) as stage:
        stage.notify(210)
        stage.command(1, type="accept", rung="actual@0.5", budget="monthly")
        stage.command(1, type="snooze", until=(NOON + hours(50)).isoformat(), budget="monthly")
        held_back = "actual@0.5 held back, snoozed until 2026-11-17 14:00 UTC"
        assert stage.command(1, type="status").status == (
            f"monthly: 210.00 of 400.00 USD (52.5 %) since 2026-11-01; {held_back}",
            "team: no notification yet",
        )


def test_nothing_but_a_command_is_answered(stage: Stage) -> None:
    assert stage.notify(604).status == ()
    assert stage.tick(1).status == ()


def test_a_notification_is_one_line_at_the_right_severity(capsys: pytest.CaptureFixture[str]) -> None:
    known = settings(
        {"at": 0.5, "do": ["notify"]},
        {"at": 0.99, "do": ["notify"]},
        {"at": 1, "do": ["notify"]},
        {"at": 1.2, "do": ["notify"]},
    )
    with Stage(known, concurrency=1) as stage:
        stage.notify(500)
        stage.notify(500, after=1)
    written = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    lines = [line for line in written if "budget_alert" in line]
    assert [(line["severity"], line["budget_alert"]["rung"]) for line in lines] == [
        ("WARNING", "actual@0.5"),
        ("WARNING", "actual@0.99"),
        ("ERROR", "actual@1"),
        ("ERROR", "actual@1.2"),
    ]
    assert lines[2] == {
        "severity": "ERROR",
        "message": "budget monthly: cost has reached 500.00 USD, past 100 % of 400.00 USD",
        "budget_alert": {"budget": "monthly", "rung": "actual@1", "at": 1.0, "on": "actual", "observing": False},
    }


def test_each_notification_tells_the_cost_so_far_and_not_what_came_late(capsys: pytest.CaptureFixture[str]) -> None:
    with Stage(settings({"at": 2, "do": ["notify"]}), concurrency=1) as stage:
        stage.notify(300)
        stage.notify(250, after=-1)  # an older one that comes late
        stage.tick(1)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        {
            "severity": "INFO",
            "message": "budget monthly: 300.00 of 400.00 USD",
            "budget_cost": {
                "budget": "monthly",
                "cost": 300.0,
                "amount": 400.0,
                "currency": "USD",
                "newest_cost": newest,
                "period_start": "2026-11-01T07:00:00Z",
                "published": "2026-11-15T12:00:00Z",
            },
        }
        for newest in (300.0, 250.0)
    ]


def test_a_run_that_looks_several_times_tells_the_cost_once(capsys: pytest.CaptureFixture[str]) -> None:
    with Stage(settings({"at": 0.5, "do": ["notify"]}), concurrency=1) as stage:
        stage.notify(300)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["message"] for line in lines if "budget_cost" in line] == ["budget monthly: 300.00 of 400.00 USD"]
    assert [line["budget_alert"]["rung"] for line in lines if "budget_alert" in line] == ["actual@0.5"]
