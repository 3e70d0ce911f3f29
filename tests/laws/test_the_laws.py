"""The laws themselves: each catches a bug that breaks it, and the others do not cry wolf."""

from pathlib import Path

import pytest

from infra.suite.automations import load_automations
from shared.automation import AnyAutomation
from tests.laws.broken import LawBroken
from tests.laws.case import Case
from tests.laws.laws import LAWS
from tests.laws.planted import PLANTED, Planted
from tests.laws.scenario import load_scenario

PATH = Path(__file__).with_name("planted.yaml")

pytestmark = [pytest.mark.one_python, pytest.mark.no_cover]


def case_of(automation: AnyAutomation) -> Case:
    """An automation in the scenario that is made for planted bugs."""
    name = automation.name
    return Case(automation, load_automations()[name], load_scenario(PATH, name), PATH.stem)


def verdict(law: str, case: Case, parts: list[str]) -> str:
    """The faults that the law reports; none if it holds."""
    try:
        for part in parts:
            LAWS[law].check(case, part)
    except LawBroken as broken:
        return str(broken)
    return ""


@pytest.mark.parametrize("planted", [pytest.param(one, id=one.bug.__name__) for one in PLANTED])
def test_a_planted_bug_breaks_its_law(planted: Planted) -> None:
    case = case_of(planted.bug())
    said = verdict(planted.law, case, LAWS[planted.law].parts(case.scenario))
    assert said.startswith(f"law `{planted.law}` is broken by cap_spending in the scenario `planted`: ")


@pytest.mark.parametrize("planted", [pytest.param(one, id=one.bug.__name__) for one in PLANTED])
def test_a_planted_bug_breaks_no_other_law(planted: Planted) -> None:
    case = case_of(planted.bug())
    others = {name: law.parts(case.scenario)[:1] for name, law in LAWS.items() if name != planted.law}
    verdicts = {law: verdict(law, case, parts) for law, parts in others.items()}
    assert {law for law, said in verdicts.items() if said} == planted.also.keys(), verdicts


def test_every_law_has_a_planted_bug() -> None:
    assert {one.law for one in PLANTED} == LAWS.keys()
