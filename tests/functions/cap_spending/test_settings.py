"""What the owner may say, and what is said of what will not do: key, value, and what would."""

import copy
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from functions.cap_spending.settings import Action, Basis, Budget, CloudRunScope, Rung, Settings
from shared.errors import SettingsError
from shared.settings import parse
from tests.functions.cap_spending.examples import ACCOUNT, BUDGET_ID, TEAM_BUDGET_ID, a_budget, settings

Data = dict[str, Any]
CURRENCY = "expected `str` matching regex '^[A-Z]{3}$'"
ACCOUNT_PATTERN = "expected `str` matching regex '^[0-9A-Z]{6}-[0-9A-Z]{6}-[0-9A-Z]{6}$'"
LABEL = "expected `str` matching regex '^([a-z][a-z0-9_-]*=[a-z0-9_-]*)?$'"
PROJECT_ID = "expected `str` matching regex '^[a-z][a-z0-9-]{4,28}[a-z0-9]$'"
KEY = "as a key, expected `str` matching regex '^[a-z0-9][a-z0-9_-]*$'"
BUDGET_KEYS = "known keys here are billing_account, id, currency, hourly_burn, ladder, may_touch"
ACTIONS = "it is one of notify, limit_cloud_run, pause_schedules, gpu_pools_off, previews_off, detach_billing"


def complaint(change: Callable[[Data], object]) -> str:
    """What is said of the usual settings after a change of the budget `monthly`."""
    budget = copy.deepcopy(a_budget(hourly_burn=2.5))
    change(budget)
    with pytest.raises(SettingsError) as error:
        parse({"mode": "act", "cap_spending": {"budgets": {"monthly": budget}}}, "cap_spending", Settings)
    assert str(error.value) == f"{error.value.key}: {error.value.value!r} will not do: {error.value.what_would_do}"
    return str(error.value).removeprefix("cap_spending.budgets.monthly.")


def test_the_usual_settings() -> None:
    budget = settings(hourly_burn=2.5).budgets["monthly"]
    assert [rung.name for rung in budget.ladder] == ["actual@0.5", "actual@1", "actual@1.5"]
    assert budget.ladder[1].on is Basis.ACTUAL
    assert budget.scope_of(Action.LIMIT_CLOUD_RUN) == CloudRunScope(
        projects=("my-product",), regions=("europe-west1",), services=("api", "worker"), max_instances=1
    )
    assert budget.scope_of(Action.NOTIFY) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda b: b["ladder"][0].update(at="0.5"), "ladder[0].at: '0.5' will not do: expected `float`, got `str`"),
        (lambda b: b["ladder"][0].update(at=0), "ladder[0].at: 0 will not do: expected `float` > 0.0"),
        (lambda b: b["ladder"][0].update(at=-1), "ladder[0].at: -1 will not do: expected `float` > 0.0"),
        (
            lambda b: b["ladder"][0].update(at=float("nan")),
            "ladder[0].at: nan will not do: expected `float`, got `null`",
        ),
        (lambda b: b["ladder"][2].pop("at"), "ladder[2].at: None will not do: it is required"),
        (
            lambda b: b["ladder"][1].update(on="actuall"),
            "ladder[1].on: 'actuall' will not do: it is one of actual, forecast, projected",
        ),
        (
            lambda b: b["ladder"][1].update(on=True),
            "ladder[1].on: True will not do: it is one of actual, forecast, projected",
        ),
        (lambda b: b["ladder"][0].update(do=["notfy"]), f"ladder[0].do[0]: 'notfy' will not do: {ACTIONS}"),
        (lambda b: b["ladder"][0].update(do=[]), "ladder[0].do: [] will not do: expected `array` of length >= 1"),
        (
            lambda b: b["ladder"][0].update(do="notify"),
            "ladder[0].do: 'notify' will not do: expected `array`, got `str`",
        ),
        (
            lambda b: b["ladder"][0].update(doo=["notify"]),
            "ladder[0].doo: ['notify'] will not do: there is no such key; did you mean `do`?",
        ),
        (lambda b: b.update(ladder=[]), "ladder: [] will not do: expected `array` of length >= 1"),
        (lambda b: b.update(ladders=[1]), "ladders: [1] will not do: there is no such key; did you mean `ladder`?"),
        (
            lambda b: b.update(xyz=1),
            f"xyz: 1 will not do: there is no such key; {BUDGET_KEYS}",
        ),
        (
            lambda b: b["ladder"].append({"at": 1, "do": ["notify"]}),
            "ladder[3]: 'actual@1' will not do: a rung of its own: this one is there already",
        ),
        (
            lambda b: b["ladder"].append({"at": 2, "on": "forecast", "do": ["detach_billing"]}),
            "ladder[3].on: 'forecast' will not do: `actual`, as the rung does `detach_billing`",
        ),
        (
            lambda b: b["ladder"].append({"at": 2, "on": "projected", "do": ["notify", "detach_billing"]}),
            "ladder[3].on: 'projected' will not do: `actual`, as the rung does `detach_billing`",
        ),
        (
            lambda b: (b.pop("hourly_burn"), b["ladder"].append({"at": 2, "on": "projected", "do": ["notify"]})),
            "hourly_burn: None will not do: a cost for each hour, as the rung projected@2 projects with it",
        ),
        (lambda b: b.update(hourly_burn=0), "hourly_burn: 0 will not do: expected `float` > 0.0"),
        (lambda b: b.pop("currency"), "currency: None will not do: it is required"),
        (lambda b: b.update(currency="usd"), f"currency: 'usd' will not do: {CURRENCY}"),
        (
            lambda b: b.update(billing_account="billingAccounts/0A1B2C-3D4E5F-6A7B8C"),
            f"billing_account: 'billingAccounts/0A1B2C-3D4E5F-6A7B8C' will not do: {ACCOUNT_PATTERN}",
        ),
        (lambda b: b.update(id="a/b"), "id: 'a/b' will not do: expected `str` matching regex '^[A-Za-z0-9-]*$'"),
    ],
)
def test_a_budget_that_will_not_do(change: Callable[[Data], object], said: str) -> None:
    assert complaint(change) == said


NEITHER = "either the names of services, or a `label: key=value`"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda m: m.pop("limit_cloud_run"),
            "limit_cloud_run: None will not do: what limit_cloud_run of the rung actual@1 may touch",
        ),
        (
            lambda m: m.pop("pause_schedules"),
            "pause_schedules: None will not do: what pause_schedules of the rung actual@1 may touch",
        ),
        (
            lambda m: m.pop("detach_billing"),
            "detach_billing: None will not do: what detach_billing of the rung actual@1.5 may touch",
        ),
        (
            lambda m: m["limit_cloud_run"].update(label="team=web"),
            f"limit_cloud_run.services: ['api', 'worker'] will not do: {NEITHER}",
        ),
        (lambda m: m["limit_cloud_run"].pop("services"), f"limit_cloud_run.services: [] will not do: {NEITHER}"),
        (
            lambda m: m["limit_cloud_run"].update(services=[], label="team"),
            f"limit_cloud_run.label: 'team' will not do: {LABEL}",
        ),
        (
            lambda m: m["limit_cloud_run"].update(services=["api", 3]),
            "limit_cloud_run.services[1]: 3 will not do: expected `str`, got `int`",
        ),
        (
            lambda m: m["limit_cloud_run"].update(max_instances=0),
            "limit_cloud_run.max_instances: 0 will not do: expected `int` >= 1",
        ),
        (
            lambda m: m["limit_cloud_run"].update(projects="my-product"),
            "limit_cloud_run.projects: 'my-product' will not do: expected `array`, got `str`",
        ),
        (
            lambda m: m["limit_cloud_run"].update(regions=["europe"]),
            "limit_cloud_run.regions[0]: 'europe' will not do: expected `str` matching regex '^[a-z]+-[a-z]+[0-9]+$'",
        ),
        (
            lambda m: m["pause_schedules"].update(job_prefix=""),
            "pause_schedules.job_prefix: '' will not do: expected `str` of length >= 1",
        ),
        (
            lambda m: m["detach_billing"].update(projects=[]),
            "detach_billing.projects: [] will not do: expected `array` of length >= 1",
        ),
        (
            lambda m: m["detach_billing"].update(projects=["*"]),
            f"detach_billing.projects[0]: '*' will not do: {PROJECT_ID}",
        ),
    ],
)
def test_a_scope_that_will_not_do(change: Callable[[Data], object], said: str) -> None:
    assert complaint(lambda budget: change(budget["may_touch"])) == f"may_touch.{said}"


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (None, "cap_spending: None will not do: expected `object`, got `null`"),
        ({}, "cap_spending.budgets: None will not do: it is required"),
        ({"budgets": None}, "cap_spending.budgets: None will not do: expected `object`, got `null`"),
        ({"budgets": {}, "mode": "off"}, "cap_spending.mode: 'off' will not do: it is one of observe, act"),
        (
            {"budget": {}},
            "cap_spending.budget: {} will not do: there is no such key; did you mean `budgets`?",
        ),
        (
            {"budgets": {"My Budget": a_budget()}},
            f"cap_spending.budgets: 'My Budget' will not do: {KEY}",
        ),
        (
            {"budgets": {"one": a_budget(), "__two__": a_budget()}},
            f"cap_spending.budgets: '__two__' will not do: {KEY}",
        ),
        (
            {"budgets": {"good": a_budget(), "bad": a_budget(currency=3), "worse": a_budget(currency=4)}},
            "cap_spending.budgets.bad.currency: 3 will not do: expected `str`, got `int`",
        ),
        (
            {"budgets": {"one": a_budget(), "two": a_budget()}},
            f"cap_spending.budgets.two.id: '{BUDGET_ID}' will not do: a budget of its own: `one` has this one",
        ),
    ],
)
def test_a_section_that_will_not_do(section: object, said: str) -> None:
    with pytest.raises(SettingsError) as error:
        parse({"cap_spending": section}, "cap_spending", Settings)
    assert str(error.value) == said


def test_two_budgets_may_wait_for_their_ids() -> None:
    section = {"budgets": {"one": a_budget(id=""), "two": a_budget(id="")}}
    waiting = parse({"cap_spending": section}, "cap_spending", Settings).section
    with pytest.raises(SettingsError) as error:
        waiting.check_complete()
    said = "cap_spending.budgets.one.id: '' will not do: the budget's id, given or put in by Terraform"
    assert str(error.value) == said
    settings().check_complete()


def test_a_budget_is_found_by_account_and_id() -> None:
    known = settings()
    assert known.key_of(ACCOUNT, known.budgets["monthly"].id) == "monthly"
    assert known.key_of(ACCOUNT, TEAM_BUDGET_ID) is None
    assert settings(id="").key_of(ACCOUNT, "") is None


@pytest.mark.parametrize(
    ("at", "name"), [(1, "actual@1"), (1.0, "actual@1"), (0.85, "actual@0.85"), (12.5, "actual@12.5")]
)
def test_the_name_of_a_rung(at: float, name: str) -> None:
    rung = Rung(at=at, do=(Action.NOTIFY,))
    assert rung.name == name
    assert rung.ratio == Decimal(str(at))


rungs = some.builds(
    Rung,
    at=some.floats(0.01, 20, allow_nan=False),
    on=some.sampled_from(Basis),
    do=some.lists(some.sampled_from([Action.NOTIFY, Action.GPU_POOLS_OFF, Action.PREVIEWS_OFF]), min_size=1).map(tuple),
)


@given(some.lists(rungs, min_size=1, max_size=4, unique_by=lambda rung: rung.name), some.floats(0.01, 1e6))
def test_settings_survive_a_round_trip(ladder: list[Rung], burn: float) -> None:
    budget = Budget(billing_account=ACCOUNT, id=TEAM_BUDGET_ID, currency="EUR", hourly_burn=burn, ladder=tuple(ladder))
    known = Settings(budgets={"monthly": budget}, wake={"gpu_pools_off": ("projects/p/topics/t",)})
    data = json.loads(msgspec.json.encode({"cap_spending": known}))
    assert parse(data, "cap_spending", Settings).section == known
