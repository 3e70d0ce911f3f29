"""Law 10, undo restores every field that we changed, and leaves alone what a person has changed since."""

import copy
from typing import Any

from tests.laws.case import Case
from tests.laws.harness import Stage

NAME = "undo"


def check(case: Case, part: str) -> None:
    """Play the events, then what the person does, then the undo and a tick; compare with the seed."""
    del part
    with Stage(case, NAME) as stage:
        if stage.scenario.undo is None:
            raise stage.broken("the scenario has no `undo`: add the event that asks to restore everything")
        expected = copy.deepcopy(stage.resources())
        stage.play(stage.scenario.events)
        stage.tick()
        if stage.resources() == expected:
            raise stage.broken(
                "the scenario's events change no resource, so there is nothing to undo: add some that do"
            )
        for act in stage.scenario.person:
            stage.let_others(act)
            for name, fields in act.remains.items():
                for path, value in fields.items():
                    _put(expected.setdefault(name, {}), path, value)
        stage.play([stage.scenario.undo])
        stage.tick()
        stage.must_be(expected, stage.resources(), "after the undo, not everything is as it was")


def _put(resource: dict[str, Any], path: str, value: object) -> None:
    *names, last = path.split(".")
    for name in names:
        resource = resource.setdefault(name, {})
    resource[last] = value
