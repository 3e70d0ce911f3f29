"""Save the original once, and decide what a held resource needs: what to write, record, wait for and report.

A hold is durable before the first mutation of its resource and ends when the resource is let go. The fields
of one resource stand and fall together while it is held, and are restored one by one.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from shared.decision import Change, Message

FieldValue = str | int | bool


class Phase(StrEnum):
    """How far a hold has come: about to be applied, or seen in the resource itself."""

    INTENDED = "intended"
    CONFIRMED = "confirmed"


class Held(msgspec.Struct, frozen=True):
    """One field that we hold."""

    original: FieldValue
    """What it was before we first touched it."""
    before: FieldValue
    """What it was when the value below was decided: the original, or an earlier value of ours."""
    applied: FieldValue
    """What we make of it."""


class Hold(msgspec.Struct, frozen=True):
    """One resource that is held, by whom, and since when (in the time of the messages that asked for it)."""

    fields: dict[str, Held]
    phase: Phase
    held_by: tuple[str, ...]
    since: datetime


class HeldChange(Change, frozen=True, kw_only=True):
    """A change of a resource that is held, or let go."""

    hold: Hold | None
    """What must be recorded before the change is made; None if the record stays as it is."""
    etag: str = ""
    """The version of the resource that was judged, where its service has one."""


class HoldStatus(StrEnum):
    """What a held resource's present value says."""

    APPLIED = "applied"
    """It is what we made of it."""
    NOT_YET = "not yet applied"
    """It is what it was when we decided."""
    CHANGED = "changed by a person"
    """It is something else: not ours to touch."""


Current = Mapping[str, FieldValue]


def new_hold(current: Current, applied: Current, held_by: tuple[str, ...], since: datetime) -> Hold:
    """A hold on a resource that is not held yet, with its present values as the original."""
    fields = {
        name: Held(original=current[name], before=current[name], applied=value) for name, value in applied.items()
    }
    return Hold(fields, Phase.INTENDED, held_by, since)


def with_new_target(hold: Hold, current: Current, applied: Current, held_by: tuple[str, ...], since: datetime) -> Hold:
    """The same hold with another value to apply. The original stays what it was."""
    fields = {
        name: Held(original=held.original, before=current[name], applied=applied[name])
        for name, held in hold.fields.items()
    }
    return Hold(fields, Phase.INTENDED, held_by, since)


def being_restored(hold: Hold, current: Current, restore: Current) -> Hold:
    """The same hold while the fields of ``restore`` are given back: should that be cut short, both values are ours.

    Without it, a resource whose restoring was not seen to end would look as if a person had let it go.
    """
    fields = {
        name: Held(original=held.original, before=current[name], applied=restore[name]) if name in restore else held
        for name, held in hold.fields.items()
    }
    return msgspec.structs.replace(hold, fields=fields, phase=Phase.INTENDED)


def compare(hold: Hold, current: Current) -> HoldStatus:
    """Whether a resource is as we made it, not yet so, or changed by a person since.

    Once we have seen our value there, any other value is a person's, the original too: spending that someone
    let go again by hand is not capped anew.
    """
    if all(current[name] == held.applied for name, held in hold.fields.items()):
        return HoldStatus.APPLIED
    untouched = all(current[name] in (held.before, held.applied) for name, held in hold.fields.items())
    return HoldStatus.NOT_YET if hold.phase is Phase.INTENDED and untouched else HoldStatus.CHANGED


def confirmed(hold: Hold) -> Hold:
    """The hold once its values have been seen in the resource: what it was on the way no longer matters."""
    fields = {name: Held(held.original, held.original, held.applied) for name, held in hold.fields.items()}
    return msgspec.structs.replace(hold, fields=fields, phase=Phase.CONFIRMED)


def to_restore(hold: Hold, current: Current) -> dict[str, FieldValue]:
    """The fields that are still as we made them, with their originals: what letting go has to write."""
    ours = {
        name: {held.applied} | ({held.before} if hold.phase is Phase.INTENDED else set())
        for name, held in hold.fields.items()
    }
    return {
        name: held.original
        for name, held in hold.fields.items()
        if current[name] != held.original and current[name] in ours[name]
    }


def kept_by_a_person(name: str, hold: Hold, current: Current) -> "list[KeptByPerson]":
    """The fields that a person has changed since; letting go leaves them alone."""
    restored = to_restore(hold, current)
    return [
        KeptByPerson(name, field, current[field], held.applied)
        for field, held in hold.fields.items()
        if field not in restored and current[field] != held.original
    ]


def with_intended(holds: Mapping[str, Hold], changes: Iterable[Change]) -> dict[str, Hold]:
    """The holds, by full resource name, with every original that these changes are about to overwrite."""
    intended = {change.target: change.hold for change in changes if isinstance(change, HeldChange) and change.hold}
    return dict(sorted({**holds, **intended}.items()))


class Gone(Message, frozen=True):
    """A held resource does not exist any more."""

    name: str

    def __str__(self) -> str:
        return f"{self.name} no longer exists, so there is nothing to restore"


class InFlight(Message, frozen=True):
    """A resource is in the middle of something else."""

    name: str

    def __str__(self) -> str:
        return f"{self.name} is being changed; Caretaker checks it again on its next run"


class ChangedByPerson(Message, frozen=True):
    """A held resource has a value that Caretaker did not give it."""

    name: str
    current: dict[str, FieldValue]

    def __str__(self) -> str:
        values = ", ".join(f"{field} {value}" for field, value in self.current.items())
        return f"{self.name} was changed by a person to {values}: left alone while the cap holds"


class KeptByPerson(Message, frozen=True):
    """A field that is not restored, because a person has changed it."""

    name: str
    field: str
    value: FieldValue
    applied: FieldValue

    def __str__(self) -> str:
        return f"{self.name}: {self.field} is {self.value!r}, not {self.applied!r} as Caretaker set it; left as it is"


class Released(Message, frozen=True):
    """Why a resource is restored."""

    held_by: tuple[str, ...]

    def __str__(self) -> str:
        return f"no longer held by {', '.join(self.held_by)}"


class Wanted(msgspec.Struct, frozen=True):
    """What a resource should be while it is held, by which rungs, and since when."""

    applied: Current
    held_by: tuple[str, ...]
    since: datetime
    reason: Message


class HoldDecision(msgspec.Struct, frozen=True):
    """What one resource needs now, and what its record says once that is seen."""

    name: str
    hold: Hold | None = None
    """The record after what the resource shows; None if it is not held, or no longer."""
    write: Current | None = None
    intended: Hold | None = None
    """The record that must be durable before the write."""
    reason: Message | None = None
    notices: tuple[Message, ...] = ()
    waiting: tuple[Message, ...] = ()
    held_by: tuple[str, ...] = ()
    """Which rungs want it held, or else have held it."""

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to do or to wait for."""
        return self.write is None and not self.waiting


def decide(
    name: str, current: Current | None, wanted: Wanted | None, hold: Hold | None, *, in_flight: bool = False
) -> HoldDecision:
    """What a resource with these present values needs (``current`` is None if it does not exist).

    While it is in flight its value may not be its last: it is neither changed, nor is anything concluded from it.
    """
    holder = wanted or hold
    if holder is None:
        return HoldDecision(name)
    if current is None:
        decision = HoldDecision(name, notices=(Gone(name),))
    elif in_flight:
        decision = HoldDecision(name, hold, waiting=(InFlight(name),))
    elif isinstance(holder, Wanted):
        decision = _to_hold(name, current, holder, hold)
    else:
        decision = _to_release(name, current, holder)
    return msgspec.structs.replace(decision, held_by=holder.held_by)


def _to_hold(name: str, current: Current, wanted: Wanted, hold: Hold | None) -> HoldDecision:
    if hold is None:
        fresh = new_hold(current, wanted.applied, wanted.held_by, wanted.since)
        is_so_already = current == wanted.applied
        return HoldDecision(name) if is_so_already else HoldDecision(name, None, wanted.applied, fresh, wanted.reason)
    if wanted.applied.keys() - hold.fields.keys():
        return _to_hold_more(name, current, wanted, hold)
    return _to_keep(name, current, wanted, hold)


def _to_keep(name: str, current: Current, wanted: Wanted, hold: Hold) -> HoldDecision:
    applied = {field: wanted.applied.get(field, held.applied) for field, held in hold.fields.items()}
    is_same = all(held.applied == applied[field] for field, held in hold.fields.items())
    again = hold if is_same else with_new_target(hold, current, applied, wanted.held_by, wanted.since)
    match compare(hold, current):
        case HoldStatus.CHANGED if set(wanted.held_by) - set(hold.held_by):
            # Something asks for it that did not when a person changed it: what the person chose is the original now.
            return _to_hold(name, current, wanted, None)
        case HoldStatus.CHANGED:
            # Confirmed, or it would be looked at again and again although there is nothing to do.
            return HoldDecision(name, confirmed(again), notices=(ChangedByPerson(name, dict(current)),))
        case HoldStatus.APPLIED if is_same:
            held_by = msgspec.structs.replace(hold, held_by=wanted.held_by, since=wanted.since)
            return HoldDecision(name, confirmed(held_by))
        case _:
            intended = msgspec.structs.replace(again, held_by=wanted.held_by)
            return HoldDecision(name, hold, applied, intended, wanted.reason)


def _to_hold_more(name: str, current: Current, wanted: Wanted, hold: Hold) -> HoldDecision:
    """Hold fields of a resource that were not held before beside those that are."""
    fresh = {field: value for field, value in wanted.applied.items() if field not in hold.fields}
    fields = hold.fields | {field: Held(current[field], current[field], value) for field, value in fresh.items()}
    return HoldDecision(name, hold, fresh, Hold(fields, Phase.INTENDED, wanted.held_by, wanted.since), wanted.reason)


def _to_release(name: str, current: Current, hold: Hold) -> HoldDecision:
    if restore := to_restore(hold, current):
        return HoldDecision(name, hold, restore, being_restored(hold, current, restore), Released(hold.held_by))
    return HoldDecision(name, notices=tuple(kept_by_a_person(name, hold, current)))
