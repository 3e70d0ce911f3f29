"""Hours in which something is on, or may be done: weekly windows in local time of a time zone, and holidays.

A window belongs to the date on which it begins, so one that begins on the evening before a holiday runs on into it.

Twice a year the clocks of many zones change, and a window may then begin or end at a time that does not exist, or that
comes twice. Python knows two readings of such a time (``fold`` in PEP 495, https://peps.python.org/pep-0495/). A
window errs on the side of being on: it starts at the earlier reading and ends at the later one. So ``02:30`` of a night
in which 02:00 becomes 03:00 starts a window at 01:30 and ends one at 03:30; where 03:00 becomes 02:00 it starts one
when it comes first and ends one when it comes again. A window that starts before it ends on the wall clock therefore
does so in UTC too. Windows of which one ends where the next begins may overlap in such a night; they are two still.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib import resources
from io import BytesIO
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from shared.errors import SettingsError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""As ``date.weekday`` counts them."""
HORIZON = 366
"""For how many days the next window is looked for: holidays can take all windows of a year, and then there is none."""

_DAY = timedelta(days=1)
_ZONE = re.compile(r"[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*")  # not `localtime`, which is the machine's own
_WINDOW = re.compile(r"(?P<days>[^\s]+) +(?P<start>[0-9]{2}:[0-9]{2})-(?P<end>[0-9]{2}:[0-9]{2})")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_EXAMPLES = "`mon-fri 08:00-19:00`, `sat,sun 22:00-02:00` or `daily 00:00-24:00`"


class Window(msgspec.Struct, frozen=True):
    """One window as it falls on the calendar: from ``start`` up to ``end``, both in UTC."""

    start: datetime
    end: datetime


ALWAYS = Window(start=datetime.min.replace(tzinfo=UTC), end=datetime.max.replace(tzinfo=UTC))
"""The one window of what has no hours."""


class Hours(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hours in which something is on, or may be done.

    Raises ``SettingsError`` for windows that contradict one another, or mean nothing.
    """

    time_zone: Annotated[str, Meta(description="An IANA name, such as Europe/Berlin.")]
    windows: Annotated[
        tuple[Annotated[str, Meta(description=f"Days and times, such as {_EXAMPLES}.")], ...], Meta(min_length=1)
    ]
    """An end that is earlier than the start is on the next day."""
    holidays: tuple[date, ...] = ()
    """Dates in the time zone, on which no window begins."""

    def __post_init__(self) -> None:
        check_zone(self.time_zone)
        _week(self.windows)
        for place, holiday in enumerate(self.holidays):
            if self.holidays.index(holiday) != place:
                raise SettingsError(f"holidays[{place}]", str(holiday), "each date once: this one is there already")

    def window_at(self, moment: datetime) -> Window | None:
        """The window that contains the moment; of several, in a night in which clocks change, the last to begin.

        Raises ``ValueError`` for a moment without a time zone.
        """
        today = self._date_of(moment)
        # A window ends at most one date after its own. The outer two are for clocks that change around midnight.
        near = [window for days in (-2, -1, 0, 1) for window in self._beginning_on(today + days * _DAY)]
        return max(
            (window for window in near if window.start <= moment < window.end),
            key=lambda window: (window.start, window.end),
            default=None,
        )

    def next_window(self, moment: datetime) -> Window | None:
        """The first window that starts after the moment; None if holidays take all that begin within ``HORIZON`` days.

        Raises ``ValueError`` for a moment without a time zone.
        """
        today = self._date_of(moment)
        for days in range(HORIZON + 1):
            day = today + days * _DAY
            if later := self._starting_after(moment, day):
                # Where midnight itself does not exist, the next date's may start before the last of this one's.
                later += self._starting_after(moment, day + _DAY)
                # Of those that start together the longest, which is the one that `window_at` gives.
                return min(later, key=lambda window: (window.start, moment - window.end))
        return None

    def _date_of(self, moment: datetime) -> date:
        if moment.utcoffset() is None:
            raise ValueError(f"{moment!r} has no time zone")
        return moment.astimezone(zone_of(self.time_zone)).date()

    def _starting_after(self, moment: datetime, day: date) -> list[Window]:
        return [window for window in self._beginning_on(day) if window.start > moment]

    def _beginning_on(self, day: date) -> tuple[Window, ...]:
        return () if day in self.holidays else _windows_on(day, self.windows, self.time_zone)


@lru_cache(maxsize=1024)
def _windows_on(day: date, windows: tuple[str, ...], time_zone: str) -> tuple[Window, ...]:
    """The windows that begin on a day. Kept, as a decision asks for the same few days many times."""
    midnight = datetime.combine(day, time(), zone_of(time_zone))
    return tuple(
        Window(start=min(_readings(midnight + span.start)), end=max(_readings(midnight + span.end)))
        for span in _week(windows)[day.weekday()]
    )


def _readings(wall_clock: datetime) -> tuple[datetime, datetime]:
    """A local time in UTC: the same twice, unless it does not exist or comes twice."""
    return wall_clock.replace(fold=0).astimezone(UTC), wall_clock.replace(fold=1).astimezone(UTC)


class _Span(msgspec.Struct, frozen=True):
    """A window of one day of the week, on the wall clock: times since the midnight with which the day begins."""

    day: int
    start: timedelta
    end: timedelta
    place: int
    """Of its text in the settings."""


def check_zone(name: str) -> None:
    """Raise ``SettingsError`` with the key ``time_zone`` for what is no IANA name of a time zone."""
    _zone_data(name)


@cache
def zone_of(name: str) -> "ZoneInfo":
    """The time zone of an IANA name. Raises as ``check_zone`` does."""
    from zoneinfo import ZoneInfo

    return ZoneInfo.from_file(BytesIO(_zone_data(name)), key=name)


@cache
def _zone_data(name: str) -> bytes:
    """The data of a time zone: https://www.rfc-editor.org/rfc/rfc9636 (TZif).

    Of the pinned package, wherever this runs: ``ZoneInfo(name)`` prefers the machine's own, which may be years old.
    """
    expected = "the IANA name of a time zone, such as Europe/Berlin"
    if not _ZONE.fullmatch(name):
        raise SettingsError("time_zone", name, expected)
    try:
        data = resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()
    except OSError:  # `Europe` is a directory
        data = b""
    if not data.startswith(b"TZif"):
        raise SettingsError("time_zone", name, expected, remedy=_zone_remedy(name, expected))
    return data


def _zone_remedy(name: str, expected: str) -> str:
    from shared.settings_words import did_you_mean, nearest

    near = nearest(name, resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())
    return f"expected {expected}{did_you_mean(near)}"


@cache
def _week(windows: tuple[str, ...]) -> tuple[tuple[_Span, ...], ...]:
    """The spans of each day of the week. Raises ``SettingsError`` for a text that is none, and for an overlap."""
    spans = [span for place, text in enumerate(windows) for span in _spans(text, place)]
    _check_apart(spans, windows)
    return tuple(tuple(span for span in spans if span.day == day) for day in range(7))


def _spans(text: str, place: int) -> list[_Span]:
    key = f"windows[{place}]"
    parts = _WINDOW.fullmatch(text)
    if not parts:
        raise SettingsError(key, text, f"days and times, such as {_EXAMPLES}")
    for name in ("start", "end"):
        if not _TIME.fullmatch(parts[name]) and (name, parts[name]) != ("end", "24:00"):
            raise SettingsError(key, text, f"times from 00:00 to 23:59, or 24:00 as the end: not {parts[name]}")
    start, end = _since_midnight(parts["start"]), _since_midnight(parts["end"])
    if start == end:
        raise SettingsError(key, text, "an end that differs from the start: 00:00-24:00 is a whole day")
    days = _days(parts["days"].lower(), key, text)
    return [_Span(day, start, end if start < end else end + _DAY, place) for day in days]


def _since_midnight(text: str) -> timedelta:
    hours, _, minutes = text.partition(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


def _days(listed: str, key: str, text: str) -> list[int]:
    """The days of ``mon``, ``mon,wed``, ``fri-mon`` or ``daily``."""
    if listed == "daily":
        return list(range(7))
    days: list[int] = []
    for item in listed.split(","):
        first, dash, last = item.partition("-")
        for name in (first, last) if dash else (first,):
            if name not in DAYS:
                raise SettingsError(key, text, f"days out of {', '.join(DAYS)}, or `daily`: not {name!r}")
        if first == last:
            raise SettingsError(key, text, f"`{first}` for the one day, or `daily` for all: not `{item}`")
        begin = DAYS.index(first)
        count = (DAYS.index(last) - begin) % 7 if dash else 0
        days += [(begin + more) % 7 for more in range(count + 1)]
    for day in days:
        if days.count(day) > 1:
            raise SettingsError(key, text, f"each day once: {DAYS[day]} is there twice")
    return days


def _check_apart(spans: list[_Span], windows: tuple[str, ...]) -> None:
    """Raise ``SettingsError`` if two windows overlap within the week, in which Monday comes after Sunday again."""
    in_order = sorted(spans, key=lambda span: (span.day, span.start))
    for place, span in enumerate(in_order):
        following = in_order[(place + 1) % len(in_order)]
        days_between = following.day - span.day + (7 if place + 1 == len(in_order) else 0)
        if span.end > following.start + days_between * _DAY:
            one, other = sorted((span.place, following.place))
            both_on = f"{DAYS[following.day]} {str(following.start).zfill(8)[:5]}"
            raise SettingsError(
                f"windows[{other}]",
                windows[other],
                f"a window that does not overlap windows[{one}], `{windows[one]}`: at {both_on} both are on",
            )
