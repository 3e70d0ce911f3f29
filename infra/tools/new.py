"""Writes the skeleton of an automation: `./deploy.sh new NAME`.

The skeleton is a whole automation that works: it pauses Cloud Scheduler jobs by command and resumes them. It passes the
laws as it is, so that each step from there to your own is a small one.
"""

import argparse
import keyword
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from string import Template

from infra.suite.automations import PATH, ROOT, load_functions
from shared.errors import CaretakerError

SKELETON = Path(__file__).with_name("skeleton")
SUFFIX = ".template"
NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
LONGEST_NAME = 20
"""A service account's id has 30 characters at most, and begins with `caretaker-`."""
SUMMARY = "Pauses Cloud Scheduler jobs by command, and resumes them."


class NotWritten(CaretakerError):
    """The skeleton was not written: nothing has changed."""


def write_skeleton(name: str, root: Path = ROOT) -> list[Path]:
    """Write the folder of an automation, its tests and its entry in the map; returns the files. Raises ``NotWritten``.

    No file that exists is overwritten.
    """
    _check_name(name)
    words = {"name": name, "summary": SUMMARY}
    files = dict(_files(root, name, words))
    for path in files:
        if path.exists():
            raise NotWritten(f"{path.relative_to(root)} exists already; choose another name")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    entries = root / PATH.relative_to(ROOT)
    entry = Template((SKELETON / f"entry.yaml{SUFFIX}").read_text("utf-8")).substitute(words)
    entries.write_text(entries.read_text("utf-8").rstrip("\n") + "\n" + entry, encoding="utf-8")
    return [*files, entries]


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name) or keyword.iskeyword(name) or len(name) > LONGEST_NAME:
        raise NotWritten(
            f"invalid name {name!r}; expected at most {LONGEST_NAME} lower-case letters, digits and single underscores,"
            " such as pause_jobs"
        )
    if name in load_functions():
        raise NotWritten(f"there is a function {name} already; choose another name")


def _files(root: Path, name: str, words: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    """The files made from the skeleton's templates; the requirements and their lock are copied as they are."""
    folder = SKELETON / "function"
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            text = path.read_text("utf-8")
            made = root / "functions" / name / path.relative_to(folder)
            if path.suffix == SUFFIX:
                yield made.with_suffix(""), Template(text).substitute(words)
            else:
                yield made, text.replace("infra/tools/skeleton/function/", f"functions/{name}/")
    test = Template((SKELETON / f"test.py{SUFFIX}").read_text("utf-8")).substitute(words)
    yield root / "tests" / "functions" / name / f"test_{name}.py", test


def main(arguments: Sequence[str] | None = None) -> int:
    """Write it and report each file: 0 if it was written, 2 if not."""
    parser = argparse.ArgumentParser(prog="./deploy.sh new", description="Writes the skeleton of an automation.")
    parser.add_argument("name", metavar="NAME", help="of the folder below functions/, such as pause_jobs")
    name = parser.parse_args(arguments).name
    try:
        for path in write_skeleton(name):
            print(f"wrote {path.relative_to(ROOT)}")
    except NotWritten as error:
        sys.stderr.write(f"{error}\n")
        return 2
    print(f"next: ./deploy.sh generate; then .venv/bin/python -m pytest tests/laws -k {name}  (CONTRIBUTING.md)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
