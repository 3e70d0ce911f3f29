"""Detaching billing, run after run: the last resort, and what stands before it."""

import pytest

from functions.cap_spending.changes import DetachBilling
from functions.cap_spending.commands import LinkBilling, Undo
from shared.plan import Refusal
from tests.functions.cap_spending.examples import (
    ACCOUNT,
    DECEMBER,
    EXPERIMENTS,
    OTHER_ACCOUNT,
    PROJECT,
    settings,
)
from tests.functions.cap_spending.simulation import ACCOUNT_NAME, Simulation, a_project

DETACH = {"at": 1.5, "do": ["detach_billing"]}


def _detaching(project: str, twice: str = "", account: str = ACCOUNT) -> Simulation:
    scope = {"detach_billing": {"projects": [project, "my-experiments"], "even_the_suites_own_project": twice}}
    stage = Simulation(settings(DETACH, may_touch=scope))
    name = f"projects/{project}"
    stage.resources = {name: a_project(name, f"billingAccounts/{account}" if account else ""), EXPERIMENTS: a_project()}
    stage.notify(605)
    return stage


def test_detaching_is_recorded_first_and_links_again_by_command_only() -> None:
    stage = _detaching("my-sandbox")
    (first, second) = stage.plans[0].changes
    assert isinstance(first, DetachBilling)
    assert isinstance(second, DetachBilling)
    assert first.hold
    assert first.hold.fields["billing_account"].original == ACCOUNT_NAME
    stage.notify(1, interval=DECEMBER, after=24 * 16)
    stage.tick(1)
    assert stage.values == {"my-sandbox": "", "my-experiments": ""}
    assert stage.looked_at == frozenset()
    stage.deliver(LinkBilling(project="my-sandbox"), after=1)
    assert stage.values == {"my-sandbox": ACCOUNT_NAME, "my-experiments": ""}
    stage.deliver(Undo(), after=1)
    assert (stage.values["my-experiments"], stage.records.holds) == (ACCOUNT_NAME, {})


def test_a_project_that_was_linked_again_is_not_detached_by_the_next_status() -> None:
    stage = _detaching("my-sandbox")
    stage.deliver(LinkBilling(project="my-sandbox"), after=1)
    stage.notify(610, after=1)
    stage.tick(1)
    assert stage.values == {"my-sandbox": ACCOUNT_NAME, "my-experiments": ""}
    stage.notify(610, interval=DECEMBER, after=24 * 16)
    stage.tick(1)
    assert stage.values["my-sandbox"] == ""


def test_a_project_of_another_account_is_refused_and_no_other() -> None:
    stage = _detaching("my-sandbox", account=OTHER_ACCOUNT)
    assert stage.values == {"my-sandbox": f"billingAccounts/{OTHER_ACCOUNT}", "my-experiments": ""}
    reason = f"my-sandbox is linked to billingAccounts/{OTHER_ACCOUNT}, which is not the account of this budget"
    assert stage.plans[0].refusals == (Refusal("projects/my-sandbox", "may_be_detached", reason),)


@pytest.mark.parametrize(("twice", "is_detached"), [("", False), ("my-experiments", False), (PROJECT, True)])
def test_the_suites_own_project_must_be_named_twice(twice: str, *, is_detached: bool) -> None:
    stage = _detaching(PROJECT, twice)
    assert stage.values == {PROJECT: "" if is_detached else ACCOUNT_NAME, "my-experiments": ""}
    if not is_detached:
        (refusal,) = stage.plans[0].refusals
        assert refusal.reason == (
            f"{PROJECT} is the project that Caretaker runs in, and would stop it too; to allow that, set "
            f"`may_touch.detach_billing.even_the_suites_own_project: {PROJECT}`"
        )


def test_nothing_that_a_refusal_stops_is_intended() -> None:
    stage = _detaching(PROJECT)
    assert f"projects/{PROJECT}" not in stage.records.holds
