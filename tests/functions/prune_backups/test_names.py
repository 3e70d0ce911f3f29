"""Parsing object names: every name has an answer."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.prune_backups.formatting import printable
from functions.prune_backups.names import NamePattern, ParsedName

pytestmark = pytest.mark.one_python

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = datetime(2026, 11, 1, 2, 30, tzinfo=UTC)


def read(pattern: str, name: str) -> ParsedName | None:
    return NamePattern(pattern).read(name, BERLIN)


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("{time:%Y%m%dT%H%M%S%z}.dump", "20261101T023000Z.dump", ParsedName("", NIGHT)),
        ("{time:%Y%m%dT%H%M%S%z}.dump", "20261101T033000+01:00.dump", ParsedName("", NIGHT)),
        ("{time:%Y%m%dT%H%M%S%z}.dump", "20261031T213000-0500.dump", ParsedName("", NIGHT)),
        ("{time:%Y-%m-%d %H:%M}", "2026-11-01 03:30", ParsedName("", NIGHT)),  # the clock of the zone
        (
            "{group}/{time:%Y/%m/%d}{*}",
            "orders/2026/11/01-x.gz",
            ParsedName("orders", datetime(2026, 10, 31, 23, tzinfo=UTC)),
        ),
        ("{group}-{*}.sql", "a-b-c.sql", ParsedName("a", None)),
        ("{group}", "a\nb ☃", ParsedName("a\nb ☃", None)),
        ("100%{group}", "100%x", ParsedName("x", None)),
        ("{time:%Y%m%d%%}", "20261101%", ParsedName("", datetime(2026, 10, 31, 23, tzinfo=UTC))),
        ("", "", ParsedName("", None)),
    ],
)
def test_a_name_that_fits(pattern: str, name: str, expected: ParsedName) -> None:
    assert read(pattern, name) == expected


@pytest.mark.parametrize(
    "name",
    [
        "",
        "20261101T023000Z.dump.tmp",
        " 20261101T023000Z.dump",
        "20261101T023000Z.dump\n",
        "20261301T023000Z.dump",  # no such month
        "20260230T023000Z.dump",
        "20261101T250000Z.dump",
        "20261101T240000Z.dump",
        "20261101T023060Z.dump",
        "20261101T023000+99:00.dump",
        "00011101T023000Z.dump",
        "99991101T023000Z.dump",
        "\uff12\uff10\uff12\uff161101T023000Z.dump",  # digits of another script
        "20261101T023000Zxdump",
        "x" * 1024,
    ],
)
def test_a_name_that_does_not(name: str) -> None:
    assert read("{time:%Y%m%dT%H%M%S%z}.dump", name) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("2026-03-29 02:30", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),  # a time that does not exist
        ("2026-10-25 02:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # of two, the first
        ("2026-10-25 03:30", datetime(2026, 10, 25, 2, 30, tzinfo=UTC)),
    ],
)
def test_where_the_clocks_change(name: str, expected: datetime) -> None:
    assert read("{time:%Y-%m-%d %H:%M}", name) == ParsedName("", expected)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("{day}", "and no other braces"),
        ("{group}{group}", "each field once"),
        ("{*}{*}", "each field once"),
        ("{time:%Y%m}", "a time with %Y, %m, %d"),
        ("{time:%Y%m%d%Y}", "each directive once"),
        ("{time:%Y-%b-%d}", "and not %b"),
        ("{time:%Y%m%d%}", "and not %"),
        ("}", "no other braces"),
    ],
)
def test_a_pattern_that_will_not_do(pattern: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        NamePattern(pattern)


@given(st.text(max_size=60))
def test_any_name_is_read_or_not_and_can_be_printable(name: str) -> None:
    for pattern in ("{group}/{time:%Y%m%d}{*}", "{group}{*}", "{*}"):
        found = read(pattern, name)
        assert found is None or found.group in name
    assert printable(name).isprintable()
    assert len(printable(name)) <= 120


@given(st.integers(24 * 3600, 200_000_000_000))
def test_a_time_is_read_as_it_was_written(seconds: int) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    assert read("{time:%Y%m%dT%H%M%S%z}", f"{moment:%Y%m%dT%H%M%SZ}".zfill(16)) == ParsedName("", moment)
