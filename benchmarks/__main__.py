"""Runs the benchmarks: `./deploy.sh bench [NAME ...]`."""

import argparse
import importlib
import sys
from collections.abc import Sequence

from benchmarks.harness import SHOWN
from benchmarks.note import write

BENCHMARKS = {
    "backups": "backup and restore of a database, beside pg_dump and pg_restore",
    "cold_start": "from process start to the first message answered",
    "gpu_pools": "the plan for 1,000 GPU pools, and the calls of a tick on which nothing changes",
    "secrets": "200 secrets of 50 services: the calls of a rotation of all, and of a tick with nothing due",
    "growth": "the calls, seconds and records of a quiet tick for 1, 10, 100 and 1,000 of each",
    "notifications": "10,000 notifications from eight senders",
    "recovery": "deploying and restoring a gigabyte, beside the objectives of 5 and 15 minutes",
    "previews": "the API calls of a sweep of 500 open pull requests",
    "preview_events": "2,000 pull-request events in an hour: their requests to GitHub",
    "pruning": "5,000 backups pruned beside gcloud and gsutil, then 100,000; the plan for 1,000,000",
    "webhooks": "webhooks a second, rejected and accepted",
    "product": "the load test of the example product, with and without a pool",
    "memory": "memory and seconds of the laptop run",
}


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
    done = [_measured(name, is_written=given.write) for name in names]
    return 0 if all(done) else 1


def _measured(name: str, *, is_written: bool) -> bool:
    shown = len(SHOWN)
    is_done: bool = importlib.import_module(f"benchmarks.{name}").measure()
    if is_written:
        write(name, SHOWN[shown:])
    return is_done


if __name__ == "__main__":
    sys.exit(main())
