"""Secrets with addresses of the same users rotate together: a pooler's address, a direct one."""

import itertools
from typing import Any

import pytest

from functions.rotate_secrets.settings import Settings
from localcloud.core.calls import is_read
from localcloud.core.snapshot import Snapshot
from tests.functions.rotate_secrets.databases import Database
from tests.functions.rotate_secrets.gap import Applications, CrashingGapProbe, GapProbe
from tests.functions.rotate_secrets.stage import PRODUCT, Stage, a_secret, a_service, a_world, kinds_of, settings_of
from tests.laws.probe import Crash

pytestmark = [pytest.mark.one_python, pytest.mark.no_cover]


def group_settings(database: Database) -> Settings:
    value = {
        "kind": "postgres",
        "users": list(database.users),
        "admin_secret": f"{PRODUCT}/secrets/admin",
        "require_tls": False,
        "other_addresses": [f"{PRODUCT}/secrets/direct"],
    }
    return settings_of({"db": a_secret("db", value=value)})


def direct_address(database: Database) -> str:
    """Another address of the same user, as an ORM has it."""
    return database.address.replace("postgresql://", "postgresql+psycopg://") + "&schema=public"


def group_world(database: Database, *, direct: str = "") -> dict[str, Any]:
    """The first secret has one version, the other three: numbers need not be the same."""
    secrets = {
        "db": {"versions": [database.address]},
        "direct": {"versions": ["of no use", "neither", direct or direct_address(database)]},
        "admin": {"versions": [database.admin]},
    }
    services = {"api": a_service("URL=db:1", "DIRECT=direct:3"), "worker": a_service("direct:3")}
    return a_world(secrets=secrets, services=services, run_jobs={"nightly": a_service("db:1")})


class GroupApplications(Applications):
    """Log in with the addresses of both secrets."""

    def accept(self, key: str, values: list[str]) -> None:
        """The direct address is that of an ORM, which takes its own scheme and parameters off."""
        if key == "direct":
            values = [one.replace("postgresql+psycopg", "postgresql").replace("&schema=public", "") for one in values]
        super().accept("db" if key == "direct" else key, values)


def watched(stage: Stage, database: Database) -> GroupApplications:
    applications = GroupApplications(stage, database)
    stage.probe = lambda: GapProbe(applications)
    applications.check()
    return applications


def test_a_group_rotates_with_one_set_of_users(database: Database) -> None:
    with Stage(group_settings(database), group_world(database)) as stage:
        watched(stage, database)
        report = stage.command("rotate", minutes=1)
        assert kinds_of(report) == ["Adopt", "AddVersion", "SetValue", "Promote", "Roll", "Roll", "Roll", "Finish"]
        assert (stage.said("api"), stage.said("worker")) == (["2", "4"], ["4"])
        new, direct = stage.payload(2, "db"), stage.payload(4, "direct")
        assert direct.partition("@")[0].partition("://")[2] == new.partition("@")[0].partition("://")[2]
        assert direct.startswith("postgresql+psycopg://")
        assert direct.endswith("&schema=public")
        assert kinds_of(stage.tick(hours=25)) == ["Retire"]
        assert stage.versions("db") == ["DISABLED", "ENABLED"]
        assert stage.versions("direct") == ["ENABLED", "ENABLED", "DISABLED", "ENABLED"]
        assert not database.logs_in(database.address)
        stage.command("rotate", minutes=5)
        stage.tick(hours=25)
        assert (stage.said("api"), stage.said("worker")) == (["3", "5"], ["5"])


def test_a_group_goes_back_together(database: Database) -> None:
    with Stage(group_settings(database), group_world(database)) as stage:
        watched(stage, database)
        stage.command("rotate", minutes=1)
        stage.command("roll_back", "db", minutes=5)
        assert (stage.said("api"), stage.said("worker")) == (["1", "3"], ["3"])
        assert database.logs_in(database.address)


def test_a_group_whose_addresses_have_different_users_is_refused(database: Database) -> None:
    second = database.users[1]
    direct = database.address.replace("app%3Ba", "app%3Bb")
    with Stage(group_settings(database), group_world(database, direct=direct)) as stage:
        watched(stage, database)
        with pytest.raises(Exception, match="failed"):
            stage.command("rotate", minutes=1)
        (failed,) = [change for change in stage.reports[-1].changes if change.outcome == "failed"]
        assert f"already has the user {second!r}" in failed.error
        assert stage.versions("db") == ["ENABLED"]
        assert len(stage.versions("direct")) == 3


def test_a_secret_that_joins_a_group_is_adopted_before_it_rotates(database: Database) -> None:
    alone = settings_of(
        {
            "db": a_secret(
                "db",
                value={
                    "kind": "postgres",
                    "users": list(database.users),
                    "admin_secret": f"{PRODUCT}/secrets/admin",
                    "require_tls": False,
                },
            )
        }
    )
    with Stage(alone, group_world(database)) as stage:
        stage.tick()
        stage.settings = group_settings(database)
        watched(stage, database)
        report = stage.command("rotate", minutes=1)
        assert kinds_of(report)[:2] == ["Adopt", "AddVersion"]
        assert (stage.said("api"), stage.said("worker")) == (["2", "4"], ["4"])


def test_a_group_goes_on_wherever_it_died(database: Database) -> None:
    with Stage(group_settings(database), group_world(database)) as stage:
        applications = watched(stage, database)
        stage.tick()
        past = Snapshot(stage.cloud)
        stage.command("rotate", minutes=1)
        methods = stage.methods
        writes = [at for at, method in enumerate(methods) if not is_read(method) and "Firestore" not in method]
        assert methods.count("google.cloud.secretmanager.v1.SecretManagerService/AddSecretVersion") == 2
        for at, answer_lost in itertools.product(writes, (False, True)):
            past.restore()
            stage.probe = lambda at=at, lost=answer_lost: CrashingGapProbe(at, applications, answer_lost=lost)
            with pytest.raises(Crash):
                stage.command("rotate", minutes=1)
            stage.probe = lambda: GapProbe(applications)
            stage.tick(minutes=10)
            state = stage.state("db")
            # Of two versions that were to be added, one may have been: then both are made up anew.
            newest = (len(stage.versions("db")), len(stage.versions("direct")))
            assert (state.current, state.others[f"{PRODUCT}/secrets/direct"].current) == newest, methods[at]
            assert (stage.said("api"), stage.said("worker")) == ([str(one) for one in newest], [str(newest[1])])
            assert state.attempt is None
