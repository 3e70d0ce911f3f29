"""The owner's settings as a whole: reading ``caretaker.yaml``, checking it, and its JSON schema for editors."""

import importlib
import inspect
from collections.abc import Mapping
from pathlib import Path

import msgspec

from infra.suite.automations import ROOT, load_functions
from infra.suite.yaml12 import load_yaml
from shared.errors import SettingsError
from shared.settings import Mode, Section, mode_of, parse

SCHEMA_PATH = ROOT / "caretaker.schema.json"


def sections() -> dict[str, type[Section]]:
    """The type of each automation's section, by the automation's name."""
    return {name: importlib.import_module(f"functions.{name}.settings").Settings for name in load_functions()}


def load_caretaker_yaml(path: Path) -> dict[str, object]:
    """The owner's settings, checked. Raises ``SettingsError`` with the key, the value and what would do."""
    data = load_yaml(path)
    if not isinstance(data, Mapping):
        raise SettingsError(str(path), data, "a mapping with `mode` and a section for each automation")
    check(data)
    return dict(data)


def check(data: Mapping[str, object]) -> None:
    """Raise ``SettingsError`` if any section of the settings is wrong, or no automation has its name."""
    known = sections()
    for name in data:
        if name != "mode" and name not in known:
            raise SettingsError(str(name), data[name], f"there is no such key; known are mode, {', '.join(known)}")
    mode_of(data)
    for name, section in known.items():
        if name in data:
            parse(data, name, section)


def json_schema() -> dict[str, object]:
    """The JSON schema of ``caretaker.yaml``, for an editor to complete and check it."""
    fields = [
        ("mode", Mode, Mode.OBSERVE),
        *((name, section | None, None) for name, section in sections().items()),
    ]
    whole = msgspec.defstruct("Caretaker", fields, forbid_unknown_fields=True)
    schema: dict[str, object] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **msgspec.json.schema(whole),
    }
    return {name: _with_clean_descriptions(part) for name, part in schema.items()}


def _with_clean_descriptions(part: object) -> object:
    """The same part of a schema, whichever Python has read the docstrings: before 3.13 they keep their indentation."""
    if isinstance(part, list):
        return [_with_clean_descriptions(one) for one in part]
    if not isinstance(part, Mapping):
        return part
    return {
        name: inspect.cleandoc(one) if name == "description" and isinstance(one, str) else _with_clean_descriptions(one)
        for name, one in part.items()
    }


def schema_text() -> str:
    """The text of the committed schema file."""
    return msgspec.json.format(msgspec.json.encode(json_schema()), indent=2).decode() + "\n"


if __name__ == "__main__":
    SCHEMA_PATH.write_text(schema_text(), encoding="utf-8")
