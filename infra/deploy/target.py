"""The suite that a command addresses: in the cloud, with the caller's own credentials, or local."""

import argparse
import socket
from datetime import datetime
from pathlib import Path

import msgspec

from infra.suite.automations import ROOT
from infra.suite.deployment import REGION, Suite, load_suite
from infra.suite.settings import PATH as SETTINGS_PATH
from infra.suite.settings import own_or_example, refuse_missing
from shared import clock
from shared.clients import Clients, RetryPolicy
from shared.decoding import decoded
from shared.errors import CaretakerError

LOCAL_DIRECTORY = ROOT / ".local"
PATIENCE_SECONDS = 5.0
"""For one call: a person is waiting, and can run it again."""


class NotRunning(CaretakerError):
    """There is no local cloud to speak to."""


class NotLoggedIn(CaretakerError):
    """There are no credentials to reach Google Cloud with."""

    def __init__(self) -> None:
        super().__init__("not logged in; run: gcloud auth application-default login")


class _Endpoints(msgspec.Struct):
    """The addresses that `./deploy.sh local` writes."""

    grpc: str
    http: str
    clock: str
    functions: str
    project: str
    settings: str = ""
    deployment: str = ""


class Target(msgspec.Struct, frozen=True):
    """A suite: in which project, and by which clients it is reached."""

    project: str
    clients: Clients
    clock_endpoint: str = ""
    """The local cloud's own clock."""
    functions_endpoint: str = ""
    """The address of its functions, each below its name."""
    settings: Path | None = None
    """The file with the settings that the local suite was started with."""
    deployment: Path | None = None
    """The deployment.yaml that goes with them, if that is not the owner's."""

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        return bool(self.clock_endpoint)

    def now(self) -> datetime:
        """The time, there."""
        return clock.now(self.clock_endpoint)


def in_the_cloud(project: str) -> Target:
    """The suite in a project, reached with the caller's own credentials."""
    return Target(project, Clients.from_environment(project, retry=RetryPolicy(give_up=PATIENCE_SECONDS)))


def on_this_machine(directory: Path = LOCAL_DIRECTORY) -> Target:
    """The suite on the local cloud that was started last. Raises ``NotRunning`` if there is none, or it has ended."""
    path = directory / "endpoints.json"
    start = "start one with ./deploy.sh local --serve"
    try:
        found = decoded(path.read_bytes(), _Endpoints)
    except (OSError, msgspec.DecodeError) as error:
        raise NotRunning(f"no local cloud is running ({path} cannot be read); {start}") from error
    host, _, port = found.grpc.rpartition(":")
    try:
        socket.create_connection((host, int(port))).close()
    except OSError as error:
        raise NotRunning(f"no local cloud is running (that of {path} has ended); {start}") from error
    clients = Clients(found.project, endpoint=found.grpc, http_endpoint=found.http)
    files = (Path(file) if file else None for file in (found.settings, found.deployment))
    return Target(found.project, clients, found.clock, found.functions, *files)


def suite_and_target(options: argparse.Namespace) -> tuple[Suite, Target]:
    """The suite that ``--local``, ``--directory``, ``--deployment`` and ``--settings`` name, and where it is.

    A demo needs no files of the owner's: unless ``--settings`` names one, both are those it was started with. Its
    project and region are the local cloud's. Raises ``CaretakerError``.
    """
    deployment, settings = options.deployment, options.settings or SETTINGS_PATH
    target = on_this_machine(options.directory) if options.local else None
    if target:
        started = None if options.settings else target
        settings = (started and started.settings) or own_or_example(settings)
        deployment = (started and started.deployment) or own_or_example(deployment)
    refuse_missing(settings, deployment)
    suite = load_suite(deployment, settings)
    if target is None:
        return suite, in_the_cloud(suite.deployment.project)
    here = msgspec.structs.replace(suite.deployment, project=target.project, region=REGION)
    return Suite(here, suite.owner), target
