"""All automations together for months: fixed seeds for the checks, and bugs that show that each invariant bites.

More seeds: `python -m tests.simulation --seeds 100 --first 1000`.
"""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from functions.cap_spending.automation import AUTOMATION as CAP_SPENDING
from functions.cap_spending.changes import SetMaxInstances, SetRestrictions
from functions.manage_previews.automation import AUTOMATION as MANAGE_PREVIEWS
from functions.manage_previews.changes import DeletePreview
from functions.notify_chat.automation import AUTOMATION as NOTIFY_CHAT
from functions.notify_chat.changes import Post
from functions.prune_backups.automation import AUTOMATION as PRUNE_BACKUPS
from functions.prune_backups.changes import DeleteBackups
from functions.rotate_secrets.automation import AUTOMATION as ROTATE_SECRETS
from functions.rotate_secrets.questions import DependentsIn
from shared.automation import AnyAutomation
from shared.clients import Clients
from shared.decision import Change
from tests.laws.planted import never_gives_back
from tests.simulation.lives import live

pytestmark = [pytest.mark.one_python, pytest.mark.no_cover]

SEEDS = range(3)
SEEDS_WITH_A_BUG = range(6, 10)
STEPS = 40


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_all_is_as_it_should_be_in_the_end(seed: int) -> None:
    assert live(seed, steps=STEPS).violations == ()


def without(automation: AnyAutomation, is_left_out: Callable[[Change], bool]) -> AnyAutomation:
    """An automation that does not make some of its changes."""

    def decide(context: Any, world: Any, applied: Any) -> Any:
        right = automation.decide(context, world, applied)
        return replace(right, changes=tuple(one for one in right.changes if not is_left_out(one)))

    return replace(automation, decide=decide)


def caps_the_neighbour() -> AnyAutomation:
    """Sets another service beside the one that it may touch."""

    def apply(change: Change, clients: Clients) -> Any:
        if isinstance(change, SetMaxInstances) and change.target.endswith("/api"):
            neighbour = change.target.replace("/services/api", "/services/admin")
            CAP_SPENDING.apply(replace(change, target=neighbour, etag=""), clients)
        return CAP_SPENDING.apply(change, clients)  # type: ignore[arg-type] # its own changes

    return replace(CAP_SPENDING, apply=apply)


def sees_no_dependents() -> AnyAutomation:
    """Takes a secret for unused, and ends the version that a service has."""

    def look(need: Any, clients: Clients) -> Any:
        return () if isinstance(need, DependentsIn) else ROTATE_SECRETS.look(need, clients)

    return replace(ROTATE_SECRETS, look=look)


def deletes_everything() -> AnyAutomation:
    """Deletes the whole set when it deletes anything of it."""

    def apply(change: Change, clients: Clients) -> Any:
        if isinstance(change, DeleteBackups):
            change = replace(change, places=range(len(change.inventory)))
        return PRUNE_BACKUPS.apply(change, clients)  # type: ignore[arg-type] # its own changes

    return replace(PRUNE_BACKUPS, apply=apply)


def never_rests() -> AnyAutomation:
    """Writes its records in every run."""

    def decide(context: Any, world: Any, applied: Any) -> Any:
        right = CAP_SPENDING.decide(context, world, applied)
        return replace(right, records=replace(right.records, observed_plan=str(context.now)))

    return replace(CAP_SPENDING, decide=decide)


def remembers_everything() -> AnyAutomation:
    """Keeps something of each event for good."""

    def fold(records: Any, event: Any, settings: Any) -> Any:
        folded = CAP_SPENDING.fold(records, event, settings)
        return replace(folded, observed_plan=folded.observed_plan + 5000 * "x")

    return replace(CAP_SPENDING, fold=fold)


@pytest.mark.parametrize(
    ("invariant", "bug"),
    [
        ("originals", never_gives_back()),
        (
            "restrictions",
            without(CAP_SPENDING, lambda one: isinstance(one, SetRestrictions) and not one.restrictions.in_force),
        ),
        ("previews", without(MANAGE_PREVIEWS, lambda one: isinstance(one, DeletePreview))),
        ("others", caps_the_neighbour()),
        ("versions", sees_no_dependents()),
        ("floors", deletes_everything()),
        ("chat", without(NOTIFY_CHAT, lambda one: isinstance(one, Post))),
        ("rest", never_rests()),
        ("bounded", remembers_everything()),
    ],
)
def test_each_invariant_bites(invariant: str, bug: AnyAutomation) -> None:
    lives = (live(seed, steps=STEPS, replaced={bug.name: bug}) for seed in SEEDS_WITH_A_BUG)
    assert any(one.startswith(f"{invariant}: ") for lived in lives for one in lived.violations)
