"""Measures processes in turn, so that a machine that slows down slows all of them, and prints ratios in a table."""

import os
import platform
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from rich.console import Console
from rich.table import Table

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")


@dataclass(frozen=True)
class Figure:
    """One measured ratio, and what we hold it to."""

    name: str
    peer: str
    ours: float
    theirs: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def ratio(self) -> float:
        """Ours over theirs."""
        return self.ours / self.theirs

    @property
    def verdict(self) -> str:
        """Whether the bound is kept; nothing where there is none."""
        if self.at_least is not None and self.ratio < self.at_least:
            return f"UNDER {self.at_least:g}"
        if self.at_most is None:
            return "" if self.at_least is None else f"at least {self.at_least:g}"
        return f"within {self.at_most:g}" if self.ratio <= self.at_most else f"OVER {self.at_most:g}"


def in_turn(contenders: Mapping[KeyT, Callable[[], ValueT]], rounds: int) -> dict[KeyT, list[ValueT]]:
    """Measure all contenders one after another, ``rounds`` times after one round that is not counted."""
    measured: dict[KeyT, list[ValueT]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, measure in contenders.items():
            value = measure()
            if number:
                measured[name].append(value)
    return measured


def spread(values: list[float]) -> str:
    """Median, and in brackets the least and the greatest."""
    return f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def machine() -> str:
    """The machine of the figures."""
    return f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"


class Shown(msgspec.Struct, frozen=True):
    """The figures of a benchmark, as a table and notes."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]

    def in_markdown(self) -> str:
        """The same as Markdown."""
        lines = [self.headings, ("---",) * len(self.headings), *self.rows] if self.rows else []
        table = ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
        return "\n".join([*table, *([""] if table else []), *(f"- {note}" for note in self.notes)])


SHOWN: list[Shown] = []
"""All that this process has shown so far, for `--write`."""


def show(title: str, figures: list[Figure], notes: list[str]) -> None:
    """Print figures as a table with the ratios that matter, and notes below it; notes alone, if nothing is compared."""
    rows = [
        (
            one.name,
            f"{one.ours:.3f} {one.unit}",
            f"{one.theirs:.3f} {one.unit}",
            one.peer,
            f"{one.ratio:.2f}",
            one.verdict,
        )
        for one in figures
    ]
    show_table(title, ("", "ours", "peer", "", "ratio", "bound"), rows, notes)


def show_table(title: str, headings: tuple[str, ...], rows: Sequence[tuple[str, ...]], notes: Iterable[str]) -> None:
    """Print a table, and notes below it."""
    SHOWN.append(Shown(title, headings, tuple(rows), tuple(notes)))
    console = Console(highlight=False)
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, justify="left" if heading in {"", "bound"} else "right")
    for row in rows:
        table.add_row(*row)
    console.print(table if rows else title)
    for note in (*SHOWN[-1].notes, machine()):
        console.print(f"  {note}")
