"""The changes that `cap_spending` makes."""

from typing import ClassVar

from functions.cap_spending.cap_changes import AnyCapChange
from functions.cap_spending.settings import Rung
from shared.decision import Change
from shared.holds import HeldChange
from shared.restrictions import SpendingRestrictions
from shared.state import Document


class Notify(Change, frozen=True, kw_only=True):
    """Notify people, by one structured log line, that a rung is passed."""

    while_observing: ClassVar[bool] = True
    budget: str
    rung: Rung
    is_observing: bool = False
    """Whether the line says that nothing else follows, because the mode is `observe`."""


class SetRestrictions(Change, frozen=True, kw_only=True):
    """Record the spending restrictions in force, and trigger the automations that obey them."""

    restrictions: SpendingRestrictions
    known: Document
    """The restrictions as they were when this was decided: they are not written over what came since."""
    inboxes: tuple[str, ...]


class SetMaxInstances(HeldChange, frozen=True, kw_only=True):
    """Set the service-level maximum of a Cloud Run service; 0 is Google's default."""

    is_money: ClassVar[bool] = True

    @property
    def max_instances(self) -> int:
        """The new maximum."""
        return int(self.after)


class SetManualInstances(HeldChange, frozen=True, kw_only=True):
    """Set the instance count of a worker pool, or of a service that is scaled by hand: Google ignores its maximum."""

    is_money: ClassVar[bool] = True

    @property
    def instances(self) -> int:
        """The new count."""
        return int(self.after)


class PauseJob(HeldChange, frozen=True, kw_only=True):
    """Pause a Cloud Scheduler job."""

    is_money: ClassVar[bool] = True


class ResumeJob(HeldChange, frozen=True, kw_only=True):
    """Resume a Cloud Scheduler job that we paused."""


class DetachBilling(HeldChange, frozen=True, kw_only=True):
    """Detach a project from its billing account, which stops everything in it that costs."""

    is_money: ClassVar[bool] = True
    guard: ClassVar[str] = "may_be_detached"


class LinkBilling(HeldChange, frozen=True, kw_only=True):
    """Link a project to the billing account that it was detached from."""

    @property
    def account(self) -> str:
        """The account that it had."""
        return self.after


CapSpendingChange = (
    Notify
    | SetRestrictions
    | SetMaxInstances
    | SetManualInstances
    | PauseJob
    | ResumeJob
    | DetachBilling
    | LinkBilling
    | AnyCapChange
)
