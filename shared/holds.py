"""Save the original once, and decide what a held resource needs: what to write, record, wait for and report.

A hold is durable before the first mutation of its resource and ends when the resource is let go. The fields
of one resource stand and fall together while it is held, and are restored one by one.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from shared.decision import Change, Message
from shared.hold_messages import ChangedByPerson, FieldValue, Gone, InFlight, KeptByPerson, Released


class Phase(StrEnum):
    """The phase of a hold: about to be applied, or seen in the resource itself."""

    INTENDED = "intended"
    CONFIRMED = "confirmed"


class Held(msgspec.Struct, frozen=True):
    """One field that we hold."""

    original: FieldValue
    """Its value before our first change."""
    before: FieldValue
    """Its value when the one below was decided: the original, or an earlier value of ours."""
    applied: FieldValue
    """Our value."""


class HandChange(msgspec.Struct, frozen=True):
    """A person's change of a held resource, and the time a run first saw it."""

    values: dict[str, FieldValue]
    seen: datetime


class Hold(msgspec.Struct, frozen=True):
    """One resource that is held, by whom, and since when (in the time of the messages that asked for it)."""

    fields: dict[str, Held]
    phase: Phase
    held_by: tuple[str, ...]
    since: datetime
    reason: str = ""
    """Why, in the words of when it was decided. (Documents of release 0.1 have none.)"""
    is_being_restored: bool = False
    """Whether the resource is on its way back to what it was."""
    by_hand: HandChange | None = None


class HeldChange(Change, frozen=True, kw_only=True):
    """A change of a resource that is held, or let go."""

    hold: Hold | None
    """The record that must be durable before the change is made; None if it stays as it is."""
    etag: str = ""
    """The version of the resource that was judged, where its service has one."""


class HoldStatus(StrEnum):
    """The comparison of a held resource's present value with its hold."""

    APPLIED = "applied"
    """It is what we made of it."""
    NOT_YET = "not yet applied"
    """It is what it was when we decided."""
    CHANGED = "changed by a person"
    """It is something else: not ours to touch."""


Current = Mapping[str, FieldValue]


def new_hold(current: Current, applied: Current, held_by: tuple[str, ...], since: datetime, reason: str = "") -> Hold:
    """A hold on a resource that is not held yet, with its present values as the original."""
    fields = {
        name: Held(original=current[name], before=current[name], applied=value) for name, value in applied.items()
    }
    return Hold(fields, Phase.INTENDED, held_by, since, reason)


def with_new_target(
    hold: Hold, current: Current, applied: Current, held_by: tuple[str, ...], since: datetime, *, reason: str = ""
) -> Hold:
    """The same hold with another value to apply. The original stays what it was."""
    fields = {
        name: Held(original=held.original, before=current[name], applied=applied[name])
        for name, held in hold.fields.items()
    }
    return Hold(fields, Phase.INTENDED, held_by, since, reason or hold.reason)


def being_restored(hold: Hold, current: Current, restore: Current) -> Hold:
    """The same hold while the fields of ``restore`` are given back: should that be cut short, both values are ours.

    Without it, a resource whose restoring was not seen to end would look as if a person had let it go.
    """
    fields = {
        name: Held(original=held.original, before=current[name], applied=restore[name]) if name in restore else held
        for name, held in hold.fields.items()
    }
    return msgspec.structs.replace(hold, fields=fields, phase=Phase.INTENDED, is_being_restored=True, by_hand=None)


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


def kept_by_a_person(name: str, hold: Hold, current: Current) -> list[KeptByPerson]:
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


class Wanted(msgspec.Struct, frozen=True):
    """The desired values of a held resource, with the rungs that hold it, and since when."""

    applied: Current
    held_by: tuple[str, ...]
    since: datetime
    reason: Message


class HoldDecision(msgspec.Struct, frozen=True):
    """The next change of one resource, and its record once that is seen."""

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
    """The rungs that want it held, or else have held it."""

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to do or to wait for."""
        return self.write is None and not self.waiting


def decide(
    name: str,
    current: Current | None,
    wanted: Wanted | None,
    hold: Hold | None,
    *,
    now: datetime,
    in_flight: bool = False,
) -> HoldDecision:
    """Decide on a resource with these present values (``current`` is None if it does not exist).

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
        decision = _to_hold(name, current, holder, hold, now)
    else:
        decision = _to_release(name, current, holder)
    return msgspec.structs.replace(decision, held_by=holder.held_by)


def _to_hold(name: str, current: Current, wanted: Wanted, hold: Hold | None, now: datetime) -> HoldDecision:
    if hold is None:
        fresh = new_hold(current, wanted.applied, wanted.held_by, wanted.since, str(wanted.reason))
        is_so_already = current == wanted.applied
        return HoldDecision(name) if is_so_already else HoldDecision(name, None, wanted.applied, fresh, wanted.reason)
    if wanted.applied.keys() - hold.fields.keys():
        return _to_hold_more(name, current, wanted, hold)
    return _to_keep(name, current, wanted, hold, now)


def _to_keep(name: str, current: Current, wanted: Wanted, hold: Hold, now: datetime) -> HoldDecision:
    applied = {field: wanted.applied.get(field, held.applied) for field, held in hold.fields.items()}
    is_same = all(held.applied == applied[field] for field, held in hold.fields.items())
    is_more = bool(set(wanted.held_by) - set(hold.held_by))
    reason = str(wanted.reason) if is_more else hold.reason
    again = hold if is_same else with_new_target(hold, current, applied, wanted.held_by, wanted.since, reason=reason)
    match compare(hold, current):
        case HoldStatus.CHANGED if is_more:
            # Something asks for it that did not when a person changed it: what the person chose is the original now.
            return _to_hold(name, current, wanted, None, now)
        case HoldStatus.CHANGED:
            # Confirmed, or it would be looked at again and again although there is nothing to do.
            seen = confirmed(msgspec.structs.replace(again, by_hand=_by_hand(hold, current, now)))
            return HoldDecision(name, seen, notices=(ChangedByPerson(name, dict(current)),))
        case HoldStatus.APPLIED if is_same:
            held_by = msgspec.structs.replace(
                hold,
                held_by=wanted.held_by,
                since=wanted.since,
                reason=reason,
                is_being_restored=False,
                by_hand=None,
            )
            return HoldDecision(name, confirmed(held_by))
        case _:
            intended = msgspec.structs.replace(again, held_by=wanted.held_by, is_being_restored=False, by_hand=None)
            return HoldDecision(name, hold, applied, intended, wanted.reason)


def _to_hold_more(name: str, current: Current, wanted: Wanted, hold: Hold) -> HoldDecision:
    """Hold fields of a resource that were not held before beside those that are."""
    fresh = {field: value for field, value in wanted.applied.items() if field not in hold.fields}
    fields = hold.fields | {field: Held(current[field], current[field], value) for field, value in fresh.items()}
    more = Hold(fields, Phase.INTENDED, wanted.held_by, wanted.since, str(wanted.reason))
    return HoldDecision(name, hold, fresh, more, wanted.reason)


def _by_hand(hold: Hold, current: Current, now: datetime) -> HandChange:
    """The person's change; its time stays that at which it was first seen."""
    values = {field: current[field] for field in hold.fields}
    known = hold.by_hand
    return known if known and known.values == values else HandChange(values, now)


def _to_release(name: str, current: Current, hold: Hold) -> HoldDecision:
    if restore := to_restore(hold, current):
        return HoldDecision(name, hold, restore, being_restored(hold, current, restore), Released(hold.held_by))
    return HoldDecision(name, notices=tuple(kept_by_a_person(name, hold, current)))
