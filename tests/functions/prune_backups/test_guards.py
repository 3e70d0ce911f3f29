"""The guards with their numbers, and invariants for any list, policy and clock."""

import random
from collections.abc import Iterable
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.prune_backups.inventory import Backup
from functions.prune_backups.records import Records, Restoring
from functions.prune_backups.settings import BackupSet
from functions.prune_backups.world import Listing, NoBucket, UnknownNames
from shared.decision import Alert
from tests.functions.prune_backups.examples import (
    DAY,
    LENIENT,
    NOW,
    a_set,
    backup,
    context,
    decided,
    decided_on,
    deleted,
    inventory,
    nightly,
)

pytestmark = pytest.mark.one_python


def changed(backups: list[Backup], place: int, **fields: object) -> list[Backup]:
    """The same backups, but for one of them."""
    return [msgspec.structs.replace(one, **fields) if number == place else one for number, one in enumerate(backups)]


def test_nothing_speaks_against_a_good_set() -> None:
    found = decided(a_set(max_delete_fraction=0.7), nightly(10))
    assert (len(deleted(found)), found.refusals, found.alerts) == (7, (), ())
    (change,) = found.changes
    span = "/2026-11-06T02:00:00.000000#1 to /2026-11-12T02:00:00.000000#1"
    assert str(change) == f"DeleteBackups gs://my-backups: backups 7: {span} -> deleted"
    assert (change.count, change.guard, str(change.reason)) == (7, "below_floor", "no rule keeps them")


@pytest.mark.parametrize(
    ("fields", "backups", "guard", "reason"),
    [
        (
            {"retention": {}},
            nightly(10),
            "empty_policy",
            "the policy has no rule that keeps anything: say keep_last, keep_daily, keep_within or another",
        ),
        (
            {"retention": {"keep_last": 0, "keep_within": "0h"}},
            nightly(4),
            "empty_policy",
            "the policy has no rule that keeps anything: say keep_last, keep_daily, keep_within or another",
        ),
        ({}, nightly(9), "too_many_deletes", "it would delete 6 of 9 backups (67%), and at most 50% may go"),
        ({}, [], "stale_newest", "there is no backup at all"),
        (
            {},
            nightly(6, newest=NOW - timedelta(days=2, minutes=1)),
            "stale_newest",
            "the newest backup is from 2026-11-13 03:59 UTC, more than 2 days ago",
        ),
        (
            {"fresh_within": "36h"},
            [*nightly(4, group="a"), *nightly(4, group="b", newest=NOW - 9 * DAY)],
            "stale_newest",
            "the newest backup of b is from 2026-11-06 04:00 UTC, more than 36 hours ago",
        ),
        (
            {},
            changed(nightly(6), 0, size=499),
            "small_newest",
            "the newest backup has 499 bytes, less than 500, which is 50% of the median of the 5 before it",
        ),
        (
            {"min_size_ratio": 0},
            changed(nightly(6), 0, size=0),
            "small_newest",
            "the newest backup has 0 bytes, less than 0, which is 0% of the median of the 5 before it",
        ),
        (
            {"proof": "complete"},
            changed(nightly(6), 0, is_complete=False),
            "unproved_newest",
            "the newest backup (/2026-11-15T02:00:00.000000) is not complete",
        ),
        (
            {"proof": "verified"},
            changed(nightly(6), 0, is_verified=False),
            "unproved_newest",
            "the newest backup (/2026-11-15T02:00:00.000000) is not verified",
        ),
        (
            {},
            [backup(NOW + timedelta(minutes=6)), *nightly(5)],
            "future_backups",
            "1 backup is from the future, such as /2026-11-15T04:06:00.000000 of 2026-11-15 04:06 UTC",
        ),
        (
            {"floor": 3},
            changed(changed(nightly(6), 1, size=499), 2, size=0),
            "below_floor",
            "1 complete backups would be left, and the floor is 3",
        ),
        (
            {"floor": 3, "proof": "verified", "retention": {"keep_last": 2}},
            changed(nightly(6), 1, is_verified=False),
            "below_floor",
            "2 complete, verified backups would be left, and the floor is 3",
        ),
    ],
)
def test_a_refusal_has_the_numbers_and_is_an_alert(
    fields: dict[str, object], backups: list[Backup], guard: str, reason: str
) -> None:
    found = decided(a_set(**fields), backups)
    assert deleted(found) == []
    assert (guard, reason) in [(one.guard, one.reason) for one in found.refusals]
    assert Alert(guard, "shop", reason) in found.alerts


def test_names_that_do_not_fit_are_tolerated_up_to_a_number() -> None:
    unknown = UnknownNames(3, ("notes\n.txt", "x" * 200, "\u202etxt.exe"))
    found = decided(a_set(name="{time:%Y-%m-%d}", max_unknown_names=2), nightly(6), unknown=unknown)
    (refusal,) = found.refusals
    assert refusal.guard == "unknown_names"
    assert refusal.reason == (
        f"3 names do not fit '{{time:%Y-%m-%d}}', at most 2 may: notes\\n.txt, {'x' * 119}…, \\u202etxt.exe"
    )
    assert len(deleted(decided(a_set(max_unknown_names=3), nightly(6), unknown=unknown))) == 3


def test_a_clock_may_be_a_little_ahead() -> None:
    assert decided(a_set(), [backup(NOW + timedelta(minutes=5)), *nightly(5)]).refusals == ()


@pytest.mark.parametrize("skew", [-DAY, DAY])
def test_a_clock_that_is_a_day_off_deletes_nothing_that_it_would_not(skew: timedelta) -> None:
    settings = a_set(fresh_within="36h", max_delete_fraction=1)
    assert deleted(decided(settings, nightly(10), NOW + skew)) in ([], deleted(decided(settings, nightly(10))))
    assert [one.guard for one in decided(settings, nightly(10), NOW - DAY).refusals] == ["future_backups"]


def test_a_group_stops_its_set_and_no_other() -> None:
    good, bad = a_set(prefix="a/"), a_set(prefix="b/")
    known = context({"good": good, "bad": bad, "gone": a_set(bucket="no-such-bucket")})
    backups = [*nightly(6, group="x"), *nightly(6, group="y", newest=NOW - 9 * DAY)]
    listings: dict[str, Listing | NoBucket] = {
        "good": Listing(inventory(nightly(6))),
        "bad": Listing(inventory(backups)),
        "gone": NoBucket(),
    }
    found = decided_on(known, listings)
    assert {change.scope for change in found.changes} == {"good"}
    assert [(one.scope, one.guard) for one in found.refusals] == [("gone", "no_bucket"), ("bad", "stale_newest")]


def test_a_set_that_a_person_wants_back_is_not_judged() -> None:
    restoring = Restoring(NOW - DAY, NOW + DAY, NOW)
    known = context({"shop": a_set()}, records=Records(restoring={"gs://my-backups": restoring}))
    found = decided_on(known, {"shop": Listing(inventory(nightly(20, newest=NOW - 9 * DAY)))})
    assert (found.changes, found.refusals) == ((), ())
    assert tuple(map(str, found.next)) == ("shop: nothing is deleted until 2026-11-16 04:00 UTC",)
    assert Records().restoring_now(a_set(), NOW) is None


BACKUPS = st.lists(
    st.builds(
        lambda hours, group, size, is_complete, is_verified: backup(
            NOW - timedelta(hours=hours), group, size=size, is_complete=is_complete, is_verified=is_verified
        ),
        st.integers(-30, 24 * 60),
        st.sampled_from(["a", "b"]),
        st.sampled_from([0, 10, 900, 1000, 1100]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=30,
    unique_by=lambda one: one.name,
)
SETS = st.fixed_dictionaries(
    {
        "retention": st.fixed_dictionaries(
            {}, optional={"keep_last": st.integers(0, 3), "keep_daily": st.integers(0, 3), "keep_within": st.just("3d")}
        ),
        "floor": st.integers(1, 4),
        "proof": st.sampled_from(["none", "complete", "verified"]),
        "min_size_ratio": st.sampled_from([0, 0.5]),
        "max_delete_fraction": st.sampled_from([0, 0.5, 1]),
        "fresh_within": st.sampled_from(["36h", "90d"]),
    }
)


@given(BACKUPS, SETS, st.integers(-48, 48))
def test_whatever_the_list_policy_and_clock(backups: list[Backup], fields: dict[str, object], skew: int) -> None:
    settings = a_set(**fields)
    now = NOW + timedelta(hours=skew)
    gone = set(deleted(decided(settings, backups, now)))
    if not gone:
        return
    assert len(gone) <= settings.max_delete_fraction * len(backups)
    assert not any(one.time > now + timedelta(minutes=5) for one in backups)
    for group in {one.group for one in backups if one.name in gone}:
        members = sorted((one for one in backups if one.group == group), key=lambda one: one.time)
        left = [one for one in members if one.name not in gone and one.size and _is_proved(one, settings)]
        assert len(left) >= settings.floor
        assert members[-1] in left
        assert now - members[-1].time <= timedelta(days=90)


def _is_proved(one: Backup, settings: BackupSet) -> bool:
    if settings.proof == "none":
        return True
    return one.is_complete and (one.is_verified or settings.proof == "complete")


@given(BACKUPS, st.randoms())
def test_more_brakes_never_delete_more(backups: Iterable[Backup], chance: random.Random) -> None:
    listed = list(backups)
    lenient = set(deleted(decided(a_set(**LENIENT), listed)))
    brakes: dict[str, object] = {"floor": 3, "fresh_within": "2d", "min_size_ratio": 0.5, "proof": "verified"}
    some = {key: brakes[key] for key in chance.sample(sorted(brakes), 2)}
    assert set(deleted(decided(a_set(**{**LENIENT, **some}), listed))) <= lenient
