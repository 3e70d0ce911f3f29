"""Creates the folder for your own settings: `./deploy.sh init`. Git ignores it, so an update never touches it."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.suite.automations import ROOT
from infra.suite.settings import EXAMPLES, SETTINGS

FILES = ("caretaker.yaml", "deployment.yaml")
SCHEMA_LINE = "$schema="


def create(folder: Path, examples: Path = EXAMPLES) -> list[str]:
    """Copy the commented examples into a folder; one line for each file. A file that exists is never overwritten.

    Raises ``OSError`` if the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for name in FILES:
        path = folder / name
        if path.exists():
            lines.append(f"{path} exists: not changed")
            continue
        path.write_text(_with_schema(examples.joinpath(name).read_text(encoding="utf-8")), encoding="utf-8")
        lines.append(f"created {path}")
    return lines


def _with_schema(text: str) -> str:
    """An example whose editor schema is found from another folder."""
    first, _, rest = text.partition("\n")
    if SCHEMA_LINE not in first:
        return text
    return f"{first.partition(SCHEMA_LINE)[0]}{SCHEMA_LINE}{ROOT / 'caretaker.schema.json'}\n{rest}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Create the settings: 0, or 2 if they cannot be written."""
    parser = argparse.ArgumentParser(
        prog="./deploy.sh init",
        description="Creates settings/caretaker.yaml and settings/deployment.yaml from commented examples."
        " Git ignores the folder, and files that exist are not overwritten.",
    )
    parser.add_argument("--folder", type=Path, default=SETTINGS, metavar="DIR", help="instead of settings/")
    folder = parser.parse_args(arguments).folder
    try:
        print(*create(folder), sep="\n")
    except OSError as error:
        sys.stderr.write(f"cannot write to {folder}: {error.strerror}\n")
        return 2
    print(f"Next: replace the names in {folder / 'caretaker.yaml'}, then run ./deploy.sh doctor")
    return 0


if __name__ == "__main__":
    sys.exit(main())
