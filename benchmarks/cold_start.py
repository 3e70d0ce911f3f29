"""From process start to the first message answered, beside a function that does nothing, and beside Cloud Custodian."""

import http
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.functions import (
    PROJECT,
    WORLD,
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
from localcloud import LocalCloud
from localcloud.world import seed, world_from
from shared.events import inbox_of

ROUNDS = 9
C7N_GCP = "c7n-gcp==0.4.52"
C7N_IMPORT = "import c7n_gcp.handler"


def measure() -> bool:
    """Measure and print. Returns whether everything could be measured."""
    with tempfile.TemporaryDirectory() as folder, LocalCloud() as cloud:
        seed(cloud, world_from(WORLD))
        place = Path(folder)
        ours = bundle(place / "ours", "cap_spending")
        pools = bundle(place / "pools", "scale_gpu_pools")
        webhooks = bundle(place / "webhooks", "receive_github")
        secrets = bundle(place / "secrets", "rotate_secrets")
        backups = bundle(place / "backups", "prune_backups")
        bare = bare_bundle(place / "bare")
        ready = environment(cloud.address, cloud.http_address, more=webhook_section(place))
        routine = notification("1", 10)
        inbox = f"/projects/{PROJECT}/topics/{inbox_of('scale_gpu_pools')}"
        pruning = f"/projects/{PROJECT}/topics/{inbox_of('prune_backups')}"
        rotating = f"/projects/{PROJECT}/topics/{inbox_of('rotate_secrets')}"
        first_answer(ours, "cap_spending", ready, routine)
        first_answer(secrets, "rotate_secrets", ready, tick("1", every_seconds=600), rotating)
        first_answer(pools, "scale_gpu_pools", ready, tick("1"), inbox)
        first_answer(backups, "prune_backups", ready, tick("1", every_seconds=86400), pruning)
        contenders: dict[str, Callable[[], float]] = {
            "bare function": partial(first_answer, bare, "bare", ready, routine),
            "foreign message": partial(
                first_answer, ours, "cap_spending", ready, notification("2", 10, account="F" * 6)
            ),
            "malformed message": partial(first_answer, ours, "cap_spending", ready, notification("3", 10, data=b"?")),
            "one state read": partial(first_answer, ours, "cap_spending", ready, routine),
            "GPU pools, foreign message": partial(first_answer, pools, "scale_gpu_pools", ready, routine),
            "secrets, foreign message": partial(first_answer, secrets, "rotate_secrets", ready, routine),
            "secrets, a tick": lambda: first_answer(
                secrets, "rotate_secrets", ready, tick("2", every_seconds=600), rotating
            ),
            "backups, foreign message": partial(first_answer, backups, "prune_backups", ready, routine),
            "backups, a tick": lambda: first_answer(
                backups, "prune_backups", ready, tick("2", every_seconds=86400), pruning
            ),
            "GPU pools, a tick": lambda: first_answer(pools, "scale_gpu_pools", ready, tick("2"), inbox),
        }
        forged = partial(
            first_answer,
            webhooks,
            "receive_github",
            ready,
            webhook(),
            headers=webhook_headers(webhook(), b"another secret"),
            expected=http.HTTPStatus.FORBIDDEN,
        )
        contenders["bare function, a webhook"] = partial(first_answer, bare, "bare_http", ready, webhook())
        contenders["forged webhook"] = forged
        forged()
        python, why_not = _custodian(place / "c7n")
        if python:
            contenders["c7n-gcp's handler, import"] = partial(_import, python)
        measured = in_turn(contenders, ROUNDS)
    median = {name: statistics.median(values) for name, values in measured.items()}
    floor = median["bare function"]
    bounds = {
        "foreign message": 1.3,
        "malformed message": 1.3,
        "one state read": 2.6,
        "GPU pools, foreign message": 1.3,
        "GPU pools, a tick": 3.2,
        "backups, foreign message": 1.3,
        "backups, a tick": 3.2,
        "secrets, foreign message": 1.3,
        "secrets, a tick": 3.2,
    }
    figures = [Figure(name, "bare function", median[name], floor, "s", bound) for name, bound in bounds.items()]
    bare_webhook = median["bare function, a webhook"]
    figures.append(Figure("forged webhook", "bare function", median["forged webhook"], bare_webhook, "s", 1.3))
    if python:
        theirs = median["c7n-gcp's handler, import"] + floor
        figures.append(
            Figure("one state read", "c7n-gcp's handler import + bare", median["one state read"], theirs, "s", 0.6)
        )
    notes = [f"{name}: {spread(values)} s, {len(values)} runs" for name, values in measured.items()]
    show("Cold start", figures, [*notes, *([f"not measured: c7n-gcp ({why_not})"] if why_not else [])])
    return not why_not


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


def _import(python: str) -> float:
    begun = time.perf_counter()
    subprocess.run([python, "-c", C7N_IMPORT], check=True, capture_output=True)
    imported = time.perf_counter() - begun
    begun = time.perf_counter()
    subprocess.run([python, "-c", "pass"], check=True, capture_output=True)
    return imported - (time.perf_counter() - begun)


if __name__ == "__main__":
    sys.exit(0 if measure() else 1)
