"""Settings in which every automation of the map has a section: the example's, or else that of one of its scenarios."""

from typing import Any

import msgspec

from infra.suite.automations import ROOT, load_functions
from infra.suite.settings import EXAMPLES, load_caretaker_yaml
from shared.yaml12 import read_yaml


def every_section() -> dict[str, Any]:
    """Such settings, as JSON has them; `mode` is observe."""
    owner = dict(load_caretaker_yaml(EXAMPLES / "caretaker.yaml"))
    for name in load_functions():
        if name not in owner:
            scenario: Any = read_yaml(min((ROOT / "functions" / name / "scenarios").glob("*.yaml")).read_text("utf-8"))
            owner[name] = scenario["settings"][name]
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(owner | {"mode": "observe"}))
    return plain
