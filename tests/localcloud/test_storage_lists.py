"""Lists of Cloud Storage on the local cloud: complete, in order, page by page, and only the fields that are wanted."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from google.cloud.storage import Client
from hypothesis import given
from hypothesis import strategies as st

from localcloud import LocalCloud
from localcloud.world import WorldError, seed, world_from
from shared.errors import SettingsError
from tests.localcloud.storage_client import storage_client

pytestmark = pytest.mark.one_python

NOW = datetime(2026, 11, 1, 2, 30, tzinfo=UTC)
LIST = "/storage.googleapis.com/storage/v1/b/my-backups/o"
NAMES = st.sets(st.text(st.sampled_from("ab/ü☃\U0001f600 "), min_size=1, max_size=6), max_size=12)


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=NOW) as cloud:
        yield cloud


@pytest.fixture
def client(cloud: LocalCloud) -> Iterator[Client]:
    with storage_client(cloud) as client:
        yield client


def filled(cloud: LocalCloud, *names: str) -> None:
    cloud.storage.add_bucket("my-product", "my-backups")
    for name in names:
        cloud.storage.add_object("my-backups", name, b"x")


def asked(cloud: LocalCloud, **parameters: object) -> dict[str, Any]:
    """The answer to one request, without a wire."""
    answer = cloud.http.answer("GET", f"{LIST}?{urlencode(parameters)}", b"")
    found: dict[str, Any] = json.loads(answer.body)
    return found


def pages(cloud: LocalCloud, **parameters: object) -> list[dict[str, Any]]:
    found = [asked(cloud, **parameters)]
    while token := found[-1].get("nextPageToken"):
        found.append(asked(cloud, pageToken=token, **parameters))
    return found


@given(NAMES, st.text(st.sampled_from("ab/"), max_size=2), st.sampled_from(["", "/", "a"]), st.integers(1, 4))
def test_pages_together_are_the_whole(names: set[str], prefix: str, delimiter: str, size: int) -> None:
    cloud = LocalCloud(now=NOW)
    filled(cloud, *names)
    found = pages(cloud, prefix=prefix, delimiter=delimiter, maxResults=size)
    rests = {name: name[len(prefix) :] for name in names if name.startswith(prefix)}
    folded = {
        prefix + rest.partition(delimiter)[0] + delimiter for rest in rests.values() if delimiter and delimiter in rest
    }
    single = [name for name, rest in rests.items() if not delimiter or delimiter not in rest]
    listed = [item["name"] for page in found for item in page.get("items", ())]
    assert listed == sorted(single, key=str.encode)
    assert [one for page in found for one in page.get("prefixes", ())] == sorted(folded, key=str.encode)
    assert all(len(page.get("items", ())) + len(page.get("prefixes", ())) <= size for page in found)


def test_a_deletion_between_two_pages_skips_nothing(cloud: LocalCloud) -> None:
    filled(cloud, *"abcde")
    first = asked(cloud, maxResults=2)
    for name in "abc":
        cloud.http.answer("DELETE", f"{LIST}/{name}", b"")
    rest = asked(cloud, pageToken=first["nextPageToken"])
    assert [item["name"] for item in first["items"] + rest["items"]] == list("abde")


def test_a_page_has_at_most_a_thousand(cloud: LocalCloud) -> None:
    filled(cloud, *(f"{number:05d}" for number in range(1001)))
    assert [len(page["items"]) for page in pages(cloud, maxResults=5000)] == [1000, 1]
    assert [len(page["items"]) for page in pages(cloud)] == [1000, 1]


def test_offsets_and_trailing_delimiters(cloud: LocalCloud) -> None:
    filled(cloud, "a/", "a/1", "b", "c", "d")
    assert [item["name"] for item in asked(cloud, startOffset="a/1", endOffset="d")["items"]] == ["a/1", "b", "c"]
    found = asked(cloud, delimiter="/", includeTrailingDelimiter="true")
    assert ([item["name"] for item in found["items"]], found["prefixes"]) == (["a/", "b", "c", "d"], ["a/"])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("items(name,generation),nextPageToken", {"items": [{"name": "a", "generation": "1793500200000000"}]}),
        ("items/name", {"items": [{"name": "a"}]}),
        ("kind,prefixes", {"kind": "storage#objects"}),
        ("items(name,metadata/keep)", {"items": [{"name": "a", "metadata": {"keep": "1"}}]}),
        ("nextPageToken", {}),
    ],
)
def test_only_the_fields_that_are_wanted(cloud: LocalCloud, fields: str, expected: object) -> None:
    cloud.storage.add_bucket("my-product", "my-backups")
    cloud.storage.add_object("my-backups", "a", b"", {"metadata": {"keep": "1", "other": "2"}})
    assert asked(cloud, fields=fields) == expected


@pytest.mark.parametrize(
    "parameters",
    [
        {"maxResults": 0},
        {"maxResults": "many"},
        {"maxResults": -1},
        {"pageToken": "???"},
        {"pageToken": "aGVsbG8="},
        {"fields": "items(colour)"},
        {"fields": "items("},
        {"versions": "maybe"},
        {"versions": "true", "softDeleted": "true"},
        {"colour": "red"},
    ],
)
def test_what_is_malformed_is_refused(cloud: LocalCloud, parameters: dict[str, object]) -> None:
    filled(cloud, "a")
    assert asked(cloud, **parameters)["error"]["code"] == 400


def test_a_bucket_that_is_not_there(cloud: LocalCloud) -> None:
    error = asked(cloud)["error"]
    assert (error["code"], error["errors"][0]["reason"], error["message"]) == (
        404,
        "notFound",
        "The specified bucket does not exist.",
    )


WORLD = {
    "projects": {
        "my-product": {
            "buckets": {
                "my-backups": {
                    "soft_delete_seconds": 0,
                    "retention_seconds": 3600,
                    "fields": {"labels": {"team": "shop"}},
                    "objects": {
                        "notes.txt": {"content": "hello", "metadata": {"a": "b"}, "temporary_hold": True},
                        "old": {"created": "2026-01-01T00:00:00Z", "fields": {"customTime": "2026-01-01T00:00:00Z"}},
                    },
                    "series": [
                        {
                            "name": "shop/%Y-%m-%dT%H%M%SZ.dump",
                            "first": "2026-09-02T04:00:00+02:00",
                            "count": 60,
                            "size": 1_000_000,
                            "metadata": {"caretaker-verified": "yes"},
                        }
                    ],
                }
            }
        }
    }
}


def test_buckets_of_a_world(cloud: LocalCloud, client: Client) -> None:
    seed(cloud, world_from(WORLD))
    assert cloud.server.calls == []
    bucket = client.get_bucket("my-backups")
    assert (bucket.labels, bucket.retention_period) == ({"team": "shop"}, 3600)
    assert bucket.soft_delete_policy.retention_duration_seconds == 0
    blobs = {blob.name: blob for blob in bucket.list_blobs()}
    assert len(blobs) == 62
    night = blobs["shop/2026-10-31T020000Z.dump"]
    assert (night.size, night.time_created) == (1_000_000, NOW.replace(day=31, month=10, minute=0))
    assert night.metadata == {"caretaker-verified": "yes"}
    assert blobs["shop/2026-09-02T020000Z.dump"].time_created == night.time_created - timedelta(days=59)
    notes = blobs["notes.txt"]
    assert (notes.download_as_bytes(), notes.metadata, notes.temporary_hold) == (b"hello", {"a": "b"}, True)
    assert (blobs["old"].time_created.year, blobs["old"].custom_time.month) == (2026, 1)


@pytest.mark.parametrize(
    ("bucket", "said"),
    [
        ({"objects": {"a\nb": {}}}, "projects.my-product.buckets.my-backups.objects.a\nb; Disallowed"),
        ({"objects": {"a": {"content": "x", "size": 3}}}, "content, size: say one of them"),
        ({"soft_delete_seconds": 5}, "projects.my-product.buckets.my-backups; Invalid value for: softDeletePolicy"),
        (
            {"series": [{"name": "a", "first": "2026-09-01T00:00:00Z", "count": 0}]},
            "series[0].count; expected a whole number of at least 1",
        ),
        ({"colour": "red"}, "unknown key projects.my-product.buckets.my-backups.colour"),
    ],
)
def test_a_world_that_cannot_be(cloud: LocalCloud, bucket: dict[str, object], said: str) -> None:
    with pytest.raises((SettingsError, WorldError)) as error:
        seed(cloud, world_from({"projects": {"my-product": {"buckets": {"my-backups": bucket}}}}))
    assert said in str(error.value)
