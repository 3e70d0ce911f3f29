"""Cloud Monitoring's time series: google.monitoring.v3.MetricService, gauges only.

A series has a value from a moment on, until another one, and shows it as one point a minute: points are made when they
are asked for, so that months of them cost nothing. What ``CreateTimeSeries`` writes is kept point by point.
"""

import bisect
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from google.api import metric_pb2, monitored_resource_pb2
from google.cloud import monitoring_v3
from google.protobuf import empty_pb2

from local.cloud.clock import Clock
from local.cloud.engine import ApiError
from local.cloud.messages import invalid, page
from local.cloud.monitoring_filter import parse_filter

SAMPLE = timedelta(minutes=1)
OLDEST_WRITTEN = timedelta(hours=25)
NEWEST_WRITTEN = timedelta(minutes=5)
DEFAULT_PAGE = 100_000
LONGEST_INTERVAL = timedelta(days=60)

Point = tuple[datetime, float]
Aligner = monitoring_v3.Aggregation.Aligner
Reducer = monitoring_v3.Aggregation.Reducer

_ALIGNERS: dict[Aligner, Callable[[list[float]], float]] = {
    Aligner.ALIGN_MAX: max,
    Aligner.ALIGN_MIN: min,
    Aligner.ALIGN_MEAN: lambda values: sum(values) / len(values),
    Aligner.ALIGN_SUM: sum,
    Aligner.ALIGN_COUNT: lambda values: float(len(values)),
}
_REDUCERS: dict[Reducer, Callable[[list[float]], float]] = {
    Reducer.REDUCE_MAX: max,
    Reducer.REDUCE_MIN: min,
    Reducer.REDUCE_MEAN: lambda values: sum(values) / len(values),
    Reducer.REDUCE_SUM: sum,
    Reducer.REDUCE_COUNT: lambda values: float(len(values)),
}


@dataclass(frozen=True)
class Labels:
    """What a series is of: selectors as filters write them, by which it is known."""

    project: str
    fields: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """A name to put series in order by."""
        return repr(self.fields)

    def starting(self, prefix: str) -> dict[str, str]:
        """The labels under ``metric.labels.`` or ``resource.labels.``."""
        return {name.removeprefix(prefix): value for name, value in self.fields if name.startswith(prefix)}


@dataclass
class Series:
    """One series: since when it has which value (None for no points), and the points that were written to it."""

    history: list[tuple[datetime, float | None]] = field(default_factory=list)
    written: list[Point] = field(default_factory=list)

    def points(self, start: datetime, end: datetime) -> list[Point]:
        """The points after ``start`` up to ``end``, oldest first."""
        found = [point for point in self.written if start < point[0] <= end]
        if self.history:
            at = max(start, self.history[0][0] - SAMPLE).replace(second=0, microsecond=0) + SAMPLE
            starts = [since for since, _ in self.history]
            while at <= end:
                place = bisect.bisect_right(starts, at)
                value = self.history[place - 1][1] if place else None
                if value is not None:
                    found.append((at, value))
                at += SAMPLE
        return sorted(found)


class Monitoring:
    """Serves ``google.cloud.monitoring_v3.MetricServiceClient``, as far as time series go."""

    def __init__(self, clock: Clock) -> None:
        self.visibility_delay = timedelta(0)
        """Points that are younger than that are not seen yet."""
        self._clock = clock
        self._series: dict[Labels, Series] = {}
        self._lock = threading.RLock()

    def set_value(
        self,
        project: str,
        metric_type: str,
        value: float | None,
        *,
        resource_type: str,
        resource_labels: Mapping[str, str],
        metric_labels: Mapping[str, str] | None = None,
        since: datetime | None = None,
    ) -> None:
        """Let a series have this value from a moment on (now, if none is said), or with None no points."""
        labels = _labels(project, metric_type, resource_type, resource_labels, metric_labels or {})
        moment = (since or self._clock.now()).astimezone(UTC)
        with self._lock:
            series = self._series.setdefault(labels, Series())
            series.history = sorted(
                [*(one for one in series.history if one[0] != moment), (moment, value)], key=lambda one: one[0]
            )

    def create_time_series(self, request: monitoring_v3.CreateTimeSeriesRequest) -> empty_pb2.Empty:
        """Write one point to each series; all or nothing."""
        now = self._clock.now()
        project = _project(request.name)
        with self._lock:
            accepted = [(self._accepted(project, given, now)) for given in request.time_series]
            for labels, point in accepted:
                self._series.setdefault(labels, Series()).written.append(point)
        return empty_pb2.Empty()

    def list_time_series(self, request: monitoring_v3.ListTimeSeriesRequest) -> monitoring_v3.ListTimeSeriesResponse:
        """The series that a filter matches, aligned and reduced as asked, with their newest points first."""
        project = _project(request.name)
        comparisons = parse_filter(request.filter)
        if request.order_by:
            raise invalid("order_by is not supported.")
        start, end = _interval(request.interval)
        seen = min(end, self._clock.now() - self.visibility_delay)
        with self._lock:
            found = {
                labels: series.points(start, seen)
                for labels, series in self._series.items()
                if labels.project == project and all(one.holds(dict(labels.fields)) for one in comparisons)
            }
        shown = _aggregated({labels: points for labels, points in found.items() if points}, request.aggregation, end)
        is_headers = request.view == monitoring_v3.ListTimeSeriesRequest.TimeSeriesView.HEADERS
        named = {
            labels.name: _Shown(labels.name, labels, () if is_headers else points) for labels, points in shown.items()
        }
        listed, token = page(named, request.page_size, request.page_token, default=DEFAULT_PAGE, maximum=DEFAULT_PAGE)
        is_aligned = bool(request.aggregation.per_series_aligner)
        return monitoring_v3.ListTimeSeriesResponse(
            time_series=[_message(one, is_aligned=is_aligned) for one in listed], next_page_token=token
        )

    def _accepted(self, project: str, given: monitoring_v3.TimeSeries, now: datetime) -> tuple[Labels, Point]:
        if len(given.points) != 1:
            raise invalid("Field timeSeries.points had an invalid value: must have exactly one point.")
        kind = monitoring_v3.TypedValue.pb(given.points[0].value).WhichOneof("value")
        if kind not in {"int64_value", "double_value", "bool_value"}:
            raise ApiError(grpc.StatusCode.UNIMPLEMENTED, f"values of the kind {kind} are not served")
        when = given.points[0].interval.end_time.astimezone(UTC)
        if not now - OLDEST_WRITTEN <= when <= now + NEWEST_WRITTEN:
            raise invalid(f"Data points must be between 25h in the past and 5m in the future; {when} is not.")
        metric, resource = given.metric, given.resource
        labels = _labels(project, metric.type, resource.type, dict(resource.labels), dict(metric.labels))
        newest = max((at for at, _ in self._series.get(labels, Series()).written), default=None)
        if newest is not None and when <= newest:
            raise invalid("Points must be written in order. One or more of the points specified had an older end time.")
        return labels, (when, float(getattr(given.points[0].value, kind)))


@dataclass
class _Shown:
    name: str
    labels: Labels
    points: Iterable[Point]


def _labels(
    project: str,
    metric_type: str,
    resource_type: str,
    resource_labels: Mapping[str, str],
    metric_labels: Mapping[str, str],
) -> Labels:
    fields = {"project": project, "metric.type": metric_type, "resource.type": resource_type}
    fields |= {f"resource.labels.{name}": value for name, value in resource_labels.items()}
    fields |= {f"metric.labels.{name}": value for name, value in metric_labels.items()}
    return Labels(project, tuple(sorted(fields.items())))


def _project(name: str) -> str:
    if not name.startswith("projects/") or name.count("/") != 1:
        raise invalid(f"Name {name!r} must have the form projects/PROJECT.")
    return name.partition("/")[2]


def _interval(interval: monitoring_v3.TimeInterval) -> tuple[datetime, datetime]:
    if "end_time" not in interval:
        raise invalid("interval.end_time must be set.")
    end = interval.end_time.astimezone(UTC)
    start = interval.start_time.astimezone(UTC) if "start_time" in interval else end - timedelta(microseconds=1)
    if start > end:
        raise invalid("interval.start_time must not be later than interval.end_time.")
    if end - start > LONGEST_INTERVAL:
        raise invalid(f"An interval of more than {LONGEST_INTERVAL.days} days is not served here.")
    return start, end


def _aggregated(
    found: dict[Labels, list[Point]], aggregation: monitoring_v3.Aggregation, end: datetime
) -> dict[Labels, list[Point]]:
    aligner, reducer = Aligner(aggregation.per_series_aligner), Reducer(aggregation.cross_series_reducer)
    if aligner == Aligner.ALIGN_NONE:
        if reducer != Reducer.REDUCE_NONE:
            raise invalid("aggregation.perSeriesAligner must be set for a crossSeriesReducer.")
        return found
    period = aggregation.alignment_period
    if aligner not in _ALIGNERS or reducer not in {*_REDUCERS, Reducer.REDUCE_NONE}:
        raise ApiError(grpc.StatusCode.UNIMPLEMENTED, f"{aligner.name} with {reducer.name} is not served")
    if period < timedelta(seconds=60):
        raise invalid("aggregation.alignmentPeriod must be at least 60 seconds.")
    aligned = {labels: _aligned(points, period, end, _ALIGNERS[aligner]) for labels, points in found.items()}
    if reducer == Reducer.REDUCE_NONE:
        return aligned
    groups: dict[Labels, list[list[Point]]] = {}
    for labels, points in aligned.items():
        groups.setdefault(_group(labels, aggregation.group_by_fields), []).append(points)
    return {labels: _reduced(members, _REDUCERS[reducer]) for labels, members in groups.items()}


def _aligned(
    points: list[Point], period: timedelta, end: datetime, align: Callable[[list[float]], float]
) -> list[Point]:
    """One point for each period that has any, at its end; the periods are counted back from the interval's end."""
    buckets: dict[datetime, list[float]] = {}
    for when, value in points:
        buckets.setdefault(end - (end - when) // period * period, []).append(value)
    return [(when, align(values)) for when, values in sorted(buckets.items())]


def _group(labels: Labels, fields: Iterable[str]) -> Labels:
    """What is left of a series' labels when all but the fields of the group are reduced."""
    kept = {"metric.type", "resource.type", "project", *(name.replace(".label.", ".labels.") for name in fields)}
    return Labels(labels.project, tuple(one for one in labels.fields if one[0] in kept))


def _reduced(members: list[list[Point]], reduce: Callable[[list[float]], float]) -> list[Point]:
    values: dict[datetime, list[float]] = {}
    for when, value in (point for points in members for point in points):
        values.setdefault(when, []).append(value)
    return [(when, reduce(found)) for when, found in sorted(values.items())]


def _message(shown: _Shown, *, is_aligned: bool) -> monitoring_v3.TimeSeries:
    fields = dict(shown.labels.fields)
    return monitoring_v3.TimeSeries(
        metric=metric_pb2.Metric(type=fields["metric.type"], labels=shown.labels.starting("metric.labels.")),
        resource=monitored_resource_pb2.MonitoredResource(
            type=fields["resource.type"],
            labels={"project_id": shown.labels.project, **shown.labels.starting("resource.labels.")},
        ),
        metric_kind=metric_pb2.MetricDescriptor.MetricKind.GAUGE,
        value_type=metric_pb2.MetricDescriptor.ValueType.DOUBLE,
        points=[_point(when, value, is_aligned=is_aligned) for when, value in reversed(list(shown.points))],
    )


def _point(when: datetime, value: float, *, is_aligned: bool) -> monitoring_v3.Point:
    interval: dict[str, Any] = {"end_time": when} | ({"start_time": when} if is_aligned else {})
    return monitoring_v3.Point(interval=interval, value={"double_value": value})
