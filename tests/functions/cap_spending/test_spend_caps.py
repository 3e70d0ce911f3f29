"""Google's spend caps: kept as the settings have them, lowered by a rung, lifted and armed by command, given back."""

from datetime import timedelta
from typing import Any

import pytest

from functions.cap_spending.records import KeptCap, Records
from functions.cap_spending.settings import Settings
from functions.cap_spending.spend_caps import CappedService, cap_name, title_of
from shared.errors import SettingsError
from shared.report import Outcome, Report
from shared.settings import Mode, parse
from tests.functions.cap_spending.examples import ACCOUNT, PROJECT, a_budget
from tests.functions.cap_spending.stage import Stage

pytestmark = pytest.mark.one_python

BUDGETS = f"https://billingbudgets.googleapis.com/v1/billingAccounts/{ACCOUNT}/budgets"
RUN = {"billing_account": ACCOUNT, "project": "my-product", "service": "cloud_run", "amount": 50, "currency": "USD"}
RUN_ID = "services/152E-C115-5142"
PAUSING = a_budget(
    {"at": 1.0, "do": ["pause_usage"]},
    may_touch={"pause_usage": {"projects": ["my-product"], "services": ["cloud_run"]}},
)


def settings(budgets: dict[str, Any] | None = None, **caps: dict[str, Any]) -> Settings:
    """Settings with these spend caps."""
    section = {"mode": Mode.ACT, "budgets": budgets or {}, "spend_caps": caps}
    return parse({"cap_spending": section}, "cap_spending", Settings).section


def caps(stage: Stage) -> list[str]:
    """The name, amount and state of each spend cap."""
    answer = stage.clients.session.get(stage.clients.url(BUDGETS), timeout=10).json()
    return [
        f"{one['displayName'].partition(' ')[0]} {one['amount']['specifiedAmount'].get('units', '0')}"
        f" {one['spendCap']['outputState']}"
        for one in answer["budgets"]
        if "spendCap" in one
    ]


def change(stage: Stage, mask: str, **fields: Any) -> None:
    """A person changes the one capped budget, or deletes it without an argument."""
    url = stage.clients.url(BUDGETS)
    (name,) = [one["name"] for one in stage.clients.session.get(url, timeout=10).json()["budgets"] if "spendCap" in one]
    address = stage.clients.url(f"https://billingbudgets.googleapis.com/v1/{name}")
    if not fields:
        assert stage.clients.session.delete(address, timeout=10).ok
        return
    content = fields | {"spendCap": {"inputState": "CONFIGURED"}}
    query = {"updateMask": f"{mask},spendCap.inputState"}
    assert stage.clients.session.patch(address, params=query, json=content, timeout=10).ok


def done(report: Report) -> list[str]:
    """The kinds of change that a run has made, besides recording what other automations wait for."""
    applied = [one.kind for one in report.changes if one.outcome is Outcome.APPLIED]
    return [kind for kind in applied if kind != "SetRestrictions"]


def alerts(report: Report) -> list[str]:
    """The kinds of alert of a report."""
    return [one.kind for one in report.alerts]


def test_a_cap_of_the_settings_is_made_once_and_follows_them() -> None:
    with Stage(settings(run=RUN), mode=Mode.OBSERVE) as stage:
        stage.tick()
        assert caps(stage) == []
        stage.mode = Mode.ACT
        assert done(stage.tick()) == ["CreateCap"]
        assert caps(stage) == ["Caretaker 50 CONFIGURED"]
        assert done(stage.tick()) == []
        assert stage.command(type="status").status[0] == (
            "run: cloud_run in my-product, at most 50 USD a month: CONFIGURED"
        )
        stage.settings = settings(run=RUN | {"amount": 60.5})
        stage.tick()
        assert caps(stage) == ["Caretaker 60 CONFIGURED"]
        assert stage.records.spend_caps == {
            cap_name(ACCOUNT, "my-product", CappedService.CLOUD_RUN): KeptCap("60.5", stage.cloud.clock.now())
        }
        stage.settings = settings()
        assert done(stage.tick()) == ["DeleteCap"]
        assert (caps(stage), stage.records.spend_caps) == ([], {})


def test_a_status_says_which_cap_its_own_run_makes() -> None:
    with Stage(settings(run=RUN)) as stage:
        assert stage.command(type="status").status[0] == (
            "run: cloud_run in my-product, at most 50 USD a month: there is no cap; made now"
        )
        assert caps(stage) == ["Caretaker 50 CONFIGURED"]


def test_a_persons_change_to_a_cap_is_left_alone_and_reported() -> None:
    with Stage(settings(run=RUN)) as stage:
        stage.tick()
        change(stage, "amount", amount={"specifiedAmount": {"units": "80"}})
        report = stage.tick()
        assert (caps(stage), alerts(report)) == (["Caretaker 80 CONFIGURED"], ["spend_cap_changed"])
        stage.command(type="arm", cap="run")
        assert caps(stage) == ["Caretaker 50 CONFIGURED"]
        change(stage, "")
        report = stage.tick()
        assert (caps(stage), alerts(report)) == ([], ["spend_cap_deleted"])
        assert stage.command(type="arm", cap="run", after=0.1).status == (
            "run: cloud_run in my-product, at most 50 USD a month: there is no cap; made now",
        )
        assert alerts(stage.tick()) == []


def test_an_enforced_cap_is_an_alert_until_it_is_lifted_and_a_raise_lifts_it_first() -> None:
    with Stage(settings(run=RUN)) as stage:
        stage.tick()
        stage.cloud.budgets.operation_delay = timedelta(minutes=2)
        stage.cloud.budgets.spend("my-product", RUN_ID, 55)
        caps(stage)
        assert alerts(stage.tick(after=0.1)) == ["spend_cap_enforced"]
        name = cap_name(ACCOUNT, "my-product", CappedService.CLOUD_RUN)
        assert stage.restrictions.cloud_run_paused == {"my-product": name}
        stage.command(type="lift", cap="run")
        assert stage.tick().waiting
        assert alerts(stage.tick(after=0.1)) == []
        assert caps(stage) == ["Caretaker 50 AWAITING_NEXT_PERIOD"]
        assert stage.restrictions.cloud_run_paused == {}
        stage.command(type="arm", cap="run", after=0.1)
        stage.tick(after=0.1)
        stage.tick(after=0.1)
        assert caps(stage) == ["Caretaker 50 ENFORCED"]
        stage.settings = settings(run=RUN | {"amount": 90})
        assert done(stage.tick(after=0.1)) == ["LiftCap"]
        assert done(stage.tick(after=0.1)) == ["SetCapAmount"]
        stage.tick(after=0.1)
        assert caps(stage) == ["Caretaker 90 CONFIGURED"]


@pytest.mark.parametrize("kept", [True, False])
def test_a_rung_pauses_usage_and_letting_go_lifts_first(*, kept: bool) -> None:
    with Stage(settings({"monthly": PAUSING}, **({"run": RUN} if kept else {}))) as stage:
        stage.tick()
        before = caps(stage)
        stage.notify(410)
        assert caps(stage) == ["Caretaker 0 ENFORCED"]
        (debt,) = stage.records.debts()
        assert (debt.field, debt.original, debt.applied) == ("amount", "50" if kept else "", "0")
        stage.tick()
        assert list(stage.restrictions.cloud_run_paused) == ["my-product"]
        stage.cloud.budgets.operation_delay = timedelta(minutes=2)
        applied = done(stage.command(type="undo"))
        assert applied == ["LiftCap"]
        applied = done(stage.tick(after=0.1))
        assert applied == ["SetCapAmount" if kept else "DeleteCap"]
        stage.tick(after=0.1)
        assert caps(stage) == before
        assert (stage.records.holds, stage.restrictions.cloud_run_paused) == ({}, {})


def test_all_caps_that_we_made_are_removed_before_the_suite_is_destroyed() -> None:
    with Stage(settings(run=RUN)) as stage:
        stage.tick()
        (debt,) = stage.records.debts()
        assert debt.undo == "./deploy.sh send cap_spending remove_spend_caps"
        stage.cloud.budgets.spend("my-product", RUN_ID, 55)
        assert done(stage.command(type="remove_spend_caps")) == ["LiftCap", "DeleteCap"]
        stage.tick()
        assert (caps(stage), stage.records.debts()) == ([], ())


def test_the_suites_own_project_is_capped_only_if_the_settings_name_it_twice() -> None:
    own = RUN | {"project": PROJECT}
    with Stage(settings(run=own, gemini=own | {"service": "gemini_api"})) as stage:
        report = stage.tick()
        assert [one.guard for one in report.refusals] == ["may_be_capped"]
        assert caps(stage) == ["Caretaker 50 CONFIGURED"]
        stage.settings = settings(run=own | {"even_the_suites_own_project": PROJECT})
        stage.tick()
        assert caps(stage) == ["Caretaker 50 CONFIGURED"]


def test_a_title_is_that_of_one_suite_and_fits_a_budget() -> None:
    names = [cap_name(ACCOUNT, "a" * 30, service) for service in CappedService]
    titles = {title_of(name, suite) for name in names for suite in ("my-tools", "your-tools")}
    assert len(titles) == 2 * len(CappedService)
    assert max(map(len, titles)) <= 60


def test_two_caps_of_one_project_and_service_are_refused() -> None:
    with pytest.raises(SettingsError, match="a project and service of its own: `run` has them"):
        settings(run=RUN, again=RUN | {"amount": 70})


def test_records_of_an_older_version_have_no_caps() -> None:
    assert (Records().spend_caps, Records().caps_asked) == ({}, {})
