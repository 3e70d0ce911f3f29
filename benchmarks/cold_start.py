"""From process start to the first message answered, beside a function that does nothing, and beside Cloud Custodian."""

import http
import itertools
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from benchmarks.functions import (
    PROJECT,
    WEBHOOK_SECRET,
    WORLD,
    FirstAnswer,
    bare_bundle,
    bundle,
    environment,
    first_answer,
    notification,
    tick,
    webhook,
    webhook_headers,
    webhook_section,
)
from benchmarks.harness import Figure, in_turn, show, spread
from benchmarks.processes import cpu_seconds_of_children
from benchmarks.webhooks import make_topic
from localcloud import LocalCloud
from localcloud.world import seed, world_from
from shared.events import inbox_of

ROUNDS = 9
C7N_GCP = "c7n-gcp==0.4.52"
C7N_IMPORT = "import c7n_gcp.handler"
FOREIGN, READ, TICK = 1.1, 1.4, 1.7
"""The bounds, beside a bare function: for a message that is not ours, for one read of state, for a whole tick."""
MEMORY = 1.6
CUSTODIAN = 0.32
"""Of the import of Cloud Custodian's handler and a bare function."""
TICKS = {
    "cap_spending": 600,
    "scale_gpu_pools": 300,
    "rotate_secrets": 600,
    "prune_backups": 86400,
    "manage_previews": 300,
    "notify_chat": 600,
}
"""The automations, and the seconds between their ticks."""
BOUNDS = {
    "foreign message": FOREIGN,
    "malformed message": FOREIGN,
    "one state read": READ,
    **{f"{name}, foreign message": FOREIGN for name in TICKS if name != "cap_spending"},
    **{f"{name}, a tick": TICK for name in TICKS},
}


class Imported(msgspec.Struct, frozen=True):
    """The cost of an import."""

    seconds: float
    cpu_seconds: float


def measure() -> bool:
    """Measure and print. Returns whether everything could be measured."""
    with tempfile.TemporaryDirectory() as folder, LocalCloud() as cloud:
        seed(cloud, world_from(WORLD))
        make_topic(cloud)
        place = Path(folder)
        python, why_not = _custodian(place / "c7n")
        measured = in_turn(_contenders(place, cloud), ROUNDS)
        imports = in_turn({C7N_IMPORT: partial(_import, python)}, ROUNDS) if python else {}
    seconds = {name: statistics.median(one.seconds for one in values) for name, values in measured.items()}
    computed = {name: statistics.median(one.cpu_seconds for one in values) for name, values in measured.items()}
    resident = {name: statistics.median(one.resident for one in values) / 2**20 for name, values in measured.items()}
    figures = [
        Figure(name, "bare function", of[name], of["bare function"], unit, bound)
        for of, unit in ((seconds, "s"), (computed, "CPU s"))
        for name, bound in BOUNDS.items()
    ]
    figures += [
        Figure(name, "bare function", of[name], of["bare function, a webhook"], unit, bound)
        for of, unit in ((seconds, "s"), (computed, "CPU s"))
        for name, bound in (("forged webhook", FOREIGN), ("published webhook", READ))
    ]
    figures += [
        Figure(name, "bare function", resident[name], resident["bare function"], "MiB", MEMORY)
        for name in BOUNDS
        if name.endswith("a tick")
    ]
    if imports:
        figures += [
            Figure(
                "one state read",
                "c7n-gcp's import + bare",
                of["one state read"],
                statistics.median(getattr(one, field) for one in imports[C7N_IMPORT]) + of["bare function"],
                unit,
                CUSTODIAN,
            )
            for of, field, unit in ((seconds, "seconds", "s"), (computed, "cpu_seconds", "CPU s"))
        ]
    notes = [f"{name}: {spread([one.seconds for one in values])} s, {ROUNDS} runs" for name, values in measured.items()]
    notes += [f"{name}: {spread([one.seconds for one in values])} s, {ROUNDS} runs" for name, values in imports.items()]
    show("Cold start", figures, [*notes, *([f"not measured: c7n-gcp ({why_not})"] if why_not else [])])
    return not why_not


def _contenders(place: Path, cloud: LocalCloud) -> dict[str, Callable[[], FirstAnswer]]:
    """The measured cases, each after one run that compiles its packages and, of an automation, makes its records."""
    bundles = {name: bundle(place / name, name) for name in (*TICKS, "receive_github")}
    bare = bare_bundle(place / "bare")
    ready = environment(cloud.address, cloud.http_address, more=webhook_section(place))
    numbers = itertools.count()

    def a_tick(name: str) -> FirstAnswer:
        inbox = f"/projects/{PROJECT}/topics/{inbox_of(name)}"
        return first_answer(bundles[name], name, ready, tick(str(next(numbers)), every_seconds=TICKS[name]), inbox)

    def ours(body: bytes, name: str = "cap_spending") -> Callable[[], FirstAnswer]:
        return partial(first_answer, bundles[name], name, ready, body)

    routine = notification("1", 10)
    ours(routine)()
    for name in TICKS:
        a_tick(name)  # the first one does what there is to do

    def a_webhook(secret: bytes, expected: http.HTTPStatus) -> Callable[[], FirstAnswer]:
        headers = webhook_headers(webhook(), secret)
        folder = bundles["receive_github"]
        return partial(first_answer, folder, "receive_github", ready, webhook(), headers=headers, expected=expected)

    return {
        "bare function": partial(first_answer, bare, "bare", ready, routine),
        "foreign message": ours(notification("2", 10, account="F" * 6)),
        "malformed message": ours(notification("3", 10, data=b"?")),
        "one state read": ours(routine),
        **{f"{name}, foreign message": ours(routine, name) for name in TICKS if name != "cap_spending"},
        **{f"{name}, a tick": partial(a_tick, name) for name in TICKS},
        "bare function, a webhook": partial(first_answer, bare, "bare_http", ready, webhook()),
        "forged webhook": a_webhook(b"another secret", http.HTTPStatus.FORBIDDEN),
        "published webhook": a_webhook(WEBHOOK_SECRET, http.HTTPStatus.ACCEPTED),
    }


def _custodian(folder: Path) -> tuple[str, str]:
    """A Python that has Cloud Custodian for Google Cloud, in an environment of its own; or why there is none."""
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", C7N_GCP]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        return "", (done.stderr.strip().splitlines() or ["pip failed"])[-1]
    try:
        _import(python)
    except subprocess.CalledProcessError as error:
        return "", str(error)
    return python, ""


def _import(python: str) -> Imported:
    (imported, computed), (started, start) = _run(python, C7N_IMPORT), _run(python, "pass")
    return Imported(imported - started, computed - start)


def _run(python: str, code: str) -> tuple[float, float]:
    """The seconds, and the CPU seconds, that some code takes. Raises ``CalledProcessError``."""
    begun, before = time.perf_counter(), cpu_seconds_of_children()
    subprocess.run([python, "-c", code], check=True, capture_output=True)
    return time.perf_counter() - begun, cpu_seconds_of_children() - before


if __name__ == "__main__":
    sys.exit(0 if measure() else 1)
