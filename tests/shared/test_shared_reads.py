"""Runs at the same time share reads, none of which is older than what the run would have read by itself."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.shared_reads import SharedReads

PATIENCE_SECONDS = 30.0
RUNS, TIMES = 8, 25


class Source:
    """A source of numbers, of each read its own, from 1."""

    def __init__(self) -> None:
        self.begun = 0
        self.is_reading = threading.Event()
        self.may_end = threading.Event()
        self.error: Exception | None = None

    def read(self) -> int:
        self.begun += 1
        return self.begun

    def read_slowly(self) -> int:
        number = self.read()
        time.sleep(0.002)
        return number

    def read_when_let(self) -> int:
        """Like one that hangs, until ``may_end`` is set. Raises ``error`` if it has one then."""
        number = self.read()
        self.is_reading.set()
        assert self.may_end.wait(PATIENCE_SECONDS)
        if self.error:
            raise self.error
        return number


@pytest.fixture
def source() -> Source:
    return Source()


def test_a_run_that_is_alone_reads_by_itself_each_time(source: Source) -> None:
    reads = SharedReads()
    assert [reads.read("state", source.read) for _ in range(3)] == [1, 2, 3]


def test_runs_at_the_same_time_share_a_read_that_began_after_each_had_asked(source: Source) -> None:
    reads = SharedReads()

    def run(_: int) -> list[tuple[int, int]]:
        return [(source.begun, reads.read("state", source.read_slowly)) for _ in range(TIMES)]

    with ThreadPoolExecutor(RUNS) as pool:
        found = [pair for pairs in pool.map(run, range(RUNS)) for pair in pairs]
    assert all(number > begun_before for begun_before, number in found)
    assert source.begun < len(found) / 2


def test_a_read_that_hangs_keeps_no_other_run(source: Source) -> None:
    reads = SharedReads(longest_wait=0.01)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(reads.read, "state", source.read_when_let)
        assert source.is_reading.wait(PATIENCE_SECONDS)
        assert reads.read("state", source.read) == 2
        source.may_end.set()
        assert first.result(PATIENCE_SECONDS) == 1


def test_what_one_run_could_not_read_another_reads_itself(source: Source) -> None:
    reads, source.error = SharedReads(PATIENCE_SECONDS), ConnectionError("reset")
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(reads.read, "state", source.read_when_let)
        assert source.is_reading.wait(PATIENCE_SECONDS)
        second = pool.submit(reads.read, "state", source.read)
        source.may_end.set()
        assert second.result(PATIENCE_SECONDS) == 2
        with pytest.raises(ConnectionError):
            first.result(PATIENCE_SECONDS)
    assert reads.read("state", source.read) == 3


def test_another_thing_is_read_at_once(source: Source) -> None:
    reads = SharedReads(PATIENCE_SECONDS)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(reads.read, "state", source.read_when_let)
        assert source.is_reading.wait(PATIENCE_SECONDS)
        assert reads.read("other", source.read) == 2
        source.may_end.set()
        assert first.result(PATIENCE_SECONDS) == 1
