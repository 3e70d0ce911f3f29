"""Finding and running the emulators; none of these tests needs one."""

from pathlib import Path

import pytest

from tests.conformance.emulators import FIRESTORE, PUBSUB, EmulatorMissingError, FakeGcsServer, running, shared


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory in which programs are looked for."""
    directory = tmp_path / "sdk" / "bin"
    directory.mkdir(parents=True)
    monkeypatch.setenv("PATH", str(directory))
    return directory


def install(programs: Path, program: str, script: str = "") -> None:
    path = programs / program
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def install_jar(programs: Path) -> Path:
    jar = programs.parent / "platform" / "pubsub-emulator" / "lib" / "cloud-pubsub-emulator-1.2.3.jar"
    jar.parent.mkdir(parents=True)
    jar.touch()
    return jar


def test_what_is_missing_is_named(programs: Path) -> None:
    with pytest.raises(EmulatorMissingError, match="Java, which is not installed"):
        PUBSUB.command()
    install(programs, "java")
    with pytest.raises(EmulatorMissingError, match="gcloud, which is not installed"):
        PUBSUB.command()
    install(programs, "gcloud")
    with pytest.raises(EmulatorMissingError, match="gcloud has not installed its pubsub-emulator"):
        PUBSUB.command()
    jar = install_jar(programs)
    assert str(jar) in PUBSUB.command()
    with pytest.raises(EmulatorMissingError, match="gcloud has not installed its cloud-firestore-emulator"):
        FIRESTORE.command()


def test_a_package_that_is_missing_is_named() -> None:
    with pytest.raises(EmulatorMissingError, match="no_such_package"):
        FakeGcsServer(package="no_such_package").command()


def test_one_that_does_not_start_says_why(programs: Path, tmp_path: Path) -> None:
    install(programs, "java", "echo no memory today; exit 1")
    install(programs, "gcloud")
    install_jar(programs)
    with pytest.raises(RuntimeError, match="no memory today"), running(PUBSUB, tmp_path / "log.txt"):
        pass
    with pytest.raises(RuntimeError, match="no memory today"), shared(PUBSUB, tmp_path):
        pass
