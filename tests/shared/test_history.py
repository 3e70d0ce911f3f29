"""The history: what runs add to it, when they do not, and that it never keeps a run from its work."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from google.api_core import exceptions

from localcloud import LocalCloud
from report.reading import read_history
from shared.clients import Clients
from shared.errors import RunFailed
from shared.firestore_values import Builtins
from shared.history import path_of, path_of_day, path_of_hour, read_moments
from shared.moments import AlertBegan, AlertEnded, AnyMoment, Changed, Commanded
from shared.report import Outcome
from shared.settings import Mode
from shared.state import Document, State
from tests.shared.house import Records, Stage

NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)


@pytest.fixture
def stage(cloud: LocalCloud, clients: Clients) -> Stage:
    return Stage(cloud, clients)


def history(stage: Stage, day: datetime = NOON) -> list[AnyMoment]:
    (document,) = State(stage.clients).read(path_of(day.date()))
    return list(read_moments(document.fields))


def kinds(moments: list[AnyMoment]) -> list[str]:
    return [type(moment).__name__ for moment in moments]


def test_a_command_and_what_came_of_it_are_one_run_and_a_second_delivery_adds_nothing(stage: Stage) -> None:
    stage.house.errors = {"attic": [exceptions.PermissionDenied("no")]}
    with pytest.raises(RunFailed):
        stage.wish(7, message_id="1", published=NOON, sent_by="ada@laptop")
    moments = history(stage)
    assert kinds(moments) == ["Commanded", "Changed", "Changed", "Changed"]
    command, *changes = moments
    assert isinstance(command, Commanded)
    assert (command.arguments, command.sent_by) == ({"level": "7"}, "ada@laptop")
    found = {one.change.target: one.change.outcome for one in changes if isinstance(one, Changed)}
    assert found == {"attic": Outcome.FAILED, "cellar": Outcome.APPLIED, "hall": Outcome.APPLIED}
    assert {(moment.automation, moment.message_id) for moment in moments} == {("lights", "1")}
    stage.wish(7, message_id="1", published=NOON)
    assert len(history(stage)) == len(moments) + 1  # the change that had failed
    stage.wish(7, message_id="1", published=NOON)
    assert len(history(stage)) == len(moments) + 1


@pytest.mark.parametrize("mode", Mode)
def test_an_alert_begins_and_ends_once_and_only_a_run_that_looks_at_everything_ends_it(
    stage: Stage, mode: Mode
) -> None:
    stage.mode = mode
    stage.house.smoking = {"attic"}
    stage.tick()
    stage.cloud.clock.advance(timedelta(days=1))
    assert stage.tick().alerts[0].since == NOON
    stage.house.smoking = set()
    stage.wish(0)
    stage.house.dark = {"hall": exceptions.PermissionDenied("no")}
    with pytest.raises(RunFailed):
        stage.tick()
    assert [kind for kind in kinds(history(stage)) if "Alert" in kind] == ["AlertBegan"]
    stage.house.dark = {}
    stage.tick()
    ended = [one for one in history(stage, NOON + timedelta(days=1)) if isinstance(one, AlertBegan | AlertEnded)]
    assert ended == [
        AlertEnded(at=NOON + timedelta(days=1), automation="lights", message_id="104", alert="smoke", subject="attic")
    ]


def test_while_observing_a_plan_is_in_the_history_once(stage: Stage) -> None:
    stage.mode = Mode.OBSERVE
    stage.wish(7)
    stage.tick()
    planned = [one.change.outcome for one in history(stage) if isinstance(one, Changed)]
    assert planned == [Outcome.OBSERVED] * 3


class Full(msgspec.Struct):
    """A document of the history that has no room for a moment more."""

    moments: tuple[str, ...] = (*("x" * 1000,) * 1047, "x" * 400)


@pytest.mark.parametrize(
    ("full", "found"),
    [((), (4, 0)), ((path_of_day(NOON),), (0, 4)), ((path_of_day(NOON), path_of_hour(NOON)), (0, 0))],
    ids=["none", "the day", "the day and its hour"],
)
def test_a_full_day_goes_on_in_its_hours_and_keeps_no_record_from_being_written(
    stage: Stage, full: tuple[str, ...], found: tuple[int, int]
) -> None:
    state = State(stage.clients)
    for path in full:
        state.write(Document(path), Full())
    assert stage.wish(7).outcome is Outcome.APPLIED
    assert state.read("records/lights")[0].as_type(Records).level == 7
    read = [state.read(path)[0].fields for path in (path_of_day(NOON), path_of_hour(NOON))]
    assert tuple(len(list(read_moments(fields))) for fields in read) == found
    assert len(read_history(state, [NOON.date()])) == sum(found)


def test_moments_of_a_newer_version_are_left_out() -> None:
    known: Builtins = {"moment": "alert_ended", "at": NOON, "alert": "smoke", "subject": "attic", "colour": "grey"}
    unknown: Builtins = {"moment": "eclipse", "at": NOON}
    assert kinds(list(read_moments({"moments": [unknown, known]}))) == ["AlertEnded"]
    assert list(read_moments(None)) == []
