"""Invalid scenarios: the error names the file, the key and the remedy."""

from pathlib import Path

import pytest

from infra.suite.automations import ROOT
from tests.laws.scenario import ScenarioError, load_scenario

GOOD = (ROOT / "tests" / "laws" / "planted.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("look_alikes:\n", "lookalikes:\n", r"unknown key lookalikes in .* line \d+; did you mean look_alikes\?"),
        ("canary: planted-canary-9e1f\n", "", r"missing required key canary in .*; expected text"),
        (
            "data: {type: undo}",
            "",
            r"missing required key undo\.data in .* line \d+; expected either `data` .* or `text`",
        ),
        (
            "data: {type: undo}",
            "data: {type: undo}\n  text: hello",
            r"for undo\.data in .* line \d+; expected either `data`",
        ),
        (
            "name: stale",
            "name: passed",
            r"invalid value 'passed' for events\[1\]\.name in .* line \d+; expected a name of its own",
        ),
        ("now: 2026-11-20T12:00:00Z", "now: noon", r"invalid value 'noon' for now in .*; expected a time such as"),
        ("  cap_spending:\n", "  cap_spendings:\n", r"settings: a section `cap_spending` is missing"),
        ("settings:\n", "settings: [\n", r"cannot parse .*; check the indentation"),
    ],
)
def test_the_error_names_file_and_key(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in GOOD
    path = tmp_path / "wrong.yaml"
    path.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ScenarioError, match=said) as raised:
        load_scenario(path, "cap_spending")
    assert str(path) in str(raised.value)


def test_an_event_without_a_time_is_published_at_the_start_by_the_inbox(tmp_path: Path) -> None:
    path = tmp_path / "good.yaml"
    path.write_text(GOOD.replace("  published: 2026-11-20T13:00:00Z\n", ""), encoding="utf-8")
    scenario = load_scenario(path, "cap_spending")
    assert scenario.undo
    assert (scenario.undo.topic, scenario.undo.published) == ("caretaker-cap-spending", scenario.now)
