"""Save the original once: what a resource was, what we made of it, and whether it is still ours to restore.

A hold is durable before the first mutation of its resource and ends when the resource is let go. The fields
of one resource stand and fall together while it is held, and are restored one by one.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from shared.plan import Change

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


class Standing(StrEnum):
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


def moved(hold: Hold, current: Current, applied: Current, held_by: tuple[str, ...], since: datetime) -> Hold:
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


def standing(hold: Hold, current: Current) -> Standing:
    """Whether a resource is as we made it, not yet so, or changed by a person since.

    Once we have seen our value there, any other value is a person's, the original too: spending that someone
    let go again by hand is not capped anew.
    """
    if all(current[name] == held.applied for name, held in hold.fields.items()):
        return Standing.APPLIED
    untouched = all(current[name] in (held.before, held.applied) for name, held in hold.fields.items())
    return Standing.NOT_YET if hold.phase is Phase.INTENDED and untouched else Standing.CHANGED


def confirmed(hold: Hold) -> Hold:
    """The hold once its values have been seen in the resource: what stood there on the way is no matter any more."""
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


def kept_by_a_person(hold: Hold, current: Current) -> list[str]:
    """The fields that a person has changed since, in words; letting go leaves them alone."""
    return [
        f"{name} is {current[name]!r}, not {held.applied!r} as we left it"
        for name, held in hold.fields.items()
        if name not in to_restore(hold, current) and current[name] != held.original
    ]


def with_intended(holds: Mapping[str, Hold], changes: Iterable[Change]) -> dict[str, Hold]:
    """The holds, by full resource name, with every original that these changes are about to overwrite."""
    intended = {change.target: change.hold for change in changes if isinstance(change, HeldChange) and change.hold}
    return dict(sorted({**holds, **intended}.items()))
