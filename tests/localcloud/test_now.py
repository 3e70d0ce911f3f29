"""The local cloud's time over plain HTTP."""

import http.client
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from localcloud import LocalCloud

START = datetime(2026, 11, 1, 9, tzinfo=UTC)


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=START) as cloud:
        yield cloud


def ask(cloud: LocalCloud, method: str = "GET", path: str = "/now", body: str = "") -> tuple[int, str]:
    """The status and text of an answer."""
    connection = http.client.HTTPConnection(urlsplit(cloud.now_address).netloc, timeout=20)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_it_answers_the_clocks_time(cloud: LocalCloud) -> None:
    assert ask(cloud) == (200, "2026-11-01T09:00:00Z")
    cloud.clock.advance(timedelta(seconds=90, microseconds=5))
    assert ask(cloud) == (200, "2026-11-01T09:01:30.000005Z")


def test_its_address_is_a_url_on_this_machine(cloud: LocalCloud) -> None:
    url = urlsplit(cloud.now_address)
    assert (url.scheme, url.hostname, url.path) == ("http", "127.0.0.1", "/now")
    assert cloud.now_address == cloud.now_address


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_nothing_else_is_there(cloud: LocalCloud, method: str) -> None:
    assert ask(cloud, method, "/other", "2026-11-01T09:05:00Z")[0] == 404
    assert cloud.clock.now() == START


def test_time_can_be_moved_from_outside(cloud: LocalCloud) -> None:
    fired: list[datetime] = []
    cloud.clock.call_later(timedelta(minutes=5), lambda: fired.append(cloud.clock.now()))
    assert ask(cloud, "PUT", body="2026-11-01T11:00:00+01:00") == (200, "2026-11-01T10:00:00Z")
    assert fired == [START + timedelta(minutes=5)]


@pytest.mark.parametrize("body", ["", "soon", "2026-11-01T08:59:59Z"])
def test_time_moves_forward_only(cloud: LocalCloud, body: str) -> None:
    assert ask(cloud, "PUT", body=body)[0] == 400
    assert cloud.clock.now() == START


def test_many_may_ask_at_a_time(cloud: LocalCloud) -> None:
    with ThreadPoolExecutor(32) as pool:
        answers = set(pool.map(lambda _: ask(cloud), range(100)))
    assert answers == {(200, "2026-11-01T09:00:00Z")}
