"""Puts what was measured into docs/benchmarks.md: between two marks below the heading of each benchmark."""

import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version

from benchmarks.harness import Shown
from infra.suite.automations import ROOT

NOTE = ROOT / "docs" / "benchmarks.md"
PACKAGES = ("functions-framework", "google-auth", "urllib3", "msgspec", "grpcio")
"""The packages that a function's cost depends on most."""
BEGIN, END = "<!-- measured: ./deploy.sh bench {} --write -->", "<!-- the end of what was measured -->"


def write(name: str, shown: Sequence[Shown]) -> None:
    """Put what a benchmark has shown into the note."""
    NOTE.write_text(with_measured(NOTE.read_text("utf-8"), name, shown, circumstances()), "utf-8")


def with_measured(note: str, name: str, shown: Sequence[Shown], how: str) -> str:
    """The note with what a benchmark has shown, in the place of what it showed before.

    A benchmark without a heading of its own gets one at the end.
    """
    parts = [f"{how}\n", *(f"**{one.title}**\n\n{one.in_markdown()}\n" for one in shown)]
    measured = "\n".join([BEGIN.format(name), "", *parts, END])
    if f"\n## {name}\n" not in note:
        note = f"{note.rstrip()}\n\n## {name}\n"
    before, heading, after = note.partition(f"\n## {name}\n")
    own, next_heading, others = _until_next_heading(after)
    old = re.search(re.escape(BEGIN.format(name)) + ".*?" + re.escape(END), own, re.DOTALL)
    own = own[: old.start()] + measured + own[old.end() :] if old else f"\n{measured}\n{own}"
    return f"{before}{heading}{own}{next_heading}{others}"


def _until_next_heading(text: str) -> tuple[str, str, str]:
    return text.partition("\n## ")


def circumstances() -> str:
    """The time and machine of the figures, and how busy it was: other work on it makes them worse."""
    packages = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    busy = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d} with Python {platform.python_version()} on {os.cpu_count()} cores "
        f"({platform.system()} {platform.machine()}); {packages}. The load average at the end was {busy} (1, 5 and 15 "
        "minutes), of which the benchmark makes one to two."
    )
