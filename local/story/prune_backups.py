"""Sixty days of backups are pruned; then a truncated backup arrives, so nothing is deleted; and all is undone."""

from datetime import timedelta

from infra.suite.deployment import REGION
from local.story import hands
from local.story.messages import command
from local.story.player import Player
from local.suite import Suite
from localcloud.storage.state import Zeros
from shared.events import inbox_of

BUCKET = "my-product-backups"
NAME = "shop/%Y%m%dT%H%M%SZ.dump"
DAYS = 60
DAY = timedelta(days=1)
MEGABYTE = 1024 * 1024
STAYING = 13
"""The last seven days, four Sundays before them, the end of October, and as a month is left to keep, the oldest."""


def prepare(suite: Suite) -> None:
    """Pause its tick until there are backups: without any it would raise an alert each day, and rightly."""
    hands.pause_job(suite, _tick(suite))


def play(player: Player, suite: Suite) -> None:
    """Play the chapter; every step checks what it has left in the bucket."""
    player.cloud.storage.add_bucket("my-product", BUCKET)
    night = player.cloud.clock.now().replace(hour=2, minute=0, second=0, microsecond=0) + DAY
    player.pass_time(night - player.cloud.clock.now())
    for number in range(DAYS):
        _back_up(player, number * DAY)
    hands.resume_job(suite, _tick(suite))
    player.step(f"The database has {DAYS} nightly backups. Those that no retention rule keeps are deleted.")
    pruned = player.cloud.clock.now()
    command(player, suite, "prune_backups", {"type": "prune"})
    player.check("backups", lambda: len(player.cloud.storage.names(BUCKET)), STAYING)
    player.pass_time(DAY)
    player.step(
        "The next night the disk was full and the newest backup is truncated: nothing is deleted, and an alert is sent."
    )
    _back_up(player, timedelta(0), size=3 * MEGABYTE)
    command(player, suite, "prune_backups", {"type": "prune"})
    player.check("backups", lambda: len(player.cloud.storage.names(BUCKET)), STAYING + 1)
    player.step("The owner restores the deleted backups, which soft delete has kept.")
    said = {"type": "restore", "deleted_since": pruned.isoformat(), "until": (pruned + 14 * DAY).isoformat()}
    command(player, suite, "prune_backups", said)
    player.check("backups", lambda: len(player.cloud.storage.names(BUCKET)), DAYS + 1)


def _tick(suite: Suite) -> str:
    return f"projects/{suite.project}/locations/{REGION}/jobs/{inbox_of('prune_backups')}-tick"


def _back_up(player: Player, ago: timedelta, *, size: int = 40 * MEGABYTE) -> None:
    """A backup is there that was made so long ago."""
    made = player.cloud.clock.now() - ago
    player.cloud.storage.add_object(BUCKET, made.strftime(NAME), Zeros(size), created=made)
