"""One life from beginning to end: steps at random, then rest, then what must hold."""

import contextlib
import io
import random
from collections.abc import Mapping

import msgspec

from shared.automation import AnyAutomation
from tests.simulation import world
from tests.simulation.events import step
from tests.simulation.invariants import violations
from tests.simulation.life import Life


class Lived(msgspec.Struct, frozen=True):
    """The result of a life."""

    violations: tuple[str, ...]
    happened: tuple[str, ...]
    years: float
    runs: int


def live(seed: int, *, steps: int = 60, replaced: Mapping[str, AnyAutomation] | None = None) -> Lived:
    """Live one life: the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    # Batches of deletions are logged as they go.
    with Life(replaced or {}) as life, contextlib.redirect_stdout(io.StringIO()):
        happened = tuple(step(life, chance) for _ in range(steps))
        life.come_to_rest()
        found = tuple(violations(life))
        return Lived(found, happened, (life.now - world.START).days / 365, life.runs)
