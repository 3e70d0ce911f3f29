"""A run that finds another at work: its event is not lost, even if the other one fails."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import grpc
import pytest
from google.api_core import exceptions

from localcloud import LocalCloud
from shared.clients import Clients
from shared.errors import RunFailed, StillAtWork, StillBusy
from shared.lease import DURATION, Lease, LeaseRecord
from shared.report import Outcome
from shared.state import State
from tests.shared.house import Lights, Stage

BRIGHT = {"hall": 7, "attic": 7, "cellar": 7}
ASKED = LeaseRecord(rerun_requested=True)


@pytest.fixture
def stage(cloud: LocalCloud, clients: Clients) -> Stage:
    return Stage(cloud, clients)


def lease(stage: Stage) -> LeaseRecord:
    """The lease."""
    return State(stage.clients).read(Lease.path("lights"))[0].as_type(LeaseRecord)


def test_the_holder_looks_at_everything_for_the_other_one(stage: Stage) -> None:
    stage.house.on_apply = stage.tick
    assert stage.wish(7).outcome is Outcome.APPLIED
    # Its own look before and after it has the lease, the other run's, and two that are not about its own event alone.
    assert stage.house.about == ["Wish", "Wish", "Tick", "Wish", "RerunRequested"]
    assert lease(stage) == LeaseRecord()


def test_if_the_holder_fails_its_next_delivery_looks_at_everything(stage: Stage) -> None:
    stage.house.on_apply = stage.tick
    stage.house.errors["attic"] = [exceptions.ServiceUnavailable("not now")]
    said = stage.cloud.clock.now()
    with pytest.raises(RunFailed):
        stage.wish(7, published=said, message_id="1")
    assert lease(stage) == ASKED
    stage.house.about.clear()
    stage.wish(7, published=said, message_id="1")
    assert set(stage.house.about) == {"RerunRequested"}
    assert stage.house.levels == BRIGHT
    assert lease(stage) == LeaseRecord()


def test_if_the_holder_has_to_wait_it_is_delivered_again(stage: Stage) -> None:
    stage.house.on_apply = stage.tick
    stage.house.errors["attic"] = [StillBusy("someone is at the switch")]
    with pytest.raises(RunFailed, match="another run has requested a rerun"):
        stage.wish(7)
    assert stage.reports[-1].counts == {Outcome.APPLIED: 2, Outcome.WAITING: 1}
    assert lease(stage) == ASKED


def test_what_was_asked_is_seen_to_if_nothing_is_left_to_do(stage: Stage) -> None:
    stage.wish(7)
    state = State(stage.clients)
    state.write(state.read(Lease.path("lights"))[0], ASKED)
    stage.house.about.clear()
    assert stage.tick().outcome is Outcome.UNCHANGED
    assert stage.house.about == ["RerunRequested", "RerunRequested"]
    assert lease(stage) == LeaseRecord()


def test_a_message_whose_run_has_died_is_delivered_until_its_lease_expires(stage: Stage) -> None:
    said = stage.cloud.clock.now()
    state = State(stage.clients)
    assert Lease(state, state.read(Lease.path("lights"))[0], "1").take(said)
    for _ in range(2):
        with pytest.raises(RunFailed, match="an earlier delivery of this message holds it") as error:
            stage.wish(7, published=said, message_id="1")
        assert isinstance(error.value.__cause__, StillAtWork)
    assert stage.wish(7, published=said, message_id="2").outcome is Outcome.WAITING
    stage.cloud.clock.advance(DURATION)
    assert stage.wish(7, published=said, message_id="1").outcome is Outcome.APPLIED
    assert (stage.house.levels, lease(stage)) == (BRIGHT, LeaseRecord())


def after_the_lease_is_taken(stage: Stage, seconds: float, happens: Callable[[], object] = lambda: None) -> None:
    """Let time pass, and something happen, as the run looks again, before its first change."""
    passed = [0.0]
    stage.seconds = lambda: passed[0]
    stage.settings = Lights(rooms=("hall",))

    def at_the_second_look() -> None:
        passed[0] += seconds
        happens()

    stage.house.on_read = lambda: setattr(stage.house, "on_read", at_the_second_look)


def test_a_run_that_lasts_longer_than_its_lease_renews_it(stage: Stage) -> None:
    after_the_lease_is_taken(stage, 110)
    left = []
    stage.house.on_apply = lambda: left.append(lease(stage).expires_at - stage.cloud.clock.now())
    assert stage.wish(7).outcome is Outcome.APPLIED
    assert left == [timedelta(seconds=110) + DURATION]
    assert lease(stage) == LeaseRecord()


def test_a_run_whose_lease_was_taken_over_begins_no_change_and_is_delivered_again(stage: Stage) -> None:
    state = State(stage.clients)

    def another_run_takes_it() -> None:
        assert Lease(state, state.read(Lease.path("lights"))[0], "other").take(stage.cloud.clock.now() + DURATION)

    after_the_lease_is_taken(stage, DURATION.total_seconds(), another_run_takes_it)
    with pytest.raises(RunFailed, match="another run has taken over the lease"):
        stage.wish(7)
    assert stage.house.changes == []
    assert lease(stage).message_id == "other"


def test_a_change_of_which_the_lease_cannot_be_renewed_has_failed(stage: Stage) -> None:
    commit = "google.firestore.v1.Firestore/Commit"
    denied = partial(stage.cloud.server.fail, commit, grpc.StatusCode.PERMISSION_DENIED, skip=1)
    after_the_lease_is_taken(stage, 110, denied)
    with pytest.raises(RunFailed, match="1 change failed, such as hall"):
        stage.wish(7)
    assert stage.house.changes == []
