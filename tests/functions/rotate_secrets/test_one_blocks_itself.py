"""A secret that cannot be set or retired holds back itself alone, and no way back."""

import contextlib
from typing import Any

import pytest
from grpc import StatusCode

from functions.rotate_secrets.settings import Settings
from shared.errors import RunFailed
from tests.functions.rotate_secrets.databases import Database
from tests.functions.rotate_secrets.stage import (
    PRODUCT,
    REGION,
    Stage,
    a_secret,
    a_service,
    a_world,
    kinds_of,
    settings_of,
)

pytestmark = pytest.mark.one_python


def settings_with_database(users: list[str], **more: object) -> Settings:
    value = {"kind": "postgres", "users": users, "admin_secret": f"{PRODUCT}/secrets/admin", "require_tls": False}
    return settings_of({"key": a_secret(), "db": a_secret("db", value=value)}, **more)


def world_with_database(database: Database) -> dict[str, Any]:
    secrets = {"key": {"versions": ["one"]}, "db": {"versions": [database.address]}}
    services = {"api": a_service("key:1", "db:1")}
    return a_world(secrets=secrets | {"admin": {"versions": [database.admin]}}, services=services)


def ticks(stage: Stage, count: int) -> None:
    for _ in range(count):
        with contextlib.suppress(RunFailed):
            stage.tick(minutes=10)


def break_administrator(stage: Stage) -> None:
    """The administrator's address does not work any more."""
    data = b"postgresql://unknown:nothing@127.0.0.1:1/postgres"
    stage.manager.add_secret_version(request={"parent": f"{PRODUCT}/secrets/admin", "payload": {"data": data}})


def test_a_secret_that_cannot_be_set_holds_up_no_other_on_the_same_service(database: Database) -> None:
    with Stage(settings_with_database(list(database.users)), world_with_database(database)) as stage:
        stage.tick()
        break_administrator(stage)
        with pytest.raises(RunFailed):
            stage.command("rotate", minutes=1)
        ticks(stage, 4)
        assert stage.said() == ["2", "1"]
        assert stage.state("key").attempt is None
        # And the other way: a rollback completes even if another secret fails.
        with contextlib.suppress(RunFailed):
            stage.command("roll_back", "key", minutes=1)
        ticks(stage, 3)
        assert stage.said() == ["1", "1"]
        assert stage.state("key").current == 1


def test_a_secret_that_cannot_be_retired_holds_up_no_other_on_the_same_service(database: Database) -> None:
    with Stage(settings_with_database(list(database.users)), world_with_database(database)) as stage:
        stage.command("rotate", "db", minutes=1)
        break_administrator(stage)
        with pytest.raises(RunFailed):
            stage.tick(hours=25)
        with contextlib.suppress(RunFailed):
            stage.command("rotate", "key", minutes=1)
        ticks(stage, 4)
        assert stage.said() == ["2", "2"]
        assert stage.state("key").attempt is None


def test_a_way_back_does_not_wait_for_places_that_others_take() -> None:
    services = {"api": a_service("key:1"), "slow": a_service("other:1", "key:1")}
    secrets = {"key": a_secret(), "other": a_secret("other")}
    world = a_world(secrets={"key": {"versions": ["one"]}, "other": {"versions": ["two"]}}, services=services)
    with Stage(settings_of(secrets, at_once=1), world) as stage:
        stage.command("rotate", "key", minutes=1)
        stage.cloud.run.operation_delay = stage.settings.secrets["key"].grace
        with contextlib.suppress(RunFailed):
            stage.command("rotate", "other", minutes=1)
        assert stage.service("slow").reconciling
        stage.command("roll_back", "key", minutes=1)
        assert stage.said("api") == ["1"]


def test_several_secrets_of_one_service_still_become_one_update() -> None:
    settings = settings_of({"key": a_secret(), "other": a_secret("other")})
    world = a_world(
        secrets={"key": {"versions": ["one"]}, "other": {"versions": ["two"]}},
        services={"api": a_service("key:1", "other:1")},
    )
    with Stage(settings, world) as stage:
        assert kinds_of(stage.command("rotate", minutes=1)).count("Roll") == 1


def test_a_secret_that_cannot_be_read_is_an_alert_and_the_others_go_on() -> None:
    settings = settings_of({"key": a_secret(), "other": a_secret("other")})
    world = a_world(
        secrets={"key": {"versions": ["one"]}, "other": {"versions": ["two"]}},
        services={"api": a_service("key:1"), "web": a_service("other:1")},
    )
    with Stage(settings, world) as stage:
        stage.tick()
        # The versions of the first that is asked for.
        stage.cloud.server.fail("ListSecretVersions", StatusCode.PERMISSION_DENIED)
        with pytest.raises(RunFailed):
            stage.command("rotate", minutes=1)
        report = stage.reports[-1]
        assert [(alert.kind, alert.subject) for alert in report.alerts] == [("unreadable", "key")]
        assert (stage.said("api"), stage.said("web")) == (["1"], ["2"])
        assert f"{REGION}/services/web" in [change.target for change in report.changes]
