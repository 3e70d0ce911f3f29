"""What `cap_spending` can change."""

from dataclasses import dataclass
from typing import ClassVar

from functions.cap_spending.settings import Rung
from shared.holds import Hold
from shared.plan import Change
from shared.restrictions import SpendingRestrictions
from shared.state import Document


@dataclass(frozen=True, kw_only=True, slots=True)
class Notify(Change):
    """Tell a person, by one structured log line, that a rung is passed."""

    budget: str
    rung: Rung


@dataclass(frozen=True, kw_only=True, slots=True)
class SetRestrictions(Change):
    """Record the spending restrictions in force, and wake the automations that obey them."""

    restrictions: SpendingRestrictions
    known: Document
    """The restrictions as they were when this was decided: they are not written over what came since."""
    inboxes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldChange(Change):
    """A change of a resource that is held while rungs are in force, or let go."""

    hold: Hold | None
    """What must be recorded before the change is made; None if the record stays as it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SetMaxInstances(HeldChange):
    """Set the service-level maximum of a Cloud Run service; 0 is Google's default."""

    is_money: ClassVar[bool] = True
    max_instances: int
    etag: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PauseJob(HeldChange):
    """Pause a Cloud Scheduler job."""

    is_money: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True, slots=True)
class ResumeJob(HeldChange):
    """Resume a Cloud Scheduler job that we paused."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DetachBilling(HeldChange):
    """Detach a project from its billing account, which stops everything in it that costs."""

    is_money: ClassVar[bool] = True
    guard: ClassVar[str] = "may_be_detached"


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkBilling(HeldChange):
    """Link a project to the billing account that it was detached from."""

    account: str


CapSpendingChange = Notify | SetRestrictions | SetMaxInstances | PauseJob | ResumeJob | DetachBilling | LinkBilling
