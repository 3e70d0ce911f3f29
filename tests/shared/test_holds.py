"""Saving the original once: tables of what a resource is, was, and should become."""

from datetime import UTC, datetime

import msgspec
import pytest

from shared.decision import Change, Text
from shared.hold_messages import FieldValue, KeptByPerson
from shared.holds import (
    Current,
    Held,
    HeldChange,
    Hold,
    HoldStatus,
    Phase,
    being_restored,
    compare,
    confirmed,
    kept_by_a_person,
    new_hold,
    to_restore,
    with_intended,
    with_new_target,
)

NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)
BY = ("monthly/actual@1",)


def a_hold(phase: Phase = Phase.CONFIRMED, **fields: tuple[FieldValue, FieldValue, FieldValue]) -> Hold:
    """A hold on fields, each as (original, before, applied)."""
    return Hold({name: Held(*values) for name, values in fields.items()}, phase, BY, NOON)


def test_a_new_hold_takes_the_present_for_the_original() -> None:
    hold = new_hold({"size": 20, "zone": "a"}, {"size": 1}, BY, NOON)
    assert hold == a_hold(Phase.INTENDED, size=(20, 20, 1))


def test_a_hold_that_moves_keeps_the_original() -> None:
    hold = with_new_target(a_hold(size=(20, 20, 5)), {"size": 5}, {"size": 1}, ("other",), NOON)
    assert hold == Hold({"size": Held(20, 5, 1)}, Phase.INTENDED, ("other",), NOON)
    assert confirmed(hold).phase is Phase.CONFIRMED


def a_hold_on_two(phase: Phase = Phase.CONFIRMED) -> Hold:
    """A hold on a size and a state."""
    return a_hold(phase, size=(20, 20, 1), state=("on", "on", "off"))


@pytest.mark.parametrize(
    ("phase", "current", "expected"),
    [
        (Phase.INTENDED, {"size": 20, "state": "on"}, HoldStatus.NOT_YET),
        (Phase.INTENDED, {"size": 1, "state": "on"}, HoldStatus.NOT_YET),
        (Phase.INTENDED, {"size": 1, "state": "off"}, HoldStatus.APPLIED),
        (Phase.INTENDED, {"size": 7, "state": "on"}, HoldStatus.CHANGED),
        (Phase.CONFIRMED, {"size": 1, "state": "off"}, HoldStatus.APPLIED),
        (Phase.CONFIRMED, {"size": 20, "state": "off"}, HoldStatus.CHANGED),
        (Phase.CONFIRMED, {"size": 20, "state": "on"}, HoldStatus.CHANGED),
    ],
)
def test_where_a_resource_stands(phase: Phase, current: Current, expected: HoldStatus) -> None:
    assert compare(a_hold_on_two(phase), current) is expected


@pytest.mark.parametrize(
    ("phase", "current", "restore", "kept"),
    [
        (Phase.CONFIRMED, {"size": 1, "state": "off"}, {"size": 20, "state": "on"}, []),
        (Phase.CONFIRMED, {"size": 7, "state": "off"}, {"state": "on"}, [KeptByPerson("n", "size", 7, 1)]),
        (Phase.CONFIRMED, {"size": 20, "state": "off"}, {"state": "on"}, []),
        (
            Phase.CONFIRMED,
            {"size": 7, "state": "odd"},
            {},
            [KeptByPerson("n", "size", 7, 1), KeptByPerson("n", "state", "odd", "off")],
        ),
        (Phase.INTENDED, {"size": 20, "state": "on"}, {}, []),
        (Phase.INTENDED, {"size": 1, "state": "on"}, {"size": 20}, []),
    ],
)
def test_letting_go_restores_what_is_still_ours(
    phase: Phase, current: Current, restore: Current, kept: list[KeptByPerson]
) -> None:
    hold = a_hold_on_two(phase)
    assert to_restore(hold, current) == restore
    assert kept_by_a_person("n", hold, current) == kept


def test_a_restoring_that_is_cut_short_leaves_both_values_ours() -> None:
    hold = being_restored(a_hold_on_two(), {"size": 1, "state": "odd"}, {"size": 20})
    intended = a_hold(Phase.INTENDED, size=(20, 1, 20), state=("on", "on", "off"))
    assert hold == msgspec.structs.replace(intended, is_being_restored=True)
    assert to_restore(hold, {"size": 1, "state": "odd"}) == {"size": 20}
    assert to_restore(hold, {"size": 20, "state": "odd"}) == {}
    assert kept_by_a_person("n", hold, {"size": 20, "state": "odd"}) == [KeptByPerson("n", "state", "odd", "off")]


def a_change(target: str, hold: Hold | None) -> HeldChange:
    """A change of a resource that is held."""
    return HeldChange(target=target, field="size", before="2", after="1", reason=Text("r"), scope=target, hold=hold)


def test_what_changes_intend_is_held_beside_what_is_held_already() -> None:
    held, other, moving = a_hold(size=(20, 20, 1)), a_hold(size=(3, 3, 0)), a_hold(Phase.INTENDED, size=(20, 1, 5))
    holds = {"m": held, "z": other}
    plain = Change(target="p", field="size", before="2", after="1", reason=Text("r"), scope="p")
    intended = with_intended(holds, [a_change("m", moving), plain, a_change("z", None), a_change("b", held)])
    assert intended == {"b": held, "m": moving, "z": other}
    assert list(intended) == ["b", "m", "z"]
    assert holds == {"m": held, "z": other}


def test_without_changes_all_stays_held_as_it_is() -> None:
    holds = {"a": a_hold(size=(20, 20, 1))}
    assert with_intended(holds, []) == holds
    assert with_intended({}, [a_change("a", None)]) == {}


@pytest.mark.parametrize("value", [0, 1, -5, "", "1", "true", "2026-11-15T12:00:00Z", True, False])
def test_a_value_survives_being_stored_as_what_it_is(value: FieldValue) -> None:
    hold = a_hold(field=(value, value, value))
    stored = msgspec.convert(msgspec.to_builtins(hold, builtin_types=(datetime,)), Hold, strict=False)
    assert stored == hold
    assert type(stored.fields["field"].original) is type(value)
