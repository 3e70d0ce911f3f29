"""Every law, held against every automation in each of its scenarios."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.suite.automations import PATH, ROOT, load_automations
from infra.suite.loading import load_automation
from tests.laws.case import Case
from tests.laws.law import WHOLE
from tests.laws.laws import LAWS
from tests.laws.least_privilege import granted_permissions, used_permissions
from tests.laws.scenario import ScenarioError, load_scenario, scenario_files

AUTOMATIONS = load_automations()


@dataclass(frozen=True)
class Trial:
    """One law and one part of one scenario of one automation."""

    law: str
    automation: str
    path: Path
    part: str

    def __str__(self) -> str:
        return "-".join((self.law, self.automation, self.path.stem, *([] if self.part == WHOLE else [self.part])))


def trials() -> Iterator[Trial]:
    """Everything that is held against a law. A scenario that cannot be read fails in the test that reads it."""
    for automation in AUTOMATIONS:
        for path in scenario_files(automation):
            for law in LAWS.values():
                try:
                    parts = law.parts(load_scenario(path, automation))
                except ScenarioError:
                    parts = [WHOLE]
                for part in parts:
                    yield Trial(law.name, automation, path, part)


NOT_MEASURED = (pytest.mark.no_cover,)
"""Measuring the coverage doubles a law's time, and what only laws run over is not tested closely enough to count."""
ON_ONE_PYTHON = (pytest.mark.one_python, *NOT_MEASURED)


def marked(trial: Trial) -> object:
    """The trial as a parameter of a test."""
    return pytest.param(trial, id=str(trial), marks=NOT_MEASURED if LAWS[trial.law].on_every_python else ON_ONE_PYTHON)


def case_of(automation: str, path: Path) -> Case:
    """An automation in one of its scenarios."""
    return Case(load_automation(automation), AUTOMATIONS[automation], load_scenario(path, automation), path.stem)


@pytest.mark.parametrize("trial", [marked(trial) for trial in trials()])
def test_law(trial: Trial) -> None:
    if reason := AUTOMATIONS[trial.automation].laws_that_do_not_apply.get(trial.law):
        pytest.skip(reason)
    case = case_of(trial.automation, trial.path)
    if reason := case.scenario.laws_that_do_not_apply.get(trial.law):
        pytest.skip(reason)
    LAWS[trial.law].check(case, trial.part)


@pytest.mark.parametrize("automation", AUTOMATIONS)
def test_every_automation_supplies_scenarios(automation: str) -> None:
    if AUTOMATIONS[automation].laws_that_do_not_apply.keys() >= LAWS.keys():
        pytest.skip("no law applies to it")
    folder = ROOT / "functions" / automation / "scenarios"
    assert scenario_files(automation), f"add a scenario for {automation} as {folder}/NAME.yaml: see docs/laws.md"


@pytest.mark.parametrize("automation", AUTOMATIONS)
def test_laws_that_do_not_apply_are_laws_and_have_a_reason(automation: str) -> None:
    excused = AUTOMATIONS[automation].laws_that_do_not_apply
    unknown = excused.keys() - LAWS.keys()
    assert not unknown, f"{PATH.name}: {automation}.laws_that_do_not_apply: {unknown} are no laws: {', '.join(LAWS)}"
    assert all(reason.strip() for reason in excused.values())


@pytest.mark.one_python
@pytest.mark.no_cover
@pytest.mark.parametrize("automation", AUTOMATIONS)
def test_a_law_that_does_not_apply_to_a_scenario_does_to_another(automation: str) -> None:
    scenarios = [load_scenario(path, automation) for path in scenario_files(automation)]
    excused = [scenario.laws_that_do_not_apply.keys() for scenario in scenarios]
    assert set().union(*excused) <= LAWS.keys()
    assert not excused or not set.intersection(*map(set, excused))


@pytest.mark.one_python
@pytest.mark.no_cover
@pytest.mark.parametrize("automation", AUTOMATIONS)
def test_every_permission_is_needed(automation: str) -> None:
    entry = AUTOMATIONS[automation]
    if "least_privilege" in entry.laws_that_do_not_apply:
        pytest.skip(entry.laws_that_do_not_apply["least_privilege"])
    used = {name for path in scenario_files(automation) for name in used_permissions(case_of(automation, path))}
    unused = [permission for permission in granted_permissions(entry) if permission not in used]
    assert not unused, f"{PATH.name} grants {automation} what no scenario needs: {', '.join(unused)}"
