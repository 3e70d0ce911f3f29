"""Cases of Cloud Storage that the local cloud and fake-gcs-server answer alike.

Left out because fake-gcs-server (in the package 0.1.1) does not do it, or not as Google documents it: preconditions of
deletes, batches, holds, retention, soft delete, `fields`, the names that objects may have, the lengths of bucket names,
metageneration, page tokens of its own form, 416 for a range behind the end.
"""

import io

import pytest
from google.api_core import exceptions
from google.cloud.storage import Bucket

PIECE = 256 * 1024
CONTENT = bytes(range(256)) * 3000


def test_an_object_is_what_was_uploaded(bucket: Bucket) -> None:
    blob = bucket.blob("shop/ü one.dump")
    blob.metadata = {"sha256": "abc"}
    blob.upload_from_string(b"content", content_type="application/x-dump")
    found = bucket.get_blob("shop/ü one.dump")
    assert found is not None
    assert (found.size, found.content_type, found.metadata) == (7, "application/x-dump", {"sha256": "abc"})
    assert (found.md5_hash, found.crc32c) == ("mgNkuembtIDdJeHwKEyFVQ==", "Ya91Mw==")
    assert found.download_as_bytes() == b"content"


def test_what_is_absent_is_not_found(bucket: Bucket) -> None:
    assert bucket.get_blob("absent") is None
    with pytest.raises(exceptions.NotFound):
        bucket.blob("absent").delete()
    with pytest.raises(exceptions.NotFound):
        bucket.blob("absent").download_as_bytes()
    with pytest.raises(exceptions.NotFound):
        list(bucket.client.list_blobs(f"{bucket.name}-absent"))


def test_an_object_is_created_once(bucket: Bucket) -> None:
    bucket.blob("one").upload_from_string(b"first", if_generation_match=0)
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.blob("one").upload_from_string(b"second", if_generation_match=0)
    assert bucket.blob("one").download_as_bytes() == b"first"


def test_an_overwritten_object_has_a_later_generation(bucket: Bucket) -> None:
    first, second = bucket.blob("one"), bucket.blob("one")
    first.upload_from_string(b"first")
    second.upload_from_string(b"second")
    assert second.generation > first.generation
    assert bucket.blob("one").download_as_bytes() == b"second"


@pytest.mark.parametrize("content", [b"", b"short", CONTENT, CONTENT[: 2 * PIECE]])
@pytest.mark.parametrize("is_size_known", [True, False])
def test_uploads_in_pieces(bucket: Bucket, content: bytes, *, is_size_known: bool) -> None:
    blob = bucket.blob("one", chunk_size=PIECE)
    blob.upload_from_file(io.BytesIO(content), size=len(content) if is_size_known else None)
    assert bucket.blob("one").download_as_bytes() == content


def test_an_upload_that_does_not_complete_leaves_nothing(bucket: Bucket) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() >= PIECE:
                raise OSError("the pipe is broken")
            return super().read(size)

    with pytest.raises(OSError, match="the pipe is broken"):
        bucket.blob("one", chunk_size=PIECE).upload_from_file(Broken(CONTENT))
    assert list(bucket.list_blobs()) == []


@pytest.mark.parametrize(("start", "end", "expected"), [(0, 2, b"con"), (3, None, b"tent"), (5, 99, b"nt")])
def test_ranges(bucket: Bucket, start: int, end: int | None, expected: bytes) -> None:
    bucket.blob("one").upload_from_string(b"content")
    assert bucket.blob("one").download_as_bytes(start=start, end=end) == expected


@pytest.mark.parametrize("page_size", [1, 2, 100])
def test_lists(bucket: Bucket, page_size: int) -> None:
    names = ["a", "shop/1", "shop/2", "shop/x/3", "stock/1", "ü"]
    for name in reversed(names):
        bucket.blob(name).upload_from_string(b"x")
    assert [blob.name for blob in bucket.list_blobs(page_size=page_size)] == names
    assert [blob.name for blob in bucket.list_blobs(prefix="shop/")] == ["shop/1", "shop/2", "shop/x/3"]
    folded = bucket.list_blobs(prefix="s", delimiter="/")
    assert ([blob.name for blob in folded], folded.prefixes) == ([], {"shop/", "stock/"})
    offsets = bucket.list_blobs(start_offset="shop/2", end_offset="stock/1")
    assert [blob.name for blob in offsets] == ["shop/2", "shop/x/3"]


def test_metadata_is_patched(bucket: Bucket) -> None:
    blob = bucket.blob("one")
    blob.metadata = {"kept": "1", "changed": "1"}
    blob.upload_from_string(b"content")
    blob.metadata = {"kept": "1", "changed": "2"}
    blob.patch()
    found = bucket.get_blob("one")
    assert found is not None
    assert (found.metadata, found.size) == ({"kept": "1", "changed": "2"}, 7)


@pytest.mark.parametrize("name", ["Upper", "with space"])
def test_some_buckets_there_cannot_be(bucket: Bucket, name: str) -> None:
    with pytest.raises(exceptions.BadRequest):
        bucket.client.create_bucket(name)


def test_a_bucket_is_made_once(bucket: Bucket) -> None:
    with pytest.raises(exceptions.Conflict):
        bucket.client.create_bucket(bucket.name)
