"""Debts: what the suite has changed and has to give back, with what is needed to do that."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from shared.clock import format_time
from shared.decision import Alert
from shared.holds import Hold, Phase
from shared.world import Unreadable


class DebtState(StrEnum):
    """The state of a debt."""

    INTENDED = "about to change"
    HELD = "held"
    BY_HAND = "changed by a person"
    RESTORING = "being given back"


class Debt(msgspec.Struct, frozen=True):
    """Something that the suite has changed and has to give back."""

    resource: str
    """In full."""
    field: str
    original: str
    applied: str
    held_by: tuple[str, ...]
    since: datetime
    undo: str
    """The command that gives it back."""
    asks_for: Mapping[str, object] = {}
    """The resources that restoring it needs, in the form of the owner's section: they are granted, too."""
    state: DebtState = DebtState.HELD
    reason: str = ""
    """Why, in the words of when it was decided."""
    by_hand: str = ""
    """The value that a person has given it since, if one has; its original is theirs to restore."""
    by_hand_seen: datetime | None = None
    is_hold: bool = False
    """Whether a resource is kept at another value, unlike a rotation under way, or something that was created."""

    @property
    def key(self) -> tuple[str, str]:
        """Its identity among debts."""
        return self.resource, self.field

    @property
    def standing(self) -> str:
        """Its state, in words: ``changed by a person to 4, seen 2026-11-21 10:00 UTC``."""
        if self.state is not DebtState.BY_HAND or self.by_hand_seen is None:
            return self.state
        return f"{self.state} to {self.by_hand or 'none'}, seen {format_time(self.by_hand_seen)}"

    def without_needs(self) -> "Debt":
        """The same for people, without what restoring it needs."""
        return msgspec.structs.replace(self, asks_for={})

    def __str__(self) -> str:
        return f"{self.resource} {self.field} {self.original} -> {self.applied or 'none'}: `{self.undo}`"


def debts_of(
    holds: Mapping[str, Hold],
    undo: Callable[[str, Hold], str],
    asks_for: Callable[[str, Hold], Mapping[str, object]],
) -> tuple[Debt, ...]:
    """Every field that is held, by full resource name, with the command that restores it and what that asks for."""
    return tuple(
        Debt(
            resource=name,
            field=field,
            original=str(held.original),
            applied=str(held.applied),
            held_by=hold.held_by,
            since=hold.since,
            undo=undo(name, hold),
            asks_for=asks_for(name, hold),
            state=state_of(hold, field),
            reason=hold.reason,
            by_hand=str(hold.by_hand.values.get(field, "")) if hold.by_hand else "",
            by_hand_seen=hold.by_hand.seen if hold.by_hand else None,
            is_hold=True,
        )
        for name, hold in holds.items()
        for field, held in hold.fields.items()
    )


def state_of(hold: Hold, field: str) -> DebtState:
    """The state of the hold of one field."""
    if hold.is_being_restored:
        return DebtState.RESTORING
    if hold.by_hand and hold.by_hand.values.get(field) != hold.fields[field].applied:
        return DebtState.BY_HAND
    return DebtState.HELD if hold.phase is Phase.CONFIRMED else DebtState.INTENDED


def held_while_observing(debts: Iterable[Debt]) -> Iterator[Alert]:
    """Something that was changed while acting and is not restored while observing."""
    for debt in debts:
        yield Alert("held_while_observing", debt.resource, f"it is still changed, and `mode` is observe: {debt}")


def held_and_unreadable(debts: Iterable[Debt], unreadable: Iterable[Unreadable]) -> Iterator[Alert]:
    """Something that cannot be restored because it cannot be read, for example after a permission was withdrawn."""
    failed = {one.resource.partition(", ")[0]: one for one in reversed(tuple(unreadable))}
    for debt in debts:
        if found := next((one for place, one in failed.items() if _is_in(debt.resource, place)), None):
            yield Alert("held_unreadable", debt.resource, f"{found}, and it is still changed: {debt}")


def _is_in(resource: str, place: str) -> bool:
    """Whether a resource is this one, or in this location or cluster. A project alone says nothing of what is in it."""
    return resource == place or ("/locations/" in place and resource.startswith(f"{place}/"))
