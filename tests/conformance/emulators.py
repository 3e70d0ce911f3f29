"""Google's own emulators of Pub/Sub and Firestore, where gcloud has installed them and Java is there to run them."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc

READY_SECONDS = 60.0
STOP_SECONDS = 10.0


class EmulatorMissingError(Exception):
    """An emulator is not on this machine; the text says what is missing."""


@dataclass(frozen=True)
class Emulator:
    """One of Google's emulators: where its jar lies below gcloud's ``platform`` folder, and what Java starts in it."""

    jar: str
    main_class: str

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
        return [java, "-Duser.language=en", "-cp", str(jars[-1]), self.main_class]


PUBSUB = Emulator("pubsub-emulator/lib/*.jar", "com.google.cloud.pubsub.testing.v1.Main")
FIRESTORE = Emulator(
    "cloud-firestore-emulator/cloud-firestore-emulator.jar",
    "com.google.cloud.datastore.emulator.firestore.CloudFirestore",
)


@contextmanager
def running(emulator: Emulator, log: Path) -> Iterator[str]:
    """Run an emulator on a free loopback port, and give its address (``host:port``) once it answers.

    Raises EmulatorMissingError if it is not installed, RuntimeError with what it printed if it does not start.
    """
    address = f"127.0.0.1:{_free_port()}"
    host, _, port = address.partition(":")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*emulator.command(), f"--host={host}", f"--port={port}"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_ready(address, log)
        yield address
    finally:
        _stop(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(address: str, log: Path) -> None:
    with grpc.insecure_channel(address) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=READY_SECONDS)
        except grpc.FutureTimeoutError as error:
            printed = log.read_text(errors="replace")
            raise RuntimeError(f"the emulator did not start:\n{printed}") from error


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
