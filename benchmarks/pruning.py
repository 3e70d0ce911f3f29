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


def measure() -> bool:
    """Measure and print. Returns whether a million are planned within the memory that they may take."""
    seconds, ours = _timed(lambda served: _prune(served, KEPT, "act"), PRUNED + KEPT)
    figures: list[Figure] = []
    notes = [f"{PRUNED:,} of {PRUNED + KEPT:,} by prune_backups: {seconds:.1f} s, {_summary(ours)}"]
    with tempfile.TemporaryDirectory() as folder:
        for name, contender in (("gcloud storage rm", _gcloud), ("gsutil -m rm", _gsutil)):
            try:
                theirs_seconds, theirs = contender(Path(folder))
            except MissingError as missing:
                notes.append(f"{name}: 1 skipped: {missing}")
                continue
            figures += [
                Figure("seconds", name, seconds, theirs_seconds, "s", 1.0),
                Figure("requests", name, ours.total, theirs.total, "", 1 / FEWER_REQUESTS),
            ]
            notes.append(f"{PRUNED:,} by {name}: {theirs_seconds:.1f} s, {_summary(theirs)}")
    many_seconds, many = _timed(lambda served: _prune(served, KEPT, "act"), MANY + KEPT)
    notes.append(f"{MANY:,} of {MANY + KEPT:,} by prune_backups: {many_seconds:.1f} s, {_summary(many)}")
    double = Double(LISTED)
    planned = _prune(double.served, KEPT, "observe")
    notes.append(
        f"the plan for {LISTED:,} objects: {planned.seconds:.1f} s with their list, "
        f"{planned.peak_bytes / 1e6:.0f} MB at most, {_summary(double.end())}"
    )
    show("Pruning", figures, notes)
    return planned.peak_bytes <= MOST_BYTES and many.left == ours.left == KEPT


def _summary(requests: Requests) -> str:
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(requests.kinds.items()))
    return f"{requests.total:,} requests ({kinds}), {requests.left:,} objects are left"


def _timed(work: Callable[[Served], object], count: int, certificate: tuple[str, ...] = ()) -> tuple[float, Requests]:
    """The seconds that some work takes on a double of its own, and the requests that the double received."""
    double = Double(count, certificate)
    begun = time.perf_counter()
    try:
        work(double.served)
        took = time.perf_counter() - begun
    finally:
        requests = double.end()
    return took, requests


def _prune(served: Served, keep: int, mode: str) -> Ran:
    environment = os.environ | {
        clients.PROJECT_VARIABLE: PROJECT,
        clients.ENDPOINT_VARIABLE: served.grpc,
        clients.HTTP_ENDPOINT_VARIABLE: served.http,
    }
    command = [sys.executable, "-m", "benchmarks.prune_run", str(keep), mode]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    return msgspec.json.decode(run.stdout.splitlines()[-1], type=Ran)


def _gcloud(folder: Path) -> tuple[float, Requests]:
    program = _found("gcloud")

    def remove(served: Served) -> None:
        environment = {
            **_cloud_sdk(folder),
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": f"{served.http}/{HOST}/storage/v1/",
        }
        _remove([program, "storage", "rm", "--read-paths-from-stdin"], environment)

    return _timed(remove, PRUNED + KEPT)


def _gsutil(folder: Path) -> tuple[float, Requests]:
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
        _remove([program, "-m", "rm", "-I"], environment)

    return _timed(remove, PRUNED + KEPT, (str(certificate), str(key)))


def _remove(command: list[str], environment: Mapping[str, str]) -> None:
    """Let a program delete what is to be pruned. Raises ``CalledProcessError``."""
    urls = "".join(f"gs://{BUCKET}/{name_of(number)}\n" for number in range(KEPT, KEPT + PRUNED))
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
