"""Laws hold for records that lie in parts: the bound is so low that those of these scenarios do."""

from dataclasses import replace

import pytest

from infra.suite.automations import ROOT
from shared.state import State
from tests.laws.harness import Stage
from tests.laws.law import WHOLE
from tests.laws.laws import LAWS
from tests.laws.test_laws import case_of

pytestmark = [pytest.mark.one_python, pytest.mark.no_cover]

SPLIT_ABOVE = 300


@pytest.mark.parametrize(
    ("automation", "scenario", "event"),
    [("cap_spending", "two_budgets", "next_interval"), ("manage_previews", "two_repositories", "pause")],
)
def test_crashes_and_other_versions_of_records_in_parts(automation: str, scenario: str, event: str) -> None:
    path = ROOT / "functions" / automation / "scenarios" / f"{scenario}.yaml"
    case = replace(case_of(automation, path), split_above=SPLIT_ABOVE)
    with Stage(case, "in_parts", is_by_wire=False) as stage:
        stage.play(case.scenario.events)
        assert len(State(stage.clients).read(f"records/{automation}")[0].parts) > 1
    LAWS["versions"].check(case, WHOLE)
    LAWS["crash_equivalence"].check(case, event)
