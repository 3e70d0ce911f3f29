"""Cloud Monitoring's time series: google.monitoring.v3.MetricService, gauges of numbers only.

A series has a value from a moment on, until another one, and shows it as one point a minute: points are made when they
are asked for, so that months of them cost nothing. What ``CreateTimeSeries`` writes is kept point by point.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from google.api import metric_pb2, monitored_resource_pb2
from google.cloud import monitoring_v3
from google.protobuf import empty_pb2

from localcloud.core.clock import Clock
from localcloud.core.messages import invalid, page
from localcloud.core.server import ApiError
from localcloud.monitoring.filter import parse_filter
from localcloud.monitoring.series import (
    Labels,
    Point,
    PointsByLabels,
    Series,
    ValueType,
    aggregated,
    check_aggregation,
    labels_of,
    value_type_after,
)

OLDEST_WRITTEN = timedelta(hours=25)
NEWEST_WRITTEN = timedelta(minutes=5)
LEAST_APART = timedelta(milliseconds=1)
MOST_WRITTEN = 200  # series in one call
LARGEST_PAGE = 100_000  # points, or series without their points
LONGEST_INTERVAL = timedelta(days=60)

_GAUGE = metric_pb2.MetricDescriptor.MetricKind.GAUGE
_HEADERS = monitoring_v3.ListTimeSeriesRequest.TimeSeriesView.HEADERS
_FIELDS = {ValueType.INT64: "int64_value", ValueType.DOUBLE: "double_value"}
_TYPES = {field: value_type for value_type, field in _FIELDS.items()}
_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


# Google's client publishes no type for the raw protobuf messages, which are several times faster than its wrappers.
RawMessage = Any


class Monitoring:
    """Serves ``google.cloud.monitoring_v3.MetricServiceClient``, as far as time series go."""

    def __init__(self, clock: Clock) -> None:
        self.visibility_delay = timedelta(0)
        """Points that are younger than that are not seen yet."""
        self.execution_errors: list[str] = []
        """Why series may be missing from every answer, in the service's own words."""
        self._clock = clock
        self._series: dict[Labels, Series] = {}
        self._types: dict[tuple[str, str], ValueType] = {}
        """The value type of a project's metric; a metric without values does not exist yet."""
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
        """Let a series have this value from a moment on (now, if none is said), or with None no points.

        The values of a metric are INT64, and DOUBLE as soon as one of them is a float.
        """
        labels = labels_of(project, metric_type, resource_type, resource_labels, metric_labels or {})
        moment = (since or self._clock.now()).astimezone(UTC)
        metric = (project, metric_type)
        with self._lock:
            if type(value) is float:
                self._types[metric] = ValueType.DOUBLE
            elif value is not None:
                self._types.setdefault(metric, ValueType.INT64)
            self._series.setdefault(labels, Series()).set_value(moment, value)

    def create_time_series(self, request: monitoring_v3.CreateTimeSeriesRequest) -> empty_pb2.Empty:
        """Write one point to each series.

        A request that is malformed writes nothing. Of another one those points are written that can be, and the error
        names the others.
        """
        project = _project(request.name)
        if not 0 < len(request.time_series) <= MOST_WRITTEN:
            raise invalid(f"Field timeSeries had an invalid value: it must have 1 to {MOST_WRITTEN} elements.")
        problems: dict[str, list[int]] = {}
        with self._lock:
            types = dict(self._types)
            points: dict[Labels, Point] = {}
            for place, given in enumerate(request.time_series):
                labels, point = _parsed(project, given, types, f"timeSeries[{place}]")
                if labels in points:
                    raise invalid(f"Field timeSeries[{place}] had an invalid value: this series has a point already.")
                points[labels] = point
            self._types = types
            for place, (labels, point) in enumerate(points.items()):
                if problem := self._untimely(labels, point[0]):
                    problems.setdefault(problem, []).append(place)
                else:
                    self._series.setdefault(labels, Series()).written.append(point)
        if problems:
            message = "; ".join(f"{text}: timeSeries{places}" for text, places in problems.items())
            raise invalid(f"One or more TimeSeries could not be written: {message}")
        return empty_pb2.Empty()

    def list_time_series(self, request: monitoring_v3.ListTimeSeriesRequest) -> RawMessage:
        """The series that a filter matches, aligned and reduced as asked, with their newest points first."""
        project = _project(request.name)
        comparisons = parse_filter(request.filter)
        _check_served(request)
        start, end = _interval(request.interval)
        seen = min(end, self._clock.now() - self.visibility_delay)
        (metric_type,) = (one.given[0] for one in comparisons if one.selector == "metric.type")
        with self._lock:
            found: PointsByLabels = {}
            for labels, series in self._series.items():
                fields = dict(labels.fields)
                if fields["project"] == project and all(one.holds(fields) for one in comparisons):
                    found[labels] = series.points(start, seen)
            value_type = self._types.get((project, metric_type), ValueType.DOUBLE)
        shown = aggregated({one: points for one, points in found.items() if points}, request.aggregation, end)
        rows = _headers(shown) if request.view == _HEADERS else _rows(shown)
        listed, token = page(rows, request.page_size, request.page_token, default=LARGEST_PAGE, maximum=LARGEST_PAGE)
        points: PointsByLabels = {}
        for row in listed:
            points.setdefault(row.labels, []).extend(row.points)
        value_type = value_type_after(request.aggregation, value_type)
        return monitoring_v3.ListTimeSeriesResponse.pb()(
            time_series=[_message(labels, ordered, value_type) for labels, ordered in points.items()],
            next_page_token=token,
            execution_errors=[
                {"code": grpc.StatusCode.UNAVAILABLE.value[0], "message": one} for one in self.execution_errors
            ],
        )

    def _untimely(self, labels: Labels, when: datetime) -> str:
        """Why a series takes no point of that time; "" if it does."""
        now = self._clock.now()
        if not now - OLDEST_WRITTEN <= when <= now + NEWEST_WRITTEN:
            return "Points must be no more than 25 hours in the past or five minutes in the future."
        series = self._series.get(labels, Series())
        earlier = [*series.points(now - OLDEST_WRITTEN, now), *series.written[-1:]]
        if any(when < one + LEAST_APART for one, _ in earlier):
            return "Points must be written in order. One or more of the points are older than the most recent one."
        return ""


@dataclass
class _Row:
    """The unit of a page: a point, or a series without its points."""

    name: str
    labels: Labels
    points: list[Point]


def _parsed(
    project: str, given: monitoring_v3.TimeSeries, types: dict[tuple[str, str], ValueType], where: str
) -> tuple[Labels, Point]:
    """A series and its point; a new metric is added to ``types``.

    Raises INVALID_ARGUMENT, and UNIMPLEMENTED for what is no gauge of a number.
    """
    if given.metric_kind not in {0, _GAUGE}:
        raise ApiError(grpc.StatusCode.UNIMPLEMENTED, "the local cloud has no metrics but gauges")
    metric, resource = given.metric, given.resource
    if not metric.type or not resource.type:
        raise invalid(f"Field {where} had an invalid value: it must have a metric.type and a resource.type.")
    if len(given.points) != 1:
        raise invalid(f"Field {where}.points had an invalid value: it must have exactly one point.")
    value = given.points[0].value
    field = monitoring_v3.TypedValue.pb(value).WhichOneof("value")
    if field is None:
        raise invalid(f"Field {where}.points[0].value had an invalid value: it must be set.")
    if field not in _TYPES:
        raise ApiError(grpc.StatusCode.UNIMPLEMENTED, f"the local cloud has no metrics of {field}")
    expected = types.setdefault((project, metric.type), _TYPES[field])
    if {_TYPES[field], given.value_type or expected} != {expected}:
        raise invalid(f"Field {where}.points[0].value had an invalid value: it is not of the type of {metric.type}.")
    labels = labels_of(project, metric.type, resource.type, dict(resource.labels), dict(metric.labels))
    return labels, (_moment(given.points[0].interval, f"{where}.points[0].interval"), getattr(value, field))


def _headers(shown: PointsByLabels) -> dict[str, _Row]:
    return {labels.name: _Row(labels.name, labels, []) for labels in shown}


def _rows(shown: PointsByLabels) -> dict[str, _Row]:
    """One row for each point, under names whose order is that of the series, with the newest points first."""
    rows = (
        _Row(f"{labels.name} {(_END_OF_TIME - point[0]) // timedelta.resolution:020}", labels, [point])
        for labels, points in shown.items()
        for point in points
    )
    return {row.name: row for row in rows}


def _project(name: str) -> str:
    collection, _, project = name.partition("/")
    if collection != "projects" or not project or "/" in project:
        raise invalid(f"Name {name!r} must have the form projects/PROJECT.")
    return project


def _check_served(request: monitoring_v3.ListTimeSeriesRequest) -> None:
    if request.order_by:
        raise invalid("Field orderBy had an invalid value: it must be left blank.")
    if "secondary_aggregation" in request:
        raise ApiError(grpc.StatusCode.UNIMPLEMENTED, "secondary_aggregation is not served by the local cloud")
    check_aggregation(request.aggregation)


def _interval(interval: monitoring_v3.TimeInterval) -> tuple[datetime, datetime]:
    """Start (exclusive) and end (inclusive) of what is to be read."""
    if "start_time" not in interval or "end_time" not in interval:
        raise invalid("Field interval had an invalid value: a start time and an end time must be set.")
    start, end = interval.start_time.astimezone(UTC), interval.end_time.astimezone(UTC)
    if start >= end:
        raise invalid("Field interval had an invalid value: the start time must be earlier than the end time.")
    if end - start > LONGEST_INTERVAL:
        days = LONGEST_INTERVAL.days
        raise ApiError(grpc.StatusCode.UNIMPLEMENTED, f"the local cloud answers for no more than {days} days at once")
    return start, end


def _moment(interval: monitoring_v3.TimeInterval, where: str) -> datetime:
    """The time of a point of a gauge, which has no length."""
    if "end_time" not in interval:
        raise invalid(f"Field {where}.endTime had an invalid value: it must be set.")
    if "start_time" in interval and interval.start_time != interval.end_time:
        raise invalid(f"Field {where} had an invalid value: the start and end time of a gauge must be the same.")
    end: datetime = interval.end_time
    return end.astimezone(UTC)


def _message(labels: Labels, points: Iterable[Point], value_type: ValueType) -> RawMessage:
    fields = dict(labels.fields)
    series = monitoring_v3.TimeSeries.pb()(
        metric=metric_pb2.Metric(type=fields["metric.type"], labels=labels.starting("metric.labels.")),
        resource=monitored_resource_pb2.MonitoredResource(
            type=fields["resource.type"], labels=labels.starting("resource.labels.")
        ),
        metric_kind=_GAUGE,
        value_type=value_type,
    )
    for when, value in points:
        point = series.points.add()
        point.interval.end_time.FromDatetime(when)
        point.interval.start_time.CopyFrom(point.interval.end_time)
        setattr(point.value, _FIELDS[value_type], value)
    return series
