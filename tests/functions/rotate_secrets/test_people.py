"""People change passwords and add versions: clients stay on a version that works."""

from typing import Any

import psycopg
import pytest
from google.cloud import run_v2
from grpc import StatusCode
from psycopg.sql import SQL, Identifier, Literal

from functions.rotate_secrets.settings import Settings
from localcloud.core.messages import project_number
from shared.errors import RunFailed
from shared.report import Report
from tests.functions.rotate_secrets.databases import Database
from tests.functions.rotate_secrets.gap import Applications, GapProbe
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


def database_settings(database: Database) -> Settings:
    value = {
        "kind": "postgres",
        "users": list(database.users),
        "admin_secret": f"{PRODUCT}/secrets/admin",
        "require_tls": False,
    }
    return settings_of({"db": a_secret("db", value=value)})


def database_world(database: Database, *versions: str, reference: str = "db:1") -> dict[str, Any]:
    secrets = {"db": {"versions": list(versions) or [database.address]}, "admin": {"versions": [database.admin]}}
    return a_world(secrets=secrets, services={"api": a_service(reference)})


def add(stage: Stage, value: str, secret_id: str = "db") -> None:
    """A person adds a version."""
    request = {"parent": f"{PRODUCT}/secrets/{secret_id}", "payload": {"data": value.encode()}}
    stage.manager.add_secret_version(request=request)


def disable(stage: Stage, version: int, secret_id: str = "db") -> None:
    """A person disables a version."""
    stage.manager.disable_secret_version(request={"name": f"{PRODUCT}/secrets/{secret_id}/versions/{version}"})


def move(stage: Stage, version: str) -> None:
    """A person lets the service refer to another version."""
    service = stage.service()
    service.template.containers[0].env[0].value_source.secret_key_ref.version = version
    service.etag = ""
    stage.people.of(run_v2.ServicesClient).update_service(request={"service": service})


def set_password(database: Database, password: str) -> str:
    """A person changes the password of the first user; the address with it."""
    statement = SQL("ALTER ROLE {} PASSWORD {}").format(Identifier(database.users[0]), Literal(password))
    database.superuser.execute(statement)
    return database.address.replace("first%20password", password)


def alerts(report: Report) -> list[str]:
    return [alert.kind for alert in report.alerts]


@pytest.mark.parametrize("is_disabled", [False, True])
def test_a_password_that_a_person_has_changed_is_adopted_and_nobody_is_moved_to_the_dead_one(
    database: Database, *, is_disabled: bool
) -> None:
    with Stage(database_settings(database), database_world(database)) as stage:
        stage.tick()
        stage.cloud.clock.advance(stage.settings.secrets["db"].period)
        add(stage, set_password(database, "by-hand"))
        move(stage, "2")
        if is_disabled:
            disable(stage, 1)
        stage.probe = lambda: GapProbe(Applications(stage, database))
        # The period of the first version is over; that of the one that counts began when it was added.
        report = stage.tick(minutes=10)
        assert kinds_of(report) == ["Adopt"]
        assert stage.said() == ["2"]
        assert stage.state("db").current == 2
        report = stage.command("rotate", minutes=10)
        assert kinds_of(report)[-1] == "Finish"
        assert stage.said() == ["3"]


def test_what_a_person_changes_before_the_new_version_is_added_counts(database: Database) -> None:
    with Stage(database_settings(database), database_world(database)) as stage:
        stage.tick()
        stage.cloud.server.fail("AddSecretVersion", StatusCode.UNAVAILABLE)
        with pytest.raises(RunFailed):
            stage.command("rotate", minutes=1)
        add(stage, set_password(database, "by-hand"))
        move(stage, "2")
        stage.probe = lambda: GapProbe(Applications(stage, database))
        assert kinds_of(stage.tick(minutes=10))[0] == "Adopt"
        assert stage.state("db").current == int(stage.said()[0])


def test_a_service_that_follows_latest_is_not_moved_to_the_dead_version(database: Database) -> None:
    with Stage(database_settings(database), database_world(database, reference="db:latest")) as stage:
        stage.tick()
        add(stage, set_password(database, "by-hand"))
        stage.probe = lambda: GapProbe(Applications(stage, database))
        report = stage.command("rotate", minutes=10)
        assert [change.after for change in report.changes if change.kind == "Roll"] == ["db:2", "db:3"]
        assert stage.said() == ["3"]


def test_a_wrong_version_that_a_person_has_added_is_not_adopted(database: Database) -> None:
    with Stage(database_settings(database), database_world(database)) as stage:
        stage.tick()
        add(stage, database.address.replace("first%20password", "wrong"))
        report = stage.command("rotate", minutes=10)
        assert "Adopt" not in kinds_of(report)
        assert "db: version 2 of db was added by someone else, and is not used" in report.notices
        assert (stage.said(), stage.state("db").current) == (["3"], 3)


def test_what_is_adopted_first_serves_and_works_whatever_is_newest(database: Database) -> None:
    wrong = database.address.replace("first%20password", "wrong")
    with Stage(database_settings(database), database_world(database, database.address, wrong)) as stage:
        assert kinds_of(stage.tick()) == ["Adopt"]
        assert stage.state("db").current == 1
    with Stage(database_settings(database), database_world(database, wrong, database.address)) as stage:
        # It is served with the first, which does not work.
        assert kinds_of(stage.tick()) == ["Adopt"]
        assert stage.state("db").current == 2


def test_where_no_version_works_nobody_is_moved_and_somebody_is_alerted(database: Database) -> None:
    with Stage(database_settings(database), database_world(database)) as stage:
        stage.tick()
        set_password(database, "changed-by-hand")
        report = stage.command("rotate", minutes=10)
        assert (kinds_of(report), alerts(report), stage.said()) == ([], ["version_unusable"], ["1"])
        assert "password authentication failed" in report.alerts[0].reason
        add(stage, database.address.replace("first%20password", "changed-by-hand"))
        assert kinds_of(stage.tick(minutes=10))[0] == "Adopt"


def test_the_first_version_that_the_owner_adds_is_adopted(database: Database) -> None:
    world = database_world(database)
    world["projects"]["my-product"]["secrets"]["db"] = {}
    world["projects"]["my-product"]["services"] = {}
    with Stage(database_settings(database), world) as stage:
        report = stage.tick()
        assert kinds_of(report) == ["Adopt"]
        assert [refusal.guard for refusal in stage.tick(minutes=10).refusals] == ["never_a_gap"]
        add(stage, database.address)
        assert kinds_of(stage.tick(minutes=10)) == ["Adopt"]
        assert stage.state("db").current == 1


def test_nobody_goes_back_to_a_version_that_does_not_work(database: Database) -> None:
    with Stage(database_settings(database), database_world(database)) as stage:
        stage.command("rotate", minutes=1)
        set_password(database, "changed-meanwhile")
        report = stage.command("roll_back", "db", minutes=1)
        assert (kinds_of(report), alerts(report), stage.said()) == (["TakeBack"], ["not_taken_back"], ["2"])
        assert "password authentication failed" in report.alerts[0].reason


def test_nobody_is_moved_to_a_new_version_that_is_disabled_half_way() -> None:
    services = {"api": a_service("key:1"), "web": a_service("key:1")}
    with Stage(settings_of(at_once=1), a_world(services=services)) as stage:
        stage.tick()
        stage.cloud.run.operation_delay = stage.settings.secrets["key"].grace / 24
        stage.command("rotate", minutes=1)
        assert (stage.said("api"), stage.said("web")) == (["2"], ["1"])
        stage.cloud.run.operation_delay *= 0
        stage.cloud.clock.advance(stage.settings.secrets["key"].grace / 12)
        disable(stage, 2, "key")
        report = stage.tick(minutes=10)
        assert stage.said("web") == ["1"]
        assert alerts(report) == ["version_unusable"]
        assert "version 2 of key is not enabled" in report.alerts[0].reason


def test_a_version_that_serves_is_never_revoked_for_what_a_person_has_put_in_its_place(database: Database) -> None:
    with Stage(database_settings(database), database_world(database)) as stage:
        stage.command("rotate", minutes=1)
        # The first user's turn is over, and a person gives it another password and serves with that.
        add(stage, set_password(database, "by-hand"))
        move(stage, "3")
        stage.probe = lambda: GapProbe(Applications(stage, database))
        assert kinds_of(stage.tick(hours=25)) == ["Adopt", "Retire"]
        assert database.logs_in(stage.payload(3, "db"))
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(stage.payload("3", "db").replace("app%3Ba", "app%3Bb"))


def test_a_version_that_somebody_adds_is_reported_when_it_is_added() -> None:
    with Stage() as stage:
        stage.tick()
        add(stage, "by hand", "key")
        name = f"projects/{project_number('my-product')}/secrets/key"
        attributes = {"eventType": "SECRET_VERSION_ADD", "secretId": name}
        report = stage.notified(attributes)
        assert report.notices == ("key: version 2 of key was added by someone else, and is not used",)
        assert stage.writes == []
        assert f"key: {REGION}" not in str(report.notices)
        assert stage.command("status").notices == report.notices


def test_our_own_versions_are_not_reported_as_somebody_elses() -> None:
    with Stage() as stage:
        stage.command("rotate", minutes=1)
        assert stage.command("status").notices == ()
