"""A GPU pool's hours: plain weeks, holidays, nights in which clocks change, and invalid settings."""

import os
import re
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as some

from shared.errors import SettingsError
from shared.hours import ALWAYS, DAYS, HORIZON, Hours, Window
from shared.settings import Section, parse
from tests.wrong_settings import parts_of

BERLIN = "Europe/Berlin"
NEW_YORK = "America/New_York"
LORD_HOWE = "Australia/Lord_Howe"
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
WEEK_OF_MINUTES = 7 * 24 * 60


def hours(*windows: str, zone: str = BERLIN, holidays: tuple[str, ...] = ()) -> Hours:
    """Hours as the owner writes them."""
    return Hours(time_zone=zone, windows=windows, holidays=tuple(date.fromisoformat(day) for day in holidays))


def utc(text: str) -> datetime:
    """A moment, written ``2026-03-29 01:00``."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def calendar(known: Hours, since: str, until: str) -> list[str]:
    """The windows that start after one moment and before another, in UTC."""
    found = []
    following = known.next_window(utc(since))
    while following and following.start < utc(until):
        found.append(f"{following.start:%m-%d %H:%M} to {following.end:%m-%d %H:%M}")
        after = following.start
        following = known.next_window(after)
        assert following is None or following.start > after
    return found


# In UTC; 2026-06-01 is a Monday, and Berlin is then two hours ahead.
@pytest.mark.parametrize(
    ("known", "since", "until", "expected"),
    [
        pytest.param(
            hours("mon-fri 08:00-19:00"),
            "2026-06-03 12:00",
            "2026-06-09 00:00",
            ["06-04 06:00 to 06-04 17:00", "06-05 06:00 to 06-05 17:00", "06-08 06:00 to 06-08 17:00"],
            id="working days",
        ),
        pytest.param(
            hours("sat,sun 22:00-02:00"),
            "2026-06-01 00:00",
            "2026-06-14 00:00",
            ["06-06 20:00 to 06-07 00:00", "06-07 20:00 to 06-08 00:00", "06-13 20:00 to 06-14 00:00"],
            id="over midnight",
        ),
        pytest.param(
            hours("FRI-Mon 20:00-06:00"),
            "2026-06-04 00:00",
            "2026-06-12 00:00",
            [f"06-0{day} 18:00 to 06-0{day + 1} 04:00" for day in (5, 6, 7, 8)],
            id="a range of days over the week's end",
        ),
        pytest.param(
            hours("daily 00:00-24:00"),
            "2026-06-01 00:00",
            "2026-06-03 23:00",
            [f"06-0{day} 22:00 to 06-0{day + 1} 22:00" for day in (1, 2, 3)],
            id="whole days that touch",
        ),
        pytest.param(
            hours("sun 20:00-06:00", "mon 06:00-08:00", "mon 08:00-00:00"),
            "2026-06-07 00:00",
            "2026-06-14 00:00",
            ["06-07 18:00 to 06-08 04:00", "06-08 04:00 to 06-08 06:00", "06-08 06:00 to 06-08 22:00"],
            id="windows that touch, from Sunday to Monday too",
        ),
        pytest.param(
            hours("daily 22:00-06:00", holidays=("2026-06-03", "2026-06-05")),
            "2026-06-02 00:00",
            "2026-06-07 00:00",
            ["06-02 20:00 to 06-03 04:00", "06-04 20:00 to 06-05 04:00", "06-06 20:00 to 06-07 04:00"],
            id="a window runs on into a holiday, and none begins on one",
        ),
        pytest.param(
            hours("thu 23:30-01:00", "fri 08:00-09:00", holidays=("2027-01-01",)),
            "2026-12-31 12:00",
            "2027-01-09 00:00",
            ["12-31 22:30 to 01-01 00:00", "01-07 22:30 to 01-08 00:00", "01-08 07:00 to 01-08 08:00"],
            id="the year's end",
        ),
        pytest.param(
            hours("daily 01:30-02:30", zone="Asia/Kolkata"),
            "2026-03-28 00:00",
            "2026-03-30 00:00",
            ["03-28 20:00 to 03-28 21:00", "03-29 20:00 to 03-29 21:00"],
            id="a zone whose clocks never change, on the days of Europe's",
        ),
        pytest.param(
            hours("sun 01:00-02:30", "sun 02:30-03:00", zone="UTC"),
            "2026-10-25 00:00",
            "2026-10-26 00:00",
            ["10-25 01:00 to 10-25 02:30", "10-25 02:30 to 10-25 03:00"],
            id="UTC",
        ),
    ],
)
def test_windows_on_the_calendar(known: Hours, since: str, until: str, expected: list[str]) -> None:
    assert calendar(known, since, until) == expected


# Berlin: at 2026-03-29 01:00 UTC 02:00 becomes 03:00; at 2026-10-25 01:00 UTC 03:00 becomes 02:00.
# New York: at 2026-03-08 07:00 UTC 02:00 becomes 03:00; at 2026-11-01 06:00 UTC 02:00 becomes 01:00.
# Lord Howe: at 2026-10-03 15:30 UTC 02:00 becomes 02:30; at 2026-04-04 15:00 UTC 02:00 becomes 01:30.
@pytest.mark.parametrize(
    ("zone", "window", "day", "expected"),
    [
        (BERLIN, "sat 22:00-06:00", "2026-03-28", "03-28 21:00 to 03-29 04:00"),
        (BERLIN, "sun 00:00-24:00", "2026-03-29", "03-28 23:00 to 03-29 22:00"),
        (BERLIN, "sun 02:30-05:00", "2026-03-29", "03-29 00:30 to 03-29 03:00"),
        (BERLIN, "sun 01:00-02:30", "2026-03-29", "03-29 00:00 to 03-29 01:30"),
        (BERLIN, "sat 22:00-02:30", "2026-03-28", "03-28 21:00 to 03-29 01:30"),
        (BERLIN, "sun 02:00-03:00", "2026-03-29", "03-29 00:00 to 03-29 01:00"),
        (BERLIN, "sun 02:15-02:45", "2026-03-29", "03-29 00:15 to 03-29 01:45"),
        (BERLIN, "sun 03:00-04:00", "2026-03-29", "03-29 01:00 to 03-29 02:00"),
        (BERLIN, "sat 22:00-06:00", "2026-10-24", "10-24 20:00 to 10-25 05:00"),
        (BERLIN, "sun 00:00-24:00", "2026-10-25", "10-24 22:00 to 10-25 23:00"),
        (BERLIN, "sun 02:30-05:00", "2026-10-25", "10-25 00:30 to 10-25 04:00"),
        (BERLIN, "sun 01:00-02:30", "2026-10-25", "10-24 23:00 to 10-25 01:30"),
        (BERLIN, "sun 02:00-03:00", "2026-10-25", "10-25 00:00 to 10-25 02:00"),
        (BERLIN, "sun 02:15-02:45", "2026-10-25", "10-25 00:15 to 10-25 01:45"),
        (BERLIN, "sun 03:00-04:00", "2026-10-25", "10-25 02:00 to 10-25 03:00"),
        (NEW_YORK, "sun 02:30-05:00", "2026-03-08", "03-08 06:30 to 03-08 09:00"),
        (NEW_YORK, "sun 02:00-03:00", "2026-03-08", "03-08 06:00 to 03-08 07:00"),
        (NEW_YORK, "sat 20:00-02:30", "2026-03-07", "03-08 01:00 to 03-08 07:30"),
        (NEW_YORK, "sun 01:00-02:00", "2026-11-01", "11-01 05:00 to 11-01 07:00"),
        (NEW_YORK, "sun 01:30-01:45", "2026-11-01", "11-01 05:30 to 11-01 06:45"),
        (LORD_HOWE, "sun 02:00-02:30", "2026-10-04", "10-03 15:00 to 10-03 15:30"),
        (LORD_HOWE, "sun 02:15-03:00", "2026-10-04", "10-03 15:15 to 10-03 16:00"),
        (LORD_HOWE, "sun 01:00-02:15", "2026-10-04", "10-03 14:30 to 10-03 15:45"),
        (LORD_HOWE, "sun 01:30-02:00", "2026-04-05", "04-04 14:30 to 04-04 15:30"),
        (LORD_HOWE, "sun 01:45-03:00", "2026-04-05", "04-04 14:45 to 04-04 16:30"),
        ("Asia/Kolkata", "sun 02:00-03:00", "2026-03-29", "03-28 20:30 to 03-28 21:30"),
        ("UTC", "sun 02:00-03:00", "2026-10-25", "10-25 02:00 to 10-25 03:00"),
    ],
)
def test_a_window_while_clocks_change(zone: str, window: str, day: str, expected: str) -> None:
    known = hours(window, zone=zone)
    eve = datetime.combine(date.fromisoformat(day) - DAY, time(12), UTC)
    found = known.next_window(eve)
    assert found is not None
    assert f"{found.start:%m-%d %H:%M} to {found.end:%m-%d %H:%M}" == expected
    assert known.window_at(found.start) == known.window_at(found.end - MINUTE) == found
    assert known.window_at(found.start - MINUTE) is None
    assert known.window_at(found.end) is None


def test_windows_that_touch_may_overlap_while_clocks_change() -> None:
    known = hours("sun 00:00-02:30", "sun 02:30-06:00")
    assert calendar(known, "2026-10-24 12:00", "2026-10-26 00:00") == [
        "10-24 22:00 to 10-25 01:30",
        "10-25 00:30 to 10-25 05:00",
    ]
    before, after = known.window_at(utc("2026-10-25 00:29")), known.window_at(utc("2026-10-25 00:30"))
    assert before == Window(utc("2026-10-24 22:00"), utc("2026-10-25 01:30"))
    assert after == Window(utc("2026-10-25 00:30"), utc("2026-10-25 05:00"))


def test_of_windows_that_start_together_the_longer_counts() -> None:
    # 02:30 does not exist in this night: its earlier reading is the moment at which the first window starts.
    known = hours("sun 01:30-02:00", "sun 02:30-06:00")
    assert calendar(known, "2026-03-28 12:00", "2026-03-30 00:00") == ["03-29 00:30 to 03-29 04:00"]
    assert known.window_at(utc("2026-03-29 00:30")) == Window(utc("2026-03-29 00:30"), utc("2026-03-29 04:00"))


def test_the_next_dates_window_may_start_first_where_midnight_does_not_exist() -> None:
    # In Cairo, at 2026-04-23 22:00 UTC, 00:00 of Friday becomes 01:00.
    known = hours("thu 23:45-23:50", "fri 00:30-02:00", zone="Africa/Cairo")
    assert calendar(known, "2026-04-23 12:00", "2026-04-25 00:00") == [
        "04-23 21:30 to 04-23 23:00",
        "04-23 21:45 to 04-23 21:50",
    ]
    assert known.window_at(utc("2026-04-23 21:30")) == Window(utc("2026-04-23 21:30"), utc("2026-04-23 23:00"))


def test_a_window_may_go_on_when_its_date_comes_again() -> None:
    # In St. John's, at 2010-11-07 02:31 UTC, 00:01 of Sunday became 23:01 of Saturday.
    known = hours("fri 23:45-23:30", zone="America/St_Johns")
    window = Window(utc("2010-11-06 02:15"), utc("2010-11-07 03:00"))
    assert known.window_at(utc("2010-11-07 02:30")) == known.window_at(utc("2010-11-07 02:31")) == window


def test_the_bounds_of_a_window() -> None:
    known = hours("mon 08:00-19:00")
    window = Window(start=utc("2026-06-01 06:00"), end=utc("2026-06-01 17:00"))
    assert known.window_at(window.start - timedelta.resolution) is None
    assert known.next_window(window.start - timedelta.resolution) == window
    assert known.window_at(window.start) == window
    assert known.window_at(window.end - timedelta.resolution) == window
    assert known.window_at(window.end) is None
    assert known.next_window(window.start) == Window(window.start + 7 * DAY, window.end + 7 * DAY)


def test_a_moment_of_any_time_zone_is_answered_in_utc() -> None:
    known = hours("mon 08:00-19:00")
    moment = datetime(2026, 6, 1, 9, 30, tzinfo=ZoneInfo("Asia/Kolkata"))
    assert known.window_at(moment) is None
    found = known.next_window(moment)
    assert found == Window(utc("2026-06-01 06:00"), utc("2026-06-01 17:00"))
    assert (found.start.tzinfo, found.end.tzinfo) == (UTC, UTC)


def test_a_moment_without_a_time_zone_is_refused() -> None:
    naive = datetime.fromisoformat("2026-06-01 09:00")
    with pytest.raises(ValueError, match="has no time zone"):
        hours("mon 08:00-19:00").window_at(naive)
    with pytest.raises(ValueError, match="has no time zone"):
        hours("mon 08:00-19:00").next_window(naive)


def test_holidays_may_take_every_window() -> None:
    today = date(2026, 6, 1)
    off = [str(today + days * DAY) for days in range(HORIZON + 1)]
    assert hours("daily 08:00-19:00", holidays=tuple(off)).next_window(utc("2026-06-01 00:00")) is None
    last = hours("daily 08:00-19:00", holidays=tuple(off[:-1])).next_window(utc("2026-06-01 00:00"))
    assert last == Window(utc("2027-06-02 06:00"), utc("2027-06-02 17:00"))


def test_always_contains_any_moment() -> None:
    assert ALWAYS.start <= datetime.min.replace(tzinfo=UTC)
    assert ALWAYS.end >= datetime.max.replace(tzinfo=UTC)


FORM = "days and times, such as `mon-fri 08:00-19:00`, `sat,sun 22:00-02:00` or `daily 00:00-24:00`"
KNOWN_DAYS = "days out of mon, tue, wed, thu, fri, sat, sun, or `daily`: not"
TIMES = "times from 00:00 to 23:59, or 24:00 as the end: not"
WHOLE_DAY = "an end that differs from the start: 00:00-24:00 is a whole day"
APART = "a window that does not overlap"
ZONE = "the IANA name of a time zone, such as Europe/Berlin"


def apart(place: int, text: str, both_on: str) -> str:
    """The remedy for a window that overlaps another."""
    return f"{APART} windows[{place}], `{text}`: at {both_on} both are on"


class Pool(msgspec.Struct, frozen=True):
    """A settings type that has hours in it, as a pool does."""

    hours: Hours


class Pools(Section, frozen=True, kw_only=True):
    """A section of the settings that has hours in it."""

    pools: dict[str, Pool]


def section_with(settings: dict[str, Any]) -> dict[str, Any]:
    """The owner's settings with one pool whose hours are usual but for ``settings``."""
    usual = {"time_zone": BERLIN, "windows": ["mon-fri 08:00-19:00"]}
    return {"pools": {"training": {"hours": usual | settings}}}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"time_zone": "Europe/Atlantis"},
            f"time_zone: 'Europe/Atlantis'; expected {ZONE} (did you mean Europe/Athens?)",
        ),
        ({"time_zone": "Europe"}, f"time_zone: 'Europe'; expected {ZONE} (did you mean Europe/Rome?)"),
        ({"time_zone": "localtime"}, f"time_zone: 'localtime'; expected {ZONE}"),
        ({"time_zone": "../zoneinfo/UTC"}, f"time_zone: '../zoneinfo/UTC'; expected {ZONE}"),
        ({"time_zone": ""}, f"time_zone: ''; expected {ZONE}"),
        ({"time_zone": 1}, "time_zone: 1; expected text"),
        ({"windows": []}, "windows: []; expected a list of at least 1 entry"),
        ({"windows": ["mon 08:00-19:00", ""]}, f"windows[1]: ''; expected {FORM}"),
        ({"windows": ["08:00-19:00"]}, f"windows[0]: '08:00-19:00'; expected {FORM}"),
        ({"windows": ["mon 8:00-19:00"]}, f"windows[0]: 'mon 8:00-19:00'; expected {FORM}"),
        ({"windows": ["mon 08:00-19:00 "]}, f"windows[0]: 'mon 08:00-19:00 '; expected {FORM}"),
        ({"windows": ["mon, tue 08:00-19:00"]}, f"windows[0]: 'mon, tue 08:00-19:00'; expected {FORM}"),
        ({"windows": ["mon ०८:00-19:00"]}, f"windows[0]: 'mon ०८:00-19:00'; expected {FORM}"),
        ({"windows": ["mon 08:00-25:00"]}, f"windows[0]: 'mon 08:00-25:00'; expected {TIMES} 25:00"),
        ({"windows": ["mon 08:60-19:00"]}, f"windows[0]: 'mon 08:60-19:00'; expected {TIMES} 08:60"),
        ({"windows": ["mon 24:00-08:00"]}, f"windows[0]: 'mon 24:00-08:00'; expected {TIMES} 24:00"),
        ({"windows": ["mon 08:00-24:01"]}, f"windows[0]: 'mon 08:00-24:01'; expected {TIMES} 24:01"),
        ({"windows": ["mo 08:00-19:00"]}, f"windows[0]: 'mo 08:00-19:00'; expected {KNOWN_DAYS} 'mo'"),
        ({"windows": ["mon- 08:00-19:00"]}, f"windows[0]: 'mon- 08:00-19:00'; expected {KNOWN_DAYS} ''"),
        ({"windows": ["mon,,tue 08:00-19:00"]}, f"windows[0]: 'mon,,tue 08:00-19:00'; expected {KNOWN_DAYS} ''"),
        (
            {"windows": ["daily,mon 08:00-19:00"]},
            f"windows[0]: 'daily,mon 08:00-19:00'; expected {KNOWN_DAYS} 'daily'",
        ),
        (
            {"windows": ["mon-wed-fri 08:00-19:00"]},
            f"windows[0]: 'mon-wed-fri 08:00-19:00'; expected {KNOWN_DAYS} 'wed-fri'",
        ),
        (
            {"windows": ["mon-mon 08:00-19:00"]},
            "windows[0]: 'mon-mon 08:00-19:00'; expected `mon` for the one day, or `daily` for all: not `mon-mon`",
        ),
        (
            {"windows": ["sat-mon,SUN 08:00-19:00"]},
            "windows[0]: 'sat-mon,SUN 08:00-19:00'; expected each day once: sun is there twice",
        ),
        (
            {"windows": ["daily 00:00-00:00"]},
            f"windows[0]: 'daily 00:00-00:00'; expected {WHOLE_DAY}",
        ),
        (
            {"windows": ["mon-fri 08:00-19:00", "sat 08:00-09:00", "wed 18:59-20:00"]},
            f"windows[2]: 'wed 18:59-20:00'; expected {apart(0, 'mon-fri 08:00-19:00', 'wed 18:59')}",
        ),
        (
            {"windows": ["mon 00:00-02:00", "sun 22:00-01:00"]},
            f"windows[1]: 'sun 22:00-01:00'; expected {apart(0, 'mon 00:00-02:00', 'mon 00:00')}",
        ),
        (
            {"windows": ["mon 08:00-09:00", "mon 08:00-09:00"]},
            f"windows[1]: 'mon 08:00-09:00'; expected {apart(0, 'mon 08:00-09:00', 'mon 08:00')}",
        ),
        (
            {"holidays": ["2026-12-25", "2026-12-26", "2026-12-25"]},
            "holidays[2]: '2026-12-25'; expected each date once: this one is there already",
        ),
        ({"holidays": ["2026-02-30"]}, "holidays[0]: '2026-02-30'; expected a date such as 2026-12-25"),
        ({"holiday": []}, "holiday: []; did you mean holidays?"),
    ],
)
def test_hours_that_will_not_do(settings: dict[str, Any], said: str) -> None:
    section = section_with(settings)
    with pytest.raises(SettingsError) as refused:
        parse({"scale_gpu_pools": section}, "scale_gpu_pools", Pools)
    assert parts_of(refused.value) == f"scale_gpu_pools.pools.training.hours.{said}"


def test_the_pinned_time_zones_count_and_not_those_of_the_machine(tmp_path: Path) -> None:
    # The machine's Berlin is Kathmandu: `zoneinfo` alone would take it for Berlin.
    (tmp_path / "Europe").mkdir()
    nepal = resources.files("tzdata").joinpath("zoneinfo", "Asia", "Kathmandu").read_bytes()
    (tmp_path / "Europe" / "Berlin").write_bytes(nepal)
    code = """
from datetime import datetime
from zoneinfo import ZoneInfo
from shared.hours import zone_of
print(*(datetime(2026, 1, 1, tzinfo=zone("Europe/Berlin")).utcoffset() for zone in (ZoneInfo, zone_of)))
"""
    environment = {**os.environ, "PYTHONTZPATH": str(tmp_path)}
    shown = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["5:45:00", "1:00:00"]


def test_hours_out_of_the_settings_are_the_same_as_made_in_python() -> None:
    section = section_with({"windows": ["FRI-mon 20:00-06:00"], "holidays": ["2026-12-25"]})
    read = parse({"scale_gpu_pools": section}, "scale_gpu_pools", Pools).section.pools["training"].hours
    assert read == hours("FRI-mon 20:00-06:00", holidays=("2026-12-25",))
    assert msgspec.json.decode(msgspec.json.encode(read), type=Hours) == read


# Clocks change by half an hour, by one and by two; at midnight, at its end, around Ramadan; and not at all.
ZONES = [
    *(BERLIN, NEW_YORK, LORD_HOWE, "Asia/Kolkata", "UTC", "Europe/Dublin", "Africa/Cairo", "America/Santiago"),
    *("Africa/Casablanca", "Asia/Beirut", "America/St_Johns", "Antarctica/Troll", "Pacific/Chatham"),
]
FIRST_DAY = date(2026, 1, 1)


@cache
def days_of_change(zone: str) -> list[date]:
    """The dates of a year on which the zone's clocks change, in UTC."""
    noons = [datetime.combine(FIRST_DAY + days * DAY, time(12), UTC) for days in range(367)]
    offsets = [noon.astimezone(ZoneInfo(zone)).utcoffset() for noon in noons]
    return [noons[place].date() for place in range(1, 367) if offsets[place] != offsets[place - 1]]


@some.composite
def moments(draw: some.DrawFn, zone: str) -> datetime:
    """Any moment of a year, and often one around which clocks change."""
    changes = days_of_change(zone)
    anywhere = some.integers(0, 365).map(lambda days: FIRST_DAY + days * DAY)
    day = draw(anywhere | some.sampled_from(changes) if changes else anywhere)
    return datetime.combine(day, time(), UTC) + draw(some.integers(-24 * 60, 36 * 60)) * MINUTE


def clock(minute: int) -> str:
    """The time of day at a minute of the week."""
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


@some.composite
def minutes_of_windows(draw: some.DrawFn) -> list[range]:
    """Windows that do not overlap, each as minutes since the week's beginning; the last may run on into the next."""
    ends = sorted(draw(some.sets(some.integers(0, WEEK_OF_MINUTES // 15 - 1), min_size=2, max_size=24)))
    round_the_week = [*(15 * end for end in ends), 15 * ends[0] + WEEK_OF_MINUTES]
    every = draw(some.sampled_from([1, 2]))  # 1: they touch
    pairs = list(pairwise(round_the_week))[draw(some.integers(0, every - 1)) :: every]
    windows = [range(start, min(end, start + 24 * 60 - 15)) for start, end in pairs]
    return draw(some.permutations(windows))


def written(windows: list[range]) -> tuple[str, ...]:
    """Windows as the owner writes them."""
    return tuple(f"{DAYS[one.start // 1440]} {clock(one.start)}-{clock(one.stop)}" for one in windows)


@some.composite
def examples(draw: some.DrawFn) -> tuple[Hours, list[range], datetime]:
    """Hours with holidays, their windows as minutes of the week, and a moment."""
    zone = draw(some.sampled_from(ZONES))
    windows = draw(minutes_of_windows())
    moment = draw(moments(zone))
    near = some.integers(-3, 3).map(lambda days: moment.date() + days * DAY)
    holidays = tuple(draw(some.sets(near, max_size=4)))
    return Hours(time_zone=zone, windows=written(windows), holidays=holidays), windows, moment


def reads_on(known: Hours, windows: list[range], moment: datetime) -> bool:
    """Whether the wall clock shows a time in a window that did not begin on a holiday."""
    wall = moment.astimezone(ZoneInfo(known.time_zone))
    minute = wall.weekday() * 1440 + wall.hour * 60 + wall.minute
    for window in windows:
        for now in (minute, minute + WEEK_OF_MINUTES):
            began_on = wall.date() - (now // 1440 - window.start // 1440) * DAY
            if now in window and began_on not in known.holidays:
                return True
    return False


def clocks_stand(zone: str, moment: datetime) -> bool:
    """Whether no clocks change within two days of a moment."""
    around = [(moment + days * DAY).astimezone(ZoneInfo(zone)).utcoffset() for days in (-2, -1, 0, 1, 2)]
    return len(set(around)) == 1


@given(examples())
def test_it_is_on_when_the_wall_clock_reads_so(example: tuple[Hours, list[range], datetime]) -> None:
    known, windows, moment = example
    window = known.window_at(moment)
    if window:
        assert window.start <= moment < window.end
    if reads_on(known, windows, moment):
        assert window is not None
    elif clocks_stand(known.time_zone, moment):
        assert window is None


@given(examples(), some.lists(some.floats(0, 1), max_size=20))
def test_no_window_starts_before_the_next(example: tuple[Hours, list[range], datetime], fractions: list[float]) -> None:
    known, _, moment = example
    following = known.next_window(moment)
    assert following is not None
    assert moment < following.start < following.end
    assert known.window_at(following.start) == following
    minutes = (following.start - moment) // MINUTE
    for minute in [*(round(fraction * (minutes - 1)) for fraction in fractions), minutes - 1]:
        window = known.window_at(moment + minute * MINUTE)
        assert window is None or window.start <= moment
        assert known.next_window(moment + minute * MINUTE) == following


spans = some.tuples(some.integers(0, 6), some.integers(0, 23), some.integers(1, 24)).map(
    lambda span: range(span[0] * 24 + span[1], span[0] * 24 + span[1] + span[2])
)


@given(some.lists(spans, min_size=2, max_size=4))
def test_windows_are_refused_just_when_they_overlap(in_hours: list[range]) -> None:
    assume(all(len(span) < 24 or span.start % 24 == 0 for span in in_hours))
    texts = [f"{DAYS[span.start // 24]} {span.start % 24:02}:00-{(span.stop - 1) % 24 + 1:02}:00" for span in in_hours]
    taken = [hour % (7 * 24) for span in in_hours for hour in span]
    if len(taken) == len(set(taken)):
        assert hours(*texts).windows == tuple(texts)
        return
    with pytest.raises(SettingsError, match=APART) as error:
        hours(*texts)
    shown = re.search(
        rf"windows\[(\d)\]: .* {APART} windows\[(\d)\], .*: at (\w+) (\d\d):00 both", parts_of(error.value)
    )
    assert shown is not None
    later, earlier = int(shown[1]), int(shown[2])
    assert earlier < later
    assert error.value.value == texts[later]
    both_on = DAYS.index(shown[3]) * 24 + int(shown[4])
    for span in (in_hours[earlier], in_hours[later]):
        assert both_on in {hour % (7 * 24) for hour in span}
