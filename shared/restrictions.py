"""The spending restrictions in force: what `cap_spending` records and every other automation obeys."""

from datetime import datetime
from enum import StrEnum

import msgspec

DOCUMENT = "restrictions/spending"


class Restriction(StrEnum):
    """Something that must not cost money while it is in force."""

    GPU_POOLS_OFF = "gpu_pools_off"
    PREVIEWS_OFF = "previews_off"


def undo_of(rungs: tuple[str, ...]) -> str:
    """The command that lifts what rungs such as ``monthly/actual@1`` ask for."""
    budgets = {rung.partition("/")[0] for rung in rungs}
    only = f" --budget {budgets.pop()}" if len(budgets) == 1 else ""
    return f"./deploy.sh send cap_spending undo{only}"


class InForce(msgspec.Struct, frozen=True):
    """Since when a restriction is in force, and which rungs of which budgets ask for it."""

    since: datetime
    because: tuple[str, ...]


class SpendingRestrictions(msgspec.Struct, frozen=True):
    """All restrictions in force at one moment."""

    in_force: dict[Restriction, InForce] = {}
    cloud_run_paused: dict[str, str] = {}
    """By project, the spend cap that has paused Cloud Run there (``billingAccounts/A/spendCaps/PROJECT/SERVICE``)."""
    format: int = 1

    def __contains__(self, restriction: Restriction) -> bool:
        return restriction in self.in_force
