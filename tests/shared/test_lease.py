"""One hand at a time, and the mark that asks the holder to look again."""

import itertools
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from google.api_core import exceptions

from localcloud import LocalCloud
from shared.clients import Clients, RetryPolicy
from shared.errors import StillAtWork, WriteConflict
from shared.lease import DURATION, LEFT_FOR_A_CHANGE, Lease, LeaseRecord
from shared.state import ATTEMPTS, State

NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)
PATH = Lease.path("sweep")


@pytest.fixture
def state(clients: Clients) -> State:
    return State(clients)


MESSAGES = map(str, itertools.count())


def a_lease(state: State, message_id: str | None = None) -> Lease:
    """The lease as a run knows it that has just read the state, woken by a message of its own."""
    return Lease(state, state.read(PATH)[0], message_id or next(MESSAGES))


def stored(state: State) -> LeaseRecord:
    """The document in the database."""
    return state.read(PATH)[0].as_type(LeaseRecord)


def test_a_free_lease_is_taken_and_given_back(state: State) -> None:
    lease = a_lease(state)
    assert lease.take(NOON)
    assert stored(state).expires_at == NOON + DURATION
    assert lease.release_if_done(NOON)
    assert stored(state) == LeaseRecord()
    assert a_lease(state).take(NOON)


def test_taking_and_giving_back_are_one_write_each(state: State, cloud: LocalCloud) -> None:
    lease = a_lease(state)
    cloud.server.clear_calls()
    lease.take(NOON)
    lease.release_if_done(NOON)
    assert [call.method.rpartition("/")[2] for call in cloud.server.calls] == ["Commit", "Commit"]
    assert lease.release_if_done(NOON)
    assert len(cloud.server.calls) == 2


def test_whoever_finds_it_held_leaves_a_mark_which_the_holder_sees(state: State) -> None:
    holder, other = a_lease(state), a_lease(state)
    assert holder.take(NOON)
    assert not other.take(NOON)
    assert stored(state).rerun_requested
    assert not holder.release_if_done(NOON)
    assert not stored(state).rerun_requested
    assert holder.release_if_done(NOON)
    assert stored(state) == LeaseRecord()
    assert other.release_if_done(NOON)


def test_one_mark_is_enough_for_many(state: State) -> None:
    holder = a_lease(state)
    holder.take(NOON)
    for _ in range(3):
        assert not a_lease(state).take(NOON)
    assert not holder.release_if_done(NOON)
    assert holder.release_if_done(NOON)


def test_a_mark_that_was_seen_to_meanwhile_does_not_count(state: State) -> None:
    holder = a_lease(state)
    holder.take(NOON)
    a_lease(state).take(NOON)
    late = a_lease(state)  # has read the lease as held and marked
    assert not holder.release_if_done(NOON)
    assert not late.take(NOON)
    assert stored(state).rerun_requested
    assert not holder.release_if_done(NOON)
    assert holder.release_if_done(NOON)


def test_a_mark_whose_holder_has_left_does_not_count(state: State) -> None:
    holder = a_lease(state)
    holder.take(NOON)
    a_lease(state).take(NOON)
    late = a_lease(state)
    assert not holder.release_if_done(NOON)
    assert holder.release_if_done(NOON)
    assert late.take(NOON)


@pytest.mark.parametrize(
    ("after", "is_free"), [(timedelta(0), False), (DURATION - timedelta(microseconds=1), False), (DURATION, True)]
)
def test_a_lease_expires(state: State, after: timedelta, *, is_free: bool) -> None:
    a_lease(state).take(NOON)
    assert a_lease(state).take(NOON + after) is is_free


def test_a_lease_that_was_stolen_is_not_given_back(state: State) -> None:
    slow, quick = a_lease(state), a_lease(state)
    slow.take(NOON)
    assert quick.take(NOON + DURATION)
    assert slow.release_if_done(NOON + DURATION)
    assert stored(state).expires_at == NOON + 2 * DURATION
    assert slow.release_if_done(NOON + DURATION)
    assert quick.release_if_done(NOON + DURATION)


def test_of_two_who_find_it_free_one_takes_it(state: State) -> None:
    one, other = a_lease(state), a_lease(state)
    assert [one.take(NOON), other.take(NOON)] == [True, False]


def test_an_answer_that_was_lost_as_a_conflict_is_ours_all_the_same(state: State, cloud: LocalCloud) -> None:
    lease = a_lease(state)
    cloud.server.fail("Commit", grpc.StatusCode.ABORTED, after_effect=True)
    assert lease.take(NOON)
    assert lease.release_if_done(NOON)
    assert stored(state) == LeaseRecord()


def test_an_error_is_raised(state: State, cloud: LocalCloud) -> None:
    lease = a_lease(state)
    cloud.server.fail("Commit", grpc.StatusCode.UNAVAILABLE, times=2)
    with pytest.raises(exceptions.ServiceUnavailable):
        lease.take(NOON)
    lease = a_lease(state)
    with pytest.raises(exceptions.ServiceUnavailable):
        lease.take(NOON)
    assert a_lease(state).take(NOON)


def test_a_lease_that_is_contended_as_it_is_given_back_is_raised(state: State, cloud: LocalCloud) -> None:
    holder = a_lease(state)
    holder.take(NOON)
    a_lease(state).take(NOON)
    cloud.server.fail("Commit", grpc.StatusCode.ABORTED, skip=1)
    with pytest.raises(WriteConflict):
        holder.release_if_done(NOON)


def test_what_was_asked_stays_behind_if_the_holder_leaves_without_looking(state: State) -> None:
    holder = a_lease(state)
    holder.take(NOON)
    a_lease(state).take(NOON)
    assert not stored(state).is_rerun_due(NOON)
    assert holder.release()
    assert stored(state) == LeaseRecord(rerun_requested=True)
    assert stored(state).is_rerun_due(NOON)
    heir = a_lease(state)
    assert heir.take(NOON)
    assert heir.release_if_done(NOON)
    assert stored(state) == LeaseRecord()


def test_leaving_without_having_been_asked_leaves_nothing(state: State) -> None:
    holder = a_lease(state)
    assert not holder.release()
    holder.take(NOON)
    assert not holder.release()
    assert stored(state) == LeaseRecord()
    assert not holder.release()


def test_a_lease_that_was_stolen_is_not_left(state: State) -> None:
    slow, quick = a_lease(state), a_lease(state)
    slow.take(NOON)
    quick.take(NOON + DURATION)
    assert not slow.release()
    assert not stored(state).is_free(NOON + DURATION)


def test_a_lease_that_is_contended_as_it_is_left_is_raised(state: State, cloud: LocalCloud) -> None:
    holder = a_lease(state)
    holder.take(NOON)
    cloud.server.fail("Commit", grpc.StatusCode.ABORTED, times=ATTEMPTS)
    with pytest.raises(WriteConflict):
        holder.release()


def test_a_message_is_not_acknowledged_while_the_lease_is_held_for_it(state: State) -> None:
    a_lease(state, "lost").take(NOON)
    again = a_lease(state, "lost")
    with pytest.raises(StillAtWork, match="an earlier delivery of this message"):
        again.take(NOON)
    assert not stored(state).rerun_requested
    assert a_lease(state, "lost").take(NOON + DURATION)


@pytest.mark.parametrize(
    ("seconds", "meanwhile", "is_kept", "renewed_at"),
    [
        (60, "nothing", True, 0),  # a minute is left, which is enough
        (61, "nothing", True, 61),
        (61, "a request", True, 61),
        (500, "nothing", True, 500),  # it has expired, and no run has taken it
        (120, "another run", False, 120),
    ],
)
def test_a_lease_is_renewed_before_a_change_unless_another_run_has_it(
    state: State, seconds: int, meanwhile: str, *, is_kept: bool, renewed_at: int
) -> None:
    now = NOON + timedelta(seconds=seconds)
    holder = a_lease(state)
    holder.take(NOON)
    if meanwhile != "nothing":
        assert a_lease(state).take(now) is (meanwhile == "another run")
    assert holder.keep(now) is is_kept
    assert holder.is_lost is not is_kept
    assert stored(state).expires_at == NOON + timedelta(seconds=renewed_at) + DURATION
    assert stored(state).rerun_requested is (meanwhile == "a request")
    assert holder.release_if_done(now) is (meanwhile != "a request")


def test_a_change_that_begins_ends_before_the_lease_does() -> None:
    calls = 2  # the most that one change sends
    assert calls * timedelta(seconds=RetryPolicy().timeout) < LEFT_FOR_A_CHANGE < DURATION


def test_a_lease_that_is_contended_as_it_is_renewed_is_raised(state: State, cloud: LocalCloud) -> None:
    holder = a_lease(state)
    holder.take(NOON)
    cloud.server.fail("Commit", grpc.StatusCode.ABORTED, times=ATTEMPTS)
    with pytest.raises(WriteConflict):
        holder.keep(NOON + DURATION)
