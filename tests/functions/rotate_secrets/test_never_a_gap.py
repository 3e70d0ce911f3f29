"""After every API call, and every fault, each client is accepted: real logins, and GitHub's signatures."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from functions.rotate_secrets.settings import Settings
from localcloud.core.calls import is_read
from localcloud.core.snapshot import Snapshot
from shared.report import Report
from tests.functions.rotate_secrets.databases import Database
from tests.functions.rotate_secrets.gap import Applications, CrashingGapProbe, GapProbe
from tests.functions.rotate_secrets.stage import (
    DIGEST,
    PRODUCT,
    REGION,
    Stage,
    a_secret,
    a_service,
    a_world,
    kinds_of,
    settings_of,
)
from tests.laws.probe import Crash

pytestmark = [pytest.mark.one_python, pytest.mark.no_cover]

TEAM = "my-team/my-product"
HOOK = 77


def database_settings(database: Database, **value: object) -> Settings:
    kind = {
        "kind": "postgres",
        "users": list(database.users),
        "admin_secret": f"{PRODUCT}/secrets/admin",
        "require_tls": False,
        **value,
    }
    return settings_of({"db": a_secret("db", value=kind)})


def database_world(database: Database, *references: str) -> dict[str, Any]:
    secrets = {"db": {"versions": [database.address]}, "admin": {"versions": [database.admin]}}
    services = {f"api-{place}": a_service(reference) for place, reference in enumerate(references or ("db:1",))}
    return a_world(secrets=secrets, services=services, run_jobs={"nightly": a_service("db:1")})


def webhook_settings(**more: object) -> Settings:
    access = {"token_secret": f"{PRODUCT}/secrets/github-token"}
    value = {"kind": "github_webhook", "repository": TEAM, "hook": HOOK, "github": access, **more}
    return settings_of({"webhook": a_secret("webhook", value=value)})


def receiver(current: str, previous: str) -> dict[str, object]:
    """A service with two files, as `receive_github` has them."""
    return {
        "proto": {
            "template": {
                "containers": [{"image": DIGEST}],
                "volumes": [
                    {
                        "name": name,
                        "secret": {"secret": "webhook", "items": [{"path": name, "version": version}]},
                    }
                    for name, version in (("current", current), ("previous", previous))
                ],
            }
        }
    }


def webhook_world(**services: object) -> dict[str, Any]:
    secrets = {"webhook": {"versions": ["hook secret one"]}, "github-token": {"versions": ["ghp_a-token"]}}
    world = a_world(secrets=secrets, services=services or {"receiver": receiver("1", "1")})
    hooks = {HOOK: {"url": "https://example.com/", "secret": "hook secret one"}}
    return world | {"github": {"repositories": {TEAM: {"hooks": hooks}}, "tokens": {"ghp_a-token": {"login": "bot"}}}}


def watched(stage: Stage, **more: Any) -> Applications:
    """Let every run of the stage be looked at after each of its calls."""
    applications = Applications(stage, **more)
    stage.probe = lambda: GapProbe(applications)
    applications.check()
    return applications


def test_two_users_take_turns(database: Database) -> None:
    with Stage(database_settings(database), database_world(database)) as stage:
        applications = watched(stage, database=database)
        report = stage.command("rotate", minutes=1)
        assert kinds_of(report) == ["Adopt", "AddVersion", "SetValue", "Promote", "Roll", "Roll", "Finish"]
        first, second = stage.payload(1, "db"), stage.payload(2, "db")
        assert database.logs_in(first)
        assert database.logs_in(second)
        assert stage.said("api-0") == ["2"]
        assert second.endswith("/postgres?application_name=a%20b")
        assert "app%3Bb" in second
        assert kinds_of(stage.tick(hours=25)) == ["Retire"]
        assert stage.versions("db") == ["DISABLED", "ENABLED"]
        assert not database.logs_in(first)
        stage.command("rotate", "db", minutes=5)
        stage.tick(hours=25)
        assert database.logs_in(stage.payload(3, "db"))
        assert "app%3Ba" in stage.payload(3, "db")
        assert not database.logs_in(second)
        assert applications.logins >= 6


@pytest.mark.parametrize("said", ["latest", "mine"])
def test_whoever_follows_a_name_is_given_a_number_first(database: Database, said: str) -> None:
    world = database_world(database, f"db:{said}")
    world["projects"]["my-product"]["secrets"]["db"]["version_aliases"] = {"mine": 1}
    with Stage(database_settings(database), world) as stage:
        watched(stage, database=database)
        report = stage.command("rotate", minutes=1)
        assert [change.after for change in report.changes if change.kind == "Roll"] == ["db:1", "db:2", "db:2"]
        assert stage.said("api-0") == ["2"]


def test_a_revision_that_fails_takes_all_back(database: Database) -> None:
    with Stage(database_settings(database), database_world(database, "db:1", "db:1")) as stage:
        watched(stage, database=database)
        stage.cloud.run.reject_version(f"{REGION}/services/api-1", f"{PRODUCT}/secrets/db/versions/2")
        report = stage.command("rotate", minutes=1)
        assert kinds_of(report) == [
            *("Adopt", "AddVersion", "SetValue", "Promote", "Roll", "Roll", "Roll"),
            *("TakeBack", "Roll", "Roll", "Roll", "GiveUp"),
        ]
        assert [stage.said("api-0"), stage.said("api-1")] == [["1"], ["1"]]
        assert stage.service("api-1").terminal_condition.state.name == "CONDITION_SUCCEEDED"
        assert [(alert.kind, alert.subject) for alert in report.alerts] == [("rotation_failed", "db")]
        assert "failed to start" in report.alerts[0].reason
        assert stage.versions("db") == ["ENABLED", "ENABLED"]
        assert kinds_of(stage.tick(hours=1)) == []


def test_a_single_user_is_restored_when_a_revision_fails(database: Database) -> None:
    settings = database_settings(database, users=[database.users[0]], accept_a_gap=True)
    with Stage(settings, database_world(database)) as stage:
        stage.command("rotate", minutes=1)
        old, new = stage.payload(1, "db"), stage.payload(2, "db")
        assert (database.logs_in(old), database.logs_in(new)) == (False, True)
        stage.command("roll_back", "db", minutes=1)
        assert (database.logs_in(old), database.logs_in(new)) == (True, False)
        assert stage.said("api-0") == ["1"]


def test_receivers_accept_the_new_secret_before_github_signs_with_it() -> None:
    with Stage(webhook_settings(), webhook_world()) as stage:
        watched(stage, webhook=(TEAM, HOOK))
        report = stage.command("rotate", minutes=1)
        assert kinds_of(report) == ["Adopt", "AddVersion", "Roll", "Finish", "SetValue", "Promote"]
        assert stage.said("receiver") == ["2", "1"]
        assert stage.cloud.github.hook_secret(TEAM, HOOK) == stage.payload(2, "webhook")
        assert kinds_of(stage.tick(hours=25)) == ["Roll", "Retire"]
        assert stage.said("receiver") == ["2", "2"]
        assert stage.versions("webhook") == ["DISABLED", "ENABLED"]


def test_a_receiver_that_takes_one_secret_is_refused() -> None:
    with Stage(webhook_settings(), webhook_world(receiver=a_service("webhook:1"))) as stage:
        watched(stage, webhook=(TEAM, HOOK))
        report = stage.command("rotate", minutes=1)
        assert [refusal.guard for refusal in report.refusals] == ["never_a_gap"]
        assert "takes one value at a time" in report.refusals[0].reason
        assert stage.versions("webhook") == ["ENABLED"]


def function(current: str = "webhook", previous: str = "webhook-previous", version: str = "latest") -> dict[str, Any]:
    """`receive_github`, as Terraform makes it: a function with the newest version of two secrets as files."""
    files = {"current": current, "previous": previous}
    volumes = [
        {"name": path, "secret": {"secret": secret, "items": [{"path": path, "version": version}]}}
        for path, secret in files.items()
    ]
    template = {"containers": [{"image": DIGEST}], "volumes": volumes}
    return {"labels": {"goog-managed-by": "cloudfunctions"}, "proto": {"template": template}}


def following(**services: object) -> tuple[Settings, dict[str, Any]]:
    """Settings with `previous_secret`, and a world in which such a function is the receiver."""
    world = webhook_world(**(services or {"receiver": function()}))
    world["projects"]["my-product"]["secrets"]["webhook-previous"] = {"versions": ["of no use"]}
    return webhook_settings(previous_secret=f"{PRODUCT}/secrets/webhook-previous"), world


def test_a_function_reads_the_new_secret_by_itself_before_github_signs_with_it() -> None:
    with Stage(*following()) as stage:
        watched(stage, webhook=(TEAM, HOOK), follows=True)
        report = stage.command("rotate", minutes=1)
        assert kinds_of(report) == ["Adopt", "AddVersion"]
        assert report.next == ("webhook: all receivers read version 2 by 2026-11-16 12:03 UTC",)
        assert stage.payload("latest", "webhook-previous") == "hook secret one"
        assert kinds_of(stage.tick(minutes=1)) == []
        assert kinds_of(stage.tick(minutes=9)) == ["Finish", "SetValue", "Promote"]
        assert stage.cloud.github.hook_secret(TEAM, HOOK) == stage.payload("latest", "webhook")
        assert kinds_of(stage.tick(hours=25)) == ["Retire"]
        assert stage.versions("webhook") == ["DISABLED", "ENABLED"]
        # What the receiver accepted until now is accepted no more, and nothing of it can be read.
        assert stage.payload("latest", "webhook-previous") == stage.payload("latest", "webhook")
        assert stage.versions("webhook-previous") == ["DISABLED", "DISABLED", "ENABLED"]
        assert stage.said("receiver") == ["latest", "latest"]


def test_a_function_follows_the_way_back() -> None:
    with Stage(*following()) as stage:
        watched(stage, webhook=(TEAM, HOOK), follows=True)
        stage.command("rotate", minutes=1)
        stage.tick(minutes=10)
        assert kinds_of(stage.command("roll_back", "webhook", minutes=5)) == ["TakeBack", "RestoreValue", "GiveUp"]
        assert stage.cloud.github.hook_secret(TEAM, HOOK) == "hook secret one"
        # And forward once more, with another value.
        stage.command("rotate", minutes=5)
        stage.tick(minutes=10)
        stage.tick(hours=25)
        assert stage.cloud.github.hook_secret(TEAM, HOOK) == stage.payload(3, "webhook")
        assert stage.versions("webhook") == ["DISABLED", "DISABLED", "ENABLED"]


@pytest.mark.parametrize(
    "service",
    [
        function(version="1"),
        function(previous="webhook"),
        function(previous="github-token"),
        a_service("webhook:latest"),
    ],
)
def test_whoever_would_not_follow_is_named(service: dict[str, Any]) -> None:
    with Stage(*following(receiver=service)) as stage:
        report = stage.command("rotate", minutes=1)
        assert [refusal.guard for refusal in report.refusals] == ["never_a_gap"]
        assert "services/receiver does not follow" in report.refusals[0].reason
        assert stage.versions("webhook") == ["ENABLED"]


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_rotation_that_is_followed_goes_on_wherever_it_died(after: int) -> None:
    """In its first run, in the one that tells GitHub, or in the one that retires the value before."""
    with Stage(*following()) as stage:
        stage.tick()
        runs: list[Callable[[], Report]] = [
            lambda: stage.command("rotate", minutes=1),
            lambda: stage.tick(minutes=10),
            lambda: stage.tick(hours=25),
        ]
        for run in runs[:after]:
            run()
        past = Snapshot(stage.cloud)
        watched(stage, webhook=(TEAM, HOOK), follows=True)
        runs[after]()
        methods = stage.methods
        writes = [at for at, method in enumerate(methods) if not is_read(method) and "Firestore" not in method]
        assert len(writes) >= 4
        for at, answer_lost in itertools.product(writes, (False, True)):
            past.restore()
            applications = watched(stage, webhook=(TEAM, HOOK), follows=True)
            stage.probe = lambda at=at, lost=answer_lost, on=applications: CrashingGapProbe(at, on, answer_lost=lost)
            with pytest.raises(Crash):
                runs[after]()
            stage.probe = lambda on=applications: GapProbe(on)
            for _ in range(2):
                stage.tick(minutes=10)
            retired = after == len(runs) - 1
            state = stage.state("webhook")
            assert (state.current, state.retiring, state.attempt) == (2, () if retired else (1,), None), methods[at]
            kept = stage.payload("latest" if retired else 1, "webhook")
            assert stage.payload("latest", "webhook-previous") == kept
            assert stage.versions("webhook-previous").count("ENABLED") == 1


@pytest.fixture(params=["random", "postgres", "webhook"])
def case(request: pytest.FixtureRequest) -> tuple[Settings, dict[str, Any], dict[str, Any]]:
    """A kind's settings and world, and the environment of its applications."""
    if request.param == "webhook":
        return webhook_settings(), webhook_world(), {"webhook": (TEAM, HOOK)}
    if request.param == "postgres":
        database: Database = request.getfixturevalue("database")
        return database_settings(database), database_world(database), {"database": database}
    return settings_of(), a_world(services={"api": a_service("key:1")}), {}


def test_a_run_that_dies_at_any_write_is_gone_on_with(case: tuple[Settings, dict[str, Any], dict[str, Any]]) -> None:
    settings, world, more = case
    (secret,) = settings.secrets.values()
    secret_id = secret.secret.rpartition("/")[2]
    with Stage(settings, world) as stage:
        applications = watched(stage, **more)
        stage.tick()
        past = Snapshot(stage.cloud)
        stage.command("rotate", minutes=1)
        methods, expected = stage.methods, stage.versions(secret_id)
        writes = [at for at, method in enumerate(methods) if not is_read(method) and "Firestore" not in method]
        assert len(writes) >= 5
        for at, answer_lost in itertools.product(writes, (False, True)):
            past.restore()
            stage.probe = lambda at=at, lost=answer_lost: CrashingGapProbe(at, applications, answer_lost=lost)
            with pytest.raises(Crash):
                stage.command("rotate", minutes=1)
            stage.probe = lambda: GapProbe(applications)
            stage.tick(minutes=10)
            assert stage.versions(secret_id) == expected, f"died at {methods[at]}, {answer_lost=}"
            state = stage.state(secret_id)
            assert (state.current, state.retiring, state.attempt) == (2, (1,), None)
