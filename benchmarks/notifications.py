"""10,000 notifications, doubled and shuffled, from eight senders at once: each resource is changed once."""

import http.client
import itertools
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.functions import PROJECT, SETTINGS, bare_bundle, environment, notification, post
from benchmarks.harness import Figure, show
from local.suite import Suite
from localcloud import LocalCloud
from localcloud.world import seed, world_from

MESSAGES = 10_000
SENDERS = 8
SERVICES = 20
ROUNDS = 3
BARE_MESSAGES = 2_000


def measure() -> bool:
    """Measure and print. Returns whether every service was changed exactly once."""
    with tempfile.TemporaryDirectory() as folder:
        bare_rates = [_bare_rate(Path(folder) / f"bare{number}") for number in range(ROUNDS)]
        rate, updates, failed = _our_rate(Path(folder))
        bare_rates += [_bare_rate(Path(folder) / f"bare{number}") for number in range(ROUNDS, 2 * ROUNDS)]
    figure = Figure("messages a second", "bare function", rate, statistics.median(bare_rates), "/s")
    once = sum(count == 1 for count in updates.values())
    notes = [
        f"{MESSAGES} messages, half of them different, shuffled, from {SENDERS} senders; {failed} sent again",
        f"{once} of {SERVICES} services were changed exactly once; updates in all: {sum(updates.values())}",
    ]
    show("Notifications", [figure], notes)
    return once == SERVICES == len(updates)


def _our_rate(folder: Path) -> tuple[float, dict[str, int], int]:
    services = {
        f"web-{number}": {"labels": {"tier": "web"}, "scaling": {"max_instance_count": 10}}
        for number in range(SERVICES)
    }
    world = world_from({"projects": {PROJECT: {"location": "europe-west1", "services": services}}})
    different = [notification(str(number), 150 * number / (MESSAGES // 2)) for number in range(1, MESSAGES // 2 + 1)]
    bodies = different * 2
    random.Random(8).shuffle(bodies)  # noqa: S311 - the same order in each run
    with (
        LocalCloud() as cloud,
        Suite(cloud, PROJECT, SETTINGS, on_line=lambda _: None, error_log=folder / "log") as suite,
    ):
        seed(cloud, world)
        port = int(suite.address.rpartition(":")[2])
        path = "/cap_spending" + f"/projects/{PROJECT}/topics/caretaker-budget-notifications"
        begun = time.perf_counter()
        failed = _send(port, path, bodies)
        took = time.perf_counter() - begun
        updates: dict[str, int] = {}
        for call in cloud.server.calls:
            if call.method.endswith("Services/UpdateService"):
                name = call.request.service.name  # type: ignore[attr-defined]
                updates[name] = updates.get(name, 0) + 1
    return len(bodies) / took, updates, failed


def _bare_rate(folder: Path) -> float:
    bodies = [notification(str(number), 1) for number in range(BARE_MESSAGES)]
    variables = environment()
    source = bare_bundle(folder) / "main.py"
    host = [sys.executable, "-m", "benchmarks.host", str(source)]
    with subprocess.Popen(host, env=variables, stdout=subprocess.PIPE) as process:
        port = int(process.stdout.readline()) if process.stdout else 0
        begun = time.perf_counter()
        _send(port, "/bare/projects/p/topics/t", bodies)
        rate = len(bodies) / (time.perf_counter() - begun)
        process.terminate()
    return rate


def _send(port: int, path: str, bodies: list[bytes]) -> int:
    """Send all bodies from several senders, each again until it is acknowledged. Returns how many were sent again."""
    left, lock, again = iter(bodies), threading.Lock(), itertools.count()

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while True:
            with lock:
                body = next(left, None)
            if body is None:
                return
            while post(connection, body, path) != http.HTTPStatus.OK:
                next(again)

    senders = [threading.Thread(target=send) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    return next(again)


if __name__ == "__main__":
    sys.exit(0 if measure() else 1)
