"""Secrets change: on a schedule, with a real database, with a revision that fails, interrupted half way."""

from datetime import timedelta

from grpc import StatusCode

from local import psql
from local.story import hands
from local.story.databases import ADMINISTRATOR, FIRST_PASSWORD, USERS, Databases
from local.story.messages import command
from local.story.player import Player
from local.suite import Suite
from localcloud import LocalCloud
from localcloud.world import seed, world_from

PROJECT = "projects/my-product"
REGION = f"{PROJECT}/locations/europe-west3"
SESSION_KEY = f"{PROJECT}/secrets/session-key"
DATABASE = f"{PROJECT}/secrets/database-url"
NOTIFICATIONS = f"{PROJECT}/topics/caretaker-secret-notifications"
IMAGE = "europe-west1-docker.pkg.dev/my-product/images/orders@sha256:" + "2" * 64


def prepare(cloud: LocalCloud, databases: Databases | None) -> None:
    """Let the address of the database be a secret, and a service use it if there is a database."""
    where = f"127.0.0.1:{databases.server.port}/postgres" if databases else "database.example.com/postgres"
    secrets = {
        name: {"versions": [f"postgresql://{user}:{FIRST_PASSWORD.replace(' ', '%20')}@{where}"]}
        for name, user in (("database-url", USERS[0]), ("database-admin-url", ADMINISTRATOR))
    }
    services = {"orders": {"image": IMAGE, "secret_env": {"DATABASE_URL": "database-url:1"}}} if databases else {}
    here = {"location": "europe-west3", "secrets": secrets, "services": services}
    seed(cloud, world_from({"projects": {"my-product": here}}))


def play(player: Player, suite: Suite, databases: Databases | None) -> None:
    """Play the chapter; every step checks what it has left in the cloud."""
    player.about("rotate_secrets")
    _on_schedule(player, suite)
    if databases:
        databases.made.result()
        _database(player, suite)
    else:
        player.step("A database password would be rotated now, but PostgreSQL is not installed.")
    _taken_back(player, suite)
    _interrupted(player, suite)
    command(player, suite, "rotate_secrets", {"type": "status"})


def _on_schedule(player: Player, suite: Suite) -> None:
    player.step("Secret Manager's schedule says that the session key is due: it is rotated.")
    due = player.cloud.clock.now() + timedelta(hours=1)
    hands.schedule_rotation(suite, SESSION_KEY, due, [NOTIFICATIONS])
    player.pass_time(timedelta(hours=1))
    _check(player, suite, shop=2, checkout=2, enabled=[1, 2])
    player.step(
        "A day later the grace period is over: the old version is disabled.", after=timedelta(days=1, minutes=10)
    )
    _check(player, suite, shop=2, checkout=2, enabled=[2])


def _database(player: Player, suite: Suite) -> None:
    player.step("A real database password is rotated: the other user gets a new one, and orders uses it.")
    player.check("orders logs in", lambda: _logs_in(suite), USERS[0])
    command(player, suite, "rotate_secrets", {"type": "rotate", "secret": "database"})
    player.check("orders logs in", lambda: _logs_in(suite), USERS[1])
    player.step(
        "After the grace period the first user has no password until its next turn.",
        after=timedelta(days=1, minutes=10),
    )
    player.check("orders logs in", lambda: _logs_in(suite), USERS[1])


def _taken_back(player: Player, suite: Suite) -> None:
    player.step("One of two services cannot start with version 3: both return to version 2.")
    player.cloud.run.reject_version(f"{REGION}/services/checkout", f"{SESSION_KEY}/versions/3")
    command(player, suite, "rotate_secrets", {"type": "rotate", "secret": "session-key"})
    _check(player, suite, shop=2, checkout=2, enabled=[2, 3])


def _interrupted(player: Player, suite: Suite) -> None:
    player.step(
        "The response to AddVersion is lost. The next run finds the version by its checksum and continues.",
        after=timedelta(minutes=10),
    )
    player.cloud.server.fail("AddSecretVersion", StatusCode.UNAVAILABLE, after_effect=True)
    command(player, suite, "rotate_secrets", {"type": "rotate", "secret": "session-key"})
    player.pass_time(timedelta(minutes=1))
    _check(player, suite, shop=4, checkout=4, enabled=[2, 3, 4])


def _check(player: Player, suite: Suite, *, shop: int, checkout: int, enabled: list[int]) -> None:
    player.check("shop serves with version", lambda: _serves(suite, "shop"), str(shop))
    player.check("checkout serves with version", lambda: _serves(suite, "checkout"), str(checkout))
    player.check("versions of the session key", lambda: _enabled(suite), enabled)


def _serves(suite: Suite, service_id: str) -> str:
    """The version that the revision of a service which has the traffic refers to."""
    service = hands.service(suite, f"{REGION}/services/{service_id}")
    return hands.revision(suite, service.latest_ready_revision).secret_version


def _enabled(suite: Suite) -> list[int]:
    listed = hands.versions(suite, SESSION_KEY)
    return sorted(int(one.name.rpartition("/")[2]) for one in listed if one.state == "ENABLED")


def _logs_in(suite: Suite) -> str:
    """The user that the service really logs in as, with what its revision holds."""
    name = f"{DATABASE}/versions/{_serves(suite, 'orders')}"
    address = hands.access(suite, name)
    return psql.user_at(address) or "refused"
