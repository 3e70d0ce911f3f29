"""The owner's settings: one section for each automation, typed, and refused with the key's name when wrong.

A function is given JSON in ``CARETAKER_SETTINGS``: ``mode`` and its own section of ``caretaker.yaml``.
"""

import os
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta

from shared.errors import SettingsError

VARIABLE = "CARETAKER_SETTINGS"


class Mode(StrEnum):
    """Whether the suite may change anything (``act``), or only says what it would do (``observe``)."""

    OBSERVE = "observe"
    ACT = "act"


ProjectId = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$")]
Region = Annotated[str, Meta(pattern=r"^[a-z]+-[a-z]+[0-9]+$")]


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the settings: unknown keys are refused."""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every automation's section of the settings has."""

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
        would_do = f"JSON with `mode` and a section `{automation}`, made from caretaker.yaml ({error})"
        raise SettingsError(VARIABLE, text[:80], would_do) from error
    configuration = parse(data, automation, section)
    configuration.section.check_complete()
    return configuration


def parse(data: object, automation: str, section: type[SectionT]) -> Configuration[SectionT]:
    """One automation's settings out of the whole of ``caretaker.yaml``, already read.

    Raises ``SettingsError`` with the key, the value and what would do.
    """
    if not isinstance(data, Mapping):
        raise SettingsError("caretaker.yaml", data, "a mapping with `mode` and a section for each automation")
    if automation not in data:
        raise SettingsError(automation, None, f"a section `{automation}:` in caretaker.yaml")
    mode = mode_of(data)
    own = convert(data[automation], section, automation)
    return Configuration(mode=own.mode or mode, section=own)


def mode_of(data: Mapping[str, object]) -> Mode:
    """The mode of the whole suite. Raises ``SettingsError`` if it is none."""
    return convert(data.get("mode", Mode.OBSERVE), Mode, "mode")


ValueT = TypeVar("ValueT")


def convert(data: object, type_: type[ValueT], key: str) -> ValueT:
    """What was read from YAML, as a typed value. Raises ``SettingsError`` with the key, the value and what would do."""
    _refuse_stray_line_breaks(data, key)
    # A round trip through JSON reads a number such as 0.8 as the decimal that the owner wrote.
    try:
        return msgspec.json.decode(msgspec.json.encode(data), type=type_)
    except TypeError as error:
        raise SettingsError(key, data, f"what JSON can hold ({error})") from error
    except msgspec.ValidationError as error:
        from shared.settings_errors import settings_error

        raise settings_error(error, data, key, type_) from None


def _refuse_stray_line_breaks(data: object, key: str) -> None:
    """Raise ``SettingsError`` for a line that ends in a line break, as YAML's ``|`` makes it: patterns let it pass."""
    if isinstance(data, str) and data.find("\n") == len(data) - 1 >= 0:
        raise SettingsError(key, data, "without a line break at its end (in YAML, `|-` and not `|`)")
    if isinstance(data, Mapping):
        for name, value in data.items():
            _refuse_stray_line_breaks(name, key)
            _refuse_stray_line_breaks(value, f"{key}.{name}")
    elif isinstance(data, list):
        for place, value in enumerate(data):
            _refuse_stray_line_breaks(value, f"{key}[{place}]")
