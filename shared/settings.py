"""The owner's settings: one section for each automation, typed; an error names the key, the value and the remedy.

A function is given JSON in ``CARETAKER_SETTINGS``: ``mode`` and its own section of ``caretaker.yaml``.
"""

import os
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta

from shared.decoding import decoded
from shared.errors import SettingsError, settings_error_of

VARIABLE = "CARETAKER_SETTINGS"


class Mode(StrEnum):
    """Whether the suite may change anything (``act``), or only says what it would do (``observe``)."""

    OBSERVE = "observe"
    ACT = "act"


ProjectId = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$", examples=["my-product"])]
Region = Annotated[str, Meta(pattern=r"^[a-z]+-[a-z]+[0-9]+$", examples=["europe-west1"])]
SecretName = Annotated[
    str,
    Meta(
        pattern=r"^projects/[^/]+/secrets/[A-Za-z0-9_-]{1,255}$",
        examples=["projects/my-product/secrets/database-url"],
        description="A secret in full, such as projects/my-product/secrets/github-token.",
    ),
]


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the settings: unknown keys are refused."""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys that every automation's section of the settings has."""

    mode: Mode | None = None
    """Overrides the suite's ``mode`` for this automation."""

    def check_complete(self) -> None:
        """Raise ``SettingsError`` for what the owner may leave to the deployment, and the deployment left out."""


SectionT = TypeVar("SectionT", bound=Section)


class Configuration(msgspec.Struct, Generic[SectionT], frozen=True):
    """One automation's settings and the mode that holds for it."""

    mode: Mode
    section: SectionT


def from_environment(automation: str, section: type[SectionT]) -> Configuration[SectionT]:
    """The settings that a function was deployed with. Raises ``SettingsError`` if they are missing or wrong."""
    text = os.environ.get(VARIABLE, "")
    try:
        data = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        expected = f"JSON with `mode` and a section `{automation}`, made from caretaker.yaml"
        raise SettingsError(VARIABLE, text, expected) from error
    configuration = parse(data, automation, section)
    configuration.section.check_complete()
    return configuration


def parse(data: object, automation: str, section: type[SectionT]) -> Configuration[SectionT]:
    """One automation's settings out of the whole of ``caretaker.yaml``, already read.

    Raises ``SettingsError`` with every key that is wrong.
    """
    if not isinstance(data, Mapping):
        raise SettingsError("settings", data, "a mapping with `mode` and a section for each automation")
    if automation not in data:
        raise SettingsError(automation, None, f"a section `{automation}:`")
    mode = mode_of(data)
    own = convert(data[automation], section, automation)
    return Configuration(mode=own.mode or mode, section=own)


def mode_of(data: Mapping[str, object]) -> Mode:
    """The mode of the whole suite. Raises ``SettingsError`` if it is neither of the two."""
    return convert(data.get("mode", Mode.OBSERVE), Mode, "mode")


ValueT = TypeVar("ValueT")


def convert(
    data: object, type_: type[ValueT], key: str, *, strict: bool = True, may_end_in_line_break: bool = False
) -> ValueT:
    """Data from YAML as a typed value; ``strict=False`` accepts texts for numbers, as in the environment.

    Content, such as a secret of a local world, may end in a line break; a setting may not.

    Raises ``SettingsError`` with each key that is wrong, its value and what was expected.
    """
    plain = _plain(data)
    wrong = [] if may_end_in_line_break else list(_stray_line_breaks(plain, key))
    try:
        # A round trip through JSON reads a number such as 0.8 as the decimal that the owner wrote.
        encoded = msgspec.json.encode(plain)
    except TypeError as error:
        raise SettingsError(key, data, "text, numbers, lists and mappings") from error
    try:
        value = decoded(encoded, type_, strict=strict)
    except msgspec.ValidationError:
        from shared.settings_errors import errors_in

        found = errors_in(plain, type_, key, strict=strict) or [SettingsError(key, plain, "other settings")]
        wrong += [one for one in found if one.key not in {stray.key for stray in wrong}]
    else:
        if not wrong:
            return value
    raise settings_error_of(wrong) from None


def key_text(name: object) -> str:
    """A key of a mapping as text; one that YAML reads as no text, such as ``true``, as YAML spells it."""
    return name if isinstance(name, str) else msgspec.json.encode(name).decode()


def _plain(data: object) -> object:
    """Data with texts for keys and for dates, as JSON has them."""
    if isinstance(data, Mapping):
        return {key_text(name): _plain(value) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [_plain(value) for value in data]
    return data.isoformat() if isinstance(data, date | datetime) else data


def _stray_line_breaks(data: object, key: str) -> Iterator[SettingsError]:
    """An error for each text that ends in a line break, as YAML's ``|`` makes it: patterns let it pass."""
    if isinstance(data, str) and data.find("\n") == len(data) - 1 >= 0:
        yield SettingsError(key, data, "no line break at the end (in YAML, use `|-` instead of `|`)")
    if isinstance(data, Mapping):
        for name, value in data.items():
            yield from _stray_line_breaks(name, key)
            yield from _stray_line_breaks(value, f"{key}.{name}" if key else name)
    elif isinstance(data, list):
        for place, value in enumerate(data):
            yield from _stray_line_breaks(value, f"{key}[{place}]")
