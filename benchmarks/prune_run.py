"""One run of `prune_backups` as a process of its own: ``python -m benchmarks.prune_run KEEP observe|act``.

It prints the seconds of the run, its CPU time, and the most memory that the process has had.
"""

import os
import sys
import time

import msgspec

from benchmarks.functions import PROJECT, tick_event
from benchmarks.processes import peak_bytes
from benchmarks.stored_backups import BUCKET, NAME, NOW, PREFIX
from shared.report import Outcome
from shared.settings import VARIABLE


class Ran(msgspec.Struct, frozen=True):
    """The result of a run."""

    seconds: float
    cpu_seconds: float
    """Of the process, with its start."""
    peak_bytes: int
    counts: dict[Outcome, int]


def settings(keep: int) -> dict[str, object]:
    """The settings: the newest so many are kept."""
    one = {
        "bucket": BUCKET,
        "prefix": PREFIX,
        "name": NAME,
        "retention": {"keep_last": keep},
        "max_delete_fraction": 1,
        "fresh_within": "1d",
    }
    return {"mode": "observe", "prune_backups": {"sets": {"shop": one}}}


def main(keep: int, mode: str) -> None:
    """Run, and print the result."""
    os.environ[VARIABLE] = msgspec.json.encode(settings(keep)).decode()
    from functions.prune_backups.automation import AUTOMATION
    from functions.prune_backups.settings import Settings
    from shared.clients import Clients
    from shared.run import run
    from shared.runtime import Runtime
    from shared.settings import parse

    configuration = parse({**settings(keep), "mode": mode}, "prune_backups", Settings)
    runtime = Runtime(Clients.from_environment(), clock=lambda: NOW, report=lambda _: None, time_budget=3600.0)
    begun = time.perf_counter()
    report = run(AUTOMATION, configuration, tick_event("prune_backups", "1", NOW), runtime)
    took = time.perf_counter() - begun
    ran = Ran(took, time.process_time(), peak_bytes(os.getpid()), report.counts)
    sys.stdout.write("\n" + msgspec.json.encode(ran).decode() + "\n")


if __name__ == "__main__":
    os.environ.setdefault("CARETAKER_PROJECT", PROJECT)
    main(int(sys.argv[1]), sys.argv[2])
