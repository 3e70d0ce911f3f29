"""The owner's settings: one section, typed, and refused with the key, the value and what would do."""

import contextlib
import json
from decimal import Decimal
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec import Meta

from shared.errors import CaretakerError, SettingsError
from shared.settings import VARIABLE, Configuration, Mode, Section, from_environment, parse
from tests.wrong_settings import parts_of


class Broom(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something to sweep with."""

    width: Annotated[float, Meta(gt=0)]
    price: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        if self.width == 13:
            raise SettingsError("width", self.width, "any other width")


class Sweep(Section, frozen=True, kw_only=True):
    """The settings of an automation for the tests."""

    brooms: dict[Annotated[str, Meta(pattern="^[a-z]+$")], Broom] = {}
    rooms: list[list[int]] = []
    spare: Broom | None = None

    def check_complete(self) -> None:
        if not self.brooms:
            raise SettingsError("sweep.brooms", {}, "one at least")


def complaint(section: object, mode: object = "act") -> str:
    """The error for an invalid section."""
    with pytest.raises(SettingsError) as error:
        parse({"mode": mode, "sweep": section}, "sweep", Sweep)
    return parts_of(error.value)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"brooms": {"a": {"width": 0}}}, "sweep.brooms.a.width: 0; expected a number greater than 0"),
        ({"brooms": {"a": {"width": 1}, "b": {}}}, "sweep.brooms.b.width: None; expected a number greater than 0"),
        (
            {"brooms": {"a": {"width": 1}, "b": {"width": "1"}}},
            "sweep.brooms.b.width: '1'; expected a number greater than 0 (did you mean 1, without quotes?)",
        ),
        ({"brooms": {"a": {"width": 13}}}, "sweep.brooms.a.width: 13.0; expected any other width"),
        ({"spare": {"width": 13}}, "sweep.spare.width: 13.0; expected any other width"),
        (
            {"spare": {"width": 1, "colour": 2}},
            "sweep.spare.colour: 2; expected one of width, price",
        ),
        (
            {"spare": {"widht": 1, "width": 1}},
            "sweep.spare.widht: 1; did you mean width?",
        ),
        (
            {"brooms": {"A": {"width": 1}}},
            "sweep.brooms.A: 'A'; expected text matching ^[a-z]+$",
        ),
        ({"rooms": [[1], [2, "x"]]}, "sweep.rooms[1][1]: 'x'; expected a whole number"),
        (
            {"rooms": [["a\n"]]},
            "sweep.rooms[0][0]: 'a\\n'; expected no line break at the end (in YAML, use `|-` instead of `|`)",
        ),
        (
            {"brooms": {"a\n": {"width": 1}}},
            "sweep.brooms: 'a\\n'; expected no line break at the end (in YAML, use `|-` instead of `|`)",
        ),
        ({"room": 1}, "sweep.room: 1; did you mean rooms?"),
        ([], "sweep: []; expected a mapping with keys"),
        (None, "sweep: None; expected a mapping with keys"),
    ],
)
def test_what_will_not_do_is_named(section: object, said: str) -> None:
    assert complaint(section) == said


def test_what_no_json_can_hold_is_named() -> None:
    assert complaint({"spare": object}).startswith(
        "sweep: {'spare': <class 'object'>}; expected text, numbers, lists and mappings"
    )


@pytest.mark.parametrize("mode", ["on", True, None, 1, ["act"]])
def test_a_mode_that_is_none(mode: object) -> None:
    assert complaint({}, mode) == f"mode: {mode!r}; expected observe or act"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], "settings: []; expected a mapping with `mode` and a section for each automation"),
        (None, "settings: None; expected a mapping with `mode` and a section for each automation"),
        ({}, "sweep: None; expected a section `sweep:`"),
    ],
)
def test_settings_that_are_none(data: object, said: str) -> None:
    with pytest.raises(SettingsError) as error:
        parse(data, "sweep", Sweep)
    assert parts_of(error.value) == said
    assert isinstance(error.value, CaretakerError)


@pytest.mark.parametrize(
    ("suite", "own", "mode"),
    [
        (None, None, Mode.OBSERVE),
        ("act", None, Mode.ACT),
        ("observe", None, Mode.OBSERVE),
        ("act", "observe", Mode.OBSERVE),
        ("observe", "act", Mode.ACT),
        (None, "act", Mode.ACT),
    ],
)
def test_observing_is_the_rule_and_an_automation_may_say_otherwise(
    suite: str | None, own: str | None, mode: Mode
) -> None:
    section = {} if own is None else {"mode": own}
    data: dict[str, object] = {"sweep": section} if suite is None else {"mode": suite, "sweep": section}
    assert parse(data, "sweep", Sweep).mode is mode


def test_a_number_is_the_decimal_that_the_owner_wrote() -> None:
    data = {"sweep": {"spare": {"width": 0.8, "price": 0.1}}}
    spare = parse(data, "sweep", Sweep).section.spare
    assert spare == Broom(0.8, Decimal("0.1"))


def test_settings_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, '{"mode": "act", "sweep": {"brooms": {"a": {"width": 1}}}, "other": 7}')
    expected = Configuration(Mode.ACT, Sweep(brooms={"a": Broom(1.0)}))
    assert from_environment("sweep", Sweep) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "CARETAKER_SETTINGS: ''; expected JSON with `mode` and a section `sweep`, made from caretaker.yaml"),
        ("{" + "x" * 100, f"CARETAKER_SETTINGS: '{{{'x' * 100}'; expected JSON with"),
        ('{"sweep": {}}', "sweep.brooms: {}; expected one at least"),
    ],
)
def test_an_environment_that_will_not_do(monkeypatch: pytest.MonkeyPatch, text: str | None, said: str) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    if text is not None:
        monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(SettingsError) as error:
        from_environment("sweep", Sweep)
    assert parts_of(error.value).startswith(said)


brooms = some.builds(
    Broom,
    some.floats(0.001, 1e6).filter(lambda width: width != 13),
    some.decimals(0, 10**9, places=2, allow_nan=False, allow_infinity=False),
)
sections = some.builds(
    Sweep,
    mode=some.none() | some.sampled_from(Mode),
    brooms=some.dictionaries(some.text("abc", min_size=1, max_size=3), brooms, max_size=3),
    rooms=some.lists(some.lists(some.integers(-9, 9), max_size=2), max_size=2),
    spare=some.none() | brooms,
)


@given(sections)
def test_settings_survive_a_round_trip(section: Sweep) -> None:
    data: Any = json.loads(msgspec.json.encode({"mode": "act", "sweep": section}))
    assert parse(data, "sweep", Sweep).section == section


junk: some.SearchStrategy[object] = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=3),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(some.sampled_from(["brooms", "rooms", "spare", "width", "a", "A"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(junk)
def test_whatever_is_given_is_settings_or_a_settings_error(section: object) -> None:
    with contextlib.suppress(SettingsError):
        assert isinstance(parse({"sweep": section}, "sweep", Sweep).section, Sweep)
