"""The spending restrictions in force: what `cap_spending` records and every other automation obeys."""

from datetime import datetime
from enum import StrEnum

import msgspec

DOCUMENT = "restrictions/spending"


class Restriction(StrEnum):
    """Something that must not cost money while it is in force."""

    GPU_POOLS_OFF = "gpu_pools_off"
    PREVIEWS_OFF = "previews_off"


class InForce(msgspec.Struct, frozen=True):
    """Since when a restriction is in force, and which rungs of which budgets ask for it."""

    since: datetime
    because: tuple[str, ...]


class SpendingRestrictions(msgspec.Struct, frozen=True):
    """All restrictions in force at one moment."""

    in_force: dict[Restriction, InForce] = {}
    format: int = 1

    def __contains__(self, restriction: Restriction) -> bool:
        return restriction in self.in_force
