"""Where the suite is that a person speaks to: in the cloud, with their own credentials, or local."""

import socket
from datetime import datetime
from pathlib import Path

import msgspec

from infra.suite.automations import ROOT
from shared import clock
from shared.clients import Clients, RetryPolicy
from shared.errors import CaretakerError

LOCAL_DIRECTORY = ROOT / ".local"
PATIENCE_SECONDS = 5.0
"""For one call: a person is waiting, and can run it again."""


class NotRunning(CaretakerError):
    """There is no local cloud to speak to."""


class _Endpoints(msgspec.Struct):
    """What `./deploy.sh local` writes of where everything is."""

    grpc: str
    http: str
    clock: str
    functions: str
    project: str
    settings: str = ""


class Target(msgspec.Struct, frozen=True):
    """A suite: in which project, and by which clients it is reached."""

    project: str
    clients: Clients
    clock_endpoint: str = ""
    """The local cloud's own clock."""
    functions_endpoint: str = ""
    """Where its functions answer, each below its name."""
    settings: Path | None = None
    """The file with the settings that the local suite was started with."""

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
        found = msgspec.json.decode(path.read_bytes(), type=_Endpoints)
    except (OSError, msgspec.DecodeError) as error:
        raise NotRunning(f"{path} says of no local cloud: {start}") from error
    host, _, port = found.grpc.rpartition(":")
    try:
        socket.create_connection((host, int(port))).close()
    except OSError as error:
        raise NotRunning(f"the local cloud of {path} has ended: {start}") from error
    clients = Clients(found.project, endpoint=found.grpc, http_endpoint=found.http)
    settings = Path(found.settings) if found.settings else None
    return Target(found.project, clients, found.clock, found.functions, settings)
