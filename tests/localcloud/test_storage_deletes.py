"""Protection of objects from deletion in Cloud Storage, and the state of deleted ones, on the local cloud."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import grpc
import pytest
import requests
from google.api_core import exceptions
from google.cloud.storage import Blob, Bucket, Client
from google.cloud.storage.blob import Retention

from localcloud import LocalCloud
from tests.localcloud.storage_client import address, storage_client

pytestmark = pytest.mark.one_python

NOW = datetime(2026, 11, 1, 2, 30, tzinfo=UTC)
WEEK = timedelta(days=7)


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=NOW) as cloud:
        yield cloud


@pytest.fixture
def client(cloud: LocalCloud) -> Iterator[Client]:
    with storage_client(cloud) as client:
        yield client


@pytest.fixture
def bucket(client: Client) -> Bucket:
    made: Bucket = client.create_bucket("my-backups")
    return made


def uploaded(bucket: Bucket, name: str = "one", content: bytes = b"content") -> Blob:
    blob: Blob = bucket.blob(name)
    blob.upload_from_string(content)
    return blob


def soft_deleted(bucket: Bucket) -> dict[str, int]:
    """The generations of what can be restored, by name."""
    return {blob.name: blob.generation for blob in bucket.list_blobs(soft_deleted=True)}


@pytest.mark.parametrize("hold", ["temporary_hold", "event_based_hold"])
def test_a_hold_refuses_until_it_is_released(bucket: Bucket, hold: str) -> None:
    blob = uploaded(bucket)
    setattr(blob, hold, True)
    blob.patch()
    with pytest.raises(exceptions.Forbidden, match=r"is under active .* hold"):
        bucket.blob("one").delete()
    with pytest.raises(exceptions.Forbidden, match=r"is under active .* hold"):
        bucket.blob("one").upload_from_string(b"other")
    assert bucket.blob("one").download_as_bytes() == b"content"
    setattr(blob, hold, False)
    blob.patch()
    bucket.blob("one").delete()


def test_a_bucket_can_hold_all_that_comes(client: Client, bucket: Bucket) -> None:
    bucket.default_event_based_hold = True
    bucket.patch()
    assert uploaded(client.bucket("my-backups")).event_based_hold is True


def test_a_retention_policy_refuses_until_its_time_is_over(cloud: LocalCloud, client: Client, bucket: Bucket) -> None:
    bucket.retention_period = 86400
    bucket.patch()
    blob = uploaded(bucket)
    assert blob.retention_expiration_time == NOW + timedelta(days=1)
    cloud.clock.advance(timedelta(hours=23))
    for _ in range(2):
        with pytest.raises(exceptions.Forbidden, match="retention policy"):
            bucket.blob("one").delete()
    cloud.clock.advance(timedelta(hours=1))
    bucket.blob("one").delete()
    bucket.lock_retention_policy()
    shorter = client.get_bucket("my-backups")
    shorter.retention_period = 10
    with pytest.raises(exceptions.Forbidden):
        shorter.patch()


def test_the_period_counts_from_the_end_of_an_event_based_hold(cloud: LocalCloud, bucket: Bucket) -> None:
    bucket.retention_period = 3600
    bucket.patch()
    blob = uploaded(bucket)
    blob.event_based_hold = True
    blob.patch()
    assert blob.retention_expiration_time is None
    cloud.clock.advance(timedelta(days=1))
    blob.event_based_hold = False
    blob.patch()
    assert blob.retention_expiration_time == NOW + timedelta(days=1, hours=1)
    with pytest.raises(exceptions.Forbidden):
        blob.delete()


def test_an_object_can_have_a_retention_of_its_own(cloud: LocalCloud, client: Client) -> None:
    bucket = client.create_bucket("my-locked", enable_object_retention=True)
    blob = uploaded(bucket)
    blob.retention.mode = "Unlocked"
    blob.retention.retain_until_time = NOW + WEEK
    blob.patch()
    with pytest.raises(exceptions.Forbidden):
        bucket.blob("one").delete()
    blob.retention.retain_until_time = NOW + timedelta(days=1)
    with pytest.raises(exceptions.Forbidden, match="overrideUnlockedRetention"):
        blob.patch()
    blob.retention.mode = "Locked"
    blob.patch(override_unlocked_retention=True)
    blob.retention.retain_until_time = NOW
    with pytest.raises(exceptions.Forbidden, match="locked"):
        blob.patch(override_unlocked_retention=True)
    cloud.clock.advance(timedelta(days=1))
    bucket.blob("one").delete()


def test_a_retention_needs_a_bucket_that_allows_it(bucket: Bucket) -> None:
    blob = uploaded(bucket)
    assert isinstance(blob.retention, Retention)
    blob.retention.mode = "Unlocked"
    blob.retention.retain_until_time = NOW + WEEK
    with pytest.raises(exceptions.BadRequest):
        blob.patch()


def test_what_is_deleted_can_be_restored_for_a_week(cloud: LocalCloud, bucket: Bucket) -> None:
    blob = bucket.blob("one")
    blob.metadata = {"sha256": "abc"}
    blob.upload_from_string(b"content")
    cloud.clock.advance(timedelta(hours=1))
    bucket.blob("one").delete(if_generation_match=blob.generation)
    assert list(bucket.list_blobs()) == []
    (deleted,) = bucket.list_blobs(soft_deleted=True)
    assert (deleted.soft_delete_time, deleted.hard_delete_time) == (cloud.clock.now(), cloud.clock.now() + WEEK)
    with pytest.raises(exceptions.NotFound):
        bucket.blob("one", generation=blob.generation).delete()
    cloud.clock.advance(timedelta(hours=1))
    restored = bucket.restore_blob("one", generation=blob.generation, if_generation_match=0)
    assert restored.download_as_bytes() == b"content"
    assert (restored.metadata, restored.time_created) == ({"sha256": "abc"}, cloud.clock.now())
    assert restored.generation > blob.generation
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.restore_blob("one", generation=blob.generation, if_generation_match=0)
    cloud.clock.advance(WEEK)
    assert soft_deleted(bucket) == {}
    with pytest.raises(exceptions.NotFound):
        bucket.restore_blob("one", generation=blob.generation)
    assert [one.name for one in bucket.list_blobs()] == ["one"]


def test_what_is_overwritten_can_be_restored_too(bucket: Bucket) -> None:
    first = uploaded(bucket).generation
    second = uploaded(bucket, content=b"other").generation
    assert soft_deleted(bucket) == {"one": first}
    bucket.restore_blob("one", generation=first)
    assert bucket.blob("one").download_as_bytes() == b"content"
    assert sorted(blob.generation for blob in bucket.list_blobs(soft_deleted=True)) == [first, second]


def test_without_soft_delete_it_is_gone(client: Client, bucket: Bucket) -> None:
    bucket.soft_delete_policy.retention_duration_seconds = 0
    bucket.patch()
    uploaded(bucket).delete()
    with pytest.raises(exceptions.BadRequest):
        soft_deleted(bucket)
    with pytest.raises(exceptions.BadRequest):
        client.get_bucket("my-backups").restore_blob("one", generation=1)
    bucket.soft_delete_policy.retention_duration_seconds = 604_800
    bucket.patch()
    assert soft_deleted(bucket) == {}


def test_versions(bucket: Bucket) -> None:
    bucket.versioning_enabled = True
    bucket.patch()
    first = uploaded(bucket).generation
    second = uploaded(bucket, content=b"other").generation
    bucket.blob("one").delete()
    assert list(bucket.list_blobs()) == []
    assert [(one.generation, one.time_deleted) for one in bucket.list_blobs(versions=True)] == [
        (first, NOW),
        (second, NOW),
    ]
    assert bucket.blob("one", generation=first).download_as_bytes() == b"content"
    bucket.blob("one", generation=first).delete()
    assert [one.generation for one in bucket.list_blobs(versions=True)] == [second]
    assert soft_deleted(bucket) == {"one": first}


def test_where_versions_are_kept_a_retention_keeps_them_and_not_their_being_live(
    cloud: LocalCloud, bucket: Bucket
) -> None:
    bucket.versioning_enabled = True
    bucket.retention_period = 3600
    bucket.patch()
    generation = uploaded(bucket).generation
    bucket.blob("one").delete()
    assert list(bucket.list_blobs()) == []
    with pytest.raises(exceptions.Forbidden):
        bucket.blob("one", generation=generation).delete()
    cloud.clock.advance(timedelta(hours=1))
    bucket.blob("one", generation=generation).delete()


class TestBatches:
    """Many calls in one request."""

    def test_each_call_has_an_answer_of_its_own(self, cloud: LocalCloud, client: Client, bucket: Bucket) -> None:
        for name in ("gone", "held", "overwritten", "with a\tü"):
            uploaded(bucket, name)
        held = bucket.blob("held")
        held.temporary_hold = True
        held.patch()
        cloud.server.clear_calls()
        with client.batch(raise_exception=False) as batch:
            bucket.blob("gone").delete()
            bucket.blob("held").delete()
            bucket.blob("overwritten").delete(if_generation_match=1)
            bucket.blob("with a\tü").delete()
            bucket.blob("never was").delete()
        assert [answer.status_code for answer in batch._responses] == [204, 403, 412, 204, 404]  # noqa: SLF001 - it shows them nowhere else
        assert [blob.name for blob in bucket.list_blobs()] == ["held", "overwritten"]
        *parts, whole, _ = cloud.server.calls
        assert whole.method == "POST storage.googleapis.com/batch/storage/v1"
        assert [part.code for part in parts] == [
            grpc.StatusCode.OK,
            grpc.StatusCode.PERMISSION_DENIED,
            grpc.StatusCode.FAILED_PRECONDITION,
            grpc.StatusCode.OK,
            grpc.StatusCode.NOT_FOUND,
        ]

    def test_one_of_the_calls_can_fail(self, cloud: LocalCloud, client: Client, bucket: Bucket) -> None:
        for name in "abc":
            uploaded(bucket, name)
        cloud.server.fail("DELETE storage.googleapis.com", grpc.StatusCode.UNAVAILABLE, skip=1)
        with client.batch(raise_exception=False) as batch:
            for name in "abc":
                bucket.blob(name).delete()
        assert [answer.status_code for answer in batch._responses] == [204, 503, 204]  # noqa: SLF001 - as above

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            ("text/plain", b"DELETE /"),
            ("multipart/mixed", b"--x--"),
            ("multipart/mixed; boundary=x", b"--y\r\n\r\nGET /storage/v1/b\r\n--y--"),
            ("multipart/mixed; boundary=x", b"--x\r\n\r\nhello\r\n--x--"),
            ("multipart/mixed; boundary=x", b"--x\r\n\r\nPOST /batch/storage/v1 HTTP/1.1\r\n\r\n\r\n--x--"),
            ("multipart/mixed; boundary=x", b"--x\r\n\r\nPOST /upload/storage/v1/b/b/o HTTP/1.1\r\n\r\n\r\n--x--"),
            ("multipart/mixed; boundary=x", b"--x\r\n\r\nGET /storage/v1/b\r\n" * 101 + b"--x--"),
        ],
    )
    def test_what_is_malformed_or_too_long_is_refused(self, cloud: LocalCloud, content_type: str, body: bytes) -> None:
        url = address(cloud, "batch/storage/v1")
        answer = requests.post(url, data=body, headers={"Content-Type": content_type}, timeout=10)
        assert answer.status_code == 400
