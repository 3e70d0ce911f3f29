"""Stored documents of other versions: what cannot be read is named, and what is unknown is kept."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared.errors import StoredUnreadable
from shared.stored import read_stored, with_unknown

NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)


class Colour(StrEnum):
    """Something with a fixed set of values."""

    RED = "red"


class Lamp(msgspec.Struct, frozen=True):
    """An entry."""

    colour: Colour
    since: datetime


class House(msgspec.Struct, frozen=True):
    """A document."""

    lamps: dict[str, Lamp] = {}
    level: int = 0


RED = {"colour": "red", "since": NOON}


def test_a_document_of_this_version() -> None:
    stored: dict[str, Any] = {"lamps": {"hall": RED}, "level": 3}
    assert read_stored("h", stored, House) == (House({"hall": Lamp(Colour.RED, NOON)}, 3), ())
    assert read_stored("h", None, House) == (House(), ())


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        ({"colour": "ultraviolet", "since": NOON}, "Invalid enum value 'ultraviolet'"),
        ({"colour": "red"}, "Object missing required field `since`"),
        (7, "Expected `object`, got `int`"),
    ],
)
def test_an_entry_that_cannot_be_read_is_named_and_left_out(entry: object, error: str) -> None:
    stored: dict[str, Any] = {"lamps": {"hall": RED, "attic": entry}, "level": 3}
    house, (unreadable,) = read_stored("records/lamps", stored, House)
    assert house == House({"hall": Lamp(Colour.RED, NOON)}, 3)
    assert (unreadable.field, unreadable.key, unreadable.error) == ("lamps", "attic", error)
    assert str(unreadable).startswith("lamps.attic in records/lamps cannot be read by this version: ")
    assert with_unknown("records/lamps", stored, house) == stored


def test_what_is_no_entry_of_a_map_makes_the_whole_document_unreadable() -> None:
    with pytest.raises(StoredUnreadable, match=r"^h cannot be read by this version: Expected `int`"):
        read_stored("h", {"level": "bright"}, House)


def test_what_is_unknown_stays_where_it_was_unless_that_is_gone() -> None:
    stored: dict[str, Any] = {
        "lamps": {"hall": {**RED, "watts": 7}, "attic": {**RED, "watts": 8}},
        "level": 1,
        "mood": "calm",
    }
    later = House({"hall": Lamp(Colour.RED, NOON)}, 2)
    assert with_unknown("h", stored, later) == {"lamps": {"hall": {**RED, "watts": 7}}, "level": 2, "mood": "calm"}


@given(some.dictionaries(some.text(max_size=3), some.integers() | some.text(max_size=3), max_size=4))
def test_whatever_is_added_at_the_top_survives_a_write(added: dict[str, Any]) -> None:
    stored = {"level": 1} | {f"new_{key}": value for key, value in added.items()}
    assert with_unknown("h", stored, House(level=2)) == {"lamps": {}, **stored, "level": 2}
