"""The stored state of released versions is read, and their rotations are completed."""

from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from functions.rotate_secrets.records import Records
from functions.rotate_secrets.rotation_state import ANNOTATION
from infra.suite.automations import ROOT
from shared.state import State
from shared.yaml12 import read_yaml
from tests.functions.rotate_secrets.stage import Stage, a_service, a_world, settings_of

pytestmark = pytest.mark.one_python


class Stored(msgspec.Struct):
    """A release's stored state at one phase of a rotation."""

    phase: str
    now: datetime
    annotation: str
    versions: list[str]
    services: dict[str, str]
    records: dict[str, Any]


class Document(msgspec.Struct):
    """The document of records as that release wrote it: without a format."""

    observed_plan: str
    notified: dict[str, Any]
    rotate: dict[str, Any]
    roll_back: dict[str, Any]


def stored_in(path: Path) -> list[Stored]:
    return msgspec.convert(msgspec.json.decode(msgspec.json.encode(read_yaml(path.read_text()))), list[Stored])


STORED = [
    (path.stem, stored)
    for path in sorted((ROOT / "tests" / "stored").glob("rotate_secrets_*.yaml"))
    for stored in stored_in(path)
]


def stage_of(stored: Stored) -> Stage:
    secret = {"versions": stored.versions, "annotations": {ANNOTATION: stored.annotation}}
    services = {name: a_service(f"key:{version}") for name, version in stored.services.items()}
    return Stage(settings_of(at_once=1), a_world(secrets={"key": secret}, services=services), now=stored.now)


def put(stage: Stage, stored: Stored) -> None:
    state = State(stage.clients)
    (document,) = state.read("records/rotate_secrets")
    state.write(document, msgspec.convert(stored.records, Document))


@pytest.mark.parametrize(("release", "stored"), STORED, ids=[f"{name}: {one.phase}" for name, one in STORED])
def test_a_rotation_of_a_release_is_carried_to_its_end(release: str, stored: Stored) -> None:
    assert release.startswith("rotate_secrets_")
    with stage_of(stored) as stage:
        put(stage, stored)
        stage.tick(minutes=10)
        report = stage.tick(hours=25)
        assert [alert.kind for alert in report.alerts] == []
        state = stage.state()
        assert (state.attempt, state.older) == (None, ())
        assert stage.versions()[state.current - 1] == "ENABLED"
        assert {name: stage.said(name) for name in stored.services} == {
            name: [str(state.current)] for name in stored.services
        }


@pytest.mark.parametrize("phase", ["roll: half way", "taken back: half way", "finished, and not retired"])
def test_a_rotation_of_a_release_is_recorded_when_it_is_seen(phase: str) -> None:
    """So that it can be taken back, or retired, after its secret has left the settings."""
    (stored,) = [one for name, one in STORED if name.endswith("0.1.0") and one.phase == phase]
    with stage_of(stored) as stage:
        put(stage, stored)
        stage.cloud.run.operation_delay *= 0
        stage.tick(minutes=0)
        stage.settings = msgspec.structs.replace(stage.settings, secrets={})
        stage.tick(hours=25)
        stage.tick(hours=25)
        state = stage.state()
        assert (state.attempt, state.older) == (None, ())
        assert {name: stage.said(name) for name in stored.services} == {
            name: [str(state.current)] for name in stored.services
        }
        (document,) = State(stage.clients).read("records/rotate_secrets")
        assert document.as_type(Records).rotations == {}
