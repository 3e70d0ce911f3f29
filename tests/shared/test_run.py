"""The run, step by step, on a small automation."""

from datetime import timedelta

import grpc
import msgspec
import pytest
from google.api_core import exceptions
from google.auth.exceptions import RefreshError
from google.pubsub_v1 import types as pubsub

from localcloud import LocalCloud
from shared.clients import Clients
from shared.errors import RunFailed
from shared.lease import DURATION, Lease, LeaseRecord
from shared.report import Outcome
from shared.settings import Mode
from shared.state import ATTEMPTS, State
from shared.world import Unreadable
from tests.shared.house import INBOX, Records, Stage

BRIGHT = {"hall": 7, "attic": 7, "cellar": 7}
DARK = {"hall": 0, "attic": 0, "cellar": 0}
READ, WRITE = "BatchGetDocuments", "Commit"


@pytest.fixture
def stage(cloud: LocalCloud, clients: Clients) -> Stage:
    return Stage(cloud, clients)


def remembered(stage: Stage) -> Records:
    """The records."""
    return State(stage.clients).read("records/lights")[0].as_type(Records)


def lease(stage: Stage) -> LeaseRecord:
    """The lease."""
    return State(stage.clients).read(Lease.path("lights"))[0].as_type(LeaseRecord)


def test_a_wish_comes_true(stage: Stage) -> None:
    report = stage.wish(7)
    assert stage.house.levels == BRIGHT
    assert (report.automation, report.mode, report.event, report.outcome) == (
        "lights",
        Mode.ACT,
        "Wish",
        Outcome.APPLIED,
    )
    assert (report.message_id, report.at, report.counts) == ("100", stage.cloud.clock.now(), {Outcome.APPLIED: 3})
    assert report.status == ("level 7",)
    assert report.next == ("the sun comes up",)
    assert stage.reports == [report]
    assert remembered(stage).intended == {}
    assert remembered(stage).reported == ("hall", "attic", "cellar")
    assert lease(stage) == LeaseRecord()


def test_a_duplicate_or_a_tick_with_nothing_to_do_is_one_read(stage: Stage) -> None:
    said = stage.cloud.clock.now()
    stage.wish(7)
    stage.calls()
    assert stage.wish(7, published=said).outcome is Outcome.UNCHANGED
    assert stage.calls() == [READ]
    assert stage.tick().outcome is Outcome.UNCHANGED
    assert stage.calls() == [READ]
    assert stage.wish(3, published=said - timedelta(hours=1)).outcome is Outcome.UNCHANGED
    assert stage.calls() == [READ]


def test_a_newer_word_that_changes_nothing_is_one_read_and_one_write(stage: Stage) -> None:
    stage.wish(7)
    stage.calls()
    stage.cloud.clock.advance(timedelta(hours=1))
    assert stage.wish(7).outcome is Outcome.UNCHANGED
    assert stage.calls() == [READ, WRITE]


@pytest.mark.parametrize(
    ("data", "topic", "why"),
    [
        ({"type": "wish", "level": 7}, "projects/p/topics/elsewhere", "foreign: not by the inbox"),
        ({"type": "wish"}, INBOX, "malformed: Object missing required field `level`"),
        ("hello", INBOX, "malformed: Expected `object`, got `str`"),
    ],
)
def test_what_can_never_succeed_is_reported_and_acknowledged(stage: Stage, data: object, topic: str, why: str) -> None:
    report = stage.push(data, topic=topic)
    assert (report.outcome, report.why) == (Outcome.IGNORED, why)
    assert report.event == f"a message by {topic.rpartition('/')[2]}"
    assert stage.reports == [report]
    assert stage.calls() == []


def test_a_tick_that_is_superseded_costs_nothing(stage: Stage) -> None:
    report = stage.tick(published=stage.cloud.clock.now() - timedelta(minutes=11))
    assert (report.outcome, report.why.partition(":")[0]) == (Outcome.UNCHANGED, "superseded")
    assert (stage.calls(), stage.house.reads) == ([], 0)


def test_observing_changes_nothing_and_says_when_the_plan_changes(stage: Stage) -> None:
    stage.mode = Mode.OBSERVE
    first = stage.wish(7)
    assert (first.outcome, first.plan_changed, first.counts) == (Outcome.OBSERVED, True, {Outcome.OBSERVED: 3})
    assert stage.calls() == [READ, WRITE, WRITE]
    again = stage.tick()
    assert (again.outcome, again.plan_changed, again.changes) == (Outcome.OBSERVED, False, first.changes)
    assert stage.calls() == [READ]
    stage.house.levels["hall"] = 7
    other = stage.tick()
    assert (other.plan_changed, [change.target for change in other.changes]) == (True, ["attic", "cellar"])
    stage.house.levels |= BRIGHT
    assert (stage.tick().plan_changed, stage.tick().plan_changed) == (True, False)
    assert (stage.house.changes, remembered(stage).intended) == ([], {})
    assert lease(stage) == LeaseRecord()


def test_a_refusal_too_is_part_of_the_plan_that_is_observed(stage: Stage) -> None:
    stage.mode = Mode.OBSERVE
    stage.wish(7)
    stage.house.locked = {"attic"}
    report = stage.tick()
    assert (report.outcome, report.plan_changed) == (Outcome.REFUSED, True)


def test_what_was_observed_is_what_acting_does_first(stage: Stage) -> None:
    stage.mode = Mode.OBSERVE
    observed = stage.wish(7).changes
    stage.mode = Mode.ACT
    applied = stage.tick().changes
    assert [msgspec.structs.replace(change, outcome=Outcome.OBSERVED) for change in applied] == list(observed)


def test_another_run_that_writes_while_this_one_observes_is_no_failure(stage: Stage) -> None:
    stage.mode = Mode.OBSERVE
    stage.wish(7)
    stage.house.levels["hall"] = 1
    later = stage.cloud.clock.now() + timedelta(seconds=1)
    stage.house.on_read = lambda: stage.wish(8, published=later)
    assert stage.tick().plan_changed
    assert remembered(stage).level == 8


def test_one_failed_change_does_not_stop_the_others_and_the_run_raises(stage: Stage) -> None:
    stage.house.errors = {"attic": [exceptions.ServiceUnavailable("try later")]}
    with pytest.raises(RunFailed, match=r"^lights: 1 change failed, such as attic$"):
        stage.wish(7)
    assert stage.house.levels == BRIGHT | {"attic": 0}
    (report,) = stage.reports
    assert (report.outcome, report.counts) == (Outcome.FAILED, {Outcome.APPLIED: 2, Outcome.FAILED: 1})
    assert (report.changes[0].target, report.changes[0].error) == ("attic", "ServiceUnavailable: try later")
    assert remembered(stage).reported == ("hall", "cellar")
    assert remembered(stage).intended == {"attic": 7}
    assert lease(stage) == LeaseRecord()
    assert stage.wish(7, published=report.at).outcome is Outcome.APPLIED
    assert stage.house.changes == ["hall", "cellar", "attic"]


@pytest.mark.parametrize(
    "error",
    [
        exceptions.PermissionDenied("no"),
        exceptions.RetryError("gave up", None),
        RefreshError("no token"),
        RunFailed("no"),
    ],
)
def test_whatever_a_call_raises_is_a_failure_that_is_reported(stage: Stage, error: Exception) -> None:
    stage.house.errors = {"hall": [error]}
    with pytest.raises(RunFailed):
        stage.wish(7)
    assert stage.reports[0].changes[0].error.startswith(f"{type(error).__name__}: ")
    assert stage.house.levels == BRIGHT | {"hall": 0}


def test_a_fault_of_ours_is_raised_as_it_is_and_the_lease_is_given_back(stage: Stage) -> None:
    stage.house.errors = {"hall": [ZeroDivisionError("ours")]}
    with pytest.raises(ZeroDivisionError):
        stage.wish(7)
    assert lease(stage) == LeaseRecord()


def test_a_change_that_does_not_last_fails(stage: Stage) -> None:
    stage.house.slipping = {"attic"}
    with pytest.raises(RunFailed, match="attic"):
        stage.wish(7)
    (report,) = stage.reports
    assert report.counts == {Outcome.APPLIED: 3, Outcome.FAILED: 1}
    assert (report.changes[0].target, report.changes[0].error) == ("attic", "it was applied, but did not last")
    assert stage.house.changes == ["hall", "attic", "cellar"]


def test_what_it_intends_is_durable_before_it_is_done(stage: Stage) -> None:
    seen: list[dict[str, int]] = []
    stage.house.on_apply = lambda: seen.append(remembered(stage).intended)
    stage.wish(7)
    assert seen == [BRIGHT]


def test_a_refusal_stops_its_subject_only(stage: Stage) -> None:
    stage.house.locked = {"attic"}
    report = stage.wish(7)
    assert stage.house.levels == BRIGHT | {"attic": 0}
    assert report.outcome is Outcome.REFUSED
    assert [(one.scope, one.guard, one.reason) for one in report.refusals] == [("attic", "not_locked", "no key")]
    assert remembered(stage).reported == ("hall", "cellar")


def test_what_is_waited_for_is_said(stage: Stage) -> None:
    stage.house.busy = {"attic"}
    assert stage.wish(7).waiting == ("attic is busy",)
    report = stage.tick()
    assert (report.outcome, report.waiting, stage.house.levels["attic"]) == (Outcome.WAITING, ("attic is busy",), 0)


def test_when_its_time_is_up_it_starts_nothing_more(stage: Stage) -> None:
    stage.time_budget = -1.0
    report = stage.wish(7)
    assert (report.outcome, report.waiting) == (Outcome.WAITING, ("time is up; the next run continues",))
    assert stage.house.levels == DARK
    stage.time_budget = 180.0
    assert stage.tick().outcome is Outcome.APPLIED
    assert stage.house.levels == BRIGHT


def test_it_reads_and_plans_again_until_there_is_nothing_to_do(stage: Stage) -> None:
    stage.house.on_apply = lambda: stage.house.levels.update(cellar=3)
    report = stage.wish(7)
    assert (stage.house.levels, report.outcome) == (BRIGHT, Outcome.APPLIED)


def test_a_fold_that_conflicts_is_done_again(stage: Stage) -> None:
    stage.cloud.server.fail(WRITE, grpc.StatusCode.ABORTED, times=3)
    assert stage.wish(7).outcome is Outcome.APPLIED
    assert stage.calls()[:8] == [READ, WRITE] * 4


def test_a_fold_that_conflicts_without_end_is_owed(stage: Stage) -> None:
    stage.cloud.server.fail(WRITE, grpc.StatusCode.ABORTED, times=1000)
    with pytest.raises(RunFailed, match="other runs wrote first, 20 times"):
        stage.wish(7)
    assert stage.calls() == [READ, WRITE] * ATTEMPTS
    assert stage.reports[0].outcome is Outcome.FAILED


def test_what_another_run_folds_meanwhile_is_obeyed(stage: Stage) -> None:
    later = stage.cloud.clock.now() + timedelta(seconds=1)
    stage.house.on_read = lambda: stage.wish(9, published=later)
    stage.wish(7)
    assert stage.house.levels == {"hall": 9, "attic": 9, "cellar": 9}


def test_a_run_that_finds_another_at_work_leaves_it_to_look_again(stage: Stage) -> None:
    later = stage.cloud.clock.now() + timedelta(seconds=1)
    stage.house.on_apply = lambda: stage.wish(9, published=later)
    report = stage.wish(7)
    assert stage.house.levels == {"hall": 9, "attic": 9, "cellar": 9}
    (inner, outer) = stage.reports
    assert (inner.outcome, inner.waiting) == (
        Outcome.WAITING,
        ("another run holds the lease, and reruns before it releases it",),
    )
    assert (outer, report.outcome) == (report, Outcome.APPLIED)


def test_the_mark_is_seen_even_if_there_is_nothing_left_to_do(stage: Stage) -> None:
    stage.wish(7)
    later = stage.cloud.clock.now() + timedelta(seconds=1)
    stage.house.levels["hall"] = 1
    reads = iter(range(100))

    def wish_at_the_last_read() -> None:
        if next(reads) == 2:
            stage.wish(9, published=later)
        else:
            stage.house.on_read = wish_at_the_last_read

    stage.house.on_read = wish_at_the_last_read
    stage.tick()
    assert stage.house.levels == {"hall": 9, "attic": 9, "cellar": 9}


def test_the_lease_of_a_run_that_died_expires(stage: Stage) -> None:
    state = State(stage.clients)
    assert Lease(state, state.read(Lease.path("lights"))[0], "of the dead").take(stage.cloud.clock.now())
    assert stage.wish(7).outcome is Outcome.WAITING
    assert stage.house.levels == DARK
    stage.cloud.clock.advance(DURATION)
    assert stage.tick().outcome is Outcome.APPLIED


@pytest.mark.parametrize("skip", range(4))
@pytest.mark.parametrize("method", [READ, WRITE])
def test_an_error_of_the_database_is_raised_wherever_it_comes(stage: Stage, method: str, skip: int) -> None:
    said = stage.cloud.clock.now()
    stage.cloud.server.fail(method, grpc.StatusCode.PERMISSION_DENIED, skip=skip)
    try:
        stage.wish(7, published=said)
    except RunFailed:
        assert stage.reports[-1].outcome is Outcome.FAILED
        assert stage.reports[-1].why.startswith("PermissionDenied: ")
    stage.cloud.server.clear_faults()
    stage.cloud.clock.advance(DURATION)
    stage.wish(7, published=said)
    assert stage.house.levels == BRIGHT
    assert remembered(stage).intended == {}


def test_what_cannot_be_read_blocks_itself_and_nothing_else(stage: Stage) -> None:
    stage.house.dark = {"attic": exceptions.PermissionDenied("no")}
    with pytest.raises(RunFailed, match=r"^lights: cannot read Room of attic: PermissionDenied: no$"):
        stage.wish(7)
    (report,) = stage.reports
    assert stage.house.levels == BRIGHT | {"attic": 0}
    assert (report.outcome, report.counts) == (Outcome.FAILED, {Outcome.APPLIED: 2})
    assert report.unreadable == (Unreadable("Room", "attic", "PermissionDenied: no"),)
    assert remembered(stage).level == 7
    stage.house.dark = {}
    stage.tick()
    assert stage.house.levels == BRIGHT


def test_what_cannot_be_read_is_asked_once_in_a_run(stage: Stage) -> None:
    stage.house.dark = {"attic": exceptions.PermissionDenied("no")}
    with pytest.raises(RunFailed):
        stage.wish(7)
    assert (stage.house.asked.count("attic"), stage.house.asked.count("hall")) == (1, 3)


def test_a_fault_of_ours_is_reported_with_its_last_frame_and_without_its_words(stage: Stage) -> None:
    stage.house.dark = {"attic": KeyError("a value that is private")}
    with pytest.raises(KeyError):
        stage.wish(7)
    (report,) = stage.reports
    assert report.outcome is Outcome.FAILED
    assert report.why.startswith("KeyError in _look (tests/shared/house.py, line ")
    assert "business" not in report.why


def test_a_look_leads_to_one_decision(stage: Stage) -> None:
    stage.wish(7)
    assert (stage.house.reads, stage.house.decisions) == (3, 3)


@pytest.mark.parametrize("concurrency", [1, 2, 8])
def test_changes_are_reported_in_the_order_of_the_plan_however_many_are_made_at_once(
    cloud: LocalCloud, concurrency: int
) -> None:
    clients = Clients(
        "caretaker-home", endpoint=cloud.address, http_endpoint=cloud.http_address, concurrency=concurrency
    )
    stage = Stage(cloud, clients)
    report = stage.wish(7)
    clients.close()
    assert [change.target for change in report.changes] == ["hall", "attic", "cellar"]
    assert stage.house.levels == BRIGHT


def test_notices_are_reported_once(stage: Stage) -> None:
    stage.house.levels["attic"] = -1
    assert stage.wish(7).notices == ("attic is dark",)


def test_records_that_cannot_be_read_are_loud(stage: Stage) -> None:
    class Odd(msgspec.Struct):
        level: str = "bright"

    state = State(stage.clients)
    state.write(state.read("records/lights")[0], Odd())
    with pytest.raises(RunFailed):
        stage.tick()
    assert stage.reports[-1].outcome is Outcome.FAILED
    why = "StoredUnreadable: records/lights cannot be read by this version: Expected `int`"
    assert stage.reports[-1].why.startswith(why)


def test_a_record_that_cannot_be_read_stops_its_subject_and_stays_as_it_is(stage: Stage) -> None:
    stage.wish(7)
    state = State(stage.clients)

    class Newer(msgspec.Struct):
        level: int = 8
        intended: dict[str, object] = msgspec.field(default_factory=lambda: {"attic": {"level": 8, "colour": "red"}})
        mood: str = "calm"

    state.write(state.read("records/lights")[0], Newer())
    report = stage.tick()
    assert stage.house.levels == BRIGHT | {"hall": 8, "cellar": 8}
    assert report.outcome is Outcome.REFUSED
    assert [(alert.kind, alert.subject) for alert in report.alerts] == [("unreadable_record", "attic")]
    fields = state.read("records/lights")[0].fields or {}
    assert (fields["mood"], fields["intended"]) == ("calm", {"attic": {"level": 8, "colour": "red"}})


class TestLookingOnce:
    """An automation whose world takes long to read."""

    @pytest.fixture(autouse=True)
    def _single_pass(self, stage: Stage) -> None:
        stage.house.single_pass = True

    def test_what_goes_as_planned_is_read_once(self, stage: Stage) -> None:
        assert stage.wish(7).outcome is Outcome.APPLIED
        assert (stage.house.levels, stage.house.reads) == (BRIGHT, 1)
        assert lease(stage) == LeaseRecord()

    def test_what_is_remarked_is_looked_at_again(self, stage: Stage) -> None:
        stage.house.remarks = ["it flickered"]
        assert stage.wish(7).notices == ("it flickered",)
        assert stage.house.reads == 2

    def test_what_fails_is_not_read_again_within_the_run(self, stage: Stage) -> None:
        stage.house.errors["attic"] = [exceptions.ServiceUnavailable("not now")]
        with pytest.raises(RunFailed):
            stage.wish(7)
        assert stage.house.reads == 1
        assert stage.tick().outcome is Outcome.APPLIED
        assert stage.house.levels == BRIGHT

    def test_if_another_run_has_held_the_lease_meanwhile_it_reads_again(self, stage: Stage) -> None:
        def another_run() -> None:
            other = Lease(State(stage.clients), State(stage.clients).read(Lease.path("lights"))[0], "another")
            assert other.take(stage.cloud.clock.now())
            stage.house.levels["hall"] = 7
            assert other.release_if_done(stage.cloud.clock.now())

        stage.house.on_read = another_run
        report = stage.wish(7)
        assert (stage.house.reads, stage.house.levels) == (2, BRIGHT)
        assert [change.target for change in report.changes] == ["attic", "cellar"]

    def test_if_another_run_has_asked_to_look_again_it_does(self, stage: Stage) -> None:
        def another_run() -> None:
            other = Lease(State(stage.clients), State(stage.clients).read(Lease.path("lights"))[0], "another")
            assert not other.take(stage.cloud.clock.now())

        stage.house.on_apply = another_run
        assert stage.wish(7).outcome is Outcome.APPLIED
        assert stage.house.reads == 2

    def test_if_another_run_has_written_the_records_meanwhile_it_reads_again(self, stage: Stage) -> None:
        def another_run() -> None:
            state = State(stage.clients)
            (known,) = state.read("records/lights")
            state.write(known, msgspec.structs.replace(known.as_type(Records), observed_plan="x"))

        stage.house.on_read = another_run
        assert stage.wish(7).outcome is Outcome.APPLIED
        assert (stage.house.reads, stage.house.levels) == (2, BRIGHT)

    def test_when_its_time_is_up_it_wakes_itself_if_it_has_come_any_further(self, stage: Stage) -> None:
        stage.cloud.pubsub.create_topic(pubsub.Topic(name=INBOX))
        passed = [0.0]
        stage.seconds = lambda: passed[0]
        stage.house.on_apply = lambda: passed.append(passed.pop() + 181.0)
        report = stage.wish(7)
        assert report.counts == {Outcome.APPLIED: 1, Outcome.WAITING: 2}
        assert report.waiting == ("time is up; the next run continues",)
        assert stage.house.levels == DARK | {"hall": 7}
        assert stage.calls().count("Publish") == 1
        stage.time_budget = -1.0
        assert stage.tick().outcome is Outcome.WAITING
        assert "Publish" not in stage.calls()


def test_observing_tells_the_whole_decision(stage: Stage) -> None:
    stage.mode = Mode.OBSERVE
    assert stage.wish(7).table == ("hall: 0", "attic: 0", "cellar: 0")
    stage.mode = Mode.ACT
    assert stage.wish(7).table == ()
