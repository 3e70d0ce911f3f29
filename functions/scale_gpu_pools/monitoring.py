"""The edge to Cloud Monitoring: one query for each signal, and two more if GPUs have no data."""

from datetime import UTC, datetime
from typing import Any

from functions.scale_gpu_pools.settings import Signal
from functions.scale_gpu_pools.signals import BUCKET, Answer, Point, Reading, buckets_asked, reading_of
from shared.clients import Clients

# Google's client publishes no type for the raw protobuf messages, which are several times faster than its wrappers.
RawPoint = Any
RawPage = Any


def reading(signal: Signal, minutes: int, now: datetime, clients: Clients) -> Reading:
    """The state of a signal. Raises what the queries raise."""
    return reading_of(signal, minutes, now, lambda filter_: _answer(signal.project, filter_, minutes, now, clients))


def _answer(project: str, filter_: str, minutes: int, now: datetime, clients: Clients) -> Answer:
    """The highest value of all series in each five minutes: https://cloud.google.com/monitoring/api/v3/aggregation."""
    from google.api_core.exceptions import NotFound
    from google.cloud.monitoring_v3 import Aggregation, ListTimeSeriesRequest, MetricServiceClient, TimeInterval

    request = ListTimeSeriesRequest(
        name=f"projects/{project}",
        filter=filter_,
        interval=TimeInterval(start_time=now - buckets_asked(minutes) * BUCKET, end_time=now),
        aggregation=Aggregation(
            alignment_period=BUCKET,
            per_series_aligner=Aggregation.Aligner.ALIGN_MAX,
            cross_series_reducer=Aggregation.Reducer.REDUCE_MAX,
        ),
    )
    try:
        found = clients.of(MetricServiceClient).list_time_series(request=request, **clients.reading)
        pages = [type(page).pb(page) for page in found.pages]
    except NotFound as error:
        return Answer(unknown=error.message)
    points = tuple(_point(point) for page in pages for series in page.time_series for point in series.points)
    return Answer(points, missing=next(filter(None, map(incomplete, pages)), ""))


def incomplete(page: RawPage) -> str:
    """Why series may be missing from an answer; nothing if it is whole.

    Its field `unreachable` is newer than Google's client, which keeps it as one of those that it does not know.
    """
    from google.protobuf.unknown_fields import UnknownFieldSet

    if page.execution_errors:
        return f"Monitoring could not read all series ({page.execution_errors[0].message})"
    return "Monitoring could not reach all series" if len(UnknownFieldSet(page)) else ""


def _point(point: RawPoint) -> Point:
    value = getattr(point.value, point.value.WhichOneof("value"))
    return Point(point.interval.end_time.ToDatetime(UTC), float(value))
