"""Pruning on one double: beside `gcloud storage rm` and `gsutil -m rm`, then a hundred thousand, then a million listed.

Each contender is a whole process, from its start to its end, on a bucket of its own. The peers get a list of objects
to delete; ours lists, decides, and deletes each in the version that it has listed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from benchmarks.functions import PROJECT
from benchmarks.harness import Figure, show
from benchmarks.processes import cpu_seconds_of_children
from benchmarks.prune_run import Ran
from benchmarks.storage_double import Requests, Served
from benchmarks.stored_backups import BUCKET, name_of
from infra.suite.automations import ROOT
from localcloud.storage.request import HOST
from shared import clients

KEPT, PRUNED = 500, 5_000
MANY, LISTED = 100_000, 1_000_000
MOST_BYTES = 180_000_000
FEWER_REQUESTS = 10


CPU_PART = 0.1
"""Of the CPU seconds of `gcloud storage rm`."""


class Cost(msgspec.Struct, frozen=True):
    """The cost of some work: of its processes, and the requests that the double received."""

    seconds: float
    cpu_seconds: float
    """Of its processes, in user and kernel mode; the double's are not in it."""
    requests: Requests

    def __str__(self) -> str:
        requests = self.requests
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(requests.kinds.items()))
        spent = f"{self.seconds:.1f} s, {self.cpu_seconds:.2f} CPU s"
        return f"{spent}, {requests.total:,} requests ({kinds}), {requests.left:,} objects are left"


class MissingError(Exception):
    """A program is not on this machine."""


class Double:
    """A double with so many backups, in a process of its own."""

    def __init__(self, count: int, certificate: tuple[str, ...] = ()) -> None:
        command = [sys.executable, "-m", "benchmarks.storage_double", str(count), *certificate]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.served = msgspec.json.decode(self._line(), type=Served)

    def end(self) -> Requests:
        """End it, and return the requests that it received."""
        if self._process.stdin:
            self._process.stdin.close()
        found = msgspec.json.decode(self._line(), type=Requests)
        self._process.wait()
        return found

    def _line(self) -> bytes:
        return self._process.stdout.readline() if self._process.stdout else b""


def measure(pruned: int = PRUNED) -> bool:
    """Measure and print. Returns whether a million are planned within the memory that they may take."""
    ours = _cost(lambda served: _prune(served, KEPT, "act"), pruned + KEPT)
    figures: list[Figure] = []
    notes = [f"{pruned:,} of {pruned + KEPT:,} by prune_backups: {ours}"]
    with tempfile.TemporaryDirectory() as folder:
        for name, contender in (("gcloud storage rm", _gcloud), ("gsutil -m rm", _gsutil)):
            try:
                theirs = contender(Path(folder), pruned)
            except MissingError as missing:
                notes.append(f"{name}: 1 skipped: {missing}")
                continue
            except subprocess.CalledProcessError as error:
                notes.append(f"{name}: 1 skipped: it failed with exit code {error.returncode}")
                continue
            figures += [
                Figure("seconds", name, ours.seconds, theirs.seconds, "s", 1.0),
                Figure("CPU seconds", name, ours.cpu_seconds, theirs.cpu_seconds, "s", CPU_PART),
                Figure("requests", name, ours.requests.total, theirs.requests.total, "", 1 / FEWER_REQUESTS),
            ]
            notes.append(f"{pruned:,} by {name}: {theirs}")
    many = _cost(lambda served: _prune(served, KEPT, "act"), MANY + KEPT)
    notes.append(f"{MANY:,} of {MANY + KEPT:,} by prune_backups: {many}")
    double = Double(LISTED)
    planned = _prune(double.served, KEPT, "observe")
    notes.append(
        f"the plan for {LISTED:,} objects: {planned.seconds:.1f} s with their list, {planned.cpu_seconds:.1f} CPU s, "
        f"{planned.peak_bytes / 1e6:.0f} MB at most, {double.end().total:,} requests"
    )
    show("Pruning", figures, notes)
    return planned.peak_bytes <= MOST_BYTES and many.requests.left == ours.requests.left == KEPT


def _cost(work: Callable[[Served], object], count: int, certificate: tuple[str, ...] = ()) -> Cost:
    """The cost of some work on a double of its own."""
    double = Double(count, certificate)
    begun, before = time.perf_counter(), cpu_seconds_of_children()
    try:
        work(double.served)
        took, computed = time.perf_counter() - begun, cpu_seconds_of_children() - before
    finally:
        requests = double.end()
    return Cost(took, computed, requests)


def _prune(served: Served, keep: int, mode: str) -> Ran:
    environment = os.environ | {
        clients.PROJECT_VARIABLE: PROJECT,
        clients.ENDPOINT_VARIABLE: served.grpc,
        clients.HTTP_ENDPOINT_VARIABLE: served.http,
    }
    command = [sys.executable, "-m", "benchmarks.prune_run", str(keep), mode]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    return msgspec.json.decode(run.stdout.splitlines()[-1], type=Ran)


def _gcloud(folder: Path, pruned: int) -> Cost:
    program = _found("gcloud")

    def remove(served: Served) -> None:
        environment = {
            **_cloud_sdk(folder),
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": f"{served.http}/{HOST}/storage/v1/",
        }
        _remove([program, "storage", "rm", "--read-paths-from-stdin"], environment, pruned)

    return _cost(remove, pruned + KEPT)


def _gsutil(folder: Path, pruned: int) -> Cost:
    """`gsutil` needs HTTPS, and a whole host."""
    program = _found("gsutil")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [
            *(_found("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    boto = folder / "boto"

    def remove(served: Served) -> None:
        boto.write_text(
            "[Credentials]\n"
            f"gs_json_host = localhost\ngs_json_port = {served.https_port}\n"
            "[Boto]\nhttps_validate_certificates = False\n"
            "[GSUtil]\ncheck_hashes = never\n",
            encoding="utf-8",
        )
        environment = {
            **_cloud_sdk(folder),
            "BOTO_CONFIG": str(boto),
            "CLOUDSDK_CORE_PASS_CREDENTIALS_TO_GSUTIL": "false",
        }
        _remove([program, "-m", "rm", "-I"], environment, pruned)

    return _cost(remove, pruned + KEPT, (str(certificate), str(key)))


def _remove(command: list[str], environment: Mapping[str, str], pruned: int) -> None:
    """Let a program delete what is to be pruned. Raises ``CalledProcessError``."""
    urls = "".join(f"gs://{BUCKET}/{name_of(number)}\n" for number in range(KEPT, KEPT + pruned))
    subprocess.run(command, env=os.environ | environment, input=urls.encode(), capture_output=True, check=True)


def _cloud_sdk(folder: Path) -> dict[str, str]:
    """Settings that keep Google's SDK from asking for an account, and from using this user's configuration."""
    return {
        "CLOUDSDK_CONFIG": str(folder / "cloud-sdk"),
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "true",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
        "CLOUDSDK_CORE_PROJECT": PROJECT,
        "HOME": str(folder),
    }


def _found(program: str) -> str:
    """The path of a program. Raises MissingError."""
    found = shutil.which(program)
    if not found:
        raise MissingError(f"{program} is not installed")
    return found


if __name__ == "__main__":
    sys.exit(0 if measure() else 1)
