"""The edge to Cloud Monitoring: one query for each signal."""

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from functions.scale_gpu_pools.signals import BUCKET, Point, Reading, Says, buckets_in, judged
from functions.scale_gpu_pools.world import Question
from shared.clients import Clients

if TYPE_CHECKING:
    from google.cloud.monitoring_v3 import TypedValue


def readings(questions: Collection[Question], now: datetime, clients: Clients) -> dict[Question, Reading]:
    """What each signal says. Raises what the query raises."""
    ordered = sorted(questions, key=str)
    answers = clients.in_parallel(lambda question: _reading(question, now, clients), ordered)
    return dict(zip(ordered, answers, strict=True))


def _reading(question: Question, now: datetime, clients: Clients) -> Reading:
    """The highest value of all series in each five minutes: https://cloud.google.com/monitoring/api/v3/aggregation."""
    from google.api_core.exceptions import NotFound
    from google.cloud.monitoring_v3 import Aggregation, ListTimeSeriesRequest, MetricServiceClient, TimeInterval

    signal, minutes = question
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
    except NotFound as error:
        # So it answers for a metric that has never had any data.
        return Reading(Says.UNKNOWN, f"{signal}: {error.message}")
    points = [Point(point.interval.end_time, _value(point.value)) for series in found for point in series.points]
    return judged(signal, points, minutes, now)


def _value(value: "TypedValue") -> float:
    kind = type(value).pb(value).WhichOneof("value")
    return float(getattr(value, kind))
