"""Settings and versions of Caretaker change at any time: nothing is stranded, and nothing is forgotten."""

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from google.cloud import run_v2
from google.cloud import secretmanager_v1 as secretmanager

from functions.rotate_secrets.kinds.database_address import DatabaseAddress
from functions.rotate_secrets.records import Records
from functions.rotate_secrets.rotation_state import ANNOTATION
from functions.rotate_secrets.settings import Settings
from shared.settings import Mode
from shared.state import State
from tests.functions.rotate_secrets.databases import Database
from tests.functions.rotate_secrets.stage import (
    PRODUCT,
    Stage,
    a_secret,
    a_service,
    a_world,
    kinds_of,
    settings_of,
)

pytestmark = pytest.mark.one_python

KEY = f"{PRODUCT}/secrets/key"


class Anything(msgspec.Struct):
    """A document of a later release."""

    rotations: dict[str, Any]


def nothing() -> Settings:
    """Settings in which no secret is left."""
    return msgspec.structs.replace(settings_of(), secrets={})


def half_way(stage: Stage) -> None:
    """One of two services is moved."""
    stage.tick()
    stage.cloud.run.operation_delay = timedelta(minutes=5)
    stage.command("rotate", minutes=1)
    assert sorted(stage.said(name) for name in ("api", "web")) == [["1"], ["2"]]
    stage.cloud.run.operation_delay = timedelta(0)


def records(stage: Stage) -> Records:
    (document,) = State(stage.clients).read("records/rotate_secrets")
    return document.as_type(Records)


def test_a_secret_that_leaves_the_settings_half_way_is_taken_back() -> None:
    services = {"api": a_service("key:1"), "web": a_service("key:1")}
    with Stage(settings_of(at_once=1), a_world(services=services)) as stage:
        half_way(stage)
        stage.settings = nothing()
        report = stage.command("status", minutes=10)
        assert report.status[0].startswith("key (removed from the settings): ")
        assert kinds_of(report)[-1] == "GiveUp"
        assert report.alerts == ()
        assert [stage.said(name) for name in services] == [["1"], ["1"]]
        assert (stage.state().current, stage.state().attempt) == (1, None)
        assert records(stage).rotations == {}
        stage.tick(minutes=10)
        assert stage.calls == ["BatchGetDocuments"]


def test_a_secret_that_leaves_the_settings_before_it_is_retired_is_retired(database: Database) -> None:
    with Stage(database_settings(database), database_world(database)) as stage:
        stage.command("rotate", minutes=1)
        stage.settings = nothing()
        assert kinds_of(stage.tick(hours=1)) == []
        assert kinds_of(stage.tick(hours=24)) == ["Retire"]
        assert not database.logs_in(database.address)
        assert records(stage).rotations == {}


def database_settings(database: Database, users: list[str] | None = None) -> Settings:
    value = {
        "kind": "postgres",
        "users": users or list(database.users),
        "admin_secret": f"{PRODUCT}/secrets/admin",
        "require_tls": False,
    }
    return settings_of({"db": a_secret("db", value=value)})


def database_world(database: Database) -> dict[str, Any]:
    secrets = {"db": {"versions": [database.address]}, "admin": {"versions": [database.admin]}}
    return a_world(secrets=secrets, services={"api": a_service("db:1")})


def test_users_that_change_while_one_retires_count_for_the_next_rotation(database: Database) -> None:
    _, second = database.users
    administrator = DatabaseAddress.read(database.admin.encode()).user
    with Stage(database_settings(database), database_world(database)) as stage:
        stage.command("rotate", minutes=1)
        stage.settings = database_settings(database, [second, administrator])
        assert kinds_of(stage.tick(hours=25)) == ["Retire"]
        assert not database.logs_in(database.address)
        assert database.logs_in(database.admin)


def test_dependents_are_found_where_they_were_when_the_rotation_began() -> None:
    world = a_world(services={"api": a_service("key:1"), "web": a_service("key:1")})
    elsewhere = [{"project": "my-product", "region": "us-east1"}]
    with Stage(settings_of(at_once=1), world) as stage:
        half_way(stage)
        stage.settings = settings_of(dependents_in=elsewhere)
        assert kinds_of(stage.tick(minutes=10)) == ["Roll", "Finish"]
        assert [stage.said(name) for name in ("api", "web")] == [["2"], ["2"]]
        assert kinds_of(stage.tick(hours=25)) == ["Retire"]
        # The next rotation looks where the settings say.
        assert records(stage).rotations == {}


def test_services_that_nobody_moved_keep_their_version_when_the_region_is_edited() -> None:
    elsewhere = [{"project": "my-product", "region": "us-east1"}]
    with Stage() as stage:
        stage.command("rotate", minutes=1)
        service = stage.service()
        service.template.containers[0].env[0].value_source.secret_key_ref.version = "1"
        service.template.containers[0].image = "example.com/app:latest"
        service.etag = ""
        stage.people.of(run_v2.ServicesClient).update_service(request={"service": service})
        stage.settings = settings_of(dependents_in=elsewhere)
        report = stage.tick(hours=25)
        assert any("still used by" in str(notice) and "services/api" in str(notice) for notice in report.notices)
        assert stage.versions() == ["ENABLED", "ENABLED"]


def test_a_rotation_is_a_debt_until_its_old_version_is_retired() -> None:
    with Stage() as stage:
        stage.command("rotate", minutes=1)
        (debt,) = records(stage).debts()
        assert (debt.resource, debt.original, debt.held_by) == (KEY, "1", ("key",))
        assert debt.undo == "./deploy.sh send rotate_secrets roll_back --secret key"
        stage.mode = Mode.OBSERVE
        assert [(alert.kind, alert.subject) for alert in stage.tick(hours=1).alerts] == [("held_while_observing", KEY)]
        stage.mode = Mode.ACT
        stage.tick(hours=24)
        assert records(stage).debts() == ()


def test_a_renamed_key_forgets_no_request() -> None:
    hours = {"time_zone": "Etc/UTC", "windows": ["tue 08:00-10:00"]}
    with Stage(settings_of(hours=hours)) as stage:
        stage.tick()
        stage.command("rotate", "key", minutes=1)
        stage.settings = settings_of({"renamed": a_secret()}, hours=hours)
        report = stage.tick(hours=20)
        assert kinds_of(report) == ["AddVersion", "Promote", "Roll", "Finish"]
        stage.settings = settings_of({"once_more": a_secret()}, hours=hours)
        assert stage.command("status").status[0].startswith("once_more: 0 days old; version 2 is current")
        stage.command("roll_back", "once_more", hours=5)
        assert stage.said() == ["1"]


def test_requests_of_an_earlier_release_count_by_key() -> None:
    with Stage() as stage:
        stage.tick()
        stage.cloud.clock.advance(timedelta(minutes=1))
        (document,) = State(stage.clients).read("records/rotate_secrets")
        State(stage.clients).write(document, Records(rotate={"key": stage.cloud.clock.now()}))
        assert kinds_of(stage.tick(minutes=1))[0] == "AddVersion"


def annotation(stage: Stage) -> dict[str, Any]:
    secret = stage.manager.get_secret(request={"name": KEY})
    found: dict[str, Any] = json.loads(secret.annotations[ANNOTATION])
    return found


def annotate(stage: Stage, text: str) -> None:
    secret = secretmanager.Secret(name=KEY, annotations={ANNOTATION: text})
    stage.manager.update_secret(request={"secret": secret, "update_mask": {"paths": ["annotations"]}})


def test_what_a_later_release_has_written_stays_in_the_annotation() -> None:
    services = {"api": a_service("key:1"), "web": a_service("key:1")}
    with Stage(settings_of(at_once=1), a_world(services=services)) as stage:
        half_way(stage)
        known = annotation(stage)
        assert known["format"] == 1
        known["later"] = {"field": 1}
        known["attempt"]["later"] = [2]
        annotate(stage, json.dumps(known))
        stage.cloud.run.operation_delay = timedelta(hours=1)
        stage.command("roll_back", "key", minutes=10)
        assert annotation(stage)["attempt"]["back"]
        assert (annotation(stage)["later"], annotation(stage)["attempt"]["later"]) == ({"field": 1}, [2])
        stage.cloud.run.operation_delay = timedelta(0)
        stage.tick(hours=2)
        assert annotation(stage)["later"] == {"field": 1}
        assert "attempt" not in annotation(stage)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"format": 2, "current": 1}', "is of a later release (format 2, here 1)"),
        (
            '{"current": 1, "attempt": {"epoch": 1, "started": "2026-11-16T12:00:00Z", "step": "confirm"}}',
            "cannot be read",
        ),
        ('{"current": "one"}', "cannot be read"),
        ("not JSON", "cannot be read"),
    ],
)
def test_a_state_that_cannot_be_read_stops_its_secret_alone(text: str, said: str) -> None:
    settings = settings_of({"key": a_secret(), "other": a_secret("other")})
    world = a_world(
        secrets={"key": {"versions": ["one"], "annotations": {ANNOTATION: text}}, "other": {"versions": ["two"]}},
        services={"api": a_service("key:1", "other:1")},
    )
    with Stage(settings, world) as stage:
        report = stage.command("rotate", minutes=1)
        assert [(alert.kind, alert.subject) for alert in report.alerts] == [("unreadable_record", KEY)]
        assert said in report.alerts[0].reason
        assert stage.said() == ["1", "2"]
        assert stage.versions() == ["ENABLED"]


def test_terms_that_cannot_be_read_stop_their_secret_with_an_alert() -> None:
    services = {"api": a_service("key:1"), "web": a_service("key:1")}
    with Stage(settings_of(at_once=1), a_world(services=services)) as stage:
        half_way(stage)
        said = [stage.said(name) for name in services]
        (document,) = State(stage.clients).read("records/rotate_secrets")
        later: Any = document.fields
        later["rotations"][KEY]["secret"]["value"]["kind"] = "of-a-later-release"
        State(stage.clients).write(msgspec.structs.replace(document, fields=None), Anything(later["rotations"]))
        report = stage.tick(minutes=10)
        assert ("unreadable_record", KEY) in [(alert.kind, alert.subject) for alert in report.alerts]
        assert [stage.said(name) for name in services] == said
