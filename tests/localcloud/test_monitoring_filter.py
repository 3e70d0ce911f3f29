"""The filters of Cloud Monitoring. There is no emulator, so nothing but the documentation checks these."""

import re

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.core.server import ApiError
from localcloud.monitoring.filter import parse_filter, selector

METRIC = 'metric.type = "kubernetes.io/container/restart_count"'
SERIES = {
    "project": "my-product",
    "metric.type": "kubernetes.io/container/restart_count",
    "metric.labels.http2": "on",
    "metric.labels.responseCode": "500",
    "resource.type": "k8s_container",
    "resource.labels.location": "europe-west4",
    "resource.labels.cluster_name": 'say "hi" \\o/',
}


def passes(text: str) -> bool:
    return all(one.holds(SERIES) for one in parse_filter(text))


@pytest.mark.parametrize(
    ("comparison", "holds"),
    [
        ('project = "my-product"', True),
        ('project = "other"', False),
        ('resource.type = "k8s_container"', True),
        ('resource.type="k8s_container"', True),
        ('resource.type = "k8s"', False),
        ('resource.labels.location = "europe-west4"', True),
        ('resource.label.location = "europe-west4"', True),
        ('resource.labels.location = "EUROPE-WEST4"', False),
        ('resource.labels.location != "europe-west4"', False),
        ('resource.labels.location != "us-east1"', True),
        ('metric.labels.http2 = "on"', True),
        ('metric.label.responseCode = "500"', True),
        ('metric.labels.absent = "x"', False),
        ('metric.labels.absent != "x"', True),
        ('metric.labels.absent = ""', True),
        ('resource.labels.location = starts_with("europe-")', True),
        ('resource.labels.location = starts_with("us-")', False),
        ('resource.labels.location != starts_with("us-")', True),
        ('resource.labels.location = ends_with("west4")', True),
        ('resource.labels.location = ends_with("west1")', False),
        ('resource.labels.location = has_substring("pe-we")', True),
        ('resource.labels.location = has_substring("us")', False),
        ('resource.labels.location = one_of("us-east1", "europe-west4")', True),
        ('resource.labels.location = one_of( "us-east1" ,"us-west1" )', False),
        ('resource.labels.location = monitoring.regex.full_match("europe-west[0-9]")', True),
        ('resource.labels.location = monitoring.regex.full_match("europe")', False),
        (r'resource.labels.location = monitoring.regex.full_match("\\w+-west4")', True),
        (r'resource.labels.cluster_name = "say \"hi\" \\o/"', True),
        (r'resource.labels.cluster_name = has_substring("(\"")', False),
        ('resource.labels.cluster_name = "AND"', False),
    ],
)
@pytest.mark.parametrize("form", ["{} AND {}", "{} {}", "  {}\n AND\t{} "])
def test_what_a_filter_lets_pass(comparison: str, holds: bool, form: str) -> None:  # noqa: FBT001 - a parameter of the test
    assert passes(form.format(METRIC, comparison)) is holds
    assert passes(form.format(comparison, METRIC)) is holds


def test_all_comparisons_have_to_hold() -> None:
    first, second = 'resource.type = "k8s_container"', 'resource.labels.location = "us-east1"'
    assert passes(f"{METRIC} AND {first}")
    assert not passes(f"{METRIC} AND {first} AND {second}")
    assert not passes(f"{METRIC} AND {second} {first}")
    assert not passes('metric.type = "kubernetes.io/container"')


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        'resource.type = "k8s_container"',
        f"{METRIC} AND {METRIC}",
        'metric.type = starts_with("kubernetes.io/")',
        'metric.type = one_of("kubernetes.io/container/restart_count")',
        'metric.type != "kubernetes.io/container/restart_count"',
    ],
)
def test_a_filter_names_exactly_one_metric_type(text: str) -> None:
    with pytest.raises(ApiError, match="exactly one metric type") as caught:
        parse_filter(text)
    assert caught.value.code == grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "rest",
    [
        "AND",
        "AND ",
        "AND AND project = 'x'",
        'OR project = "my-product"',
        'AND (project = "my-product")',
        'AND NOT project = "my-product"',
        'and project = "my-product"',
        'ANDproject = "my-product"',
        'AND -project = "my-product"',
        "AND project",
        "AND project =",
        "AND project = my-product",
        "AND project = 'my-product'",
        'AND project = "unended',
        'AND project == "my-product"',
        'AND project > "a"',
        'AND project : "my"',
        'AND group.id = "1"',
        'AND metadata.system_labels.name = "x"',
        'AND resource.labels = "x"',
        'AND resource.labels. = "x"',
        'AND resource.labels.a.b = "x"',
        'AND resource.labels.2a = "x"',
        'AND metric.labels."a" = "x"',
        "AND metric.labels.code = 500",
        "AND project = starts_with()",
        "AND project = starts_with(my)",
        'AND project = starts_with("my"',
        'AND project = starts_with("my", "your")',
        'AND project = starts_with("my" "your")',
        'AND project = one_of("my",)',
        'AND project = has_substring("MY", true)',
        'AND project = monitoring.regex.full_match("(")',
        'AND project = like("my")',
        r'AND project = "\n"',
        'AND project = "a"resource.type = "b"',
    ],
)
def test_what_is_not_understood_is_refused(rest: str) -> None:
    with pytest.raises(ApiError, match=r"is not understood|no regular expression") as caught:
        parse_filter(f"{METRIC} {rest}")
    assert caught.value.code == grpc.StatusCode.INVALID_ARGUMENT


def test_selectors_of_groups_are_those_of_filters() -> None:
    assert selector("resource.label.zone") == selector("resource.labels.zone") == "resource.labels.zone"
    # Only the field is called labels: a key may be anything.
    assert selector("metric.labels.label") == selector("metric.label.label") == "metric.labels.label"
    with pytest.raises(ApiError):
        selector("zone")


@given(value=st.text(max_size=20), other=st.text(max_size=20))
def test_any_text_can_be_quoted(value: str, other: str) -> None:
    quoted = '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'
    _, *comparisons = parse_filter(f"{METRIC} resource.labels.a = {quoted} AND resource.labels.a = one_of({quoted})")
    assert all(one.holds({"resource.labels.a": value}) for one in comparisons)
    assert all(one.holds({"resource.labels.a": other}) is (other == value) for one in comparisons)


@given(rest=st.text(alphabet='project.labels=!" ANDone_of(),\\x', max_size=40))
def test_any_text_is_a_filter_or_refused(rest: str) -> None:
    refusals = []
    try:
        assert passes(f"{METRIC} {rest}") in {True, False}
    except ApiError as error:
        refusals.append(error.code)
    assert set(refusals) <= {grpc.StatusCode.INVALID_ARGUMENT}
