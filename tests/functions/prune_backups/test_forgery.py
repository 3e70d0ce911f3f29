"""A permission to create objects in the bucket is not enough to make Caretaker delete a backup."""

from datetime import timedelta
from typing import Any

import pytest

from shared.report import Outcome
from tests.functions.prune_backups.examples import DAY, NOW
from tests.functions.prune_backups.stage import SHOP, Stage

pytestmark = pytest.mark.one_python

SIZE = 1000
VERIFIED = {
    "proof": "verified",
    "retention": {"keep_daily": 30},
    "floor": 3,
    "fresh_within": "2d",
    "min_size_ratio": 0.5,
    "max_delete_fraction": 0.9,
    "max_unknown_names": 0,
}


def complete(**more: str) -> dict[str, str]:
    """The metadata of a complete backup."""
    return {
        "caretaker-sha256": "0" * 64,
        "caretaker-size": str(SIZE),
        "caretaker-finished": "2026-11-01T02:00:00Z",
        **more,
    }


def proved(stage: Stage, count: int) -> list[str]:
    """A backup of each of the last nights, proved an hour later."""
    names = stage.nightly(count, size=SIZE, metadata=complete())
    for number, name in enumerate(reversed(names)):
        verified = NOW.replace(hour=3) - number * DAY
        stage.patch(name, metadata={"caretaker-verified": verified.isoformat()})
    return names


def stage_of(**fields: Any) -> Stage:
    """A stage whose set asks for proofs."""
    return Stage(shop={**SHOP, **VERIFIED, **fields})


def test_objects_that_are_named_for_the_past_delete_nothing() -> None:
    with stage_of() as stage:
        names = proved(stage, 22)
        forged = [f"shop/{NOW.replace(hour=2, minute=1) - number * DAY:%Y%m%dT%H%M%SZ}.dump" for number in range(3, 22)]
        for name in forged:
            stage.put(name, SIZE, created=NOW, metadata=complete(**{"caretaker-verified": NOW.isoformat()}))
        report = stage.tick()
        assert stage.names == sorted([*names, *forged])
        assert report.outcome is Outcome.REFUSED
        (alert,) = report.alerts
        assert alert.kind == "misdated"
        assert alert.reason == (
            "19 objects were not written within 2 days of the time in their names, at most 0 may be: "
            "shop/20261025T020100Z.dump, shop/20261026T020100Z.dump, shop/20261027T020100Z.dump; "
            "if you copied them here, raise `written_within`"
        )


def test_as_many_as_the_owner_tolerates_are_left_alone_and_count_for_nothing() -> None:
    with stage_of(max_unknown_names=9, retention={"keep_daily": 5}) as stage:
        names = proved(stage, 10)
        forged = f"shop/{NOW.replace(hour=2, minute=1) - 3 * DAY:%Y%m%dT%H%M%SZ}.dump"
        stage.put(forged, SIZE, created=NOW)
        report = stage.push({"type": "status"})
        assert stage.names == sorted([*names[-5:], forged])
        assert report.status[0].endswith(", 1 is not as old as its name says")


def test_a_proof_that_was_there_from_the_beginning_is_none() -> None:
    with stage_of() as stage:
        names = proved(stage, 10)
        tonight = f"shop/{NOW:%Y%m%dT%H%M%SZ}.dump"
        stage.put(tonight, SIZE, metadata=complete(**{"caretaker-verified": NOW.isoformat()}))
        report = stage.tick()
        assert stage.names == [*names, tonight]
        assert [one.guard for one in report.refusals] == ["unproved_newest"]
        (notice,) = report.notices
        assert notice == "shop: 1 backup is not verified, and kept until each verified one that is kept is newer"


@pytest.mark.parametrize(
    ("verified", "counts"),
    [
        (NOW - timedelta(hours=1), True),
        (NOW + timedelta(minutes=5), True),
        (NOW + timedelta(minutes=6), False),
        (NOW - timedelta(hours=3), False),  # before the backup
    ],
)
def test_a_proof_is_dated_between_its_backup_and_now(verified: Any, counts: bool) -> None:  # noqa: FBT001
    with stage_of() as stage:
        names = proved(stage, 4)
        stage.patch(names[-1], metadata={"caretaker-verified": verified.isoformat()})
        guards = [one.guard for one in stage.tick().refusals]
        assert guards == ([] if counts else ["unproved_newest"])


def test_what_is_never_proved_does_not_take_the_place_of_what_is() -> None:
    """An object that is no backup comes an hour after each: for two weeks the proved ones stay."""
    with stage_of(retention={"keep_daily": 7}) as stage:
        names = proved(stage, 8)
        for name in names[:-1]:
            stage.put(name.replace("T02", "T03"), SIZE, metadata=complete())
        stage.tick()
        assert set(names[-7:]) <= set(stage.names)
        assert names[0] not in stage.names
        assert names[0].replace("T02", "T03") not in stage.names, "it is older than every proved one that is kept"


def test_a_directory_of_files_is_one_backup() -> None:
    name = "{time:%Y%m%dT%H%M%S%z}/{*}"
    with Stage(shop={**SHOP, "name": name, "retention": {"keep_last": 3, "keep_daily": 7}, "floor": 3}) as stage:
        for number in range(9):
            for part in range(6):
                stage.put(f"shop/{NOW - number * DAY:%Y%m%dT%H%M%SZ}/{part}.dat")
        before = stage.names
        stage.tick()
        assert stage.names == before[-7 * 6 :]


class TestRetiring:
    """A group that gets no more backups stops its set, until a person says that this is as it should be."""

    def test_a_group_can_be_retired(self) -> None:
        groups = {**SHOP, "name": "{group}/{time:%Y%m%dT%H%M%S%z}.dump", "fresh_within": "2d"}
        with Stage(shop=groups) as stage:
            stage.nightly(6, name="shop/new/%Y%m%dT%H%M%SZ.dump")
            for number in range(10, 16):
                stage.put(f"shop/old/{NOW - number * DAY:%Y%m%dT%H%M%SZ}.dump")
            assert [one.guard for one in stage.tick().refusals] == ["stale_newest"]
            report = stage.push({"type": "retire", "set": "shop", "group": "old"})
            (reply,) = report.status
            assert reply.startswith("group old of shop: its newest backup is not checked until another one comes")
            assert [name.split("/")[1] for name in stage.names] == ["new"] * 3 + ["old"] * 3
            stage.cloud.clock.advance(timedelta(hours=1))
            stage.push({"type": "retire", "set": "shop", "group": "old", "retired": False})
            assert [one.guard for one in stage.tick().refusals] == ["stale_newest"]

    def test_a_backup_that_comes_later_ends_that(self) -> None:
        with Stage(shop={**SHOP, "fresh_within": "2d"}) as stage:
            stage.nightly(6)
            stage.push({"type": "retire", "set": "shop"})
            stage.cloud.clock.advance(timedelta(days=1))
            stage.put(f"shop/{NOW + DAY:%Y%m%dT%H%M%SZ}.dump")
            stage.cloud.clock.advance(timedelta(days=3))
            assert [one.guard for one in stage.tick().refusals] == ["stale_newest"]
