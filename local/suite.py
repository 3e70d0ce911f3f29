"""The suite on the local cloud: the functions' process, and what Terraform would make around it."""

import contextlib
import functools
import json
import secrets
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from infra.deploy.bundle import bundle_name, read_sources
from infra.deploy.provisioning import create
from infra.deploy.resources import AnyResource, Function, resources_of, settings_of
from infra.deploy.target import Target
from infra.suite import deployment
from infra.suite.deployment import Deployment
from local.functions_api import FunctionsApi
from local.functions_process import FunctionsProcess
from localcloud import LocalCloud
from shared import clients, clock, settings
from shared.clients import Clients
from shared.decoding import decoded
from shared.events import inbox_of

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
        process: FunctionsProcess | None = None,
    ) -> None:
        """``process`` is one that has been started already; the suite ends it."""
        self.cloud = cloud
        self.project = project
        self.clients = Clients(project, endpoint=cloud.address, http_endpoint=cloud.http_address)
        self.deployed = deployment.Suite(Deployment(project=project), owner)
        """The owner's settings and the deployment."""
        self.address = ""
        """The functions' address, as long as the suite runs."""
        self._process = process
        self._running: Callable[[], tuple[Function, ...]] = tuple
        self._on_line = on_line
        self._error_log = error_log
        self._webhook_secret_file = error_log.parent / WEBHOOK_SECRET_FILE
        self._environment = {
            clients.PROJECT_VARIABLE: project,
            clients.ENDPOINT_VARIABLE: cloud.address,
            clients.HTTP_ENDPOINT_VARIABLE: cloud.http_address,
            clients.RETRY_SECONDS_VARIABLE: str(retry_seconds),
            clock.ENDPOINT_VARIABLE: cloud.now_address,
        }
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Start the functions and provision what leads to them. Raises ``RuntimeError`` if they do not start."""
        with contextlib.ExitStack() as unless_all_is_well:
            unless_all_is_well.push(self)
            process = self._process = self._process or FunctionsProcess(self._error_log)
            self.address = process.address
            self._run(process, settings_of(self.deployed).values())
            self.cloud.resource_manager.add_project(self.project)
            self.cloud.http.add(FunctionsApi(lambda: self.functions, self.deploy))
            sources = read_sources()
            for resource in self._resources(dict.fromkeys(self.deployed.automations, "")):
                create(self.clients, resource)
            if self.deployed.automations:
                process.wait(self._take_line)
            self._running = functools.cache(lambda: self._functions(sources))
            unless_all_is_well.pop_all()
        return self

    @property
    def functions(self) -> tuple[Function, ...]:
        """The deployed functions."""
        return self._running()

    def _functions(self, sources: Mapping[str, bytes]) -> tuple[Function, ...]:
        """The functions as they were started. The names of their bundles take 0.2 s, and few ask for them."""
        bundles = {name: bundle_name(name, sources) for name in self.deployed.automations}
        return tuple(one for one in self._resources(bundles) if isinstance(one, Function))

    def _resources(self, bundles: Mapping[str, str]) -> Sequence[AnyResource]:
        return resources_of(self.deployed, bundles, lambda name: f"{self.address}/{name}")

    def deploy(self, functions: Sequence[Function]) -> None:
        """Let these functions run in the place of those that do, from the sources as they are now.

        Raises ``RuntimeError`` if they do not start: then those that ran run again.
        """
        if self._process is None:
            return
        with self._lock:
            before = self._running
            try:
                self._replace(self._process, functions)
            except RuntimeError:
                self._replace(self._process, before())
                raise

    def _replace(self, process: FunctionsProcess, functions: Sequence[Function]) -> None:
        self._running = tuple
        self._run(process, [one.settings for one in functions])
        if functions:
            process.wait(self._take_line)
        self._running = lambda: tuple(functions)

    def _run(self, process: FunctionsProcess, given: Collection[dict[str, object]]) -> None:
        """Have the process run the functions with these settings; if there are none it ends."""
        if not given:
            process.stop()
            return
        merged: dict[str, object] = {}
        for one in given:
            merged |= one
        mounted = json.dumps(_with_secrets(merged, self._error_log.parent))
        process.run(self._environment | {settings.VARIABLE: mounted})

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the functions' process and our own connections."""
        self.clients.close()
        if self._process:
            self._process.close()

    def failure(self) -> str:
        """The error for a person if the functions' process has ended by itself; "" while it is up."""
        with self._lock:
            return self._process.failure if self._process else ""

    @property
    def target(self) -> Target:
        """The suite as the commands of a person see one."""
        return Target(self.project, self.clients, self.cloud.now_address, self.address)

    @property
    def process_id(self) -> int:
        """The functions' process."""
        return self._process.process_id if self._process else 0

    @property
    def webhook_secret(self) -> bytes:
        """The secret that signs GitHub's webhooks here."""
        return self._webhook_secret_file.read_bytes()

    def url(self, automation: str, topic: str) -> str:
        """The address at which an automation answers the pushes of a topic, given by its id."""
        return f"{self.address}/{automation}/projects/{self.project}/topics/{topic}"

    def _take_line(self, line: bytes) -> None:
        service = service_of(line)
        revision = f"{service}-00001-{service[-3:]}"  # there is no other: a deployment starts them anew
        location = self.deployed.deployment.region
        self.cloud.logging.write_line(self.project, service, line, location=location, revision=revision)
        self._on_line(line)


def service_of(line: bytes) -> str:
    """The Cloud Run service that wrote a line, if the line names it: here all functions are one process."""
    try:
        return inbox_of(decoded(line, _Line).report.automation)
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
