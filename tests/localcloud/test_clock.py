"""The local cloud's time."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.core.clock import Clock

START = datetime(2026, 11, 1, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PATIENCE_SECONDS = 20.0


@pytest.fixture
def clock() -> Clock:
    return Clock(START)


@pytest.fixture
def running() -> Iterator[Clock]:
    clock = Clock(START, running=True)
    yield clock
    clock.close()


def test_time_stands_still_until_it_is_advanced(clock: Clock) -> None:
    assert clock.now() == START
    clock.advance(3 * SECOND)
    assert clock.now() == START + 3 * SECOND


def test_time_does_not_go_back(clock: Clock) -> None:
    clock.advance_to(START - SECOND)
    assert clock.now() == START


def test_a_start_is_reported_in_utc() -> None:
    clock = Clock(START.astimezone(timezone(timedelta(hours=13))))
    assert clock.now() == START
    assert clock.now().tzinfo is UTC


def test_times_of_other_zones_are_reported_in_utc(clock: Clock) -> None:
    elsewhere = timezone(timedelta(hours=-5))
    seen: list[datetime] = []
    clock.call_at((START + SECOND).astimezone(elsewhere), lambda: seen.append(clock.now()))
    clock.advance_to((START + 2 * SECOND).astimezone(elsewhere))
    seen.append(clock.now())
    assert seen == [START + SECOND, START + 2 * SECOND]
    assert {moment.tzinfo for moment in seen} == {UTC}


def test_a_start_needs_a_time_zone() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        Clock(START.replace(tzinfo=None))


def test_without_a_start_it_is_now() -> None:
    before = datetime.now(UTC)
    assert before <= Clock().now() <= datetime.now(UTC)


@given(
    delays=st.lists(st.integers(0, 20), max_size=8),
    steps=st.lists(st.integers(0, 9), max_size=6),
)
def test_timers_fire_in_order_each_at_its_own_time(delays: list[int], steps: list[int]) -> None:
    clock = Clock(START)
    fired: list[tuple[datetime, int]] = []
    for number, delay in enumerate(delays):
        clock.call_later(delay * SECOND, lambda number=number: fired.append((clock.now(), number)))  # type: ignore[misc]
    for step in steps:
        clock.advance(step * SECOND)
    due = sorted((START + delay * SECOND, number) for number, delay in enumerate(delays))
    # A timer that is due at once fires only when time is advanced at all.
    assert fired == [one for one in due if steps and one[0] <= START + sum(steps) * SECOND]


def test_a_timer_that_a_timer_sets_fires_in_the_same_advance(clock: Clock) -> None:
    fired: list[datetime] = []

    def tick() -> None:
        fired.append(clock.now())
        clock.call_later(SECOND, tick)

    clock.call_later(SECOND, tick)
    clock.advance(3 * SECOND)
    assert fired == [START + SECOND, START + 2 * SECOND, START + 3 * SECOND]


def test_a_cancelled_timer_does_not_fire(clock: Clock) -> None:
    fired: list[str] = []
    clock.call_later(SECOND, lambda: fired.append("first"))
    cancelled = clock.call_later(SECOND, lambda: fired.append("second"))
    clock.call_later(SECOND, lambda: fired.append("third"))
    cancelled.cancel()
    clock.advance(2 * SECOND)
    assert fired == ["first", "third"]


def test_time_waits_for_the_work_that_a_timer_sets_off(clock: Clock) -> None:
    done: list[datetime] = []
    started = threading.Event()

    def work() -> None:
        started.wait(PATIENCE_SECONDS)
        done.append(clock.now())
        clock.end_work()

    def set_off() -> None:
        clock.begin_work()
        threading.Thread(target=work).start()

    clock.call_later(SECOND, set_off)
    seen: list[list[datetime]] = []
    clock.call_later(2 * SECOND, lambda: seen.append(list(done)))
    advancing = threading.Thread(target=clock.advance, args=(5 * SECOND,))
    advancing.start()
    started.set()
    advancing.join(PATIENCE_SECONDS)
    assert done == [START + SECOND]
    assert seen == [done]
    assert clock.now() == START + 5 * SECOND


def test_settle_waits_for_work_in_flight(clock: Clock) -> None:
    done: list[str] = []
    begun = threading.Event()

    def work() -> None:
        with clock.busy():
            begun.set()
            done.append("work")

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait(PATIENCE_SECONDS)
    clock.settle()
    assert done == ["work"]
    thread.join()


def test_settle_gives_up(clock: Clock) -> None:
    with clock.busy(), pytest.raises(TimeoutError, match="1 pieces of work"):
        clock.settle(timeout=0.01)


def test_settle_fires_what_is_due_already(clock: Clock) -> None:
    fired: list[str] = []

    def first() -> None:
        fired.append("first")
        clock.call_later(timedelta(0), lambda: fired.append("what it set off"))

    clock.call_at(START - SECOND, first)
    clock.call_later(SECOND, lambda: fired.append("later"))
    clock.settle()
    assert fired == ["first", "what it set off"]
    assert clock.now() == START


def test_the_horizon_is_how_far_time_is_being_advanced(clock: Clock) -> None:
    horizons: list[datetime] = []
    clock.call_later(SECOND, lambda: horizons.append(clock.horizon()))
    assert clock.horizon() == START
    clock.advance(9 * SECOND)
    assert horizons == [START + 9 * SECOND]


def test_a_running_clock_fires_timers_by_itself(running: Clock) -> None:
    fired = threading.Event()
    cancelled = running.call_later(timedelta(0), lambda: None)
    cancelled.cancel()
    running.call_later(timedelta(milliseconds=5), fired.set)
    assert fired.wait(PATIENCE_SECONDS)
    assert running.now() >= START + timedelta(milliseconds=5)


def test_a_running_clock_can_be_advanced(running: Clock) -> None:
    fired: list[datetime] = []
    running.call_at(START + timedelta(days=1), lambda: fired.append(running.now()))
    running.advance(timedelta(days=2))
    assert fired[0] >= START + timedelta(days=1)
    assert running.now() >= START + timedelta(days=2)


def test_a_clock_that_stands_still_can_start_running(clock: Clock) -> None:
    fired = threading.Event()
    clock.call_later(timedelta(milliseconds=5), fired.set)
    clock.start_running()
    clock.start_running()
    assert fired.wait(PATIENCE_SECONDS)
    clock.close()


def test_two_that_advance_do_so_one_after_the_other(clock: Clock) -> None:
    fired: list[datetime] = []
    for second in range(1, 41):
        clock.call_later(second * SECOND, lambda: fired.append(clock.now()))
    threads = [threading.Thread(target=clock.advance_to, args=(START + 40 * SECOND,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert fired == [START + second * SECOND for second in range(1, 41)]
