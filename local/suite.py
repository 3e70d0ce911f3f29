"""The suite on the local cloud: the functions' process, and what Terraform would make around it."""

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from infra.deploy.bundle import bundle_name
from infra.deploy.provisioning import create
from infra.deploy.resources import Function, resources_of
from infra.deploy.target import Target
from infra.suite import deployment
from infra.suite.automations import ROOT
from infra.suite.deployment import Deployment
from local.functions_api import FunctionsApi
from localcloud import LocalCloud
from shared import clients, clock, settings
from shared.clients import Clients
from shared.events import inbox_of

STOP_SECONDS = 10.0
BACKLOG = 128
WEBHOOK_SECRET_FILE = "webhook-secret"  # noqa: S105 - the name of a file
"""Beside the functions' log: what GitHub's webhooks are signed with here."""


class Suite:
    """The functions in a process of their own, and the topics, subscriptions and ticks that lead to them."""

    def __init__(
        self,
        cloud: LocalCloud,
        project: str,
        owner: Mapping[str, object],
        *,
        on_line: Callable[[bytes], None],
        error_log: Path,
        retry_seconds: float = 5.0,
    ) -> None:
        self.cloud = cloud
        self.project = project
        self.clients = Clients(project, endpoint=cloud.address, http_endpoint=cloud.http_address)
        self.functions: tuple[Function, ...] = ()
        """The deployed functions."""
        self.deployed = deployment.Suite(Deployment(project=project), owner)
        """The owner's settings and the deployment."""
        self.address = ""
        """The functions' address, as long as the suite runs."""
        self._socket: socket.socket | None = None
        self._on_line = on_line
        self._error_log = error_log
        self._webhook_secret_file = error_log.parent / WEBHOOK_SECRET_FILE
        self._environment = os.environ | {
            clients.PROJECT_VARIABLE: project,
            clients.ENDPOINT_VARIABLE: cloud.address,
            clients.HTTP_ENDPOINT_VARIABLE: cloud.http_address,
            clients.RETRY_SECONDS_VARIABLE: str(retry_seconds),
            clock.ENDPOINT_VARIABLE: cloud.now_address,
            "MALLOC_ARENA_MAX": "1",  # as deploy.sh has it for this process
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Start the functions and provision what leads to them. Raises ``RuntimeError`` if they do not start."""
        with contextlib.ExitStack() as unless_all_is_well:
            unless_all_is_well.push(self)
            # It outlives the functions' processes: a push that arrives between two of them waits, and is not lost.
            self._socket = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
            self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
            self.cloud.resource_manager.add_project(self.project)
            self.cloud.http.add(FunctionsApi(lambda: self.functions, self.deploy))
            bundles = {name: bundle_name(name) for name in self.deployed.automations}
            resources = resources_of(self.deployed, bundles, lambda name: f"{self.address}/{name}")
            self._start([one for one in resources if isinstance(one, Function)])
            for resource in resources:
                create(self.clients, resource)
            unless_all_is_well.pop_all()
        return self

    def deploy(self, functions: Sequence[Function]) -> None:
        """Let these functions run in the place of those that do, from the sources as they are now.

        Raises ``RuntimeError`` if they do not start: then those that ran run again.
        """
        with self._lock:
            before = self.functions
            self._stop()
            try:
                self._start(functions)
            except RuntimeError:
                self._stop()
                self._start(before)
                raise

    def _start(self, functions: Sequence[Function]) -> None:
        self.functions = ()
        if not functions or not self._socket:
            return
        given: dict[str, object] = {}
        for one in functions:
            given |= one.settings
        with self._error_log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "local.functions_host", str(self._socket.fileno())],
                pass_fds=[self._socket.fileno()],
                cwd=ROOT,
                env=self._environment | {settings.VARIABLE: json.dumps(_with_secrets(given, self._error_log.parent))},
                stdin=subprocess.PIPE,  # it ends when this does
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        if not (self._process.stdout and self._process.stdout.readline()):
            self._process.wait()
            lines = self._error_log.read_text(errors="replace").strip().splitlines()
            raise RuntimeError(f"the functions did not start: {lines[-1] if lines else 'no output'}")
        self.functions = tuple(functions)
        self._reader = threading.Thread(target=self._read_lines, args=(self._process,), daemon=True)
        self._reader.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the functions' process and our own connections."""
        self.clients.close()
        self._stop()
        if self._socket:
            self._socket.close()

    def _stop(self) -> None:
        if self._process is None:
            return
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._reader:
            self._reader.join(STOP_SECONDS)
        if self._process.stdout:
            self._process.stdout.close()
        self._process = None

    def failure(self) -> str:
        """The error for a person if the functions' process has ended by itself; "" while it is up."""
        with self._lock:
            if self._process is None or self._process.poll() is None:
                return ""
            written = self._error_log.read_text(errors="replace").strip().splitlines()
            last = f": {written[-1]}" if written else ""
            return f"the functions' process ended with exit code {self._process.returncode}{last} ({self._error_log})"

    @property
    def target(self) -> Target:
        """The suite as the commands of a person see one."""
        return Target(self.project, self.clients, self.cloud.now_address, self.address)

    @property
    def process_id(self) -> int:
        """The functions' process."""
        return self._process.pid if self._process else 0

    @property
    def webhook_secret(self) -> bytes:
        """The secret that signs GitHub's webhooks here."""
        return self._webhook_secret_file.read_bytes()

    def url(self, automation: str, topic: str) -> str:
        """The address at which an automation answers the pushes of a topic, given by its id."""
        return f"{self.address}/{automation}/projects/{self.project}/topics/{topic}"

    def _read_lines(self, process: "subprocess.Popen[bytes]") -> None:
        if process.stdout:
            for line in process.stdout:
                service = service_of(line)
                revision = f"{service}-00001-{service[-3:]}"  # there is no other: a deployment starts them anew
                location = self.deployed.deployment.region
                self.cloud.logging.write_line(self.project, service, line, location=location, revision=revision)
                self._on_line(line)


def service_of(line: bytes) -> str:
    """The Cloud Run service that wrote a line, if the line names it: here all functions are one process."""
    try:
        return inbox_of(msgspec.json.decode(line, type=_Line).report.automation)
    except msgspec.DecodeError:
        return "caretaker-functions"


class _Reported(msgspec.Struct):
    automation: str


class _Line(msgspec.Struct):
    report: _Reported


def _with_secrets(owner: dict[str, object], folder: Path) -> dict[str, object]:
    """The owner's settings with the volume that Cloud Run would mount: a file with a webhook secret."""
    section = owner.get("receive_github")
    if not isinstance(section, Mapping):
        return owner
    current = folder / WEBHOOK_SECRET_FILE
    if not current.exists():
        current.write_text(secrets.token_hex(20), encoding="utf-8")
    mounted = {"secret_file": str(current), "previous_secret_file": str(folder / f"{WEBHOOK_SECRET_FILE}-previous")}
    return {**owner, "receive_github": {**section, **mounted}}
