"""An automation is a handful of functions, pure but for the two that touch the world.

One run of the engine (`shared/run.py`, `shared/acting.py`) takes one event through them::

    parse -> fold -> [ (needs -> look)* -> decide -> guard -> record -> apply ]* -> report
              pure      pure    edge       pure      engine   engine    edge

An automation is a folder `functions/NAME` with one ``Automation`` value in `automation.py`:

1. ``parse`` makes one typed event of a message. It must raise ``IgnoredMessage`` for what can never succeed.
2. ``fold`` puts what the event says into the records. It must give the same records for any order of events and
   however often they come.
3. ``needs`` names what must be read, from the context and from what has been answered so far. It is asked again after
   each round of answers; nothing new means enough. It must be pure, and name nothing if there is nothing to decide.
4. ``look`` answers one need by calls. It may raise what a client of Google's raises: the engine makes an
   ``Unreadable`` of that, and asks no more for it in this run.
5. ``decide`` is called once a look, and must be pure: context, world and the changes that this run has applied in, one
   ``Decision`` out. An ``Unreadable`` blocks the subject that needs it, and only that; it must never count as "none".
6. ``guards``, by name, judge all changes together before the first is made. A change that cannot simply be undone must
   name its guard; the engine refuses one that names a guard that is not here.
7. ``Records.before`` says what must be durable before changes are made; the engine writes that.
8. ``apply`` makes one change, and may answer what a person should know of how it went. It raises what a client raises:
   that change has failed, the others are made, and the run ends as failed, so that Pub/Sub delivers its message again.
9. ``learn`` may put into the records what the outcome of a change says: an answer of ``apply``, or an error. What it
   does not put there is looked up, as it is when the answer was lost.
10. ``reply`` may answer a command in words. The default answers nothing.

Importing `automation.py` must have no side effect: `main.py` makes the entry point (`shared/receiving.py`) of its name,
its section and its ``parse``, and imports the rest for the first message of its own. An example::

    AUTOMATION = Automation[Settings, Event, Records, Need, Change](
        name="switch_lights_off",
        section=Settings,
        records=Records,
        parse=parse,
        fold=fold,
        needs=lambda context, world: (LampsIn(context.settings.house),),
        look=look,
        decide=decide,
        apply=apply,
    )
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Generic, Self, TypeVar

import msgspec

from shared.clients import Clients
from shared.debts import Debt
from shared.decision import Change, Decision, Message, Refusal
from shared.events import Command, Dated, PubsubMessage, RerunRequested
from shared.moments import Moment
from shared.restrictions import DOCUMENT as RESTRICTIONS_DOCUMENT
from shared.restrictions import SpendingRestrictions
from shared.settings import Section
from shared.state import Document
from shared.stored import UnreadableEntry
from shared.world import NeedT, World


class Records(msgspec.Struct, frozen=True, kw_only=True):
    """The records of every automation, in one Firestore document: each adds its own."""

    incidental_fields: ClassVar[frozenset[str]] = frozenset()
    """Names of fields, at any depth, that depend on when runs happen to look, such as when something was seen: laws do
    not compare them. Those of `ALWAYS_INCIDENTAL` are among them."""

    format: int = 1
    """Of the document: it grows when an older version would misread a newer document."""
    observed_plan: str = ""
    """A checksum of the plan that was last reported while observing."""
    alerting: dict[str, datetime] = {}
    """By `Alert.key`, since when an alert is reported."""

    def debts(self) -> tuple[Debt, ...]:
        """Everything that is changed now and must be restored, with what that needs: by default nothing."""
        return ()

    def before(self, changes: Sequence[Change]) -> Self:
        """The records that must be durable before these changes are made: by default, these."""
        del changes
        return self

    def moments_since(self, before: Self) -> Iterable[Moment]:
        """The moments that these records add to those before, for the history, besides debts and alerts."""
        del before
        return ()


ALWAYS_INCIDENTAL = frozenset(("alerting", "reason", "seen"))
"""Incidental fields of what all records share."""


class Answered(msgspec.Struct, frozen=True):
    """The answer to a change, as a typed value of the automation, for ``learn``."""


NOT_READ = Document(RESTRICTIONS_DOCUMENT)

SectionT = TypeVar("SectionT", bound=Section)
EventT = TypeVar("EventT")
RecordsT = TypeVar("RecordsT", bound=Records)
ChangeT = TypeVar("ChangeT", bound=Change)


class RunContext(msgspec.Struct, Generic[SectionT, EventT, RecordsT], frozen=True):
    """All that a run knows before it looks at the world."""

    event: Dated[EventT | RerunRequested]
    records: RecordsT
    restrictions: SpendingRestrictions
    settings: SectionT
    now: datetime
    project: str
    """The project that the suite itself runs in."""
    restrictions_document: Document = NOT_READ
    """The restrictions as they were read, for the one automation that writes them."""
    unreadable: tuple[UnreadableEntry, ...] = ()
    """The entries of records and restrictions that this version cannot read: their subjects must not be changed."""


def no_reply(context: object, world: World, decision: object) -> Sequence[Message | str]:
    """For an automation that answers no command."""
    del context, world, decision
    return ()


def learns_nothing(records: RecordsT, change: object, answer: object, now: datetime) -> RecordsT:
    """For an automation that looks up what came of its changes."""
    del change, answer, now
    return records


def look_at_all(world: World, applied: object) -> World:
    """For an automation that reads everything again after it has changed something."""
    del world, applied
    return World()


class Automation(msgspec.Struct, Generic[SectionT, EventT, RecordsT, NeedT, ChangeT], frozen=True, kw_only=True):
    """One automation. This module's docstring is the contract of each function."""

    name: str
    section: type[SectionT]
    records: type[RecordsT]
    parse: Callable[[PubsubMessage, SectionT], EventT]
    fold: Callable[[RecordsT, Dated[EventT], SectionT], RecordsT]
    needs: Callable[[RunContext[SectionT, EventT, RecordsT], World], Iterable[NeedT]]
    look: Callable[[NeedT, Clients], object]
    decide: Callable[[RunContext[SectionT, EventT, RecordsT], World, tuple[ChangeT, ...]], Decision[RecordsT, ChangeT]]
    apply: Callable[[ChangeT, Clients], Answered | Sequence[Message | str] | None]
    guards: Mapping[
        str, Callable[[RunContext[SectionT, EventT, RecordsT], World, tuple[ChangeT, ...]], Iterable[Refusal]]
    ] = {}
    reply: Callable[
        [RunContext[SectionT, EventT, RecordsT], World, Decision[RecordsT, ChangeT]], Sequence[Message | str]
    ] = no_reply
    learn: Callable[[RecordsT, ChangeT, Answered | Exception, datetime], RecordsT] = learns_nothing
    still_holds: Callable[[World, tuple[ChangeT, ...]], World] = look_at_all
    """The part of the world that is not read again after these changes were applied: by default nothing."""
    alert_titles: Mapping[str, str] = {}
    """By kind of alert, or the guard that is one, what it is called to a person."""
    commands: tuple[type[Command], ...] = ()
    """The commands that a person may send it, for `./deploy.sh send`."""
    patience: float = 0.0
    """Seconds for which a run that has nothing else to do waits for what is in flight, before it leaves that to the
    next one."""
    keeps_first_look: bool = False
    """Whether what was read before the lease was taken counts, if no other run has held it since."""
    single_pass: bool = False
    """For a world that takes long to read, and changes that lead to no others: it keeps its first look
    too, and what went as planned is not read again."""
    continues: bool = False
    """Whether a run that has applied something when its time is up triggers the automation again, by its own inbox."""


AnyAutomation = Automation[Any, Any, Any, Any, Any]
