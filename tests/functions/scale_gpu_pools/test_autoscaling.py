"""The autoscaling of a node pool: words that a person reads, and that lose nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec.structs import replace

from functions.scale_gpu_pools.autoscaling import Autoscaling, is_same, read_autoscaling

EACH = Autoscaling(enabled=True, min_node_count=1, max_node_count=4, location_policy="BALANCED")
IN_ALL = Autoscaling(enabled=True, total_min_node_count=0, total_max_node_count=12, location_policy="ANY")

policies = some.sampled_from(["", "ANY", "BALANCED"])
nodes = some.integers(0, 1000)
each_zone = some.builds(
    Autoscaling,
    enabled=some.just(value=True),
    min_node_count=nodes,
    max_node_count=nodes,
    location_policy=policies,
    autoprovisioned=some.booleans(),
)
in_all = some.builds(
    Autoscaling,
    enabled=some.just(value=True),
    total_min_node_count=nodes,
    total_max_node_count=some.integers(1, 1000),
    location_policy=policies,
    autoprovisioned=some.booleans(),
)
some_autoscaling = some.one_of(each_zone, in_all, some.just(Autoscaling()))


@pytest.mark.parametrize(
    ("autoscaling", "words"),
    [
        (Autoscaling(), "off"),
        (EACH, "1 to 4 nodes in each zone, BALANCED"),
        (replace(EACH, location_policy=""), "1 to 4 nodes in each zone"),
        (IN_ALL, "0 to 12 nodes in all, ANY"),
        (replace(EACH, autoprovisioned=True), "1 to 4 nodes in each zone, BALANCED, autoprovisioned"),
        (replace(IN_ALL, location_policy="", autoprovisioned=True), "0 to 12 nodes in all, autoprovisioned"),
        (Autoscaling(enabled=True), "0 to 0 nodes in each zone"),
    ],
)
def test_in_words(autoscaling: Autoscaling, words: str) -> None:
    assert str(autoscaling) == words
    assert read_autoscaling(words) == autoscaling


def test_what_was_said_before_it_was_turned_off_is_not_kept() -> None:
    assert str(replace(EACH, enabled=False)) == "off"


@given(some_autoscaling)
def test_words_lose_nothing(autoscaling: Autoscaling) -> None:
    assert read_autoscaling(str(autoscaling)) == autoscaling


@given(some_autoscaling, some_autoscaling)
def test_what_differs_reads_differently(one: Autoscaling, other: Autoscaling) -> None:
    assert (str(one) == str(other)) == (one == other)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "on",
        "OFF",
        "off ",
        "4",
        "1 to 4 nodes",
        "1 to 4 nodes in each zone,",
        "1 to 4 nodes in each zone, balanced",
        "1 to 4 nodes in each zone, BALANCED, ANY",
        "1 to 4 nodes in each zone, autoprovisioned, BALANCED",
        "-1 to 4 nodes in each zone",
        "1 to 4 nodes in all\n",
        "a 1 to 4 nodes in all",
    ],
)
def test_words_that_say_no_autoscaling_are_refused(words: str) -> None:
    with pytest.raises(ValueError, match="is no autoscaling of a node pool") as error:
        read_autoscaling(words)
    assert str(error.value).startswith(repr(words))


@given(some_autoscaling, policies)
def test_a_policy_that_gke_fills_in_is_no_difference(autoscaling: Autoscaling, policy: str) -> None:
    unsaid = replace(autoscaling, location_policy="")
    filled_in = replace(autoscaling, location_policy=policy if autoscaling.enabled else "")
    assert is_same(str(filled_in), str(unsaid))


@pytest.mark.parametrize(
    ("found", "original"),
    [
        (EACH, replace(EACH, location_policy="ANY")),
        (replace(EACH, location_policy=""), EACH),
        (replace(EACH, max_node_count=40), replace(EACH, location_policy="")),
        (replace(EACH, location_policy="", autoprovisioned=True), replace(EACH, location_policy="")),
        (IN_ALL, EACH),
        (Autoscaling(), EACH),
        (EACH, Autoscaling()),
    ],
)
def test_any_other_difference_is_one(found: Autoscaling, original: Autoscaling) -> None:
    assert not is_same(str(found), str(original))
