"""What an automation is: a handful of functions, pure but for the two that touch the world."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

import msgspec

from shared.clients import Clients
from shared.events import Dated, LookAgain, PubsubMessage
from shared.plan import Change, Guard, Plan
from shared.restrictions import DOCUMENT as RESTRICTIONS_DOCUMENT
from shared.restrictions import SpendingRestrictions
from shared.settings import Section
from shared.state import Document


class Records(msgspec.Struct, frozen=True, kw_only=True):
    """What every automation remembers, in one Firestore document: each adds its own."""

    incidental_fields: ClassVar[frozenset[str]] = frozenset()
    """Names of fields, at any depth, that depend on when runs happen to look, such as when something was seen: laws do
    not compare them."""

    observed_plan: str = ""
    """A checksum of the plan that was last reported while observing."""


NOT_READ = Document(RESTRICTIONS_DOCUMENT)

SectionT = TypeVar("SectionT", bound=Section)
EventT = TypeVar("EventT")
RecordsT = TypeVar("RecordsT", bound=Records)
WorldT = TypeVar("WorldT")
ChangeT = TypeVar("ChangeT", bound=Change)


class Occasion(msgspec.Struct, Generic[SectionT, EventT, RecordsT], frozen=True):
    """All that a run knows before it looks at the world."""

    event: Dated[EventT | LookAgain]
    records: RecordsT
    restrictions: SpendingRestrictions
    settings: SectionT
    now: datetime
    project: str
    """The project that the suite itself runs in."""
    restrictions_document: Document = NOT_READ
    """The restrictions as they were read, for the one automation that writes them."""


class Settled(msgspec.Struct, Generic[RecordsT], frozen=True):
    """The records after a look at the world, and what a person should know of what was found there."""

    records: RecordsT
    notices: tuple[str, ...] = ()


class Automation(msgspec.Struct, Generic[SectionT, EventT, RecordsT, WorldT, ChangeT], frozen=True):
    """One automation, as the run (`shared/run.py`) takes it through its steps."""

    name: str
    section: type[SectionT]
    records: type[RecordsT]
    parse: Callable[[PubsubMessage, SectionT], EventT]
    """The message as a typed event. Raises ``IgnoredMessage`` for what can never succeed."""
    fold: Callable[[RecordsT, Dated[EventT], SectionT], RecordsT]
    """What the event says, in the records; the same records if it says nothing new, in whatever order events come."""
    read: Callable[[Occasion[SectionT, EventT, RecordsT], Clients], WorldT]
    """As much of the world as the decision needs, and no call if it needs nothing."""
    settle: Callable[[Occasion[SectionT, EventT, RecordsT], WorldT, tuple[ChangeT, ...]], Settled[RecordsT]]
    """The records after what the world shows, and after the changes that this run has applied."""
    plan: Callable[[Occasion[SectionT, EventT, RecordsT], WorldT], Plan[ChangeT]]
    """The decision."""
    guards: Callable[[Occasion[SectionT, EventT, RecordsT], WorldT], tuple[Guard[ChangeT], ...]]
    """What may refuse it."""
    intend: Callable[[Occasion[SectionT, EventT, RecordsT], tuple[ChangeT, ...]], RecordsT]
    """The records that must be durable before these changes are applied."""
    apply: Callable[[ChangeT, Clients], Sequence[str] | None]
    """Make one change, and answer what a person should know of how it went. Raises what Google's client raises."""
    status: Callable[[Occasion[SectionT, EventT, RecordsT], WorldT], tuple[str, ...]]
    """The answer to a command, in words: where things stand, or what becomes of it; nothing for any other event."""
    looks_once: bool = False
    """For a world that takes long to read, and changes that lead to no others: what was read before the lease was taken
    counts, if nobody has held it since, and what went as planned is not looked at again."""
    goes_on: bool = False
    """Whether a run that has applied something when its time is up wakes the automation again, by its own inbox."""


AnyAutomation = Automation[Any, Any, Any, Any, Any]
