"""An upload becomes an object when it is finished, and only then, after any failure on the way."""

import hashlib
import itertools
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any

import grpc
import pytest
from google.api_core import exceptions

from jobs.back_up_database.upload import uploading
from jobs.bucket import Bucket
from jobs.job import JobFailed, Stopped
from localcloud import LocalCloud
from localcloud.core.listener import Listener
from shared.clients import Clients
from tests.jobs.stage import BUCKET, NOW, QUICK

pytestmark = pytest.mark.one_python

PIECE = 256 * 1024
CONTENT = hashlib.shake_256(b"backup").digest(3 * PIECE + 1_000)
PUT = f"PUT storage.googleapis.com/upload/storage/v1/b/{BUCKET}/o"


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=NOW) as cloud:
        cloud.storage.add_bucket("my-product", BUCKET)
        yield cloud


@pytest.fixture
def bucket(cloud: LocalCloud) -> Bucket:
    return Bucket(Clients("my-product", http_endpoint=cloud.http_address, retry=QUICK), BUCKET)


def upload(
    bucket: Bucket, content: bytes = CONTENT, size: int = PIECE, fails: Callable[[], None] = lambda: None
) -> None:
    """Upload some content in chunks of a size; before it is finished, this happens."""
    with uploading(bucket, "one") as sending:
        whole = len(content) // size * size
        for start in range(0, whole, size):
            sending.send(content[start : start + size])
        fails()
        stored = sending.finish(content[whole:], hashlib.md5(content, usedforsecurity=False).digest())
        assert int(stored.size) == len(content)


def content_of(bucket: Bucket) -> bytes:
    return b"".join(bucket.content(bucket.read("one")))


@pytest.mark.parametrize("length", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE])
def test_content_of_any_length(bucket: Bucket, length: int) -> None:
    upload(bucket, CONTENT[:length])
    assert content_of(bucket) == CONTENT[:length]


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize("skip", range(4))
def test_a_request_that_fails_is_tried_again_from_where_it_stands(
    cloud: LocalCloud, bucket: Bucket, skip: int, *, after_effect: bool
) -> None:
    cloud.server.fail(PUT, grpc.StatusCode.UNAVAILABLE, skip=skip, after_effect=after_effect)
    upload(bucket)
    assert content_of(bucket) == CONTENT


@pytest.mark.parametrize("place", range(5))
def test_a_request_that_times_out_is_tried_again(bucket: Bucket, monkeypatch: pytest.MonkeyPatch, place: int) -> None:
    ask, count = bucket.ask, itertools.count()

    def timed_out(verb: str, address: str, **more: Any) -> Any:
        answer = ask(verb, address, **more)
        if next(count) == place:
            raise exceptions.from_http_status(HTTPStatus.REQUEST_TIMEOUT, "Request Timeout")
        return answer

    monkeypatch.setattr(bucket, "ask", timed_out)
    upload(bucket)
    assert content_of(bucket) == CONTENT


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.PERMISSION_DENIED])
def test_an_upload_that_cannot_go_on_is_cancelled(cloud: LocalCloud, bucket: Bucket, code: grpc.StatusCode) -> None:
    cloud.server.fail(PUT, code, skip=2, times=10_000)
    with pytest.raises(exceptions.GoogleAPIError) as caught:
        upload(bucket)
    assert "upload_id" not in str(caught.value), "anyone who knows it can upload"
    assert cloud.storage.names(BUCKET) == []
    assert not cloud.storage._objects.sessions  # noqa: SLF001 - no request tells which uploads there are


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, Stopped])
def test_whatever_breaks_it_off_leaves_no_object(cloud: LocalCloud, bucket: Bucket, error: type[BaseException]) -> None:
    def fails() -> None:
        raise error

    with pytest.raises(error):
        upload(bucket, fails=fails)
    assert cloud.storage.names(BUCKET) == []
    assert not cloud.storage._objects.sessions  # noqa: SLF001


def test_an_upload_that_cannot_even_be_cancelled_leaves_no_object(
    cloud: LocalCloud, bucket: Bucket, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.server.fail(PUT, grpc.StatusCode.UNAVAILABLE, times=10_000)
    cloud.server.fail("DELETE storage", grpc.StatusCode.UNAVAILABLE, times=10_000)
    with pytest.raises(exceptions.RetryError):
        upload(bucket)
    assert "ends by itself in a week" in capsys.readouterr().out
    assert cloud.storage.names(BUCKET) == []


def test_what_arrives_otherwise_than_it_was_sent_becomes_no_object(cloud: LocalCloud, bucket: Bucket) -> None:
    with pytest.raises(exceptions.BadRequest), uploading(bucket, "one") as sending:
        sending.finish(CONTENT, hashlib.md5(b"something else", usedforsecurity=False).digest())
    assert cloud.storage.names(BUCKET) == []


def test_an_object_that_came_meanwhile_is_left_as_it_is(bucket: Bucket) -> None:
    with pytest.raises(exceptions.PreconditionFailed):
        upload(bucket, fails=lambda: upload(bucket, b"the other one"))
    assert content_of(bucket) == b"the other one"


@pytest.mark.parametrize("most", [PIECE, 2 * PIECE])
def test_cloud_storage_may_keep_less_than_it_is_sent(cloud: LocalCloud, bucket: Bucket, most: int) -> None:
    cloud.storage.keep_at_most(most)
    upload(bucket, size=3 * PIECE)
    assert content_of(bucket) == CONTENT


def test_an_upload_of_which_nothing_more_is_kept_fails(cloud: LocalCloud, bucket: Bucket) -> None:
    with pytest.raises(JobFailed, match=f"keeps no more than {3 * PIECE} bytes"):
        upload(bucket, fails=lambda: cloud.storage.keep_at_most(0))
    assert cloud.storage.names(BUCKET) == []


class Connection:
    """Stands between a client and the local cloud, and breaks off answers in the middle of their content."""

    def __init__(self, cloud: LocalCloud, lengths: list[int]) -> None:
        self._cloud = cloud
        self._lengths = lengths
        """The number of bytes of each answer that come through, in order; all of any other."""
        self.listener = Listener("broken connection", self._handler())

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        connection = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                """Hand it on, and as much of the answer as comes through."""
                answer = connection._cloud.http.answer("GET", self.path, b"", dict(self.headers.items()))
                length = len(answer.body)
                if "alt=media" in self.path and connection._lengths:
                    length = connection._lengths.pop(0)
                self.send_response(answer.status)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body[:length])

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Say nothing."""

        return Handler


@pytest.fixture
def broken(cloud: LocalCloud, bucket: Bucket) -> Iterator[Callable[[list[int]], Bucket]]:
    """The bucket with an object in it, by a connection that breaks off."""
    upload(bucket)
    connections: list[Connection] = []

    def make(lengths: list[int]) -> Bucket:
        connections.append(Connection(cloud, lengths))
        return Bucket(Clients("my-product", http_endpoint=connections[0].listener.url, retry=QUICK), BUCKET)

    yield make
    for connection in connections:
        connection.listener.stop()


def test_a_download_goes_on_where_the_connection_broke_off(broken: Callable[[list[int]], Bucket]) -> None:
    assert content_of(broken([100_000, 300_000, 1])) == CONTENT


def test_a_download_that_brings_nothing_more_fails(broken: Callable[[list[int]], Bucket]) -> None:
    with pytest.raises(JobFailed, match=f"one ended at 65536 of {len(CONTENT)} bytes, 5 times"):
        content_of(broken([100_000, *[0] * 5]))


def test_metadata_is_set_beside_what_others_set(cloud: LocalCloud, bucket: Bucket) -> None:
    upload(bucket)
    known = bucket.read("one")
    bucket.set_metadata(known, {"caretaker-keep": "true"})
    cloud.server.fail("PATCH storage", grpc.StatusCode.RESOURCE_EXHAUSTED, skip=1)  # once a second, and no more
    cloud.server.fail("PATCH storage", grpc.StatusCode.UNAVAILABLE, after_effect=True)
    bucket.set_metadata(known, {"mine": "1"})
    assert bucket.read("one").metadata == {"caretaker-keep": "true", "mine": "1"}
    bucket.set_metadata(known, {"mine": None})
    assert bucket.read("one").metadata == {"caretaker-keep": "true"}


def test_metadata_is_not_set_on_an_object_that_has_taken_its_place(cloud: LocalCloud, bucket: Bucket) -> None:
    upload(bucket)
    known = bucket.read("one")
    cloud.storage.add_object(BUCKET, "one", b"another")
    with pytest.raises(exceptions.NotFound):
        bucket.set_metadata(known, {"mine": "1"})
    assert bucket.read("one").metadata == {}


def test_names_come_page_by_page(cloud: LocalCloud, bucket: Bucket) -> None:
    for number in range(1_001):
        cloud.storage.add_object(BUCKET, f"shop/{number:04}", b"")
    cloud.storage.add_object(BUCKET, "other/1", b"")
    assert list(bucket.names("shop/")) == [f"shop/{number:04}" for number in range(1_001)]
