"""The backups to keep: golden tables, a second implementation, and invariants for any list, policy and zone."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.prune_backups.durations import Duration, read_duration
from functions.prune_backups.inventory import Backup
from functions.prune_backups.policy import RetentionPolicy
from functions.prune_backups.retention import KINDS, Rule, keep_reasons, rules_of
from functions.prune_backups.settings import Proof
from tests.functions.prune_backups.examples import DAY, NOW, backup, inventory, nightly

pytestmark = pytest.mark.one_python

BERLIN = ZoneInfo("Europe/Berlin")


def policy(**rules: object) -> RetentionPolicy:
    return msgspec.convert(rules, RetentionPolicy)


def kept(
    backups: Iterable[Backup], rules: RetentionPolicy, zone: ZoneInfo = BERLIN, proof: Proof = Proof.NONE
) -> dict[str, tuple[str, ...]]:
    """By name, why each backup stays that does."""
    listed = inventory(backups)
    reasons = keep_reasons(listed, rules, zone, proof)
    assert [place for place in range(len(listed)) if not reasons.is_kept(place)] == list(reasons.deleted())
    return {one.name: reasons.reasons(place) for place, one in enumerate(listed) if reasons.is_kept(place)}


def days_kept(backups: Iterable[Backup], **rules: object) -> dict[str, str]:
    """By day (or day and hour), why; the newest first."""
    found = kept(backups, policy(**rules))
    return {name[1:14].removesuffix("T02"): ", ".join(why) for name, why in sorted(found.items(), reverse=True)}


def test_so_many_of_the_newest() -> None:
    assert days_kept(nightly(10), keep_last=2) == {"2026-11-15": "last 1 of 2", "2026-11-14": "last 2 of 2"}


def test_of_each_week_the_newest_and_the_oldest_of_all_while_slots_are_left() -> None:
    # The 15th is a Sunday, so its week began on the 9th.
    assert days_kept(nightly(20), keep_weekly=4) == {
        "2026-11-15": "weekly 1 of 4",
        "2026-11-08": "weekly 2 of 4",
        "2026-11-01": "weekly 3 of 4",
        "2026-10-27": "weekly 4 of 4 (the oldest)",
    }
    assert list(days_kept(nightly(20), keep_weekly=3)) == ["2026-11-15", "2026-11-08", "2026-11-01"]


def test_weeks_are_those_of_iso_8601() -> None:
    # 2026 has a week 53, which lasts until Sunday, 3 January 2027.
    turn = nightly(12, newest=datetime(2027, 1, 8, 2, tzinfo=UTC))
    assert list(days_kept(turn, keep_weekly=2)) == ["2027-01-08", "2027-01-03"]
    assert list(days_kept(turn, keep_yearly=2)) == ["2027-01-08", "2026-12-31"]


def test_minus_one_keeps_every_period() -> None:
    assert days_kept(nightly(40), keep_monthly=-1) == {
        "2026-11-15": "monthly, all of them",
        "2026-10-31": "monthly, all of them",
        "2026-10-07": "monthly, all of them (the oldest)",
    }
    assert len(days_kept(nightly(40), keep_last=-1)) == 40


def test_within_counts_back_from_the_newest_and_not_from_now() -> None:
    old = nightly(10, newest=NOW - 100 * DAY)
    assert list(days_kept(old, keep_within="2d").values()) == ["within 2 days"] * 2
    assert list(days_kept(nightly(40), keep_within_monthly="1m").values()) == ["monthly within 1 month"] * 2
    assert list(days_kept(nightly(60), keep_within_weekly="14d")) == ["2026-11-15", "2026-11-08"]


def test_reasons_come_together() -> None:
    found = days_kept(nightly(10), keep_last=1, keep_daily=7, keep_within="1d12h")
    assert found["2026-11-15"] == "last 1 of 1, daily 1 of 7, within 1 day 12 hours"
    assert found["2026-11-09"] == "daily 7 of 7"
    assert "2026-11-08" not in found


def test_what_is_pinned_stays_whatever_the_policy_says() -> None:
    old = backup(NOW - 400 * DAY, pins=("pinned by a temporary hold",))
    found = kept([*nightly(3), old], policy(keep_last=1))
    assert found[old.name] == ("pinned by a temporary hold",)
    assert len(found) == 2


def test_days_are_those_of_the_zone() -> None:
    late, early = backup(datetime(2026, 7, 1, 21, 30, tzinfo=UTC)), backup(datetime(2026, 7, 1, 22, 30, tzinfo=UTC))
    assert list(kept([late, early], policy(keep_daily=2), BERLIN)) == [late.name, early.name]
    one_day = kept([late, early, backup(datetime(2026, 6, 20, tzinfo=UTC))], policy(keep_daily=1), ZoneInfo("Etc/UTC"))
    assert list(one_day) == [early.name]


@pytest.mark.parametrize(
    ("night", "hours"), [(datetime(2026, 3, 28, 23, tzinfo=UTC), 23), (datetime(2026, 10, 24, 22, tzinfo=UTC), 25)]
)
def test_a_day_on_which_the_clocks_change_has_so_many_hours(night: datetime, hours: int) -> None:
    half_hourly = [backup(night + number * timedelta(minutes=30)) for number in range(2 * hours)]
    assert len(kept(half_hourly, policy(keep_hourly=-1))) == hours + 1  # and the oldest of all
    assert len(kept(half_hourly, policy(keep_daily=-1))) == 2
    assert len(kept(half_hourly, policy(keep_daily=1))) == 1


def test_objects_of_one_time_are_one_backup() -> None:
    dumps = [backup(NOW - number * DAY, name=f"{9 - number}/{part}") for number in range(3) for part in "abc"]
    last = {f"9/{part}": ("last 1 of 2",) for part in "abc"} | {f"8/{part}": ("last 2 of 2",) for part in "abc"}
    assert kept(dumps, policy(keep_last=2)) == last
    assert kept(dumps, policy(keep_within="1h")) == {f"9/{part}": ("within 1 hour",) for part in "abc"}


def test_what_is_not_proved_takes_no_slot_and_goes_last() -> None:
    """Thirteen days in a row a proved backup went because a newer object that was never proved took its day."""
    nights = nightly(6)
    strays = [
        msgspec.structs.replace(backup(one.time + timedelta(hours=1)), name=f"stray {number}", is_verified=False)
        for number, one in enumerate(nights)
    ]
    assert kept([*nights, *strays], policy(keep_daily=3), proof=Proof.VERIFIED) == {
        **{one.name: (f"daily {number} of 3",) for number, one in enumerate(nights[:3], 1)},
        **{f"stray {number}": (f"daily {number + 1} of 3", "not verified") for number in range(3)},
    }


RULES = st.fixed_dictionaries(
    {},
    optional={
        **{f"keep_{kind}": st.integers(-1, 4) for kind in KINDS},
        **{
            f"keep_within{'' if kind == 'last' else f'_{kind}'}": st.sampled_from(["0h", "5h", "3d", "2m", "1y2m3d4h"])
            for kind in KINDS
        },
    },
)
TIMES = st.integers(0, 900).map(lambda half_days: NOW - timedelta(hours=half_days * 12 - half_days % 7))
BACKUPS = st.lists(
    st.builds(
        lambda time, group, number, is_pinned: backup(
            time, group, name=f"{group}/{time.isoformat()}/{number}", pins=("pinned",) if is_pinned else ()
        ),
        TIMES,
        st.sampled_from(["", "a", "b"]),
        st.integers(0, 1),
        st.booleans(),
    ),
    max_size=25,
    unique_by=lambda one: one.name,
)
ZONES = st.sampled_from([BERLIN, ZoneInfo("Pacific/Apia"), ZoneInfo("Etc/UTC"), ZoneInfo("America/New_York")])


@given(BACKUPS, RULES, ZONES)
def test_a_second_opinion(backups: list[Backup], rules: dict[str, object], zone: ZoneInfo) -> None:
    """The same, said another way: of the periods of a group, the newest so many, and the oldest backup if fewer."""
    expected: set[str] = {one.name for one in backups if one.pins}
    for group in {one.group for one in backups}:
        listed = sorted((one for one in backups if one.group == group), key=lambda one: one.name)
        for rule in rules_of(policy(**rules)):
            expected |= _expected(rule, listed, zone)
    assert kept(backups, policy(**rules), zone).keys() == expected


def _expected(rule: Rule, by_name: list[Backup], zone: ZoneInfo) -> set[str]:
    newest = max(one.time for one in by_name)
    limit = rule.within.before(newest.astimezone(zone)) if rule.within else datetime.min.replace(tzinfo=UTC)
    by_age = sorted(by_name, key=lambda one: one.time, reverse=True)
    firsts: dict[object, str] = {}
    for number, one in enumerate(by_age):
        if one.time > limit:
            firsts.setdefault(KINDS[rule.kind](one.time.astimezone(zone), number), one.name)
    names = list(firsts.values())
    if rule.count != -1:
        names = names[: rule.count]
    has_slots_left = rule.count == -1 or len(names) < rule.count
    oldest = by_age[-1]
    return {*names, *([oldest.name] if has_slots_left and oldest.time > limit else [])}


@given(BACKUPS, RULES, ZONES, st.randoms())
def test_what_holds_for_any_list(
    backups: list[Backup], rules: dict[str, object], zone: ZoneInfo, chance: random.Random
) -> None:
    found = kept(backups, policy(**rules), zone)
    # The order in which backups are found does not matter.
    shuffled = list(backups)
    chance.shuffle(shuffled)
    assert kept(shuffled, policy(**rules), zone) == found
    # Groups never mix.
    for group in ("", "a", "b"):
        alone = kept([one for one in backups if one.group == group], policy(**rules), zone)
        assert alone == {name: why for name, why in found.items() if name.startswith(f"{group}/")}
    # What stays would stay again: a second run finds nothing to do.
    left = [one for one in backups if one.name in found]
    assert kept(left, policy(**rules), zone).keys() == found.keys()
    # Every verdict has its reasons.
    assert all(found.values())


@given(BACKUPS, RULES, RULES, ZONES)
def test_a_policy_that_asks_for_more_keeps_no_less(
    backups: list[Backup], rules: dict[str, object], others: dict[str, object], zone: ZoneInfo
) -> None:
    more = {key: _more(rules.get(key, others.get(key)), others.get(key, rules.get(key))) for key in {**rules, **others}}
    assert kept(backups, policy(**rules), zone).keys() <= kept(backups, policy(**more), zone).keys()


def _more(one: object, other: object) -> object:
    """The one of two settings that asks for more."""
    if isinstance(one, int) and isinstance(other, int):
        return -1 if -1 in (one, other) else max(one, other)
    return min((str(one), str(other)), key=lambda text: read_duration(text).before(NOW))


@pytest.mark.parametrize(
    ("text", "moment", "expected"),
    [
        ("1y5m7d2h", "2026-11-15T04:00:00+00:00", "2025-06-08T02:00:00+00:00"),
        ("1m", "2026-03-31T12:00:00+00:00", "2026-02-28T12:00:00+00:00"),  # a day that the month does not have
        ("1y", "2028-02-29T12:00:00+00:00", "2027-02-28T12:00:00+00:00"),
        ("0h", "2026-11-15T04:00:00+00:00", "2026-11-15T04:00:00+00:00"),
        ("999y", "0900-01-01T00:00:00+00:00", "0001-01-01T00:00:00+00:00"),
        ("99999d", "0100-01-01T00:00:00+00:00", "0001-01-01T00:00:00+00:00"),
    ],
)
def test_durations(text: str, moment: str, expected: str) -> None:
    assert read_duration(text).before(datetime.fromisoformat(moment)) == datetime.fromisoformat(expected)


def test_a_day_before_a_change_of_the_clocks_is_a_day_by_the_clock_and_an_hour_an_hour() -> None:
    sunday = datetime(2026, 10, 25, 12, tzinfo=BERLIN)
    assert read_duration("1d").before(sunday) == datetime(2026, 10, 24, 12, tzinfo=BERLIN)
    assert read_duration("24h").before(sunday) == datetime(2026, 10, 24, 13, tzinfo=BERLIN)


@pytest.mark.parametrize("text", ["", "7", "d", "1h1d", "1.5d", "-1d", "1w", "1d ", "9999999h"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="a length of time such as"):
        read_duration(text)


@given(
    st.sampled_from(["1h", "36h", "1d", "31d", "1m", "2m3d", "1y", "4y2m1d5h"]),
    st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)),  # noqa: DTZ001 - on the clock of the zone
)
def test_a_duration_is_no_shorter_than_its_shortest(text: str, moment: datetime) -> None:
    duration, end = read_duration(text), moment.replace(tzinfo=BERLIN)
    assert end.astimezone(UTC) - duration.before(end).astimezone(UTC) >= duration.shortest


def test_durations_in_words() -> None:
    words = [str(read_duration(text)) for text in ("1y5m7d2h", "1d", "0h")]
    assert words == ["1 year 5 months 7 days 2 hours", "1 day", "no time"]
    assert Duration(hours=36) == read_duration("36h")
