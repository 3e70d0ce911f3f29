"""A run's operations in flight, its alerts, and the limits of its report."""

import time
from datetime import UTC, datetime

import pytest
from google.api_core import exceptions

from localcloud import LocalCloud
from shared.clients import Clients
from shared.decision import Alert
from shared.errors import RunFailed, StillBusy
from shared.lease import Lease, LeaseRecord
from shared.report import MOST_LINES, Outcome, Severity, severity
from shared.settings import Mode
from shared.state import State
from tests.shared.house import Lights, Records, Stage

BRIGHT = {"hall": 7, "attic": 7, "cellar": 7}
NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)
SMOKE = Alert("smoke", "attic", "it smokes", "smoke", NOON)


@pytest.fixture
def stage(cloud: LocalCloud, clients: Clients) -> Stage:
    return Stage(cloud, clients)


def test_what_is_still_busy_is_waited_for_and_is_no_failure(stage: Stage) -> None:
    stage.house.errors = {"attic": [StillBusy("someone is at the switch")]}
    report = stage.wish(7)
    assert (report.outcome, report.counts) == (Outcome.WAITING, {Outcome.APPLIED: 2, Outcome.WAITING: 1})
    assert [(one.outcome, one.error) for one in report.changes if one.target == "attic"] == [
        (Outcome.WAITING, "someone is at the switch")
    ]
    assert severity(report) is Severity.INFO
    assert stage.house.levels == BRIGHT | {"attic": 0}


def test_what_was_applied_beside_it_is_remembered_and_the_next_run_goes_on(stage: Stage) -> None:
    stage.house.errors = {"attic": [StillBusy("wait"), StillBusy("wait")]}
    stage.wish(7)
    state = State(stage.clients)
    records = state.read("records/lights")[0].as_type(Records)
    assert (records.reported, records.intended) == (("hall", "cellar"), {"attic": 7})
    assert state.read(Lease.path("lights"))[0].as_type(LeaseRecord) == LeaseRecord()
    assert stage.tick().counts == {Outcome.WAITING: 1}
    assert stage.tick().outcome is Outcome.APPLIED
    assert (stage.house.levels, stage.house.changes) == (BRIGHT, ["hall", "cellar", "attic"])


def test_a_busy_resource_is_asked_once_in_a_run(stage: Stage) -> None:
    stage.house.errors = {room: [StillBusy("wait")] for room in stage.house.levels}
    report = stage.wish(7)
    assert (report.outcome, report.counts, stage.house.changes) == (Outcome.WAITING, {Outcome.WAITING: 3}, [])


def test_a_failure_beside_what_is_busy_is_owed(stage: Stage) -> None:
    stage.house.errors = {"attic": [StillBusy("wait")], "cellar": [exceptions.PermissionDenied("no")]}
    with pytest.raises(RunFailed, match=r"^lights: 1 change failed, such as cellar$"):
        stage.wish(7)
    (report,) = stage.reports
    assert report.counts == {Outcome.APPLIED: 1, Outcome.WAITING: 1, Outcome.FAILED: 1}


def test_a_refusal_beside_what_is_busy_is_reported(stage: Stage) -> None:
    stage.house.errors = {"attic": [StillBusy("wait")]}
    stage.house.locked = {"cellar"}
    report = stage.wish(7)
    assert (report.outcome, report.counts) == (Outcome.REFUSED, {Outcome.APPLIED: 1, Outcome.WAITING: 1})


def test_a_read_that_finds_its_resource_busy_fails(stage: Stage) -> None:
    def fail() -> None:
        raise StillBusy("wait")

    stage.house.on_read = fail
    with pytest.raises(RunFailed, match="StillBusy: wait"):
        stage.wish(7)


@pytest.mark.parametrize("mode", Mode)
def test_an_alert_is_in_each_report_for_as_long_as_it_is_so(stage: Stage, mode: Mode) -> None:
    stage.mode = mode
    stage.house.smoking = {"attic"}
    for report in (stage.wish(7), stage.tick(), stage.tick()):
        assert (report.alerts, severity(report)) == ((SMOKE,), Severity.ERROR)
    stage.house.smoking = set()
    report = stage.tick()
    assert (report.alerts, severity(report)) == ((), Severity.INFO)


def test_an_alert_alone_changes_nothing_and_is_remembered_in_one_write(stage: Stage) -> None:
    stage.wish(7)
    stage.calls()
    stage.house.smoking = {"attic", "hall"}
    report = stage.tick()
    assert (report.outcome, [alert.subject for alert in report.alerts]) == (Outcome.UNCHANGED, ["attic", "hall"])
    assert stage.calls() == ["BatchGetDocuments", "Commit"]
    stage.tick()
    assert stage.calls() == ["BatchGetDocuments"]


def test_an_alert_is_in_the_report_of_a_run_that_fails_in_part(stage: Stage) -> None:
    stage.house.smoking = {"attic"}
    stage.house.errors = {"attic": [exceptions.PermissionDenied("no")]}
    with pytest.raises(RunFailed):
        stage.wish(7)
    assert stage.reports[0].alerts == (SMOKE,)


def test_a_report_holds_no_more_than_one_line_of_the_log_does(stage: Stage) -> None:
    rooms = [f"room-{number:03}" for number in range(MOST_LINES + 20)]
    stage.settings = Lights(rooms=tuple(rooms))
    stage.house.levels = dict.fromkeys(rooms, -1)
    stage.house.busy = set(rooms)
    report = stage.wish(7)
    more = "... and 20 more"
    assert report.waiting == (*[f"{room} is busy" for room in rooms[:MOST_LINES]], more)
    assert report.notices == (*[f"{room} is dark" for room in rooms[:MOST_LINES]], more)


def test_a_run_with_patience_waits_for_what_is_in_flight_and_goes_on(stage: Stage) -> None:
    stage.house.busy = {"attic"}
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            stage.house.busy = set()

    stage.patience, stage.pause = 60.0, pause
    report = stage.wish(7)
    assert (report.outcome, stage.house.levels) == (Outcome.APPLIED, BRIGHT)
    assert pauses == [3.0, 3.0]


def test_patience_has_an_end_and_the_next_run_goes_on(stage: Stage) -> None:
    stage.house.busy = {"attic"}
    stage.patience, stage.pause = 0.05, lambda _: time.sleep(0.03)
    report = stage.wish(7)
    assert report.waiting == ("attic is busy",)
    assert stage.house.levels == BRIGHT | {"attic": 0}
    stage.house.busy = set()
    assert stage.tick().outcome is Outcome.APPLIED


def test_without_anything_done_nothing_is_waited_for(stage: Stage) -> None:
    stage.house.busy = set(stage.house.levels)
    stage.wish(7)
    stage.patience, stage.pause = 60.0, _must_not_wait
    assert stage.tick().outcome is Outcome.WAITING


def _must_not_wait(_: float) -> None:
    pytest.fail("it waits")


def test_what_is_read_once_is_read_anew_in_the_next_run(clients: Clients) -> None:
    reads: list[int] = []

    def read() -> int:
        reads.append(1)
        return len(reads)

    one, other = clients.for_one_run(), clients.for_one_run()
    assert [one.once("key", read), one.once("key", read), other.once("key", read)] == [1, 1, 2]
    assert one.public_session is clients.public_session, "connections are the same"
