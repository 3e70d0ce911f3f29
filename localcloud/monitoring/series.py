"""Time series of Cloud Monitoring: by what they are known, which points they have, and how these are aggregated.

Pure: ``monitoring.py`` keeps the state. https://cloud.google.com/monitoring/api/v3/aggregation
"""

import bisect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import grpc
from google.api import metric_pb2
from google.cloud import monitoring_v3

from localcloud.core.messages import invalid
from localcloud.core.server import ApiError
from localcloud.monitoring.filter import selector

SAMPLE = timedelta(minutes=1)
SHORTEST_PERIOD = timedelta(minutes=1)

Point = tuple[datetime, float]
PointsByLabels = dict["Labels", list[Point]]
Aligner = monitoring_v3.Aggregation.Aligner
Reducer = monitoring_v3.Aggregation.Reducer
ValueType = metric_pb2.MetricDescriptor.ValueType

_Combine = Callable[[list[float]], float]


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _last(values: list[float]) -> float:
    return values[-1]


_ALIGNERS: dict[int, _Combine] = {
    Aligner.ALIGN_MAX: max,
    Aligner.ALIGN_MIN: min,
    Aligner.ALIGN_MEAN: _mean,
    Aligner.ALIGN_SUM: sum,
    Aligner.ALIGN_COUNT: len,
    Aligner.ALIGN_NEXT_OLDER: _last,
}
_REDUCERS: dict[int, _Combine] = {
    Reducer.REDUCE_MAX: max,
    Reducer.REDUCE_MIN: min,
    Reducer.REDUCE_MEAN: _mean,
    Reducer.REDUCE_SUM: sum,
    Reducer.REDUCE_COUNT: len,
}
_TYPES = {_mean: ValueType.DOUBLE, len: ValueType.INT64}
"""The value type after alignment; every other aligner keeps the type."""


@dataclass(frozen=True)
class Labels:
    """The identity of a series: its selectors, as filters write them."""

    fields: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """A name to put series in order by."""
        return repr(self.fields)

    def starting(self, prefix: str) -> dict[str, str]:
        """The labels under ``metric.labels.`` or ``resource.labels.``."""
        return {name.removeprefix(prefix): value for name, value in self.fields if name.startswith(prefix)}


def labels_of(
    project: str,
    metric_type: str,
    resource_type: str,
    resource_labels: Mapping[str, str],
    metric_labels: Mapping[str, str],
) -> Labels:
    """The identity of a series; its resource always has a label ``project_id``."""
    fields = {"project": project, "metric.type": metric_type, "resource.type": resource_type}
    fields |= {f"resource.labels.{name}": value for name, value in {"project_id": project, **resource_labels}.items()}
    fields |= {f"metric.labels.{name}": value for name, value in metric_labels.items()}
    return Labels(tuple(sorted(fields.items())))


@dataclass
class Series:
    """One series: since when it has which value (None for no points), and the points that were written to it."""

    _starts: list[datetime] = field(default_factory=list)
    """Since when it has each of the values below, oldest first."""
    _values: list[float | None] = field(default_factory=list)
    written: list[Point] = field(default_factory=list)
    """Oldest first, as they must be written in order."""

    def set_value(self, since: datetime, value: float | None) -> None:
        """Let it have this value from a moment on, until the next one that is known. Values may come in any order."""
        place = bisect.bisect_left(self._starts, since)
        if place < len(self._starts) and self._starts[place] == since:
            self._values[place] = value
            return
        self._starts.insert(place, since)
        self._values.insert(place, value)

    def points(self, start: datetime, end: datetime) -> list[Point]:
        """The points after ``start`` up to ``end``, oldest first; one that was written counts before a sample."""
        first, last = (bisect.bisect_right(self.written, moment, key=_when) for moment in (start, end))
        samples = self._samples(start, end)
        return sorted((samples | dict(self.written[first:last])).items()) if first < last else list(samples.items())

    def _samples(self, start: datetime, end: datetime) -> dict[datetime, float]:
        """One point on each full minute at which there is a value, oldest first."""
        if not self._starts:
            return {}
        at = max(start, self._starts[0] - SAMPLE).replace(second=0, microsecond=0) + SAMPLE
        place = bisect.bisect_right(self._starts, at)
        found = {}
        while at <= end:
            while place < len(self._starts) and self._starts[place] <= at:
                place += 1
            value = self._values[place - 1] if place else None
            if value is not None:
                found[at] = value
            at += SAMPLE
        return found


def _when(point: Point) -> datetime:
    return point[0]


def check_aggregation(aggregation: monitoring_v3.Aggregation) -> None:
    """Raise INVALID_ARGUMENT for what the service refuses, UNIMPLEMENTED for what is not served here."""
    aligner, reducer = aggregation.per_series_aligner, aggregation.cross_series_reducer
    if aligner == Aligner.ALIGN_NONE:
        if reducer != Reducer.REDUCE_NONE:
            raise invalid("aggregation.perSeriesAligner must be set for a crossSeriesReducer.")
        return
    if aligner not in _ALIGNERS or reducer not in {*_REDUCERS, Reducer.REDUCE_NONE}:
        raise ApiError(grpc.StatusCode.UNIMPLEMENTED, f"{aligner!r} with {reducer!r} is not served by the local cloud")
    if aggregation.alignment_period < SHORTEST_PERIOD:
        raise invalid("aggregation.alignmentPeriod must be at least 60 seconds.")


def aggregated(found: PointsByLabels, aggregation: monitoring_v3.Aggregation, end: datetime) -> PointsByLabels:
    """The series as a request for an interval up to ``end`` aggregates them, the points oldest first."""
    if aggregation.per_series_aligner == Aligner.ALIGN_NONE:
        return found
    align, period = _ALIGNERS[aggregation.per_series_aligner], aggregation.alignment_period
    series = {labels: aligned(points, period, end, align) for labels, points in found.items()}
    if aggregation.cross_series_reducer == Reducer.REDUCE_NONE:
        return series
    kept = {"project", "metric.type", "resource.type", "resource.labels.project_id"}
    kept |= {selector(name) for name in aggregation.group_by_fields}
    groups: dict[Labels, list[Point]] = {}
    for labels, points in series.items():
        group = Labels(tuple(one for one in labels.fields if one[0] in kept))
        groups.setdefault(group, []).extend(points)
    reduce = _REDUCERS[aggregation.cross_series_reducer]
    return {labels: _combined(points, reduce) for labels, points in groups.items()}


def aligned(points: Iterable[Point], period: timedelta, end: datetime, align: _Combine) -> list[Point]:
    """One point for each period that has any, at its end; the periods are counted back from the interval's end."""
    return _combined([(end - (end - when) // period * period, value) for when, value in points], align)


def value_type_after(aggregation: monitoring_v3.Aggregation, before: "ValueType") -> "ValueType":
    """The type of the values of an aggregated series: that of the metric, unless they are counted or averaged."""
    aligner, reducer = aggregation.per_series_aligner, aggregation.cross_series_reducer
    done = [combine for combine in (_ALIGNERS.get(aligner), _REDUCERS.get(reducer)) if combine]
    types = [before, *(_TYPES[combine] for combine in done if combine in _TYPES)]
    return types[-1]


def _combined(points: Iterable[Point], combine: _Combine) -> list[Point]:
    """One point for each time, oldest first."""
    values: dict[datetime, list[float]] = {}
    for when, value in points:
        values.setdefault(when, []).append(value)
    return [(when, combine(found)) for when, found in sorted(values.items())]
