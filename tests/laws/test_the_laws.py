"""The laws themselves: each catches a bug that breaks it, and the others do not cry wolf."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from functions.cap_spending.automation import AUTOMATION
from infra.suite.automations import load_automations
from shared.automation import AnyAutomation
from tests.laws.broken import LawBroken
from tests.laws.case import Case
from tests.laws.laws import LAWS
from tests.laws.planted import PLANTED, Planted
from tests.laws.scenario import Refusal, load_scenario

PATH = Path(__file__).with_name("planted.yaml")
REFUSAL = Refusal(
    calls="Services/ListServices",
    names="projects/my-product/locations/europe-north1",
    code="PERMISSION_DENIED",
    message="Permission 'run.services.list' denied",
)

pytestmark = [pytest.mark.one_python, pytest.mark.no_cover]


def case_of(automation: AnyAutomation) -> Case:
    """An automation in the scenario that is made for planted bugs."""
    name = automation.name
    return Case(automation, load_automations()[name], load_scenario(PATH, name), PATH.stem)


def refused_case_of(automation: AnyAutomation) -> Case:
    """The same, but one of two regions is refused for good, so that runs fail."""
    case = case_of(automation)
    scenario = msgspec.structs.replace(case.scenario, refused=(REFUSAL,))
    return dataclasses.replace(case, scenario=scenario)


def verdict(law: str, case: Case, parts: list[str]) -> str:
    """The faults that the law reports; none if it holds."""
    try:
        for part in parts:
            LAWS[law].check(case, part)
    except LawBroken as broken:
        return str(broken)
    return ""


@pytest.mark.parametrize("case_of", [case_of, refused_case_of])
@pytest.mark.parametrize("planted", [pytest.param(one, id=one.bug.__name__) for one in PLANTED])
def test_a_planted_bug_breaks_its_law(planted: Planted, case_of: Callable[[AnyAutomation], Case]) -> None:
    case = case_of(planted.bug())
    said = verdict(planted.law, case, LAWS[planted.law].parts(case.scenario))
    assert said.startswith(f"law `{planted.law}` is broken by cap_spending in the scenario `planted`: ")


@pytest.mark.parametrize("planted", [pytest.param(one, id=one.bug.__name__) for one in PLANTED])
def test_a_planted_bug_breaks_no_other_law(planted: Planted) -> None:
    case = case_of(planted.bug())
    others = {name: law.parts(case.scenario)[:1] for name, law in LAWS.items() if name != planted.law}
    verdicts = {law: verdict(law, case, parts) for law, parts in others.items()}
    assert {law for law, said in verdicts.items() if said} == planted.also.keys(), verdicts


@pytest.mark.parametrize("law", LAWS)
def test_every_law_holds_where_something_is_refused_for_good(law: str) -> None:
    case = refused_case_of(AUTOMATION)
    assert verdict(law, case, LAWS[law].parts(case.scenario)) == ""


def test_every_law_has_a_planted_bug() -> None:
    assert {one.law for one in PLANTED} == LAWS.keys()
