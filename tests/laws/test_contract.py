"""The contract of an automation (`shared/automation.py`), held by all of them in every scenario."""

import ast
import importlib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from infra.suite.automations import load_automations
from shared.automation import AnyAutomation, RunContext
from shared.decision import Change
from shared.world import World
from tests.laws.case import Case
from tests.laws.harness import Stage
from tests.laws.scenario import load_scenario, scenario_files

AUTOMATIONS = list(load_automations())
SCENARIOS = [(name, path) for name in AUTOMATIONS for path in scenario_files(name)]


class Counted:
    """An automation that counts its looks and decisions."""

    def __init__(self, automation: AnyAutomation) -> None:
        self.looks = 0
        self.decisions = 0
        self._is_looking = False
        self._automation = automation

    def needs(self, context: RunContext[Any, Any, Any], world: World) -> Any:
        """A look begins with the first needs after a decision."""
        self.looks += not self._is_looking
        self._is_looking = True
        return self._automation.needs(context, world)

    def decide(self, *arguments: Any) -> Any:
        """One decision."""
        self.decisions += 1
        self._is_looking = False
        return self._automation.decide(*arguments)


@pytest.mark.one_python
@pytest.mark.no_cover
@pytest.mark.parametrize(("name", "path"), SCENARIOS, ids=[f"{name}-{path.stem}" for name, path in SCENARIOS])
def test_a_look_leads_to_one_decision(name: str, path: Path) -> None:
    entry = load_automations()[name]
    automation = importlib.import_module(f"functions.{name}.automation").AUTOMATION
    counted = Counted(automation)
    counting = msgspec.structs.replace(automation, needs=counted.needs, decide=counted.decide)
    with Stage(Case(counting, entry, load_scenario(path, name), path.stem), "contract", is_by_wire=False) as stage:
        for event in stage.scenario.events:
            stage.deliver_until_acknowledged(event)
        stage.tick()
    assert counted.decisions == counted.looks > 0


@pytest.mark.parametrize("name", AUTOMATIONS)
def test_every_guard_that_a_change_names_exists(name: str) -> None:
    automation: AnyAutomation = importlib.import_module(f"functions.{name}.automation").AUTOMATION
    kinds = _descendants(Change)
    named = {kind.guard for kind in kinds if kind.guard and kind.__module__.startswith(f"functions.{name}.")}
    assert named <= automation.guards.keys()


@pytest.mark.parametrize("name", AUTOMATIONS)
def test_the_folder_has_the_rooms_of_the_contract_and_main_is_only_the_entry_point(name: str) -> None:
    folder = Path(str(importlib.import_module(f"functions.{name}").__file__)).parent
    rooms = {path.name for path in folder.glob("*.py")}
    assert {"automation.py", "cloud.py", "decide.py", "main.py", "needs.py"} <= rooms
    defined = [
        statement.name
        for statement in ast.parse((folder / "main.py").read_text()).body
        if isinstance(statement, ast.FunctionDef | ast.ClassDef)
    ]
    assert defined == [name]
    # It has what the automation has, which is imported for messages of its own alone.
    automation: AnyAutomation = importlib.import_module(f"functions.{name}.automation").AUTOMATION
    own = (
        importlib.import_module(f"functions.{name}.settings").Settings,
        importlib.import_module(f"functions.{name}.parse").parse,
    )
    assert (automation.name, automation.section, automation.parse) == (name, *own)
    assert f'EntryPoint("{name}", Settings, parse)' in (folder / "main.py").read_text()


def _descendants(kind: type[Change]) -> set[type[Change]]:
    return {kind}.union(*(_descendants(one) for one in kind.__subclasses__()))
