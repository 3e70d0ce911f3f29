"""The owner's settings as a whole: reading ``caretaker.yaml``, checking it, and its JSON schema for editors."""

import importlib
import inspect
from collections.abc import Mapping
from pathlib import Path

import msgspec

from infra.suite.automations import ROOT, load_functions
from infra.suite.conflicts import conflicts
from shared.errors import SettingsError, settings_error_of
from shared.settings import Mode, Section, convert
from shared.settings_words import nearest
from shared.yaml_file import YamlFile, located_in, read_yaml_file

SCHEMA_PATH = ROOT / "caretaker.schema.json"
SETTINGS = ROOT / "settings"
"""The owner's own files, which `./deploy.sh init` creates and git ignores."""
EXAMPLES = ROOT / "examples" / "settings"
PATH = SETTINGS / "caretaker.yaml"
EXPECTED = "`mode` and a section for each automation"
KINDS: Mapping[str, tuple[str, frozenset[str]]] = {
    "caretaker.yaml": ("settings", frozenset({"mode", *load_functions()})),
    "deployment.yaml": ("deployment", frozenset({"project", "region", "act_as", "images_of", "alerts", "buckets"})),
    "a world": ("world", frozenset({"projects", "billing_accounts", "github"})),
}
"""The files that a person writes: the option that names each, and top-level keys that only it has."""


def sections() -> dict[str, type[Section]]:
    """The type of each automation's section, by the automation's name."""
    return {name: importlib.import_module(f"functions.{name}.settings").Settings for name in load_functions()}


def refuse_missing(*paths: Path) -> None:
    """Raise ``SettingsError`` for the owner's own files, by their usual names, before `./deploy.sh init` made them."""
    for path in paths:
        if path.parent == SETTINGS and not path.exists():
            remedy = "create it with ./deploy.sh init"
            raise SettingsError("", None, remedy, problem=f"cannot read {path}: no such file", remedy=remedy)


def own_or_example(path: Path) -> Path:
    """A file, or the example of the same name for one of the owner's own that does not exist."""
    return EXAMPLES / path.name if path.parent == SETTINGS and not path.exists() else path


def load_caretaker_yaml(path: Path) -> dict[str, object]:
    """The owner's settings, checked. Raises ``SettingsError`` with every key that is wrong, and its line."""
    return read_caretaker_yaml(path).mapping(EXPECTED)


def read_caretaker_yaml(path: Path) -> YamlFile:
    """The owner's settings, checked, with the lines of their keys. Raises ``SettingsError``."""
    file = read_yaml_file(path)
    data = file.mapping(EXPECTED)
    if not {"mode", *load_functions()} & set(data):
        refuse_another_kind(file, "settings", "caretaker.yaml")
    with located_in(file):
        check(data)
    return file


def check(data: Mapping[str, object]) -> None:
    """Raise ``SettingsError`` for each key that is wrong, each section that no automation has, and each conflict."""
    known = sections()
    wrong = [
        _unknown_section(name, value, ["mode", *known]) for name, value in data.items() if name not in {"mode", *known}
    ]
    types: dict[str, type[Mode | Section]] = {"mode": Mode, **known}
    found: dict[str, Section] = {}
    for name, type_ in types.items():
        try:
            if name in data and isinstance(value := convert(data[name], type_, name), Section):
                found[name] = value
        except SettingsError as error:
            wrong.append(error)
    wrong += conflicts(found)
    if wrong:
        raise settings_error_of(wrong)


def refuse_another_kind(file: YamlFile, option: str, name: str) -> None:
    """Raise ``SettingsError`` for a file that has keys of another kind of file: two were probably swapped."""
    keys = set(file.mapping(f"the keys of {name}"))
    for other, (its_option, known) in KINDS.items():
        if its_option != option and keys & known:
            found = ", ".join(sorted(keys & known))
            raise SettingsError(
                "",
                found,
                f"a {name}",
                problem=f"found keys of {other} ({found})",
                remedy=f"expected {name} after --{option}; {other} is given with --{its_option}",
                file=str(file.path),
                line=1,
            )


def _unknown_section(name: str, value: object, known: list[str]) -> SettingsError:
    near = nearest(name, known)
    remedy = f"did you mean {near}?" if near else f"expected one of {', '.join(known)}"
    return SettingsError(name, value, f"one of {', '.join(known)}", problem=f"unknown key {name}", remedy=remedy)


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
