"""The type of a law, and the parts in which a long one is tested."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.laws.case import Case
from tests.laws.scenario import Scenario

WHOLE = "whole"
"""The one part of a law that is tested in one piece."""


@dataclass(frozen=True)
class Law:
    """Something that every automation must obey."""

    name: str
    check: Callable[[Case, str], None]
    """Hold one part of a scenario against the law. Raises ``LawBroken``."""
    parts: Callable[[Scenario], list[str]]
    on_every_python: bool
    """As what is logged, and tracebacks, are the interpreter's. Which calls are made does not depend on it."""


def in_one_piece(scenario: Scenario) -> list[str]:
    """The scenario as a whole."""
    del scenario
    return [WHOLE]


def event_by_event(scenario: Scenario) -> list[str]:
    """Each event that is delivered, the undo too."""
    return [event.name for event in (*scenario.events, *([scenario.undo] if scenario.undo else []))]
