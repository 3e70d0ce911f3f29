"""Cloud Monitoring's time series in the local cloud, through the official client."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from google.api import metric_pb2
from google.api_core import exceptions
from google.cloud import monitoring_v3
from hypothesis import given, settings
from hypothesis import strategies as st

from localcloud import LocalCloud
from localcloud.core.snapshot import Snapshot
from localcloud.monitoring.series import Series, aligned
from shared.clients import Clients

pytestmark = pytest.mark.one_python

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BACKLOG = "pubsub.googleapis.com/subscription/num_undelivered_messages"
LOAD = "custom.googleapis.com/load"
Aligner = monitoring_v3.Aggregation.Aligner
Reducer = monitoring_v3.Aggregation.Reducer
ValueType = metric_pb2.MetricDescriptor.ValueType
Shown = tuple[int, float]
"""A point: how many seconds after NOW, and its value."""


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=NOW) as cloud:
        yield cloud


@pytest.fixture
def metrics(cloud: LocalCloud) -> monitoring_v3.MetricServiceClient:
    return Clients("demo-project", endpoint=cloud.address).of(monitoring_v3.MetricServiceClient)


def at(minutes: float) -> datetime:
    return NOW + minutes * MINUTE


def backlog(cloud: LocalCloud, value: float | None, subscription: str = "jobs", *, minutes: float = 0) -> None:
    """From so many minutes after NOW on, so many messages wait."""
    cloud.monitoring.set_value(
        "demo-project",
        BACKLOG,
        value,
        resource_type="pubsub_subscription",
        resource_labels={"subscription_id": subscription},
        since=at(minutes),
    )


def listing(
    start: float, end: float, metric: str = BACKLOG, /, **fields: object
) -> monitoring_v3.ListTimeSeriesRequest:
    interval = {"start_time": at(start), "end_time": at(end)}
    return monitoring_v3.ListTimeSeriesRequest(
        {"name": "projects/demo-project", "filter": f'metric.type = "{metric}"', "interval": interval, **fields}
    )


def read(
    metrics: monitoring_v3.MetricServiceClient, start: float, end: float, metric: str = BACKLOG, /, **fields: object
) -> list[monitoring_v3.TimeSeries]:
    return list(metrics.list_time_series(listing(start, end, metric, **fields), retry=None))


def shown(series: monitoring_v3.TimeSeries) -> list[Shown]:
    points = []
    for point in series.points:
        assert point.interval.start_time == point.interval.end_time
        field = monitoring_v3.TypedValue.pb(point.value).WhichOneof("value")
        assert field == {ValueType.INT64: "int64_value", ValueType.DOUBLE: "double_value"}[series.value_type]
        points.append((int((point.interval.end_time - NOW).total_seconds()), getattr(point.value, field)))
    return points


def aggregation(aligner: str, reducer: str = "REDUCE_NONE", *, minutes: float = 5, by: tuple[str, ...] = ()) -> object:
    return {
        "alignment_period": minutes * MINUTE,
        "per_series_aligner": aligner,
        "cross_series_reducer": reducer,
        "group_by_fields": by,
    }


def a_point(when: datetime = NOW, host: str = "a", /, **fields: object) -> dict[str, object]:
    return {
        "metric": {"type": LOAD, "labels": {"host": host}},
        "resource": {"type": "global"},
        "points": [{"interval": {"end_time": when}, "value": {"double_value": 0.5}}],
        **fields,
    }


def write(metrics: monitoring_v3.MetricServiceClient, *series: object) -> None:
    request = monitoring_v3.CreateTimeSeriesRequest({"name": "projects/demo-project", "time_series": series})
    metrics.create_time_series(request, retry=None)


def test_a_value_shows_as_one_point_a_minute(cloud: LocalCloud, metrics: monitoring_v3.MetricServiceClient) -> None:
    backlog(cloud, 3, minutes=-3.5)
    backlog(cloud, 0, minutes=-1)
    (series,) = read(metrics, -60, 0)
    # The newest comes first, and a value counts from its moment on.
    assert shown(series) == [(0, 0), (-60, 0), (-120, 3), (-180, 3)]
    assert (series.metric.type, series.metric_kind) == (BACKLOG, metric_pb2.MetricDescriptor.MetricKind.GAUGE)
    assert series.resource.type == "pubsub_subscription"
    assert series.resource.labels == {"project_id": "demo-project", "subscription_id": "jobs"}
    cloud.clock.advance(MINUTE)
    assert shown(read(metrics, -60, 1)[0])[0] == (60, 0)


def test_an_interval_excludes_its_start_and_includes_its_end(
    cloud: LocalCloud, metrics: monitoring_v3.MetricServiceClient
) -> None:
    backlog(cloud, 3, minutes=-60)
    write(metrics, a_point(at(-2)))
    for metric, value in ((BACKLOG, 3), (LOAD, 0.5)):
        assert shown(read(metrics, -3, -2, metric)[0]) == [(-120, value)]
        assert shown(read(metrics, -2.5, -1.5, metric)[0]) == [(-120, value)]
    assert read(metrics, -2, -1.5) == read(metrics, -2, -1.5, LOAD) == []


def test_none_is_no_points(cloud: LocalCloud, metrics: monitoring_v3.MetricServiceClient) -> None:
    backlog(cloud, 3, minutes=-10)
    backlog(cloud, None, minutes=-8)
    assert shown(read(metrics, -60, 0)[0]) == [(-540, 3), (-600, 3)]
    # A series without points in the interval is not listed.
    assert read(metrics, -8, 0) == []
    backlog(cloud, None, "other")
    backlog(cloud, 1, minutes=-8)
    assert [len(series.points) for series in read(metrics, -60, 0)] == [11]


def test_what_is_young_or_in_the_future_is_not_seen(
    cloud: LocalCloud, metrics: monitoring_v3.MetricServiceClient
) -> None:
    backlog(cloud, 1, minutes=-60)
    backlog(cloud, 2, minutes=1)
    write(metrics, a_point(at(2)))
    assert shown(read(metrics, -1, 60)[0]) == [(0, 1)]
    assert read(metrics, -1, 60, LOAD) == []
    cloud.clock.advance(2 * MINUTE)
    assert shown(read(metrics, -1, 60)[0]) == [(120, 2), (60, 2), (0, 1)]
    assert shown(read(metrics, -1, 60, LOAD)[0]) == [(120, 0.5)]
    cloud.monitoring.visibility_delay = 1.5 * MINUTE
    assert shown(read(metrics, -1, 60)[0]) == [(0, 1)]


def test_whole_numbers_are_int64_until_one_is_not(
    cloud: LocalCloud, metrics: monitoring_v3.MetricServiceClient
) -> None:
    backlog(cloud, 2**60 + 1, minutes=-1)
    (series,) = read(metrics, -1, 0)
    assert (series.value_type, shown(series)) == (ValueType.INT64, [(0, 2**60 + 1)])
    backlog(cloud, 0.5, "other")
    assert [one.value_type for one in read(metrics, -1, 0)] == [ValueType.DOUBLE] * 2


@pytest.mark.parametrize(
    ("aligner", "values", "value_type"),
    [
        ("ALIGN_MAX", [4, 3], ValueType.INT64),
        ("ALIGN_MIN", [3, 1], ValueType.INT64),
        ("ALIGN_MEAN", [3.2, 2.6], ValueType.DOUBLE),
        ("ALIGN_SUM", [16, 13], ValueType.INT64),
        ("ALIGN_COUNT", [5, 5], ValueType.INT64),
        ("ALIGN_NEXT_OLDER", [4, 3], ValueType.INT64),
    ],
)
def test_points_are_aligned_at_the_ends_of_periods(
    cloud: LocalCloud,
    metrics: monitoring_v3.MetricServiceClient,
    aligner: str,
    values: list[float],
    value_type: "ValueType",
) -> None:
    for minutes, value in ((-9, 1), (-8, 3), (0, 4)):
        backlog(cloud, value, minutes=minutes)
    (series,) = read(metrics, -10, 0, aggregation=aggregation(aligner))
    assert shown(series) == list(zip([0, -300], values, strict=True))
    assert series.value_type == value_type


def test_the_next_older_point_is_the_last_of_its_period(
    cloud: LocalCloud, metrics: monitoring_v3.MetricServiceClient
) -> None:
    for minutes, value in ((-9, 5), (-6, 2), (-3, 9), (-1, 1)):
        backlog(cloud, value, minutes=minutes)
    assert shown(read(metrics, -10, 0, aggregation=aggregation("ALIGN_NEXT_OLDER"))[0]) == [(0, 1), (-300, 2)]


def test_a_period_without_points_has_none(cloud: LocalCloud, metrics: monitoring_v3.MetricServiceClient) -> None:
    backlog(cloud, 1, minutes=-12)
    backlog(cloud, None, minutes=-10)
    backlog(cloud, 2, minutes=-3)
    # Periods are counted from the end of the interval, not from round times.
    assert shown(read(metrics, -20, 0, aggregation=aggregation("ALIGN_MAX"))[0]) == [(0, 2), (-600, 1)]
    assert shown(read(metrics, -20, -0.5, aggregation=aggregation("ALIGN_COUNT"))[0]) == [(-30, 3), (-630, 2)]


@pytest.mark.parametrize(
    ("reducer", "value"),
    [("REDUCE_MAX", 6), ("REDUCE_MIN", 1), ("REDUCE_MEAN", 3), ("REDUCE_SUM", 9), ("REDUCE_COUNT", 3)],
)
def test_series_are_reduced(
    cloud: LocalCloud, metrics: monitoring_v3.MetricServiceClient, reducer: str, value: float
) -> None:
    for subscription, messages in (("a", 1), ("b", 2), ("c", 6)):
        backlog(cloud, messages, subscription, minutes=-9)
    backlog(cloud, None, "a", minutes=-5)
    backlog(cloud, None, "b", minutes=-4)
    (series,) = read(metrics, -5, 0, aggregation=aggregation("ALIGN_MAX", reducer))
    assert shown(series) == [(0, 6 if reducer != "REDUCE_COUNT" else 1)]
    (series,) = read(metrics, -10, -5, aggregation=aggregation("ALIGN_MAX", reducer))
    assert shown(series) == [(-300, value)]
    # What the series do not have in common is gone.
    assert series.resource.labels == {"project_id": "demo-project"}
    assert series.value_type == (ValueType.DOUBLE if reducer == "REDUCE_MEAN" else ValueType.INT64)


def test_groups_keep_their_fields(cloud: LocalCloud, metrics: monitoring_v3.MetricServiceClient) -> None:
    for host, zone, value in (("a", "x", 1), ("b", "x", 2), ("c", "y", 4)):
        cloud.monitoring.set_value(
            "demo-project",
            LOAD,
            value,
            resource_type="gce_instance",
            resource_labels={"zone": zone},
            metric_labels={"host": host},
        )

    def groups(*fields: str) -> list[tuple[dict[str, str], dict[str, str], float]]:
        asked = aggregation("ALIGN_MAX", "REDUCE_SUM", by=fields)
        found = read(metrics, -5, 0, LOAD, aggregation=asked)
        return [(dict(one.resource.labels), dict(one.metric.labels), shown(one)[0][1]) for one in found]

    project = {"project_id": "demo-project"}
    assert groups() == [(project, {}, 7)]
    assert groups("resource.label.zone") == [(project | {"zone": "x"}, {}, 3), (project | {"zone": "y"}, {}, 4)]
    assert len(groups("metric.labels.host", "resource.type")) == 3
    assert groups("metric.labels.absent") == groups()
    with pytest.raises(exceptions.InvalidArgument, match="'zone' is not understood"):
        groups("zone")
    # Series of different resources are never reduced to one.
    cloud.monitoring.set_value("demo-project", LOAD, 8, resource_type="global", resource_labels={})
    assert [value for _, _, value in groups()] == [7, 8]


def test_a_filter_chooses_series_of_the_project(cloud: LocalCloud, metrics: monitoring_v3.MetricServiceClient) -> None:
    for subscription in ("a", "b"):
        backlog(cloud, 1, subscription)
    cloud.monitoring.set_value("other-project", BACKLOG, 1, resource_type="pubsub_subscription", resource_labels={})
    chosen = f'metric.type = "{BACKLOG}" AND resource.labels.subscription_id = one_of("b", "c")'
    assert [one.resource.labels["subscription_id"] for one in read(metrics, -1, 0, filter=chosen)] == ["b"]
    chosen = f'metric.type = "{BACKLOG}" resource.labels.project_id = "other-project"'
    assert read(metrics, -1, 0, filter=chosen) == []
    assert len(read(metrics, -1, 0, filter=chosen, name="projects/other-project")) == 1
    assert read(metrics, -1, 0, "custom.googleapis.com/none") == []


def test_pages_count_points(cloud: LocalCloud, metrics: monitoring_v3.MetricServiceClient) -> None:
    for subscription in ("a", "b"):
        backlog(cloud, 1, subscription, minutes=-60)
    pages = list(metrics.list_time_series(listing(-3, 0, page_size=4), retry=None).pages)
    assert [[shown(series) for series in page.time_series] for page in pages] == [
        [[(0, 1), (-60, 1), (-120, 1)], [(0, 1)]],
        [[(-60, 1), (-120, 1)]],
    ]
    whole = next(metrics.list_time_series(listing(-3, 0, page_size=200_000), retry=None).pages)
    assert (len(whole.time_series), whole.next_page_token) == (2, "")
    # Between two pages a minute passes: nothing is repeated or left out.
    request = listing(-3, 60, page_size=2, page_token=pages[0].next_page_token)
    cloud.clock.advance(MINUTE)
    assert shown(next(metrics.list_time_series(request, retry=None).pages).time_series[0]) == [(-60, 1), (-120, 1)]


def test_headers_have_no_points(cloud: LocalCloud, metrics: monitoring_v3.MetricServiceClient) -> None:
    for subscription in ("a", "b", "c"):
        backlog(cloud, 1, subscription, minutes=-2)
    request = listing(-60, 0, page_size=2, view="HEADERS")
    pages = list(metrics.list_time_series(request, retry=None).pages)
    assert [[one.resource.labels["subscription_id"] for one in page.time_series] for page in pages] == [
        ["a", "b"],
        ["c"],
    ]
    assert not any(one.points for page in pages for one in page.time_series)
    assert read(metrics, -60, -3, view="HEADERS") == []


def test_sixty_days_are_read_at_once(cloud: LocalCloud, metrics: monitoring_v3.MetricServiceClient) -> None:
    days = 24 * 60
    backlog(cloud, 1, minutes=-58 * days)
    backlog(cloud, None, minutes=-57 * days)
    backlog(cloud, 2, minutes=-1)
    (series,) = read(metrics, -60 * days, 0, aggregation=aggregation("ALIGN_COUNT", minutes=days))
    assert shown(series) == [(0, 2), (-57 * days * 60, 1439), (-58 * days * 60, 1)]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "demo-project"}, "projects/PROJECT"),
        ({"name": "projects/"}, "projects/PROJECT"),
        ({"name": "folders/1"}, "projects/PROJECT"),
        ({"filter": ""}, "exactly one metric type"),
        ({"interval": {"end_time": NOW}}, "must be set"),
        ({"interval": {"start_time": NOW}}, "must be set"),
        ({"interval": {"start_time": NOW, "end_time": NOW}}, "earlier"),
        ({"interval": {"start_time": at(1), "end_time": NOW}}, "earlier"),
        ({"order_by": "points"}, "left blank"),
        ({"page_size": -1}, "page_size"),
        ({"page_token": "§"}, "page_token"),
        ({"aggregation": aggregation("ALIGN_MAX", minutes=0.99)}, "at least 60 seconds"),
        ({"aggregation": {"per_series_aligner": "ALIGN_MAX"}}, "at least 60 seconds"),
        ({"aggregation": {"cross_series_reducer": "REDUCE_MAX"}}, "perSeriesAligner must be set"),
    ],
)
def test_what_monitoring_refuses_to_list(
    metrics: monitoring_v3.MetricServiceClient, fields: dict[str, object], message: str
) -> None:
    with pytest.raises(exceptions.InvalidArgument, match=message):
        read(metrics, -5, 0, **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"aggregation": aggregation("ALIGN_RATE")},
        {"aggregation": aggregation("ALIGN_MAX", "REDUCE_STDDEV")},
        {"aggregation": aggregation("ALIGN_MAX"), "secondary_aggregation": aggregation("ALIGN_MAX")},
        {"interval": {"start_time": NOW - timedelta(days=61), "end_time": NOW}},
    ],
)
def test_what_is_not_served_is_said(metrics: monitoring_v3.MetricServiceClient, fields: dict[str, object]) -> None:
    with pytest.raises(exceptions.MethodNotImplemented):
        read(metrics, -5, 0, **fields)


def test_what_is_written_is_read(metrics: monitoring_v3.MetricServiceClient) -> None:
    write(metrics, a_point(at(-2), "a"), a_point(at(-2.01), "b", resource={"type": "global", "labels": {"x": "y"}}))
    write(metrics, a_point(at(-1), "a", points=[{"interval": {"end_time": at(-1)}, "value": {"double_value": -1.5}}]))
    first, second = read(metrics, -60, 0, LOAD)
    assert (shown(first), shown(second)) == ([(-60, -1.5), (-120, 0.5)], [(-120, 0.5)])
    assert [dict(one.metric.labels) for one in (first, second)] == [{"host": "a"}, {"host": "b"}]
    # With the project among the labels it is the same series.
    named = {"type": "global", "labels": {"project_id": "demo-project"}}
    write(metrics, a_point(at(0), "a", resource=named))
    assert [len(series.points) for series in read(metrics, -60, 0, LOAD)] == [3, 1]


@pytest.mark.parametrize("minutes", [-25 * 60 - 0.1, 5.1, -3, -3 + 0.5 / 60_000])
def test_points_come_in_order_and_in_time(metrics: monitoring_v3.MetricServiceClient, minutes: float) -> None:
    write(metrics, a_point(at(-3)))
    with pytest.raises(exceptions.InvalidArgument, match=r"could not be written: Points must be .*: timeSeries\[1\]"):
        write(metrics, a_point(at(-1), "b"), a_point(at(minutes)))
    # What could be written is.
    assert [shown(series) for series in read(metrics, -60, 0, LOAD)] == [[(-180, 0.5)], [(-60, 0.5)]]


@pytest.mark.parametrize("minutes", [-25 * 60, 5, -3 + 1 / 60_000])
def test_the_limits_of_order_and_time(
    cloud: LocalCloud, metrics: monitoring_v3.MetricServiceClient, minutes: float
) -> None:
    write(metrics, a_point(at(-3), "a" if minutes > -3 else "b"))
    write(metrics, a_point(at(minutes), "a"))
    cloud.clock.advance(5 * MINUTE)
    assert sum(len(series.points) for series in read(metrics, -2000, 60, LOAD)) == 2


def test_a_set_value_counts_as_points(cloud: LocalCloud, metrics: monitoring_v3.MetricServiceClient) -> None:
    cloud.monitoring.set_value(
        "demo-project", LOAD, 2.0, resource_type="global", resource_labels={}, metric_labels={"host": "a"}
    )
    with pytest.raises(exceptions.InvalidArgument, match="written in order"):
        write(metrics, a_point(NOW))
    write(metrics, a_point(at(1)))
    cloud.clock.advance(2 * MINUTE)
    # Of two for one moment the one that was written is shown.
    assert shown(read(metrics, -1, 2, LOAD)[0]) == [(120, 2), (60, 0.5), (0, 2)]


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ([], "1 to 200"),
        ([a_point(NOW, "good"), a_point(NOW, "bad", points=[])], r"timeSeries\[1\].points"),
        ([a_point(NOW, str(number)) for number in range(201)], "1 to 200"),
        ([a_point(), a_point()], r"timeSeries\[1\] .* a point already"),
        ([a_point(points=[])], "exactly one point"),
        ([a_point(points=[*a_point()["points"], *a_point(at(1))["points"]])], "exactly one point"),  # type: ignore[misc]
        ([a_point(points=[{"value": {"double_value": 1}}])], "endTime .* must be set"),
        ([a_point(points=[{"interval": {"end_time": NOW}}])], "value .* must be set"),
        (
            [a_point(points=[{"interval": {"start_time": at(-1), "end_time": NOW}, "value": {"double_value": 1}}])],
            "must be the same",
        ),
        ([a_point(metric={})], "metric.type"),
        ([a_point(resource={})], "resource.type"),
        ([a_point(value_type="INT64")], "type of custom"),
        ([a_point(points=[{"interval": {"end_time": NOW}, "value": {"int64_value": 1}}])], "type of custom"),
    ],
)
def test_what_monitoring_refuses_to_write(
    metrics: monitoring_v3.MetricServiceClient, series: list[object], message: str
) -> None:
    write(metrics, a_point(at(-2), "known"))
    with pytest.raises(exceptions.InvalidArgument, match=message):
        write(metrics, *series)
    # Of a request that is malformed nothing is written.
    assert [one.metric.labels["host"] for one in read(metrics, -60, 0, LOAD)] == ["known"]


def test_one_request_has_one_type_for_a_metric(metrics: monitoring_v3.MetricServiceClient) -> None:
    whole = a_point(NOW, "b", points=[{"interval": {"end_time": NOW}, "value": {"int64_value": 1}}])
    with pytest.raises(exceptions.InvalidArgument, match=r"timeSeries\[1\].* type of custom"):
        write(metrics, a_point(), whole)
    # It was malformed, so the metric's type is still open.
    write(metrics, whole)
    assert read(metrics, -1, 0, LOAD)[0].value_type == ValueType.INT64


@pytest.mark.parametrize(
    "fields",
    [
        {"metric_kind": "CUMULATIVE"},
        {"points": [{"interval": {"end_time": NOW}, "value": {"bool_value": True}}]},
        {"points": [{"interval": {"end_time": NOW}, "value": {"string_value": "x"}}]},
    ],
)
def test_only_gauges_of_numbers_are_written(
    metrics: monitoring_v3.MetricServiceClient, fields: dict[str, object]
) -> None:
    with pytest.raises(exceptions.MethodNotImplemented):
        write(metrics, a_point(**fields))


def test_a_snapshot_puts_series_back(cloud: LocalCloud, metrics: monitoring_v3.MetricServiceClient) -> None:
    backlog(cloud, 1, minutes=-1)
    write(metrics, a_point(at(-1)))
    snapshot = Snapshot(cloud)
    for _ in range(2):
        backlog(cloud, 2.5)
        backlog(cloud, 7, "other")
        write(metrics, a_point(NOW))
        cloud.monitoring.visibility_delay = MINUTE
        cloud.clock.advance(10 * MINUTE)
        snapshot.restore()
        (series,) = read(metrics, -60, 60)
        assert (shown(series), series.value_type) == ([(0, 1), (-60, 1)], ValueType.INT64)
        assert [shown(one) for one in read(metrics, -60, 60, LOAD)] == [[(-60, 0.5)]]


times = st.integers(min_value=1, max_value=10**10).map(lambda number: NOW - timedelta(microseconds=number - 1))
points = st.dictionaries(times, st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=12)
periods = st.integers(min_value=60, max_value=10_000).map(lambda seconds: timedelta(seconds=seconds))


@settings(max_examples=50)
@given(raw=points, period=periods)
def test_alignment_puts_each_point_into_one_period(raw: dict[datetime, float], period: timedelta) -> None:
    counts = aligned(raw.items(), period, NOW, len)
    assert sum(count for _, count in counts) == len(raw)
    for end, count in counts:
        assert (NOW - end) % period == timedelta(0)
        assert count == sum(end - period < when <= end for when in raw)
    assert [end for end, _ in counts] == sorted({end for end, _ in counts})


@settings(max_examples=50)
@given(raw=points, period=periods)
def test_aligning_keeps_the_highest_and_the_lowest(raw: dict[datetime, float], period: timedelta) -> None:
    assert max(value for _, value in aligned(raw.items(), period, NOW, max)) == max(raw.values())
    assert min(value for _, value in aligned(raw.items(), period, NOW, min)) == min(raw.values())


known_values = st.lists(st.tuples(st.integers(0, 50), st.none() | st.integers(0, 9)), max_size=12)


@given(known_values, st.dictionaries(st.integers(0, 60), st.floats(0, 9), max_size=5), st.integers(-5, 60), st.data())
def test_points_are_those_of_the_last_value_before_them(
    values: list[tuple[int, int | None]], written: dict[int, float], start: int, data: st.DataObject
) -> None:
    end = data.draw(st.integers(start, 60))
    series = Series(written=[(at(minute), value) for minute, value in sorted(written.items())])
    for minute, value in values:
        series.set_value(at(minute), value)
    latest = dict(values)  # of two values of one moment the one that was set last counts
    expected: dict[datetime, float] = {}
    for minute in range(start + 1, end + 1):
        value = latest[max(known)] if (known := [one for one in latest if one <= minute]) else None
        if minute in written or value is not None:
            expected[at(minute)] = written.get(minute, value or 0)
    assert dict(series.points(at(start), at(end))) == expected
    assert [when for when, _ in series.points(at(start), at(end))] == sorted(expected)
