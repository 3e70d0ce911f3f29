"""The pure parts of the benchmarks' harness."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import note as notes
from benchmarks.__main__ import measured
from benchmarks.harness import Figure, Shown, in_turn, spread
from benchmarks.note import BEGIN, END, with_measured
from infra.suite.automations import ROOT


def test_a_ratio_is_ours_over_theirs() -> None:
    assert Figure("read", "bare", ours=0.5, theirs=0.25, unit="s").ratio == 2.0


@pytest.mark.parametrize(
    ("at_most", "verdict"), [(None, ""), (2.0, "within 2"), (1.9, "OVER 1.9")], ids=["no bound", "kept", "passed"]
)
def test_the_verdict_says_whether_a_bound_is_kept(at_most: float | None, verdict: str) -> None:
    assert Figure("read", "bare", 0.5, 0.25, "s", at_most).verdict == verdict


@pytest.mark.parametrize(("at_least", "verdict"), [(2.0, "at least 2"), (2.1, "UNDER 2.1")], ids=["kept", "not kept"])
def test_the_verdict_says_whether_a_lower_bound_is_kept(at_least: float, verdict: str) -> None:
    assert Figure("rate", "bare", 0.5, 0.25, "/s", at_least=at_least).verdict == verdict


def test_contenders_take_turns_and_the_first_round_is_not_counted() -> None:
    order: list[str] = []

    def contender(name: str) -> Callable[[], float]:
        def measure() -> float:
            order.append(name)
            return float(len(order))

        return measure

    measured = in_turn({"ours": contender("ours"), "theirs": contender("theirs")}, rounds=2)
    assert order == ["ours", "theirs"] * 3
    assert measured == {"ours": [3.0, 5.0], "theirs": [4.0, 6.0]}


def test_the_spread_of_several_values() -> None:
    assert spread([3.0, 1.0, 2.0]) == "2.000 (1.000 to 3.000)"


def test_the_note_has_the_latest_figures_of_each_benchmark() -> None:
    note = "# What it costs\n\nText.\n\n## growth\n\nMore text.\n\n## memory\n\nOf the laptop run.\n"
    first = Shown("Growth", ("", "calls"), (("pools | services", "3"),), ("on a local cloud",))
    once = with_measured(note, "growth", [first], "Measured today.")
    table = "**Growth**\n\n|  | calls |\n| --- | --- |\n| pools \\| services | 3 |\n\n- on a local cloud\n"
    assert (
        f"## growth\n\n{BEGIN.format('growth')}\n\nMeasured today.\n\n{table}\n{END}\n\nMore text.\n\n## memory" in once
    )
    again = with_measured(once, "growth", [Shown("Growth", (), (), ("nothing compared",))], "Measured later.")
    assert "Measured today" not in again
    assert f"Measured later.\n\n**Growth**\n\n- nothing compared\n\n{END}\n\nMore text." in again
    assert with_measured(again, "growth", [first], "Measured today.") == once
    assert with_measured(note, "webhooks", [first], "How.").endswith(f"\n{END}\n")


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (OSError(f"no server in {ROOT}/examples"), "OSError: no server in ./examples"),
        (
            subprocess.CalledProcessError(3, [f"{ROOT}/.venv/bin/python", "-m", "jobs"]),
            "python failed with exit code 3",
        ),
    ],
    ids=["here", "in a process"],
)
def test_the_note_says_that_a_benchmark_has_failed(
    error: Exception, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure() -> bool:
        raise error

    monkeypatch.setitem(sys.modules, "benchmarks.broken", SimpleNamespace(measure=measure))
    monkeypatch.setattr(notes, "NOTE", tmp_path / "note.md")
    notes.NOTE.write_text("# What it costs\n\n## broken\n\nIts text.\n")
    assert not measured("broken", is_written=True)
    written = notes.NOTE.read_text()
    assert f"**broken**\n\n- not measured: {why}\n\n{END}\n\nIts text.\n" in written
