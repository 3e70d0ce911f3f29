"""Google's clients: one of each, pointed at an endpoint, and trying again only what may be tried again."""

import logging
import threading
import time

import grpc
import pytest
from google.api_core import exceptions
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.run_v2 import ServicesClient

from localcloud import LocalCloud
from shared.clients import (
    ENDPOINT_VARIABLE,
    PROJECT_VARIABLE,
    RETRY_SECONDS_VARIABLE,
    CallOptions,
    Clients,
    RetryPolicy,
)

PARENT = "projects/p/locations/europe-west1"
PASSING = [
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
]
FINAL = [
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.UNIMPLEMENTED,
]


def list_services(clients: Clients, options: CallOptions) -> int:
    """The number of services, by one call."""
    return len(list(clients.of(ServicesClient).list_services(request={"parent": PARENT}, **options)))


@pytest.mark.parametrize("code", PASSING)
def test_a_read_is_tried_again_while_the_error_may_pass(
    cloud: LocalCloud, clients: Clients, code: grpc.StatusCode
) -> None:
    cloud.server.fail("ListServices", code, times=3)
    assert list_services(clients, clients.reading) == 0
    assert [call.code for call in cloud.server.calls] == [code] * 3 + [grpc.StatusCode.OK]


@pytest.mark.parametrize("code", FINAL)
def test_a_read_is_not_tried_again_when_that_is_no_use(
    cloud: LocalCloud, clients: Clients, code: grpc.StatusCode
) -> None:
    cloud.server.fail("ListServices", code)
    with pytest.raises(exceptions.GoogleAPICallError):
        list_services(clients, clients.reading)
    assert len(cloud.server.calls) == 1


@pytest.mark.parametrize("code", [*PASSING, *FINAL])
def test_a_write_is_sent_once(cloud: LocalCloud, clients: Clients, code: grpc.StatusCode) -> None:
    cloud.server.fail("ListServices", code)
    with pytest.raises(exceptions.GoogleAPICallError):
        list_services(clients, clients.writing)
    assert len(cloud.server.calls) == 1


def test_a_read_gives_up_in_the_end(cloud: LocalCloud) -> None:
    clients = Clients("p", endpoint=cloud.address, retry=RetryPolicy(first=0.001, longest=0.002, give_up=0.05))
    cloud.server.fail("ListServices", grpc.StatusCode.UNAVAILABLE, times=10_000)
    with pytest.raises(exceptions.RetryError):
        list_services(clients, clients.reading)
    assert cloud.server.calls
    clients.close()


def test_a_read_that_streams_is_tried_again_too(cloud: LocalCloud, clients: Clients) -> None:
    cloud.server.fail("BatchGetDocuments", grpc.StatusCode.UNAVAILABLE, times=2)
    name = "projects/p/databases/caretaker/documents/a/b"
    answers = clients.of(FirestoreClient).batch_get_documents(
        request={"database": "projects/p/databases/caretaker", "documents": [name]}, **clients.reading
    )
    assert [answer.missing for answer in answers] == [name]
    assert len(cloud.server.calls) == 3


def test_there_is_one_client_of_each_kind(clients: Clients) -> None:
    first = clients.of(ServicesClient)
    assert clients.of(ServicesClient) is first
    clients.close()
    assert clients.of(ServicesClient) is not first
    assert list_services(clients, clients.reading) == 0


class Watcher:
    """Records what it sees."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    def before(self, method: str) -> None:
        """The call is about to be sent."""
        self.calls.append(("before", method.rpartition("/")[2]))

    def after(self, method: str) -> None:
        """The call has been answered."""
        self.calls.append(("after", method.rpartition("/")[2]))


def test_a_watcher_sees_every_call(cloud: LocalCloud) -> None:
    watcher = Watcher()
    clients = Clients("p", endpoint=cloud.address, watcher=watcher)
    list_services(clients, clients.reading)
    assert watcher.calls == [("before", "ListServices"), ("after", "ListServices")]
    clients.close()


class Stop(BaseException):
    """Ends a run."""


def test_a_watcher_that_raises_stops_the_call_where_it_stands(cloud: LocalCloud) -> None:
    class Stopper(Watcher):
        def before(self, method: str) -> None:
            super().before(method)
            raise Stop

    clients = Clients("p", endpoint=cloud.address, watcher=Stopper())
    with pytest.raises(Stop):
        list_services(clients, clients.reading)
    assert cloud.server.calls == []
    clients.close()


@pytest.mark.parametrize(
    ("given", "project"),
    [
        ({PROJECT_VARIABLE: "p"}, "p"),
        ({"GOOGLE_CLOUD_PROJECT": "g"}, "g"),
        ({PROJECT_VARIABLE: "p", "GOOGLE_CLOUD_PROJECT": "g"}, "p"),
    ],
)
def test_the_environment_says_where_things_are(
    monkeypatch: pytest.MonkeyPatch, cloud: LocalCloud, given: dict[str, str], project: str
) -> None:
    for name in (PROJECT_VARIABLE, "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (given | {ENDPOINT_VARIABLE: cloud.address, RETRY_SECONDS_VARIABLE: "0.05"}).items():
        monkeypatch.setenv(name, value)
    clients = Clients.from_environment()
    assert clients.project == project
    cloud.server.fail("ListServices", grpc.StatusCode.UNAVAILABLE, times=10_000)
    with pytest.raises(exceptions.RetryError):
        list_services(clients, clients.reading)
    clients.close()


def test_without_a_word_a_read_is_tried_for_half_a_minute() -> None:
    policy = RetryPolicy()
    assert (policy.first, policy.longest, policy.give_up, policy.timeout) == (0.5, 8.0, 30.0, 20.0)


@pytest.mark.parametrize("logger", ["google", "google.cloud.run_v2.services.services"])
def test_payloads_are_not_logged_at_debug(
    cloud: LocalCloud, clients: Clients, caplog: pytest.LogCaptureFixture, logger: str
) -> None:
    del cloud
    with caplog.at_level(logging.DEBUG, logger=logger):
        list_services(clients, clients.reading)
    assert "canary" not in caplog.text
    assert "ListServices" not in caplog.text


@pytest.mark.parametrize("concurrency", [1, 2, 8])
@pytest.mark.parametrize("count", [0, 1, 5])
def test_results_are_in_the_order_of_the_items(count: int, concurrency: int) -> None:
    clients = Clients("p", concurrency=concurrency)
    assert clients.in_parallel(lambda number: number * 2, iter(range(count))) == [2 * one for one in range(count)]


def test_results_are_in_order_even_if_the_work_ends_the_other_way_round() -> None:
    ended = [threading.Event() for _ in range(5)]
    order: list[int] = []

    def work(number: int) -> int:
        if number < 4:
            assert ended[number + 1].wait(10)
        order.append(number)
        ended[number].set()
        return number

    assert Clients("p", concurrency=5).in_parallel(work, range(5)) == [0, 1, 2, 3, 4]
    assert order == [4, 3, 2, 1, 0]


@pytest.mark.parametrize("concurrency", [1, 4])
def test_what_the_work_raises_is_raised_and_the_rest_is_done(concurrency: int) -> None:
    done: list[int] = []

    def work(number: int) -> None:
        done.append(number)
        if number == 3:
            raise exceptions.NotFound("three")

    with pytest.raises(exceptions.NotFound, match="three"):
        Clients("p", concurrency=concurrency).in_parallel(work, range(4))
    assert sorted(done) == [0, 1, 2, 3]


def test_no_more_is_done_at_once_than_was_said() -> None:
    at_work = threading.Semaphore(2)

    def work(number: int) -> int:
        assert at_work.acquire(blocking=False)
        time.sleep(0.001)
        at_work.release()
        return number

    assert Clients("p", concurrency=2).in_parallel(work, range(10)) == list(range(10))
