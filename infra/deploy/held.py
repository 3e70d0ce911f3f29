"""The suite's holds at a deployment: those that an edit of the settings would strand, and the originals in a file."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from functions.cap_spending.records import MADE_CAP
from infra.deploy.target import Target
from infra.suite.automations import load_automations
from infra.suite.deployment import Suite
from infra.suite.loading import load_automation
from infra.suite.settings import sections
from shared.debts import Debt
from shared.settings import Mode, parse
from shared.state import State

PREVIEWS = "manage_previews"
MADE = {PREVIEWS: ("pause", "previews"), "cap_spending": ("remove_spend_caps", "spend caps")}
"""By automation, the command by which it deletes what it has made, and what that is."""


class Stranded(msgspec.Struct, frozen=True):
    """A held resource that nothing would restore."""

    automation: str
    debt: Debt
    why: str

    def __str__(self) -> str:
        change = f"{self.debt.resource} {self.debt.field} {self.debt.original} -> {self.debt.applied or 'none'}"
        return f"{self.automation} still holds {change}, and {self.why}: run `{self.debt.undo}` first"


def is_made(automation: str, debt: Debt) -> bool:
    """Whether this was made, rather than changed: there is nothing to restore."""
    return automation == PREVIEWS or debt.field == MADE_CAP


def with_debts(suite: Suite, target: Target) -> Suite:
    """The suite with what each automation holds now, whether it has a section in the settings or not.

    Before the first deployment there is nothing to read. Raises ``GoogleAPICallError`` for any other error: without
    the debts, permissions that are needed to pay them would be withdrawn.
    """
    return msgspec.structs.replace(suite, debts=_read_debts(target))


def stranded(suite: Suite, *, by_destroying: bool = False) -> list[Stranded]:
    """The held resources that nothing restores once the settings are applied, or the suite is destroyed."""
    return [
        Stranded(name, debt, why)
        for name, debts in suite.debts.items()
        if debts and (why := "`destroy` deletes its records" if by_destroying else _why_stranded(suite, name))
        for debt in debts
    ]


def write_originals(found: list[Stranded], folder: Path, now: datetime) -> Path:
    """Write what has to be given back by hand to a file of its own, and return its path."""
    path = folder / f"held-{now:%Y%m%d-%H%M%S}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    originals = [
        {"automation": one.automation, **msgspec.structs.asdict(msgspec.structs.replace(one.debt, asks_for={}))}
        for one in found
    ]
    path.write_bytes(msgspec.json.format(msgspec.json.encode(originals), indent=2) + b"\n")
    return path


def _why_stranded(suite: Suite, automation: str) -> str:
    if automation not in suite.automations:
        return "the settings no longer have a section for it"
    if parse(suite.owner, automation, sections()[automation]).mode is Mode.OBSERVE:
        return "its `mode` is observe, so it restores nothing"
    return ""


def _read_debts(target: Target) -> dict[str, tuple[Debt, ...]]:
    from google.api_core.exceptions import Forbidden, NotFound

    try:
        return dict(_debts_in(State(target.clients)))
    except NotFound:
        return {}
    except Forbidden as error:
        if error.reason == "SERVICE_DISABLED":
            return {}
        raise


def _debts_in(state: State) -> Iterator[tuple[str, tuple[Debt, ...]]]:
    names = list(load_automations())
    for name, document in zip(names, state.read(*(f"records/{name}" for name in names)), strict=True):
        yield name, document.as_type(load_automation(name).records).debts()
