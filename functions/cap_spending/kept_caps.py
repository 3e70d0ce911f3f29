"""Create, keep, lift, arm and delete spend caps as the settings and commands ask. Pure.

What a rung pauses is a hold on the cap's amount (`wanted.py`); a cap that is held is not looked at here.
"""

from collections.abc import Collection, Iterator

import msgspec

from functions.cap_spending.cap_changes import (
    AnyCapChange,
    ArmCap,
    CreateCap,
    DeleteCap,
    LiftCap,
    SetCapAmount,
)
from functions.cap_spending.messages import (
    CapAsSettings,
    CapChangedByPerson,
    CapEnforced,
    CapGone,
    CapNotInSettings,
    CapRequested,
)
from functions.cap_spending.records import CapAsked, CapCommand, Context, KeptCap
from functions.cap_spending.spend_caps import CapState, SpendCap
from functions.cap_spending.world import AMOUNT, CapOf, GoogleCap
from shared.decision import Alert, Message
from shared.hold_messages import InFlight
from shared.holds import Hold
from shared.world import World

ENFORCED, LIFTED = CapState.ENFORCED, CapState.AWAITING_NEXT_PERIOD


class KeptCaps(msgspec.Struct, frozen=True):
    """The next changes to the spend caps of the settings, and their records."""

    kept: dict[str, KeptCap]
    asked: dict[str, CapAsked]
    changes: tuple[AnyCapChange, ...] = ()
    waiting: tuple[Message, ...] = ()
    alerts: tuple[Alert, ...] = ()


def decide_kept(context: Context, world: World, held: Collection[str]) -> KeptCaps:
    """For each cap that the settings ask for, or that we have made for them, at most one change."""
    records = context.records
    wanted = {cap.name: (key, cap) for key, cap in context.settings.spend_caps.items()}
    kept = dict(records.spend_caps)
    asked = {name: one for name, one in records.caps_asked.items() if name in wanted or name in kept}
    changes: list[AnyCapChange] = []
    waiting: list[Message] = []
    alerts: list[Alert] = []
    for name in sorted({*wanted, *kept}):
        key, cap = wanted.get(name, ("", None))
        seen = world.get(CapOf(name))
        if not isinstance(seen, GoogleCap):
            continue
        if seen.state is ENFORCED and key:
            alerts.append(Alert("spend_cap_enforced", key, str(CapEnforced(key, name, seen.amount, seen.currency))))
        if name in held or seen.in_flight:
            waiting += () if name in held else (InFlight(name),)
            continue
        command = asked.get(name)
        if cap is None or (command and command.what is CapCommand.REMOVE):
            changes += _removing(seen, context)
            kept = kept if seen.budget else {other: one for other, one in kept.items() if other != name}
        elif command and not command.is_done and _is_left_to_do(command.what, seen, cap):
            changes.append(_asked_for(command.what, seen, cap, context))
        else:
            asked |= {name: msgspec.structs.replace(command, is_done=True)} if command else {}
            changes += _keeping(seen, cap, kept.get(name), context)
            alerts += _drift(key, seen, cap, kept.get(name))
            kept |= _as_seen(seen, cap, kept.get(name), context)
    return KeptCaps(dict(sorted(kept.items())), asked, tuple(changes), tuple(waiting), tuple(alerts))


def _as_seen(seen: GoogleCap, cap: SpendCap, known: KeptCap | None, context: Context) -> dict[str, KeptCap]:
    """The record of a cap that matches the settings."""
    if not seen.budget or seen.amount != cap.money:
        return {}
    return {seen.name: KeptCap(cap.money, known.first_seen if known else context.now)}


def change_of_amount(seen: GoogleCap, after: str, reason: Message, hold: Hold | None) -> AnyCapChange:
    """The next step towards another amount, or none at all: what is enforced is lifted before anything else."""
    if not seen.budget:
        return _change(CreateCap, seen, (AMOUNT, after), reason, hold)
    if seen.state is ENFORCED:
        return _change(LiftCap, seen, ("state", LIFTED), reason, hold)
    return _change(SetCapAmount if after else DeleteCap, seen, (AMOUNT, after), reason, hold)


def _keeping(seen: GoogleCap, cap: SpendCap, known: KeptCap | None, context: Context) -> Iterator[AnyCapChange]:
    is_as_person_left_it = known is not None and known.amount == cap.money
    if seen.amount != cap.money and not is_as_person_left_it:
        yield _with_currency(change_of_amount(seen, cap.money, CapAsSettings(), None), cap, context)


def _removing(seen: GoogleCap, context: Context) -> Iterator[AnyCapChange]:
    if seen.budget and seen.name in context.records.spend_caps:
        yield change_of_amount(seen, "", CapNotInSettings(), None)


def _is_left_to_do(command: CapCommand, seen: GoogleCap, cap: SpendCap) -> bool:
    if command is CapCommand.LIFT:
        return seen.state is ENFORCED
    return not seen.budget or seen.state is LIFTED or seen.amount != cap.money


def _asked_for(command: CapCommand, seen: GoogleCap, cap: SpendCap, context: Context) -> AnyCapChange:
    reason = CapRequested(command.value)
    if command is CapCommand.LIFT:
        return _change(LiftCap, seen, ("state", LIFTED), reason, None)
    if seen.amount != cap.money:
        return _with_currency(change_of_amount(seen, cap.money, reason, None), cap, context)
    return _change(ArmCap, seen, ("state", CapState.CONFIGURED), reason, None)


def _drift(key: str, seen: GoogleCap, cap: SpendCap, known: KeptCap | None) -> Iterator[Alert]:
    """A person's change to a cap is left alone, and reported."""
    if known is None or known.amount != cap.money:
        return
    if not seen.budget:
        yield Alert("spend_cap_deleted", key, str(CapGone(key, seen.name)))
    elif seen.amount != cap.money or seen.differs or seen.currency != cap.currency:
        fields = (*seen.differs, *([AMOUNT] if seen.amount != cap.money else []))
        money = f"{seen.amount} {seen.currency}"
        yield Alert(
            "spend_cap_changed", key, str(CapChangedByPerson(key, fields, money, f"{cap.money} {cap.currency}"))
        )


def _with_currency(change: AnyCapChange, cap: SpendCap, context: Context) -> AnyCapChange:
    if isinstance(change, CreateCap):
        return msgspec.structs.replace(change, currency=cap.currency, at=context.now)
    return change


def _change(
    kind: type[AnyCapChange], seen: GoogleCap, to: tuple[str, str], reason: Message, hold: Hold | None
) -> AnyCapChange:
    field, after = to
    before = seen.amount if field == AMOUNT else str(seen.state or "")
    return kind(
        target=seen.name,
        field=field,
        before=before,
        after=after,
        reason=reason,
        scope=seen.name,
        hold=hold,
        etag=seen.etag,
        budget=seen.budget,
    )
