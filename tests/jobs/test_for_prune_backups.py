"""`prune_backups` reads the objects that the jobs write."""

import pytest

from functions.prune_backups.inventory import Backup
from functions.prune_backups.listing import listed
from functions.prune_backups.policy import RetentionPolicy
from functions.prune_backups.settings import BackupSet, Proof
from functions.prune_backups.world import Listing, ListingOf
from tests.jobs.stage import BUCKET, NAME, NOW, PREFIX, Job, Stage

pytestmark = pytest.mark.one_python

SET = BackupSet(
    bucket=BUCKET,
    prefix=PREFIX,
    name="{time:%Y%m%dT%H%M%S%z}.dump",  # as the README of back_up_database says
    retention=RetentionPolicy(keep_daily=7),
    proof=Proof.VERIFIED,
)


def as_listed(stage: Stage) -> Backup:
    """The one backup, as `prune_backups` lists it."""
    listing = listed(ListingOf(key="shop", settings=SET, now=NOW), stage.clients())
    assert isinstance(listing, Listing)
    assert listing.unknown.count == 0
    (backup,) = listing.inventory
    return backup


def test_a_backup_is_complete_and_then_verified(stage: Stage, back_up: Job, prove: Job) -> None:
    back_up()
    taken = as_listed(stage)
    assert (taken.name, taken.time, taken.size) == (NAME, NOW, stage.blob().size)
    assert (taken.is_complete, taken.is_verified) == (True, False)
    prove()
    assert as_listed(stage).is_verified
    prove(BACKUP_CHECK_QUERY="SELECT false")
    assert not as_listed(stage).is_verified


def test_an_object_without_its_metadata_is_not_complete(stage: Stage, back_up: Job) -> None:
    back_up()
    content = stage.blob().download_as_bytes()
    stage.bucket.blob(NAME).upload_from_string(content)
    left = as_listed(stage)
    assert (left.is_complete, left.is_verified) == (False, False)
