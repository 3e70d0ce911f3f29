"""The two files of settings in a folder of the owner's: a file that exists is never overwritten."""

from collections.abc import Mapping
from pathlib import Path

from infra.suite.automations import ROOT
from infra.suite.settings import EXAMPLES

FILES = ("caretaker.yaml", "deployment.yaml")
SCHEMA_LINE = "$schema="


def examples(folder: Path = EXAMPLES) -> dict[str, str]:
    """The commented examples, by the name of the file."""
    return {name: _without_schema(folder.joinpath(name).read_text(encoding="utf-8")) for name in FILES}


def write(folder: Path, texts: Mapping[str, str]) -> list[str]:
    """Write the files, with the schema for editors; one line for each. Raises ``OSError``."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for name, text in texts.items():
        path = folder / name
        if path.exists():
            lines.append(f"{path} exists: not changed")
            continue
        first = f"# yaml-language-server: {SCHEMA_LINE}{ROOT / 'caretaker.schema.json'}\n"
        path.write_text(first + text if name == "caretaker.yaml" else text, encoding="utf-8")
        lines.append(f"created {path}")
    return lines


def _without_schema(text: str) -> str:
    first, _, rest = text.partition("\n")
    return rest if SCHEMA_LINE in first else text
