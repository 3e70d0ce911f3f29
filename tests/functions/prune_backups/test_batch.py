"""Batches of calls: every one is answered, or the batch is not believed; and the pace at which they are sent."""

import re
from collections.abc import Iterator

import pytest

from functions.prune_backups import batch
from functions.prune_backups.batch import Part, PartError, Refused
from functions.prune_backups.pace import Pace
from localcloud import LocalCloud
from localcloud.core.http import HttpAnswer, HttpRequest, HttpServer, Route
from shared.direct_clients import DirectClients
from shared.rest import UnknownAnswer
from tests.functions.stage import PROJECT
from tests.laws.probe import Switchboard

pytestmark = pytest.mark.one_python

GONE = b"--x\r\nContent-Type: application/http\r\nContent-ID: <response-%d>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n\r\n"


class Answering:
    """A service that answers every batch with what a test has put there."""

    def __init__(self) -> None:
        self.answer = HttpAnswer(200, b"")

    @property
    def routes(self) -> tuple[Route, ...]:
        """The batch alone."""
        return (Route("POST", re.compile(r"storage\.googleapis\.com/batch/storage/v1"), self.give),)

    def give(self, _: HttpRequest) -> HttpAnswer:
        """The answer."""
        return self.answer


@pytest.fixture
def service() -> Answering:
    return Answering()


@pytest.fixture
def clients(service: Answering) -> Iterator[DirectClients]:
    with LocalCloud() as cloud:
        cloud.http = HttpServer(cloud.server)  # nothing but this service
        cloud.http.add(service)
        clients = DirectClients(PROJECT, cloud, watcher=Switchboard())
        yield clients
        clients.close()


def mixed(body: bytes, content_type: str = "multipart/mixed; boundary=x") -> HttpAnswer:
    return HttpAnswer(200, body, content_type)


def test_answers_are_put_in_order(service: Answering, clients: DirectClients) -> None:
    held = b'{"error": {"message": "held", "errors": [{"reason": "forbidden", "domain": "global"}]}}'
    refused = b"--x\r\ncontent-id: <response-0>\r\n\r\nHTTP/1.1 403 Forbidden\r\nA: b\r\n\r\n" + held + b"\r\n"
    service.answer = mixed(GONE % 1 + refused + b"--x--\r\n")
    assert batch.send(clients, ["DELETE /a", "DELETE /b"]) == [
        Part(403, Refused("held", (PartError("forbidden"),))),
        Part(204),
    ]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (mixed(b""), "answered with 0 parts"),
        (mixed(GONE % 0 + b"--x--"), "a batch of 2 calls was answered with 1 parts"),
        (mixed(GONE % 0 + GONE % 0 + b"--x--"), "answered with 1 parts"),
        (mixed(GONE % 0 + GONE % 2 + b"--x--"), "answered with 2 parts"),
        (mixed(GONE % 0 + GONE % 1), "answered with 1 parts"),  # cut off: the last boundary is missing
        (mixed((GONE % 0).replace(b"response-0", b"7b") + b"--x--"), "does not say which call"),
        (mixed((GONE % 0).replace(b"HTTP/1.1 204", b"HTTP/1.1 ok") + b"--x--"), "has no status"),
        (mixed(b"{}", "application/json"), "was answered with 'application/json'"),
        (mixed(b"--x--", "multipart/mixed"), "was answered with 'multipart/mixed'"),
    ],
)
def test_an_answer_that_is_not_whole_is_not_believed(
    service: Answering, clients: DirectClients, answer: HttpAnswer, said: str
) -> None:
    service.answer = answer
    with pytest.raises(UnknownAnswer, match=said):
        batch.send(clients, ["DELETE /a", "DELETE /b"])


def test_an_error_of_another_shape_is_an_error_still(service: Answering, clients: DirectClients) -> None:
    broken = b"--x\r\nContent-ID: <response-0>\r\n\r\nHTTP/1.1 502 Bad Gateway\r\n\r\n<html>\r\n"
    service.answer = mixed(broken + b"--x--")
    assert batch.send(clients, ["DELETE /a"]) == [Part(502, Refused("Bad Gateway"))]


def test_the_pace_is_a_thousand_a_second_after_a_burst_of_as_many() -> None:
    now = [100.0]
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(round(seconds, 3))
        now[0] += seconds

    pace = Pace(1000, seconds=lambda: now[0], sleep=sleep)
    for _ in range(13):
        pace.wait_for(100)
    assert waits == [0.1] * 3
    now[0] += 60
    for _ in range(10):
        pace.wait_for(100)
    assert waits == [0.1] * 3
