"""Law 7, ownership: what merely looks like ours is never in a mutating call."""

from typing import Any

from google.protobuf.text_format import MessageToString

from localcloud.core.server import copy_of, protobuf
from tests.laws.case import Case, Delivery
from tests.laws.harness import Stage

NAME = "ownership"


def check(case: Case, part: str) -> None:
    """Play the scenario and its undo, with ticks between, and look at every mutating call."""
    del part
    with Stage(case, NAME, is_by_wire=False) as stage:
        seed = stage.resources()
        if missing := sorted(set(stage.scenario.look_alikes) - seed.keys()):
            raise stage.broken(f"look_alikes names what is not in the world: {', '.join(missing)}")
        for delivery in stage.play_to_the_end():
            _must_leave_alone(stage, delivery)
        now = stage.resources()
        for name in stage.scenario.look_alikes:
            stage.must_be(seed[name], now.get(name), f"{name} only looks like ours, and has changed")


def _without_history(stage: Stage, request: Any) -> Any:
    """A request without what it adds to the history, which tells people of what only looks like ours, too."""
    plain = copy_of(protobuf(request))
    for number, write in reversed(list(enumerate(getattr(plain, "writes", ())))):
        if stage.is_history(write):
            del plain.writes[number]
    return plain


def _must_leave_alone(stage: Stage, delivery: Delivery) -> None:
    for call in delivery.mutating:
        said = MessageToString(_without_history(stage, call.request), as_utf8=True)
        for name in stage.scenario.look_alikes:
            if f'"{name}"' in said:
                raise stage.broken(f"{name} only looks like ours, and is in a call of {call.method}")
