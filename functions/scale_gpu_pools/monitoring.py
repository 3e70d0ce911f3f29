"""The edge to Cloud Monitoring: one query for each signal."""

from datetime import UTC, datetime
from typing import Any

from functions.scale_gpu_pools.messages import MetricUnknown, SeriesMissing
from functions.scale_gpu_pools.settings import Signal
from functions.scale_gpu_pools.signals import BUCKET, Point, Reading, Says, buckets_in, judged
from shared.clients import Clients

# Google's client publishes no type for the raw protobuf messages, which are several times faster than its wrappers.
RawPoint = Any
RawPage = Any


def reading(signal: Signal, minutes: int, now: datetime, clients: Clients) -> Reading:
    """What a signal says. Raises what the query raises.

    It asks for the highest value of all series in each five minutes:
    https://cloud.google.com/monitoring/api/v3/aggregation.
    """
    from google.api_core.exceptions import NotFound
    from google.cloud.monitoring_v3 import Aggregation, ListTimeSeriesRequest, MetricServiceClient, TimeInterval

    request = ListTimeSeriesRequest(
        name=f"projects/{signal.project}",
        filter=signal.filter,
        interval=TimeInterval(start_time=now - buckets_in(minutes) * BUCKET, end_time=now),
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
        # So it answers for a metric that has never had any data.
        return Reading(Says.UNKNOWN, MetricUnknown(signal, error.message))
    missing = next(filter(None, map(incomplete, pages)), "")
    points = [_point(point) for page in pages for series in page.time_series for point in series.points]
    found_out = judged(signal, points, minutes, now)
    if missing and found_out.says is Says.IDLE:
        return Reading(Says.UNKNOWN, SeriesMissing(signal, missing))
    return found_out


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
