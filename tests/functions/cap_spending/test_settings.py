"""Valid settings, and the errors for invalid ones: key, value, remedy."""

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
from tests.wrong_settings import parts_of

Data = dict[str, Any]
CURRENCY = r"text such as USD matching ^[A-Z]{3}$"
ACCOUNT_PATTERN = r"text such as 0A1B2C-3D4E5F-6A7B8C matching ^[0-9A-Z]{6}-[0-9A-Z]{6}-[0-9A-Z]{6}$"
LABEL = r"text such as team=research matching ^([a-z][a-z0-9_-]*=[a-z0-9_-]*)?$"
PROJECT_ID = "text such as my-product matching ^[a-z][a-z0-9-]{4,28}[a-z0-9]$"
KEY = r"text such as my-key matching ^[a-z0-9][a-z0-9_-]*$"
TWO_CURRENCIES = ("bad.currency: 3", "worse.currency: 4")
BUDGET_KEYS = "one of billing_account, id, currency, hourly_burn, ladder, may_touch"
ACTIONS = "notify, limit_cloud_run, pause_schedules, gpu_pools_off, previews_off, pause_usage or detach_billing"


def complaint(change: Callable[[Data], object]) -> str:
    """The error for the usual settings after a change of the budget `monthly`."""
    budget = copy.deepcopy(a_budget(hourly_burn=2.5))
    change(budget)
    with pytest.raises(SettingsError) as error:
        parse({"mode": "act", "cap_spending": {"budgets": {"monthly": budget}}}, "cap_spending", Settings)
    return parts_of(error.value).removeprefix("cap_spending.budgets.monthly.")


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
        (
            lambda b: b["ladder"][0].update(at="0.5"),
            "ladder[0].at: '0.5'; expected a number greater than 0 (did you mean 0.5, without quotes?)",
        ),
        (lambda b: b["ladder"][0].update(at=0), "ladder[0].at: 0; expected a number greater than 0"),
        (lambda b: b["ladder"][0].update(at=-1), "ladder[0].at: -1; expected a number greater than 0"),
        (
            lambda b: b["ladder"][0].update(at=float("nan")),
            "ladder[0].at: nan; expected a number greater than 0",
        ),
        (
            lambda b: b["ladder"][2].pop("at"),
            "ladder[2].at: None; expected a ratio of the budget's amount, such as 0.8 for 80 %",
        ),
        (
            lambda b: b["ladder"].append({"at": 1, "on": "anomaly", "do": ["notify"]}),
            "ladder[3].at: 1.0; expected `at_least: AMOUNT` instead, because the rung is `on: anomaly`",
        ),
        (
            lambda b: b["ladder"].append({"on": "anomaly", "do": ["notify"]}),
            "ladder[3].at_least: None; expected an amount in the budget's currency, for `on: anomaly`",
        ),
        (
            lambda b: b["ladder"][0].update(at_least=100),
            "ladder[0].at_least: 100.0; expected it only with `on: anomaly`, not `on: actual`",
        ),
        (
            lambda b: b["ladder"][0].update(project_numbers=["7"]),
            "ladder[0].project_numbers: ['7']; expected it only with `on: anomaly`, not `on: actual`",
        ),
        (
            lambda b: b["ladder"].append({"at_least": 100, "on": "anomaly", "do": ["detach_billing"]}),
            "ladder[3].on: 'anomaly'; expected actual, because the rung does detach_billing",
        ),
        (
            lambda b: b["ladder"][1].update(on="actuall"),
            "ladder[1].on: 'actuall'; expected actual, forecast, projected or anomaly (did you mean actual?)",
        ),
        (
            lambda b: b["ladder"][1].update(on=True),
            "ladder[1].on: True; expected actual, forecast, projected or anomaly",
        ),
        (
            lambda b: b["ladder"][0].update(do=["notfy"]),
            f"ladder[0].do[0]: 'notfy'; expected {ACTIONS} (did you mean notify?)",
        ),
        (lambda b: b["ladder"][0].update(do=[]), "ladder[0].do: []; expected a list of at least 1 entry"),
        (
            lambda b: b["ladder"][0].update(do="notify"),
            "ladder[0].do: 'notify'; expected a list of at least 1 entry (did you mean [notify]?)",
        ),
        (
            lambda b: b["ladder"][0].update(doo=["notify"]),
            "ladder[0].doo: ['notify']; did you mean do?",
        ),
        (lambda b: b.update(ladder=[]), "ladder: []; expected a list of at least 1 entry"),
        (lambda b: b.update(ladders=[1]), "ladders: [1]; did you mean ladder?"),
        (
            lambda b: b.update(xyz=1),
            f"xyz: 1; expected {BUDGET_KEYS}",
        ),
        (
            lambda b: b["ladder"].append({"at": 1, "do": ["notify"]}),
            "ladder[3]: 'actual@1'; expected a rung that is not listed twice",
        ),
        (
            lambda b: b["ladder"].append({"at": 2, "on": "forecast", "do": ["detach_billing"]}),
            "ladder[3].on: 'forecast'; expected actual, because the rung does detach_billing",
        ),
        (
            lambda b: b["ladder"].append({"at": 2, "on": "projected", "do": ["notify", "detach_billing"]}),
            "ladder[3].on: 'projected'; expected actual, because the rung does detach_billing",
        ),
        (
            lambda b: (b.pop("hourly_burn"), b["ladder"].append({"at": 2, "on": "projected", "do": ["notify"]})),
            "hourly_burn: None; expected the cost of an hour, because the rung projected@2 needs it",
        ),
        (lambda b: b.update(hourly_burn=0), "hourly_burn: 0; expected a number greater than 0"),
        (lambda b: b.pop("currency"), f"currency: None; expected {CURRENCY}"),
        (lambda b: b.update(currency="usd"), f"currency: 'usd'; expected {CURRENCY}"),
        (
            lambda b: b.update(billing_account="billingAccounts/0A1B2C-3D4E5F-6A7B8C"),
            f"billing_account: 'billingAccounts/0A1B2C-3D4E5F-6A7B8C'; expected {ACCOUNT_PATTERN}",
        ),
        (
            lambda b: b.update(id="a/b"),
            "id: 'a/b'; expected text such as 8f3d2c1b-0a9e-4d5c-8b7a-6f5e4d3c2b1a matching ^[A-Za-z0-9-]*$",
        ),
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
            "limit_cloud_run: None; expected what limit_cloud_run of the rung actual@1 may touch",
        ),
        (
            lambda m: m.pop("pause_schedules"),
            "pause_schedules: None; expected what pause_schedules of the rung actual@1 may touch",
        ),
        (
            lambda m: m.pop("detach_billing"),
            "detach_billing: None; expected what detach_billing of the rung actual@1.5 may touch",
        ),
        (
            lambda m: m["limit_cloud_run"].update(label="team=web"),
            f"limit_cloud_run.services: ['api', 'worker']; expected {NEITHER}",
        ),
        (lambda m: m["limit_cloud_run"].pop("services"), f"limit_cloud_run.services: []; expected {NEITHER}"),
        (
            lambda m: m["limit_cloud_run"].update(services=[], label="team"),
            f"limit_cloud_run.label: 'team'; expected {LABEL}",
        ),
        (
            lambda m: m["limit_cloud_run"].update(services=["api", 3]),
            "limit_cloud_run.services[1]: 3; expected text",
        ),
        (
            lambda m: m["limit_cloud_run"].update(max_instances=0),
            "limit_cloud_run.max_instances: 0; expected a whole number of at least 1",
        ),
        (
            lambda m: m["limit_cloud_run"].update(projects="my-product"),
            "limit_cloud_run.projects: 'my-product'; expected a list of at least 1 entry (did you mean [my-product]?)",
        ),
        (
            lambda m: m["limit_cloud_run"].update(regions=["europe"]),
            "limit_cloud_run.regions[0]: 'europe'; expected text such as europe-west1 matching ^[a-z]+-[a-z]+[0-9]+$",
        ),
        (
            lambda m: m["pause_schedules"].update(job_prefix=""),
            "pause_schedules.job_prefix: ''; expected text of at least 1 character",
        ),
        (
            lambda m: m["detach_billing"].update(projects=[]),
            "detach_billing.projects: []; expected a list of at least 1 entry",
        ),
        (
            lambda m: m["detach_billing"].update(projects=["*"]),
            f"detach_billing.projects[0]: '*'; expected {PROJECT_ID}",
        ),
    ],
)
def test_a_scope_that_will_not_do(change: Callable[[Data], object], said: str) -> None:
    assert complaint(lambda budget: change(budget["may_touch"])) == f"may_touch.{said}"


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (None, "cap_spending: None; expected a mapping with budgets"),
        ({}, "cap_spending.budgets: None; expected a mapping"),
        ({"budgets": None}, "cap_spending.budgets: None; expected a mapping"),
        ({"budgets": {}, "mode": "off"}, "cap_spending.mode: 'off'; expected observe or act"),
        (
            {"budget": {}},
            "cap_spending.budget: {}; did you mean budgets?",
        ),
        (
            {"budgets": {"My Budget": a_budget()}},
            f"cap_spending.budgets.My Budget: 'My Budget'; expected {KEY}",
        ),
        (
            {"budgets": {"one": a_budget(), "__two__": a_budget()}},
            f"cap_spending.budgets.__two__: '__two__'; expected {KEY}",
        ),
        (
            {"budgets": {"good": a_budget(), "bad": a_budget(currency=3), "worse": a_budget(currency=4)}},
            "\n".join(f"cap_spending.budgets.{key}; expected {CURRENCY}" for key in TWO_CURRENCIES),
        ),
        (
            {"budgets": {"one": a_budget(), "two": a_budget()}},
            f"cap_spending.budgets.two.id: '{BUDGET_ID}'; expected a budget that no other key has: `one` has it",
        ),
    ],
)
def test_a_section_that_will_not_do(section: object, said: str) -> None:
    with pytest.raises(SettingsError) as error:
        parse({"cap_spending": section}, "cap_spending", Settings)
    assert parts_of(error.value) == said


def test_two_budgets_may_wait_for_their_ids() -> None:
    section = {"budgets": {"one": a_budget(id=""), "two": a_budget(id="")}}
    waiting = parse({"cap_spending": section}, "cap_spending", Settings).section
    with pytest.raises(SettingsError) as error:
        waiting.check_complete()
    assert error.value.key == "cap_spending.budgets.one.id"
    assert error.value.expected == "the budget's id, or a budget in deployment.yaml that Terraform creates"
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


@pytest.mark.parametrize(("amount", "name"), [(100, "anomaly@100"), (0.5, "anomaly@0.5"), (1500000, "anomaly@1500000")])
def test_the_name_of_a_rung_for_anomalies(amount: float, name: str) -> None:
    assert Rung(on=Basis.ANOMALY, at_least=amount, do=(Action.NOTIFY,)).name == name


actions = some.lists(some.sampled_from([Action.NOTIFY, Action.GPU_POOLS_OFF, Action.PREVIEWS_OFF]), min_size=1)
rungs = some.builds(
    Rung,
    at=some.floats(0.01, 20, allow_nan=False),
    on=some.sampled_from([one for one in Basis if one is not Basis.ANOMALY]),
    do=actions.map(tuple),
) | some.builds(
    Rung, at_least=some.floats(0.01, 1e9, allow_nan=False), on=some.just(Basis.ANOMALY), do=actions.map(tuple)
)


@given(some.lists(rungs, min_size=1, max_size=4, unique_by=lambda rung: rung.name), some.floats(0.01, 1e6))
def test_settings_survive_a_round_trip(ladder: list[Rung], burn: float) -> None:
    budget = Budget(billing_account=ACCOUNT, id=TEAM_BUDGET_ID, currency="EUR", hourly_burn=burn, ladder=tuple(ladder))
    known = Settings(budgets={"monthly": budget}, wake={"gpu_pools_off": ("projects/p/topics/t",)})
    data = json.loads(msgspec.json.encode({"cap_spending": known}))
    assert parse(data, "cap_spending", Settings).section == known
