"""`deployment.yaml` beside `caretaker.yaml`: its errors, and the variables that Terraform gets."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from infra.suite.deployment import Deployment, NewBudget, Suite, load_deployment, load_suite, variables, write_variables
from infra.suite.settings import EXAMPLES, load_caretaker_yaml
from shared.errors import SettingsError
from tests.wrong_settings import parts_of

MONTHLY = "cap_spending.budgets.monthly"


def example() -> dict[str, Any]:
    """The example's settings, as JSON has them."""
    owner: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(load_caretaker_yaml(EXAMPLES / "caretaker.yaml")))
    return owner


def must_say(said: str, owner: dict[str, Any], text: str, folder: Path) -> None:
    """Hold these settings, with this in `deployment.yaml`, against what is to be said of them: nothing, if they do."""
    settings, deployment = folder / "caretaker.yaml", folder / "deployment.yaml"
    settings.write_text(json.dumps(owner))
    deployment.write_text(f"project: my-caretaker\n{text}\n")
    if not said:
        load_suite(deployment, settings)
        return
    with pytest.raises(SettingsError) as error:
        load_suite(deployment, settings)
    assert said in parts_of(error.value)


def test_the_example_can_be_deployed() -> None:
    suite = load_suite(EXAMPLES / "deployment.yaml", EXAMPLES / "caretaker.yaml")
    assert suite.deployment == load_deployment(EXAMPLES / "deployment.yaml")
    assert suite.deployment.bucket == "my-caretaker-caretaker-state"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ": None; expected `project` and where to deploy"),
        ("region: europe-west1", "project: None; expected text such as my-product"),
        ("project: My Project", "project: 'My Project'; expected text such as my-product"),
        ("{project: my-caretaker, region: europe-west1-b}", "region: 'europe-west1-b';"),
        ("{project: my-caretaker, firestore_location: europe}", "firestore_location: 'europe';"),
        ("{project: my-caretaker, alerts: {emails: [oncall]}}", "alerts.emails[0]: 'oncall';"),
        ("{project: my-caretaker, alerts: {slack: ['#ops']}}", "alerts.slack[0]: '#ops';"),
        ("{project: my-caretaker, report: {image: x/y, viewers: []}}", "report.viewers: [];"),
        ("{project: my-caretaker, report: {image: x/y, viewers: [allUsers]}}", "report.viewers[0]: 'allUsers';"),
        (
            "{project: my-caretaker, report: {image: x/y, viewers: ['group:a@b.c'], time_zone: Berlin}}",
            "report.time_zone: 'Berlin';",
        ),
        ("{project: my-caretaker, budgets: {m: {amount: 0}}}", "budgets.m.amount: 0;"),
        (
            "{project: my-caretaker, budgets: {m: {amount: 99.996}}}",
            "budgets.m.amount: 99.996; expected an amount to the cent, such as 100.00",
        ),
        (
            "{project: my-caretaker, regon: x}",
            "regon: 'x'; did you mean region?",
        ),
        ("project: [", ": 'project: ['; close it"),
    ],
)
def test_a_deployment_that_will_not_do(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "d.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError) as error:
        load_deployment(path)
    assert said in parts_of(error.value)


def test_a_deployment_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot read .*nowhere.yaml: no such file"):
        load_deployment(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    ("id_", "budgets", "said"),
    [
        (None, "", f"{MONTHLY}.id: None; expected the id of an existing budget, or budgets.monthly.amount"),
        (None, "budgets: {yearly: {amount: 1}}", "budgets.yearly: 'yearly'; expected a key of cap_spending.budgets"),
        (
            "8f3d",
            "budgets: {monthly: {amount: 1}}",
            "budgets.monthly: 'monthly'; delete it, or cap_spending.budgets.monthly.id",
        ),
        (None, "budgets: {monthly: {amount: 400}}", ""),
        ("8f3d", "", ""),
    ],
)
def test_each_budget_is_there_or_is_made(tmp_path: Path, id_: str | None, budgets: str, said: str) -> None:
    owner = example()
    owner["cap_spending"]["budgets"]["monthly"].pop("id")
    if id_:
        owner["cap_spending"]["budgets"]["monthly"]["id"] = id_
    must_say(said, owner, f"{budgets}", tmp_path)


@pytest.mark.parametrize(
    ("secrets", "said"),
    [
        ("{session-key: {}}", ""),
        ("{session-key: {locations: [europe-west1]}}", ""),
        (
            "{session: {}}",
            "secrets.session: 'session'; expected a key of rotate_secrets.secrets in caretaker.yaml: session-key",
        ),
        (
            "{own: {}}",
            "secrets.own: 'projects/my-caretaker/secrets/caretaker-github-webhook'; delete it: Caretaker creates",
        ),
    ],
)
def test_each_secret_that_is_made_is_one_that_is_rotated(tmp_path: Path, secrets: str, said: str) -> None:
    owner = example()
    own = "projects/my-caretaker/secrets/caretaker-github-webhook"
    owner["rotate_secrets"]["secrets"]["own"] = owner["rotate_secrets"]["secrets"]["session-key"] | {"secret": own}
    must_say(said, owner, f"secrets: {secrets}", tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("act_as: {rotate: []}", "act_as.rotate: 'rotate'; expected an automation: cap_spending, "),
        ("images_of: {rotate: []}", "images_of.rotate: 'rotate'; expected an automation: cap_spending, "),
        ("images_of: {rotate_secrets: [images]}", "images_of.rotate_secrets[0]: 'images';"),
        (
            "buckets: {backups: my-product}",
            "buckets.backups: 'backups'; expected a bucket of caretaker.yaml",
        ),
    ],
)
def test_what_is_granted_besides_is_for_what_there_is(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "deployment.yaml"
    path.write_text(f"project: my-caretaker\n{text}\n")
    with pytest.raises(SettingsError) as error:
        load_suite(path, EXAMPLES / "caretaker.yaml")
    assert said in parts_of(error.value)


def test_the_example_will_do_for_one_automation_alone(tmp_path: Path) -> None:
    settings = tmp_path / "caretaker.yaml"
    settings.write_text(json.dumps({"receive_github": {"repositories": ["my-team/my-product"]}}))
    assert load_suite(EXAMPLES / "deployment.yaml", settings).automations == ["receive_github"]


def test_what_the_example_adds_to_what_its_settings_name() -> None:
    suite = load_suite(EXAMPLES / "deployment.yaml", EXAMPLES / "caretaker.yaml")
    assert suite.scope("prune_backups").buckets == {"my-product-backups": "my-product"}
    rotating = suite.scope("rotate_secrets")
    assert rotating.repositories == ("projects/my-product/locations/europe-west1/repositories/images",)
    assert "artifactregistry.repositories.downloadArtifacts" in rotating.permissions_by_project()["my-product"]
    assert {name for name in suite.automations if suite.scope(name).accounts} == {
        "cap_spending",
        "manage_previews",
        "rotate_secrets",
        "scale_gpu_pools",
    }


def test_settings_without_an_automation_and_ones_that_are_too_large(tmp_path: Path) -> None:
    settings, deployment = tmp_path / "caretaker.yaml", tmp_path / "deployment.yaml"
    deployment.write_text("project: my-caretaker\n")
    settings.write_text("mode: act\n")
    with pytest.raises(SettingsError, match=r"found no automation .*; expected a section for at least one"):
        load_suite(deployment, settings)
    repositories = [f"my-team/{number:030}" for number in range(1000)]
    settings.write_text(json.dumps({"receive_github": {"repositories": repositories}}))
    with pytest.raises(SettingsError, match=r"'\d+ bytes' for receive_github in .*; expected at most 30000"):
        load_suite(deployment, settings)


def test_what_terraform_is_given(tmp_path: Path) -> None:
    owner = {"mode": "act", "receive_github": {"repositories": ["my-team/my-product"]}}
    deployment = Deployment(project="my-caretaker", budgets={}, organization="123456789012")
    suite = Suite(deployment, owner)
    given = variables(suite, {"receive_github": Path("/anywhere/receive_github-0123456789abcdef.zip")})
    assert (given["project_id"], given["organization"], given["bundles"], given["settings"]) == (
        "my-caretaker",
        "123456789012",
        {"receive_github": "dist/receive_github-0123456789abcdef.zip"},
        owner,
    )
    write_variables(suite, {}, tmp_path)
    (path,) = tmp_path.iterdir()
    assert json.loads(path.read_text())["settings"] == owner


def test_terraform_is_given_settings_as_they_were_read() -> None:
    owner = load_caretaker_yaml(EXAMPLES / "caretaker.yaml")
    given: Any = msgspec.json.decode(
        msgspec.json.encode(variables(Suite(Deployment(project="my-caretaker"), owner), {}))
    )
    rungs = given["settings"]["cap_spending"]["budgets"]["monthly"]["ladder"]
    assert [rung["on"] for rung in rungs] == [
        "actual",
        "forecast",
        "actual",
        "anomaly",
    ]  # no boolean, as YAML 1.1 would have it
    assert given["settings"]["scale_gpu_pools"]["pools"]["training"]["hours"]["holidays"] == ["2026-12-25"]


def test_a_budgets_defaults_are_terraforms_too() -> None:
    given = msgspec.to_builtins(Deployment(project="my-caretaker", budgets={"monthly": NewBudget(amount=400)}))
    assert given["budgets"] == {"monthly": {"amount": 400.0, "projects": (), "display_name": None}}
