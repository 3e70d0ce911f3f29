"""Google's own emulators of Pub/Sub and Firestore, where gcloud has installed them and Java is there to run them."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import grpc

READY_SECONDS = 60.0
STOP_SECONDS = 10.0
PUBSUB = "pubsub-emulator/lib/*.jar"
FIRESTORE = "cloud-firestore-emulator/cloud-firestore-emulator.jar"


class EmulatorMissingError(Exception):
    """An emulator is not on this machine; the text says what is missing."""


def find_emulator(pattern: str) -> tuple[str, str]:
    """The path of Java, and of the emulator's jar under gcloud's ``platform`` folder.

    Raises EmulatorMissingError if Java, gcloud or the jar is not installed.
    """
    java, gcloud = shutil.which("java"), shutil.which("gcloud")
    if java is None:
        raise EmulatorMissingError("Google's emulators need Java, which is not installed")
    if gcloud is None:
        raise EmulatorMissingError("Google's emulators come with gcloud, which is not installed")
    platform = Path(gcloud).resolve().parents[1] / "platform"
    jars = sorted(platform.glob(pattern))
    if not jars:
        raise EmulatorMissingError(f"gcloud has not installed {pattern.partition('/')[0]}")
    return java, str(jars[-1])


@contextmanager
def running_emulator(pattern: str, log: Path) -> Iterator[str]:
    """Run an emulator on a free loopback port, and give its address (``host:port``) once it answers.

    Raises EmulatorMissingError if it is not installed, RuntimeError with what it printed if it does not start.
    """
    java, jar = find_emulator(pattern)
    port = _free_port()
    # The installed wrapper scripts do not exec Java: ending one would leave the emulator behind.
    command = [java, "-Duser.language=en", "-Xmx128m", "-jar", jar, "--host=127.0.0.1", f"--port={port}"]
    with log.open("wb") as output:
        process = _start(command, output)
    try:
        _wait_until_ready(process, f"127.0.0.1:{port}", log)
        yield f"127.0.0.1:{port}"
    finally:
        _stop(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _start(command: list[str], output: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
    )


def _wait_until_ready(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    with grpc.insecure_channel(address) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=READY_SECONDS)
        except grpc.FutureTimeoutError as error:
            printed = log.read_text(errors="replace")
            raise RuntimeError(f"the emulator did not start (exit code {process.poll()}):\n{printed}") from error


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
