"""Runs the benchmarks: `./deploy.sh bench [NAME ...]`."""

import argparse
import contextlib
import importlib
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import SHOWN, show
from benchmarks.note import write
from infra.suite.automations import ROOT
from shared.errors import presentable, shortened

BENCHMARKS = {
    "cold_start": "from process start to the first message answered",
    "webhooks": "webhooks a second, rejected and accepted",
    "notifications": "10,000 notifications from eight senders",
    "backups": "backup and restore of a database, beside pg_dump and pg_restore",
    "memory": "memory and seconds of the laptop run",
    "secrets": "200 secrets of 50 services: the calls of a rotation of all, and of a tick with nothing due",
    "gpu_pools": "the plan for 1,000 GPU pools, and the calls of a tick on which nothing changes",
    "recovery": "deploying, and restoring a quarter of a gigabyte, beside the objectives of 5 and 15 minutes",
    "pruning": "5,000 backups pruned beside gcloud and gsutil, then 100,000; the plan for 1,000,000",
    "growth": "the calls, seconds and records of a quiet tick for 1 to 1,000 of each; records of 10,000",
    "previews": "the API calls of a sweep of 500 open pull requests",
    "product": "the load test of the example product, with and without a pool",
    "preview_events": "2,000 pull-request events in an hour: their requests to GitHub",
}
LONGEST_SECONDS = 900
"""The longest that a benchmark may take among others."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run those named, or all; the exit code is 0 if each could be measured."""
    listed = "\n".join(f"  {name:<14} {what}" for name, what in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="./deploy.sh bench",
        description=f"Figures beside peers, as ratios measured in one run:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which; all if none is named")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/benchmarks.md, too")
    given = parser.parse_args(arguments)
    names = given.names or list(BENCHMARKS)
    for name in names:
        if name not in BENCHMARKS:
            parser.error(f"there is no benchmark {name!r}: choose from {', '.join(BENCHMARKS)}")
    return 0 if _all_measured(names, is_written=given.write) else 1


def _all_measured(names: Sequence[str], *, is_written: bool) -> bool:
    if len(names) == 1:
        return measured(names[0], is_written=is_written)
    done = {name: _in_its_own_process(name, is_written=is_written) for name in names}
    for name in (name for name, is_done in done.items() if not is_done):
        sys.stdout.write(f"{name}: not measured, or not as it should be\n")
    return all(done.values())


def _in_its_own_process(name: str, *, is_written: bool) -> bool:
    """Measure in a process, and a session, of its own: nothing that one leaves behind slows down the next."""
    command = [sys.executable, "-m", "benchmarks", name, *(["--write"] if is_written else [])]
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    try:
        ended = process.wait(LONGEST_SECONDS)
        why = f"signal {-ended} ended it"
    except subprocess.TimeoutExpired:
        ended, why = -signal.SIGKILL, f"it took more than {LONGEST_SECONDS} s"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return _failed(name, why, is_written=is_written) if ended < 0 else ended == 0


def measured(name: str, *, is_written: bool) -> bool:
    """Measure one here. If it fails, its figures are a line that says so."""
    shown = len(SHOWN)
    try:
        is_done: bool = importlib.import_module(f"benchmarks.{name}").measure()
    except Exception as error:  # noqa: BLE001 - whatever fails, the note says so, and the others are measured
        traceback.print_exc()
        return _failed(name, _in_words(error), is_written=is_written)
    if is_written:
        write(name, SHOWN[shown:])
    return is_done


def _in_words(error: Exception) -> str:
    """An error for the note, which names no folder of this machine."""
    if isinstance(error, subprocess.CalledProcessError):
        return f"{Path(error.cmd[0]).name} failed with exit code {error.returncode}"
    return f"{type(error).__name__}: {shortened(presentable(str(error).replace(str(ROOT), '.')), 200)}"


def _failed(name: str, why: str, *, is_written: bool) -> bool:
    show(name, [], [f"not measured: {why}"])
    if is_written:
        write(name, SHOWN[-1:])
    return False


if __name__ == "__main__":
    sys.exit(main())
