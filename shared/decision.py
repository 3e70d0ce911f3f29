"""A decision as plain values: what changes and why, what is refused, what is waited for, what to remember."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Generic, TypeVar

import msgspec

SUITE_PREFIX = "caretaker-"


def is_suites_own(resource_name: str) -> bool:
    """Whether a resource belongs to Caretaker itself, by the last part of its full name: no automation changes it."""
    return resource_name.rpartition("/")[2].startswith(SUITE_PREFIX)


class Message(msgspec.Struct, frozen=True):
    """A sentence for a person as a value: code and tests compare its fields, and ``str`` words it.

    Each automation keeps its messages, and so all of its wording, in `messages.py`.
    """

    def __str__(self) -> str:
        raise NotImplementedError(f"{type(self).__name__} has no wording")


class Text(Message, frozen=True):
    """A sentence that needs no fields of its own."""

    text: str

    def __str__(self) -> str:
        return self.text


def as_message(text: Message | str) -> Message:
    """A sentence as a message."""
    return text if isinstance(text, Message) else Text(text)


class Next(Message, frozen=True):
    """A next step, its subject, and its time where that is known."""

    subject: str
    """To a person: a budget and its rung, a pool, a secret, a set, a pull request; or nothing."""
    what: Message
    at: datetime | None = None

    def __str__(self) -> str:
        return f"{self.subject}: {self.what}" if self.subject else str(self.what)


class Saving(msgspec.Struct, frozen=True):
    """Money that was not spent."""

    amount: float
    currency: str


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be done now, independent of every other change of its decision.

    What must be durable before it is made is on the change itself; ``Records.before`` says how it is recorded.
    """

    target: str
    """Full name of the resource that changes."""
    field: str
    """The field that changes, by Google's name."""
    before: str
    after: str
    reason: Message
    scope: str
    """The scope that a refusal stops: this budget, pool, secret or set, and not the others."""
    follows: tuple[Message, ...] = ()
    """The follow-up changes of this and other automations, for reports while observing."""
    guard: ClassVar[str] = ""
    """For a kind of change that cannot simply be undone: the name of its guard."""
    while_observing: ClassVar[bool] = False
    """Whether it is made in mode `observe` too, because it only notifies."""
    is_money: ClassVar[bool] = False
    """Whether it matters to the bill that this succeeds, so that a failure must be loud."""

    @property
    def count(self) -> int:
        """The number of things it changes, where one change is a batch of many."""
        return 1

    @property
    def kind(self) -> str:
        """The change's name in reports."""
        return type(self).__name__

    @property
    def saving(self) -> Saving | None:
        """The savings that it records."""
        return None

    def __str__(self) -> str:
        return f"{self.kind} {self.target}: {self.field} {self.before} -> {self.after}"


class Refusal(msgspec.Struct, frozen=True):
    """A guard's no: nothing in this scope is done, and a person should look."""

    scope: str
    guard: str
    reason: str
    is_alert: bool = False
    """Whether it is an alert too, of the guard's name."""


class Alert(msgspec.Struct, frozen=True):
    """Something that a person must see, although nothing has failed: alert policies watch for its kind."""

    kind: str
    """In snake case, such as ``stock_out``."""
    subject: str
    reason: str
    title: str = ""
    """The title of this kind (``Automation.alert_titles``); the engine fills it in."""
    since: datetime | None = None
    """The time a run first reported it; the engine fills it in."""

    @property
    def key(self) -> str:
        """Its key in the records."""
        return f"{self.kind}/{self.subject}"


class LogLine(msgspec.Struct, frozen=True):
    """One structured line beside the report, such as the cost that a metric is made of: written once in a run."""

    severity: str
    message: str
    fields: Mapping[str, object] = {}


ChangeT_co = TypeVar("ChangeT_co", bound=Change, covariant=True)
RecordsT_co = TypeVar("RecordsT_co", covariant=True)


class Decision(msgspec.Struct, Generic[RecordsT_co, ChangeT_co], frozen=True, kw_only=True):
    """Everything that one look leads to."""

    records: RecordsT_co
    """The records after this look; the intentions of changes are added to them (``Records.before``)."""
    changes: tuple[ChangeT_co, ...] = ()
    """The changes that are possible now."""
    refusals: tuple[Refusal, ...] = ()
    waiting: tuple[Message, ...] = ()
    """The operations in flight that must end first."""
    next: tuple[Next, ...] = ()
    """The next steps, with their times."""
    alerts: tuple[Alert, ...] = ()
    """Repeated on each run for as long as it is so."""
    notices: tuple[Message, ...] = ()
    """Facts from this look that a person should know."""
    log: tuple[LogLine, ...] = ()
    table: tuple[Message | str, ...] = ()
    """While observing, the whole decision, line by line: what stays as it is, and why, is in it too."""

    def table_with_refusals(self) -> tuple[Message | str, ...]:
        """The decision as a table, with what is refused of it."""
        refused = (f"{one.scope} is refused: {one.reason} [{one.guard}]" for one in self.refusals)
        return (*self.table, *refused) if self.table else ()

    def fingerprint(self) -> str:
        """A checksum of what is planned and refused, to recognize a plan that has changed."""
        planned = [str(change) for change in self.changes if not change.while_observing]
        lines = planned + [str(refusal) for refusal in self.refusals]
        return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16] if lines else ""
