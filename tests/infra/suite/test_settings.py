"""The owner's settings as a whole: files, keys, the schema for editors, and the files that come with the project."""

import json
from pathlib import Path
from typing import Any

import pytest

from functions.cap_spending.settings import Settings
from infra.suite.automations import ROOT, load_functions
from infra.suite.settings import EXAMPLES, check, json_schema, load_caretaker_yaml, schema_text, sections
from shared.errors import SettingsError
from shared.settings import Mode, parse
from tests.wrong_settings import parts_of

MONTHLY = "cap_spending.budgets.monthly"
SCHEDULES = f"{MONTHLY}.may_touch.pause_schedules"
GOOD = (EXAMPLES / "caretaker.yaml").read_text(encoding="utf-8")


def complaint(tmp_path: Path, text: str | bytes) -> str:
    """The error for an invalid file, without its place."""
    path = tmp_path / "mine.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingsError) as error:
        load_caretaker_yaml(path)
    return parts_of(error.value).replace(str(path), "mine.yaml")


@pytest.mark.parametrize("path", [EXAMPLES / "caretaker.yaml", ROOT / "local" / "story" / "caretaker.yaml"])
def test_the_settings_that_come_with_the_project_are_good(path: Path) -> None:
    data = load_caretaker_yaml(path)
    section = parse(data, "cap_spending", Settings).section
    section.check_complete()
    assert section.budgets


def test_the_project_as_it_comes_observes_and_detaches_nothing() -> None:
    configuration = parse(load_caretaker_yaml(EXAMPLES / "caretaker.yaml"), "cap_spending", Settings)
    assert configuration.mode is Mode.OBSERVE
    assert [budget.may_touch.detach_billing for budget in configuration.section.budgets.values()] == [None]


def test_the_schema_knows_every_key_and_no_other() -> None:
    schema: Any = json.loads(schema_text())
    whole = schema["$defs"]["Caretaker"] if "$defs" in schema and "Caretaker" in schema["$defs"] else schema
    assert set(whole["properties"]) == {"mode", *load_functions()}
    assert whole["additionalProperties"] is False
    rung = schema["$defs"]["Rung"]
    assert (set(rung["properties"]), rung["required"]) == ({"at", "on", "at_least", "project_numbers", "do"}, ["do"])
    assert rung["additionalProperties"] is False
    assert schema["$defs"]["Basis"]["enum"] == ["actual", "anomaly", "forecast", "projected"]
    assert json_schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_every_automation_has_settings_of_its_own() -> None:
    assert list(sections()) == list(load_functions())
    assert all(section.__module__ == f"functions.{name}.settings" for name, section in sections().items())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ": None; expected `mode` and a section for each automation"),
        ("- act", ": None; expected `mode` and a section for each automation"),
        (
            "cap_spendng: {}",
            "cap_spendng: {}; did you mean cap_spending?",
        ),
        ("mode: act\ncap_spending:", "cap_spending: None; expected a mapping with budgets"),
        ("mode: off\ncap_spending: {budgets: {}}", "mode: 'off'; expected observe or act"),
        ("mode: off", "mode: 'off'; expected observe or act"),
        (
            GOOD.replace("on: forecast", "on: yes"),
            "cap_spending.budgets.monthly.ladder[1].on: 'yes'; expected actual, forecast, projected or anomaly",
        ),
        (
            GOOD.replace("at: 0.5", "at: 50 %"),
            "cap_spending.budgets.monthly.ladder[0].at: '50 %'; expected a number greater than 0",
        ),
        (
            GOOD.replace("at: 0.5", "at: 2026-11-01"),
            f"{MONTHLY}.ladder[0].at: '2026-11-01'; expected a number greater than 0",
        ),
        (
            GOOD.replace("job_prefix", "prefix"),
            f"{SCHEDULES}.prefix: 'batch-'; did you mean job_prefix?",
        ),
    ],
)
def test_a_file_that_will_not_do(tmp_path: Path, text: str, said: str) -> None:
    assert complaint(tmp_path, text) == said


def test_a_mode_alone_is_good() -> None:
    check({"mode": "act"})
    check({})
