"""The changes that `cap_spending` makes to Google's spend caps."""

from datetime import datetime
from typing import ClassVar

from shared.holds import HeldChange

MAY_BE_CAPPED = "may_be_capped"


class CapChange(HeldChange, frozen=True, kw_only=True):
    """A change of one spend cap, which ``target`` names by what it caps."""

    budget: str = ""
    """The full name of the budget; empty while there is none."""


class CreateCap(CapChange, frozen=True, kw_only=True):
    """Create a budget with a spend cap."""

    is_money: ClassVar[bool] = True
    guard: ClassVar[str] = MAY_BE_CAPPED
    currency: str = ""
    """Empty for the billing account's own."""
    at: datetime | None = None
    """The time of the decision."""


class SetCapAmount(CapChange, frozen=True, kw_only=True):
    """Set the amount of a spend cap that is not enforced, and arm it."""

    is_money: ClassVar[bool] = True
    guard: ClassVar[str] = MAY_BE_CAPPED


class ArmCap(CapChange, frozen=True, kw_only=True):
    """Arm a spend cap that is lifted."""

    guard: ClassVar[str] = MAY_BE_CAPPED


class LiftCap(CapChange, frozen=True, kw_only=True):
    """Lift a spend cap that is enforced, until the next month: only then can anything else of it change."""


class DeleteCap(CapChange, frozen=True, kw_only=True):
    """Delete a budget that we made, with its spend cap."""


AnyCapChange = CreateCap | SetCapAmount | ArmCap | LiftCap | DeleteCap
