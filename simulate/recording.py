"""Reads exported time series: one value for each minute, and nothing where Monitoring had none."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from shared.decoding import converted
from shared.errors import SettingsError
from simulate.exports import Query

MINUTE = timedelta(minutes=1)
REMEDY = "export it with the command that ./deploy.sh simulate --print-export prints"


class _Value(msgspec.Struct, rename="camel"):
    double_value: float | None = None
    int64_value: int | str | None = msgspec.field(default=None, name="int64Value")


class _Interval(msgspec.Struct, rename="camel"):
    end_time: datetime


class _Point(msgspec.Struct):
    interval: _Interval
    value: _Value


class _TimeSeries(msgspec.Struct):
    points: list[_Point] = []


class _Page(msgspec.Struct, rename="camel"):
    time_series: list[_TimeSeries] = []
    next_page_token: str = ""
    execution_errors: list[dict[str, object]] = []
    unreachable: list[str] = []


class Recording(msgspec.Struct, frozen=True):
    """The values of one query, by the full minute that they end with."""

    values: Mapping[datetime, float] = {}
    is_partial: bool = False
    """Whether Monitoring warns that series may be missing."""

    def between(self, start: datetime, minutes: int) -> list[float | None]:
        """One value for each of so many minutes."""
        return [self.values.get(start + at * MINUTE) for at in range(minutes)]


class Period(msgspec.Struct, frozen=True):
    """The minutes that are simulated."""

    start: datetime
    minutes: int

    @property
    def end(self) -> datetime:
        """After its last minute."""
        return self.start + self.minutes * MINUTE


def moments_of(recordings: Mapping[Query, Recording]) -> list[datetime]:
    """The minutes of which something is known."""
    return [moment for recording in recordings.values() for moment in recording.values]


def read_recordings(folder: Path, queries: Sequence[Query]) -> dict[Query, Recording]:
    """The answer to each query. Raises ``SettingsError`` for a file that is missing, cut short, or something else."""
    return {query: read_recording(folder / query.file) for query in queries}


def read_recording(path: Path) -> Recording:
    """The answer in one file: a page, or all pages one after another. Raises ``SettingsError``."""
    pages = list(_pages(path))
    if pages[-1].next_page_token:
        raise _wrong(path, "the answer has another page, which is not in this file", "append it, or export less time")
    highest: dict[datetime, float] = {}
    for page in pages:
        for series in page.time_series:
            for point in series.points:
                minute, value = _minute(point.interval.end_time), _number(point.value, path)
                highest[minute] = max(value, highest.get(minute, value))
    return Recording(highest, any(page.execution_errors or page.unreachable for page in pages))


def period_of(known: Collection[datetime], start: datetime | None, end: datetime | None) -> Period:
    """The time in which something is known, or the part of it that was asked for.

    Raises ``SettingsError`` if there is none.
    """
    first, last = start or min(known, default=None), end or max(known, default=None)
    if first is None or last is None:
        raise SettingsError("metrics", "no value", "data", problem="the exported files have no data", remedy=REMEDY)
    if last <= first:
        raise SettingsError("to", str(last), f"a time after {first}")
    return Period(_minute(first), (last - first) // MINUTE + 1)


def _pages(path: Path) -> Iterator[_Page]:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise _wrong(path, "no such file", REMEDY) from None
    except UnicodeDecodeError:
        raise _wrong(path, "this is not text", REMEDY) from None
    if not text:
        raise _wrong(path, "the file is empty", f"{REMEDY}; an answer without data is {{}}")
    at, decoder = 0, json.JSONDecoder()
    while at < len(text):
        try:
            data, at = decoder.raw_decode(text, at)
        except ValueError as error:
            raise _wrong(path, f"it is not JSON, or it is cut short ({error})", REMEDY) from None
        yield from (_page(one, path) for one in (data if isinstance(data, list) else [data]))
        at += len(text[at:]) - len(text[at:].lstrip())


def _page(data: object, path: Path) -> _Page:
    if isinstance(data, dict) and "error" in data:
        raise _wrong(path, "this is an error that Google answered, not a time series", REMEDY)
    try:
        return converted(data, _Page)
    except msgspec.ValidationError as error:
        raise _wrong(path, f"this is no answer of timeSeries.list: {error}", REMEDY) from None


def _number(value: _Value, path: Path) -> float:
    for one in (value.double_value, value.int64_value):
        if one is not None:
            try:
                return float(one)
            except ValueError:
                break
    raise _wrong(path, "a point has no number for its value", "export a metric that is a gauge of numbers")


def _minute(moment: datetime) -> datetime:
    """The full minute that a value counts for: a value is known when its interval has ended."""
    floor = moment.replace(second=0, microsecond=0)
    return floor if floor == moment else floor + MINUTE


def _wrong(path: Path, problem: str, remedy: str) -> SettingsError:
    return SettingsError("", str(path), remedy, problem=f"cannot read {path}: {problem}", remedy=remedy)
