"""Names: within Cloud Run's limits, stable, and unique."""

import re

from hypothesis import given
from hypothesis import strategies as st

from functions.manage_previews.names import LONGEST_SERVICE, key_of, package_of, parts_of, service_id

BASE = st.text("abz09-", max_size=47).map(lambda middle: f"a{middle}z")
NUMBER = st.integers(1, 10**9)


def test_names() -> None:
    assert service_id("my-product", 1) == "my-product-pr-1"
    assert service_id("my-product", 12) == "my-product-pr-12"
    long = service_id("a-service-with-a-name-as-long-as-they-come-here-x", 12345)
    assert re.fullmatch(r"a-service-with-a-name-as-lon-[0-9a-f]{8}-pr-12345", long)
    assert package_of("europe-west1-docker.pkg.dev/my-product/images/team/api") == (
        "projects/my-product/locations/europe-west1/repositories/images/packages/team%2Fapi"
    )


@given(BASE, NUMBER)
def test_a_name_is_one_that_cloud_run_takes(base: str, number: int) -> None:
    assert re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", service_id(base, number))
    assert len(service_id(base, number)) <= LONGEST_SERVICE


@given(BASE, NUMBER, BASE, NUMBER)
def test_two_pull_requests_never_share_one(base: str, number: int, other_base: str, other_number: int) -> None:
    is_same = (base, number) == (other_base, other_number)
    assert (service_id(base, number) == service_id(other_base, other_number)) == is_same


@given(NUMBER)
def test_a_key_can_be_read(number: int) -> None:
    assert parts_of(key_of("my-team/my-product", number)) == ("my-team/my-product", number)
