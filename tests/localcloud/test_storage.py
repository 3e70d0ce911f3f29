"""Cloud Storage on the local cloud: objects come, are read, changed and overwritten, as Google's own client has it."""

import base64
import hashlib
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import google_crc32c
import pytest
import requests
from google.api_core import exceptions
from google.cloud.storage import Bucket, Client

from localcloud import LocalCloud
from localcloud.storage.state import Zeros
from tests.localcloud.storage_client import address, storage_client

pytestmark = pytest.mark.one_python

NOW = datetime(2026, 11, 1, 2, 30, tzinfo=UTC)
PIECE = 256 * 1024
HOSTILE = [
    "a b/ü☃.dump",
    "../../etc/passwd",
    "100%25.dump",
    "?generation=1&x=#y",
    "'; DROP TABLE--",
    "\x00\x1b[31m\ttab",
    "x" * 1024,
    "é",  # one sign, and
    "e\u0301",  # two signs that look the same, are two objects
]


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


def test_an_object_is_what_was_uploaded(bucket: Bucket) -> None:
    blob = bucket.blob("shop/one.dump")
    blob.metadata = {"sha256": "abc"}
    blob.custom_time = NOW - timedelta(days=1)
    blob.upload_from_string(b"content", content_type="application/x-dump")
    found = bucket.get_blob("shop/one.dump")
    assert found is not None
    assert (found.size, found.content_type, found.metadata) == (7, "application/x-dump", {"sha256": "abc"})
    assert found.md5_hash == base64.b64encode(hashlib.md5(b"content", usedforsecurity=False).digest()).decode()
    assert found.crc32c == base64.b64encode(google_crc32c.Checksum(b"content").digest()).decode()
    assert (found.time_created, found.updated, found.custom_time) == (NOW, NOW, NOW - timedelta(days=1))
    assert (found.metageneration, found.storage_class) == (1, "STANDARD")
    assert found.generation == NOW.timestamp() * 1_000_000
    assert found.download_as_bytes() == b"content"


def test_a_new_content_is_a_new_generation(bucket: Bucket) -> None:
    blob = bucket.blob("one")
    blob.upload_from_string(b"first")
    first = blob.generation
    blob = bucket.blob("one")
    blob.upload_from_string(b"second")
    assert blob.generation > first
    assert bucket.blob("one").download_as_bytes() == b"second"
    with pytest.raises(exceptions.NotFound):
        bucket.blob("one", generation=first).download_as_bytes()


def test_preconditions(bucket: Bucket) -> None:
    blob = bucket.blob("one")
    blob.upload_from_string(b"first", if_generation_match=0)
    first = blob.generation
    for wrong in (0, first + 1):
        with pytest.raises(exceptions.PreconditionFailed):
            bucket.blob("one").upload_from_string(b"second", if_generation_match=wrong)
        with pytest.raises(exceptions.PreconditionFailed):
            bucket.blob("one").delete(if_generation_match=wrong)
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.blob("one").patch(if_metageneration_match=7)
    with pytest.raises(exceptions.NotModified):
        bucket.blob("one").reload(if_generation_not_match=first)
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.blob("one").delete(if_generation_not_match=first)
    assert bucket.blob("one").download_as_bytes() == b"first"
    bucket.blob("one").upload_from_string(b"second", if_generation_match=first)
    bucket.blob("one").delete(if_metageneration_match=1)
    assert bucket.get_blob("one") is None
    with pytest.raises(exceptions.NotFound):
        bucket.blob("one").delete(if_generation_match=first)


def test_metadata_is_patched_key_by_key(bucket: Bucket) -> None:
    blob = bucket.blob("one")
    blob.metadata = {"kept": "1", "changed": "1", "removed": "1"}
    blob.upload_from_string(b"content")
    blob.metadata = {"changed": "2", "removed": None}
    blob.cache_control = "no-store"
    blob.patch(if_metageneration_match=1)
    found = bucket.get_blob("one")
    assert found is not None
    assert (found.metadata, found.cache_control, found.metageneration) == (
        {"kept": "1", "changed": "2"},
        "no-store",
        2,
    )
    found.metadata = {"only": "this"}
    found.update()
    found = bucket.get_blob("one")
    assert found is not None
    assert (found.metadata, found.metageneration, found.size) == ({"only": "this"}, 3, 7)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_names(bucket: Bucket, name: str) -> None:
    bucket.blob(name).upload_from_string(b"content")
    assert [blob.name for blob in bucket.list_blobs(prefix=name)] == [name]
    assert bucket.blob(name).download_as_bytes() == b"content"
    bucket.blob(name).delete()
    assert list(bucket.list_blobs()) == []


@pytest.mark.parametrize("name", ["a\nb", "a\rb", ".", "..", "x" * 1025, "ü" * 513, ".well-known/acme-challenge/x"])
def test_some_names_there_cannot_be(bucket: Bucket, name: str) -> None:
    with pytest.raises(exceptions.BadRequest):
        bucket.blob(name).upload_from_string(b"content")
    assert list(bucket.list_blobs()) == []


@pytest.mark.parametrize("name", ["ab", "Upper", "goog-x", "my-google", "1.2.3.4", "a..b", "x" * 64, "a" * 223])
def test_some_buckets_there_cannot_be(client: Client, name: str) -> None:
    with pytest.raises(exceptions.BadRequest):
        client.create_bucket(name)


def test_buckets(client: Client, bucket: Bucket) -> None:
    assert [one.name for one in client.list_buckets()] == ["my-backups"]
    with pytest.raises(exceptions.Conflict):
        client.create_bucket("my-backups")
    assert client.lookup_bucket("no-such-bucket") is None
    with pytest.raises(exceptions.NotFound):
        client.bucket("no-such-bucket").blob("one").upload_from_string(b"content")
    bucket.labels = {"team": "shop"}
    bucket.patch(if_metageneration_match=1)
    assert client.get_bucket("my-backups").labels == {"team": "shop"}
    bucket.blob("one").upload_from_string(b"content")
    with pytest.raises(exceptions.Conflict):
        bucket.delete()
    bucket.blob("one").delete()
    bucket.delete()
    assert list(client.list_buckets()) == []


class TestDownloads:
    """The content of an object."""

    @pytest.mark.parametrize(
        ("asked", "status", "content"),
        [
            ("bytes=0-2", 206, b"con"),
            ("bytes=3-", 206, b"tent"),
            ("bytes=-2", 206, b"nt"),
            ("bytes=5-99", 206, b"nt"),
            ("bytes=7-", 416, None),
            ("lines=1-2", 200, b"content"),
        ],
    )
    def test_a_range(self, cloud: LocalCloud, bucket: Bucket, asked: str, status: int, content: bytes | None) -> None:
        bucket.blob("one").upload_from_string(b"content")
        url = address(cloud, f"storage/v1/b/{bucket.name}/o/one")
        answer = requests.get(url, params={"alt": "media"}, headers={"Range": asked}, timeout=10)
        assert answer.status_code == status
        if content is not None:
            assert answer.content == content

    def test_zeros_take_no_memory_and_have_a_checksum(self, cloud: LocalCloud, bucket: Bucket) -> None:
        cloud.storage.add_object(bucket.name, "large", Zeros(5_000_000))
        blob = bucket.get_blob("large")
        assert blob is not None
        assert (blob.size, blob.md5_hash) == (5_000_000, None)
        # The client holds what it receives against the checksum.
        assert blob.download_as_bytes() == bytes(5_000_000)


class TestUploads:
    """The ways to upload content."""

    def test_in_pieces(self, bucket: Bucket) -> None:
        content = bytes(range(256)) * 3000
        bucket.blob("known", chunk_size=PIECE).upload_from_file(io.BytesIO(content), size=len(content))
        with bucket.blob("streamed", chunk_size=PIECE).open("wb") as stream:
            stream.write(content)
        assert bucket.blob("known").download_as_bytes() == content
        assert bucket.blob("streamed").download_as_bytes() == content

    def test_of_nothing(self, bucket: Bucket) -> None:
        with bucket.blob("nothing", chunk_size=PIECE).open("wb"):
            pass
        assert bucket.blob("nothing").download_as_bytes() == b""

    def test_one_that_does_not_complete_leaves_no_object(self, cloud: LocalCloud, bucket: Bucket) -> None:
        session = _begin(cloud, bucket)
        answer = requests.put(
            session, data=bytes(PIECE), headers={"Content-Range": f"bytes 0-{PIECE - 1}/*"}, timeout=10
        )
        assert (answer.status_code, answer.headers["Range"]) == (308, f"bytes=0-{PIECE - 1}")
        assert list(bucket.list_blobs(versions=True)) == []
        assert requests.delete(session, timeout=10).status_code == 499
        assert _ask(session).status_code == 404
        assert list(bucket.list_blobs(versions=True)) == []

    def test_is_resumed_where_it_stands(self, cloud: LocalCloud, bucket: Bucket) -> None:
        session = _begin(cloud, bucket)
        assert "Range" not in _ask(session).headers
        first, last = b"a" * PIECE, b"b" * 10
        for _ in range(2):  # the answer to the first time may have been lost
            requests.put(session, data=first, headers={"Content-Range": f"bytes 0-{PIECE - 1}/*"}, timeout=10)
        gap = requests.put(
            session, data=first, headers={"Content-Range": f"bytes {2 * PIECE}-{3 * PIECE - 1}/*"}, timeout=10
        )
        assert gap.status_code == 416
        assert _ask(session).headers["Range"] == f"bytes=0-{PIECE - 1}"
        total = PIECE + 10
        headers = {"Content-Range": f"bytes {PIECE}-{total - 1}/{total}"}
        answers = [requests.put(session, data=last, headers=headers, timeout=10) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert {answer.json()["generation"] for answer in (*answers, _ask(session))} == {
            answers[0].json()["generation"]
        }
        assert bucket.blob("one").download_as_bytes() == first + last

    def test_preconditions_hold_at_the_end_too(self, cloud: LocalCloud, bucket: Bucket) -> None:
        session = _begin(cloud, bucket, ifGenerationMatch="0")
        bucket.blob("one").upload_from_string(b"another writer's")
        answer = requests.put(session, data=b"mine", timeout=10)
        assert answer.status_code == 412
        assert bucket.blob("one").download_as_bytes() == b"another writer's"
        refused = _post(cloud, bucket, {"uploadType": "resumable", "name": "one", "ifGenerationMatch": "0"})
        assert refused.status_code == 412

    def test_a_session_ends_after_a_week(self, cloud: LocalCloud, bucket: Bucket) -> None:
        session = _begin(cloud, bucket)
        cloud.clock.advance(timedelta(days=7))
        assert _ask(session).status_code == 410

    def test_chunked_transfer(self, cloud: LocalCloud, bucket: Bucket) -> None:
        answer = _post(cloud, bucket, {"uploadType": "media", "name": "one"}, data=iter([b"one ", b"two"]))
        assert answer.status_code == 200
        assert bucket.blob("one").download_as_bytes() == b"one two"

    @pytest.mark.parametrize(
        ("content_range", "size", "status"),
        [
            ("bytes 0-9/*", 10, 400),  # not the last piece, and no multiple of 256 KiB
            ("bytes 0-9/5", 10, 400),
            ("bytes 0-5/10", 10, 400),
            ("bytes x", 10, 400),
            ("bytes 0-9/10", 10, 200),
        ],
    )
    def test_what_a_piece_must_be(
        self, cloud: LocalCloud, bucket: Bucket, content_range: str, size: int, status: int
    ) -> None:
        session = _begin(cloud, bucket)
        answer = requests.put(session, data=bytes(size), headers={"Content-Range": content_range}, timeout=10)
        assert answer.status_code == status
        assert len(list(bucket.list_blobs())) == (status == 200)

    @pytest.mark.parametrize("said", ["crc32c=AAAAAA==", "md5=AAAAAAAAAAAAAAAAAAAAAA=="])
    def test_a_wrong_checksum_is_refused(self, cloud: LocalCloud, bucket: Bucket, said: str) -> None:
        parameters = {"uploadType": "media", "name": "one"}
        answer = _post(cloud, bucket, parameters, data=b"content", headers={"X-Goog-Hash": said})
        assert answer.status_code == 400
        assert "doesn't match calculated" in answer.json()["error"]["message"]
        assert list(bucket.list_blobs()) == []

    @pytest.mark.parametrize(
        ("parameters", "body", "content_type"),
        [
            ({"uploadType": "media"}, b"content", "text/plain"),  # no name
            ({"uploadType": "teleport", "name": "one"}, b"content", "text/plain"),
            ({"uploadType": "media", "name": "one", "colour": "red"}, b"content", "text/plain"),
            ({"uploadType": "multipart"}, b"content", "multipart/related"),
            ({"uploadType": "multipart"}, b"--x\r\n\r\n{}\r\n--x--", "multipart/related; boundary=x"),
            ({"uploadType": "multipart"}, b"--x\r\n\r\n[]\r\n--x\r\n\r\nc\r\n--x--", "multipart/related; boundary=x"),
            ({"uploadType": "resumable", "name": "one"}, b"{", "application/json"),
            ({"uploadType": "resumable", "name": "one"}, b'{"colour": "red"}', "application/json"),
        ],
    )
    def test_malformed_uploads_are_refused(
        self, cloud: LocalCloud, bucket: Bucket, parameters: dict[str, str], body: bytes, content_type: str
    ) -> None:
        answer = _post(cloud, bucket, parameters, data=body, headers={"Content-Type": content_type})
        if answer.status_code == 200:  # what is wrong with its fields is found when all has come
            answer = requests.put(answer.headers["Location"], data=b"content", timeout=10)
        assert answer.status_code == 400
        assert list(bucket.list_blobs()) == []


def _post(
    cloud: LocalCloud,
    bucket: Bucket,
    parameters: dict[str, str],
    *,
    data: object = b"",
    headers: dict[str, str] | None = None,
) -> requests.Response:
    url = address(cloud, f"upload/storage/v1/b/{bucket.name}/o")
    return requests.post(url, params=parameters, data=data, headers=headers, timeout=10)  # type: ignore[arg-type]


def _begin(cloud: LocalCloud, bucket: Bucket, **conditions: str) -> str:
    answer = _post(cloud, bucket, {"uploadType": "resumable", "name": "one", **conditions})
    assert answer.status_code == 200
    return answer.headers["Location"]


def _ask(session: str) -> requests.Response:
    """Ask how many bytes have arrived."""
    return requests.put(session, headers={"Content-Range": "bytes */*"}, timeout=10)


def bucket_resource(cloud: LocalCloud, bucket: str) -> dict[str, Any]:
    """A bucket as the API returns it."""
    answer = requests.get(address(cloud, f"storage/v1/b/{bucket}"), timeout=10)
    found: dict[str, Any] = answer.json()
    return found


def test_a_bucket_is_filled_in_as_a_real_one_is(cloud: LocalCloud, client: Client) -> None:
    """As recorded of the real service in 2025: GoogleCloudPlatform/k8s-config-connector."""
    regional = client.bucket("regional")
    regional.iam_configuration.uniform_bucket_level_access_enabled = True
    regional.create(location="us-central1")
    found = bucket_resource(cloud, "regional")
    locked = "2027-01-30T02:30:00.000Z"
    assert (found["location"], found["locationType"], found["satisfiesPZI"]) == ("US-CENTRAL1", "region", True)
    assert found["iamConfiguration"] == {
        "publicAccessPrevention": "inherited",
        "uniformBucketLevelAccess": {"enabled": True, "lockedTime": locked},
        "bucketPolicyOnly": {"enabled": True, "lockedTime": locked},
    }
    assert found["selfLink"] == "https://www.googleapis.com/storage/v1/b/regional"
    multi = client.bucket("multi")
    multi.autoclass_enabled = True
    multi.create()
    found = bucket_resource(cloud, "multi")
    assert (found["location"], found["locationType"], found["rpo"]) == ("US", "multi-region", "DEFAULT")
    assert (found["autoclass"]["terminalStorageClass"], found["autoclass"]["enabled"]) == ("NEARLINE", True)
    assert found["iamConfiguration"]["uniformBucketLevelAccess"] == {"enabled": False}
