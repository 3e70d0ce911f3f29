"""The plan's load test, on the example product and a real PostgreSQL, in each of its two modes.

The stages and thresholds are those of `examples/product/load/load.js`, which is for k6; here virtual users of our own
do the same, each on a connection that it keeps, on the same cores as the API and the database. In full it takes twelve
minutes: ``python -c "from benchmarks.product import measure; measure(scale=1)"``.
"""

import http.client
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from benchmarks.functions import PATIENCE_SECONDS
from benchmarks.harness import show_table
from local.product import ON_CLOUD_RUN, Product, product
from shared.postgres_server import LOOPBACK, PostgresServer

STAGES = ((60, 20), (180, 50), (60, 100), (60, 0))
"""Seconds, and the virtual users at their end."""
SCALE = 0.25
"""Of the seconds of each stage."""
PAUSE_SECONDS = 1.0
P95_ALLOWED_MS = 500.0
FAILED_ALLOWED = 0.01
ROOM = {"CONCURRENT_REQUESTS": "40"}
MODES: Mapping[str, dict[str, str]] = {"serverless, no pool": ON_CLOUD_RUN | ROOM, "worker, 5 + 10": ROOM}


@dataclass
class Seen:
    """The virtual users' results."""

    milliseconds: list[float] = field(default_factory=list)
    failed: int = 0
    most_connections: int = 0


def measure(scale: float = SCALE) -> bool:
    """Measure and print. Returns whether both modes kept the plan's thresholds."""
    rows, kept = [], True
    for mode, environment in MODES.items():
        with (
            tempfile.TemporaryDirectory() as folder,
            PostgresServer() as server,
            product(server, Path(folder), environment) as api,
        ):
            seen = _load(api, scale)
        p50, p95 = (statistics.quantiles(seen.milliseconds, n=100)[at - 1] for at in (50, 95))
        ratio = seen.failed / len(seen.milliseconds)
        is_kept = p95 < P95_ALLOWED_MS and ratio < FAILED_ALLOWED
        kept &= is_kept
        rows.append(
            (
                mode,
                f"{len(seen.milliseconds):,}",
                f"{p50:.1f} ms",
                f"{p95:.1f} ms",
                f"{ratio:.2%}",
                f"{seen.most_connections}",
                "kept" if is_kept else "NOT KEPT",
            )
        )
    notes = [
        f"up to {max(users for _, users in STAGES)} virtual users, stages at {scale:g} of their length",
        f"thresholds: p95 < {P95_ALLOWED_MS:g} ms, failed < {FAILED_ALLOWED:.0%}",
        "users, API and database share the cores",
    ]
    headings = ("", "requests", "p50", "p95", "failed", "connections at most", "thresholds")
    show_table("The load test of the example product", headings, rows, notes)
    return kept


def users_at(seconds: float, scale: float = SCALE) -> float:
    """The number of virtual users, so long after the start; between stages it changes evenly."""
    before = 0
    for length, target in STAGES:
        if seconds < length * scale:
            return before + (target - before) * seconds / (length * scale)
        seconds -= length * scale
        before = target
    return 0


def _load(api: Product, scale: float) -> Seen:
    seen, lock, started = Seen(), threading.Lock(), time.monotonic()
    ends = started + sum(length for length, _ in STAGES) * scale

    def user(number: int) -> None:
        connection = http.client.HTTPConnection(LOOPBACK, api.port, timeout=PATIENCE_SECONDS)
        while time.monotonic() < ends:
            if number < users_at(time.monotonic() - started, scale):
                for milliseconds, is_good in _iteration(connection):
                    with lock:
                        seen.milliseconds.append(milliseconds)
                        seen.failed += not is_good
            time.sleep(PAUSE_SECONDS)
        connection.close()

    users = [threading.Thread(target=user, args=(number,)) for number in range(max(target for _, target in STAGES))]
    for each in users:
        each.start()
    while time.monotonic() < ends:
        seen.most_connections = max(seen.most_connections, api.connections())
        time.sleep(0.5)
    for each in users:
        each.join()
    return seen


def _iteration(connection: http.client.HTTPConnection) -> list[tuple[float, bool]]:
    """One order taken, found, and looked for among the newest: how long each took, and whether it was answered well."""
    taken: list[int] = []

    def ask(method: str, path: str, expected: HTTPStatus, body: str | None = None) -> tuple[float, bool]:
        started = time.perf_counter()
        try:
            connection.request(method, path, body, {"content-type": "application/json"})
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException):
            connection.close()  # it opens anew
            return (time.perf_counter() - started) * 1000, False
        if isinstance(answer, dict) and "id" in answer:
            taken.append(answer["id"])
        return (time.perf_counter() - started) * 1000, response.status == expected

    first = ask("POST", "/orders", HTTPStatus.CREATED, json.dumps({"item": "tea", "quantity": 1}))
    found = [ask("GET", f"/orders/{number}", HTTPStatus.OK) for number in taken[:1]]
    return [first, *found, ask("GET", "/orders", HTTPStatus.OK)]


if __name__ == "__main__":
    sys.exit(0 if measure() else 1)
