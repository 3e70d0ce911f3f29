"""The edge to Cloud Monitoring: one query for each signal, and two more if GPUs have no data.

By REST (https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.timeSeries/list), as ticks ask for signals.
"""

from collections.abc import Iterator
from datetime import datetime

from functions.scale_gpu_pools.settings import Signal
from functions.scale_gpu_pools.signals import BUCKET, Answer, Point, Reading, buckets_asked, reading_of
from shared import rest
from shared.clients import Clients
from shared.errors import not_found_errors
from shared.rest import ApiMessage

API = "https://monitoring.googleapis.com/v3"
RPC = "google.monitoring.v3.MetricService/ListTimeSeries"
HIGHEST = {
    "aggregation.alignmentPeriod": f"{BUCKET.total_seconds():.0f}s",
    "aggregation.perSeriesAligner": "ALIGN_MAX",
    "aggregation.crossSeriesReducer": "REDUCE_MAX",
}
"""The highest value of all series in each five minutes: https://cloud.google.com/monitoring/api/v3/aggregation."""


class _Interval(ApiMessage, frozen=True):
    end_time: datetime


class _Value(ApiMessage, frozen=True):
    """One of them is there."""

    double_value: float | str | None = None
    """A text for what JSON has no number for: NaN."""
    int64_value: rest.Int64 | None = None


class _Point(ApiMessage, frozen=True):
    interval: _Interval
    value: _Value


class _Series(ApiMessage, frozen=True):
    points: tuple[_Point, ...] = ()


class _Status(ApiMessage, frozen=True):
    message: str = ""


class _TimeSeries(rest.Page, frozen=True):
    time_series: tuple[_Series, ...] = ()
    execution_errors: tuple[_Status, ...] = ()
    unreachable: tuple[str, ...] = ()

    @property
    def missing(self) -> str:
        """Why series may be missing; nothing if it is whole."""
        if self.execution_errors:
            return f"Monitoring could not read all series ({self.execution_errors[0].message})"
        return "Monitoring could not reach all series" if self.unreachable else ""

    @property
    def points(self) -> Iterator[Point]:
        """The values of all series. Raises ``UnknownAnswer`` for values that have no highest."""
        for point in (one for series in self.time_series for one in series.points):
            value = point.value.int64_value if point.value.double_value is None else point.value.double_value
            if value is None:
                raise rest.UnknownAnswer(f"{RPC}: a point is no number")
            yield Point(point.interval.end_time, float(value))


def reading(signal: Signal, minutes: int, now: datetime, clients: Clients) -> Reading:
    """The state of a signal. Raises what the queries raise."""
    return reading_of(signal, minutes, now, lambda filter_: _answer(signal.project, filter_, minutes, now, clients))


def _answer(project: str, filter_: str, minutes: int, now: datetime, clients: Clients) -> Answer:
    asked = {
        "filter": filter_,
        "interval.startTime": (now - buckets_asked(minutes) * BUCKET).isoformat(),
        "interval.endTime": now.isoformat(),
        **HIGHEST,
    }
    try:
        pages = list(rest.pages(clients, f"{API}/projects/{project}/timeSeries", asked, _TimeSeries, rpc=RPC))
    except not_found_errors() as error:
        return Answer(unknown=rest.said_by(error))
    points = tuple(point for page in pages for point in page.points)
    return Answer(points, missing=next((page.missing for page in pages if page.missing), ""))
