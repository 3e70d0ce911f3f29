"""The cost of the laptop run: the memory of its two processes, and the seconds of the whole story."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import Figure, show
from benchmarks.processes import resident_bytes, with_children
from infra.suite.automations import ROOT

MEBIBYTE = 1024 * 1024
MOST_MEBIBYTES = 190.0
MOST_SECONDS = 10.0
FUNCTIONS = "local.functions_host"


def measure() -> bool:
    """Measure and print. Returns whether it could be measured."""
    cloud, functions = _mebibytes()
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(_command(folder, "--once"), cwd=ROOT, env=_environment(), check=True, capture_output=True)
    took = time.perf_counter() - begun
    figures = [
        Figure("all functions and the local cloud", "what we allow", cloud + functions, MOST_MEBIBYTES, "MiB", 1.0),
        Figure("./deploy.sh local --once", "what we allow", took, MOST_SECONDS, "s", 1.0),
    ]
    show(
        "The laptop run",
        figures,
        [f"resident after the story and its report: local cloud {cloud:.0f} MiB, functions {functions:.0f} MiB"],
    )
    return True


def _command(folder: str, *options: str) -> Sequence[str]:
    return sys.executable, "-m", "local", "--directory", folder, *options


def _environment() -> dict[str, str]:
    """As deploy.sh has it for the run, whose code is compiled once and then kept."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"MALLOC_ARENA_MAX": "1"}


def _mebibytes() -> tuple[float, float]:
    """The memory of the process with the local cloud, and of the functions', as soon as they serve after the story."""
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(_command(folder), cwd=ROOT, env=_environment(), stdout=subprocess.PIPE, text=True) as process,
    ):
        try:
            if not any("until Ctrl-C" in line for line in process.stdout or ()):
                raise RuntimeError("the story did not come to its end")
            (functions,) = (one for one in with_children(process.pid) if FUNCTIONS in _arguments(one))
            return resident_bytes(process.pid) / MEBIBYTE, resident_bytes(functions) / MEBIBYTE
        finally:
            process.terminate()


def _arguments(process: int) -> list[str]:
    return Path(f"/proc/{process}/cmdline").read_text("utf-8").split("\0")
