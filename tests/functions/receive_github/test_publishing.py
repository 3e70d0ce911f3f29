"""Several webhooks in one call: exactly those that are answered so are published."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import count

import grpc
import msgspec
import pytest
from google.api_core.exceptions import PermissionDenied
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.receive_github import publishing
from functions.receive_github.bodies import BODY_SECONDS
from functions.receive_github.publishing import LONGEST_PUBLISHING, Publisher
from infra.suite.automations import load_functions
from shared.clients import Clients, RetryPolicy
from shared.github_events import LONGEST_COMMAND, CommentCommand, PullRequestEvent
from shared.watching import NoWatcher
from tests.functions.receive_github.examples import HEAD, body_of, example
from tests.functions.receive_github.stage import PROJECT, Stage, staged

WAITS = 10.0
"""Seconds after which a test has failed."""
OPENED = example("pull_request", "opened")
NUMBERS = count(1)
FAULTS = st.lists(
    st.tuples(
        st.sampled_from(["PERMISSION_DENIED", "INVALID_ARGUMENT", "UNAVAILABLE"]),
        st.integers(min_value=0, max_value=3),
        st.booleans(),
    ),
    max_size=4,
)


class Gate(NoWatcher):
    """Holds the first call before it is sent, until it is opened."""

    def __init__(self) -> None:
        self.is_first = True
        self.reached = threading.Event()
        self.opened = threading.Event()

    def before(self, method: str) -> None:
        """Hold the first."""
        del method
        if self.is_first:
            self.is_first = False
            self.reached.set()
            assert self.opened.wait(WAITS)


class Published:
    """A publisher whose first call is held, and the webhooks that several threads publish by it."""

    def __init__(self, stage: Stage, pool: ThreadPoolExecutor) -> None:
        self.stage = stage
        self.gate = Gate()
        retry = RetryPolicy(first=0.001, give_up=0.01)
        address = stage.cloud.http_address
        self.clients = Clients(PROJECT, http_endpoint=address, watcher=self.gate, retry=retry)
        self.publisher = Publisher(self.clients)
        self.pool = pool

    def start(self, number: int) -> Future[None]:
        """Publish a webhook in a thread of its own, as soon as those before have joined a batch."""
        future = self.pool.submit(self.publisher.publish, event_of(number), f"delivery-{number}")
        if number == 0:
            assert self.gate.reached.wait(WAITS)
        return future

    def sizes(self) -> list[int]:
        """The number of messages of each call."""
        return [len(call.request.messages) for call in self.stage.cloud.server.calls]  # type: ignore[attr-defined]


def event_of(number: int) -> PullRequestEvent:
    """An event that differs from others."""
    at = datetime(2026, 11, 15, 12, tzinfo=UTC)
    return PullRequestEvent(
        repository="a/b", number=1 + number, action="opened", head_sha=HEAD, updated_at=at, sender="me"
    )


@pytest.fixture
def published(waiting_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Published]:
    monkeypatch.setattr(publishing, "LONGEST_WAIT", 2 * WAITS)
    with ThreadPoolExecutor(20) as pool:
        published = Published(waiting_stage, pool)
        yield published
        published.gate.opened.set()
    published.clients.close()


def gathered(published: Published, several: int) -> list[Future[None]]:
    """Webhooks of which the first is under way, and all others wait for it."""
    futures = [published.start(number) for number in range(1 + several)]
    until = time.monotonic() + WAITS
    while len(published.publisher._next.messages) < several:  # noqa: SLF001 - nothing else says that they wait
        assert time.monotonic() < until
        time.sleep(0.001)
    return futures


def test_those_that_come_during_a_call_are_published_by_the_next(published: Published) -> None:
    futures = gathered(published, 9)
    published.gate.opened.set()
    for future in futures:
        future.result(WAITS)
    assert published.sizes() == [1, 9]
    assert sorted(published.stage.published(), key=lambda one: one[0].number) == [
        (event_of(number), f"delivery-{number}") for number in range(10)
    ]


def test_an_error_reaches_all_of_a_batch_and_no_other(published: Published) -> None:
    published.stage.cloud.server.fail("Publish", grpc.StatusCode.PERMISSION_DENIED, skip=1)
    first, *others = gathered(published, 9)
    published.gate.opened.set()
    first.result(WAITS)
    assert all(isinstance(future.exception(WAITS), PermissionDenied) for future in others)
    published.start(10).result(WAITS)
    assert [event.number for event, _ in published.stage.published()] == [1, 11]


def test_what_is_refused_as_it_is_fails_no_neighbour(published: Published) -> None:
    # The batch, and then the first of those that are sent by themselves.
    published.stage.cloud.server.fail("Publish", grpc.StatusCode.INVALID_ARGUMENT, skip=1, times=2)
    futures = gathered(published, 9)
    published.gate.opened.set()
    assert sum(future.exception(WAITS) is not None for future in futures) == 1
    assert published.sizes() == [1, 9, *[1] * 9]
    assert len(published.stage.published()) == 9


def test_a_call_that_takes_long_is_waited_for_only_so_long(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "LONGEST_WAIT", 0.01)
    slow, following = published.start(0), published.start(1)
    following.result(WAITS)
    assert not slow.done()
    assert [event.number for event, _ in published.stage.published()] == [2]
    published.gate.opened.set()
    slow.result(WAITS)


def test_publishing_and_reading_end_within_the_ten_seconds_that_github_waits() -> None:
    assert BODY_SECONDS + LONGEST_PUBLISHING < 10


def test_a_batch_is_as_small_as_pubsub_takes() -> None:
    at = datetime(2026, 11, 15, 12, tzinfo=UTC)
    longest, author = "\N{ROCKET}" * LONGEST_COMMAND, "\N{ROCKET}" * 100
    largest = CommentCommand(
        repository="r" * 200, number=2**63, comment_id=2**63, created_at=at, author=author, command=longest
    )
    at_once = load_functions()["receive_github"].concurrency
    assert at_once <= 1000
    assert at_once * len(msgspec.json.encode(largest)) < 1_000_000


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A function for all examples."""
    with staged(tmp_path_factory.mktemp("secrets")) as stage:
        stage.start()
        yield stage


@pytest.mark.one_python
@given(FAULTS)
@settings(max_examples=25)
def test_exactly_what_is_answered_202_is_published(started: Stage, faults: list[tuple[str, int, bool]]) -> None:
    started.cloud.server.clear_faults()
    for code, skip, after_effect in faults:
        started.cloud.server.fail("Publish", grpc.StatusCode[code], skip=skip, after_effect=after_effect)
    numbers = [next(NUMBERS) for _ in range(16)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: _status_of(started, number), numbers))
    accepted = {number for number, status in zip(numbers, answers, strict=True) if status == HTTPStatus.ACCEPTED}
    assert set(answers) <= {HTTPStatus.ACCEPTED, HTTPStatus.SERVICE_UNAVAILABLE}
    events = started.published()
    assert all(delivery == f"delivery-{event.number}" for event, delivery in events)
    published = {event.number for event, _ in events}
    assert accepted <= published <= set(numbers)
    if not any(after_effect for _, _, after_effect in faults):
        assert len(events) == len(accepted) == len(published)
    if not faults:
        assert accepted == set(numbers)


def _status_of(stage: Stage, number: int) -> int:
    payload = OPENED | {"pull_request": OPENED["pull_request"] | {"number": number}}
    return stage.post(body_of(payload), headers={"X-GitHub-Delivery": f"delivery-{number}"}).status_code
