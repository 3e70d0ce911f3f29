"""An unknown state is not "closed": GitHub's errors, rate limits and lost access delete no preview."""

import contextlib
from datetime import timedelta

import pytest
from grpc import StatusCode

from functions.manage_previews.changes import DeletePreview
from functions.manage_previews.events import Event
from functions.manage_previews.guards import certain_end
from functions.manage_previews.records import Records
from functions.manage_previews.settings import Settings
from shared.automation import RunContext as Context
from shared.decision import Text
from shared.errors import RunFailed
from shared.events import Dated, Tick
from shared.restrictions import SpendingRestrictions
from shared.world import World
from tests.functions.manage_previews.stage import NOON, TEAM, TOKEN, Stage, image, settings_of
from tests.functions.stage import PROJECT, report_text

pytestmark = pytest.mark.one_python


def deployed(stage: Stage) -> None:
    stage.push_image(1)
    stage.open(12, 1)
    stage.event(12, "opened")


@pytest.mark.parametrize(
    "code",
    [
        StatusCode.UNAUTHENTICATED,
        StatusCode.PERMISSION_DENIED,
        StatusCode.INTERNAL,
        StatusCode.UNAVAILABLE,
        StatusCode.RESOURCE_EXHAUSTED,
        StatusCode.DEADLINE_EXCEEDED,
    ],
)
def test_a_sweep_that_cannot_list_takes_nothing_down(code: StatusCode) -> None:
    with Stage() as stage:
        deployed(stage)
        stage.cloud.server.fail("GET api.github.com", code, times=1000)
        with pytest.raises(RunFailed):
            stage.tick()
        assert stage.mutating == []
        stage.cloud.server.clear_faults()
        assert stage.tick().changes == ()
        assert stage.shown == {"my-product-pr-12": image(1)}


NEVER_ANSWERED = [StatusCode.UNAUTHENTICATED, StatusCode.PERMISSION_DENIED, StatusCode.NOT_FOUND]


@pytest.mark.parametrize("code", NEVER_ANSWERED)
@pytest.mark.parametrize("reason", ["expiry", "pause", "restriction"])
def test_what_is_expired_or_paused_is_deleted_without_an_answer_of_github(reason: str, code: StatusCode) -> None:
    with Stage() as stage:
        deployed(stage)
        stage.cloud.server.fail("GET api.github.com", code, times=1000)
        stage.cloud.server.fail("POST api.github.com", code, times=1000)
        stage.cloud.server.fail("PATCH api.github.com", code, times=1000)
        if reason == "restriction":
            stage.restrict(because="monthly at 1.0 (actual)")
        with contextlib.suppress(RunFailed):  # the reads of GitHub have failed
            if reason == "pause":
                stage.command("pause")
            else:
                stage.tick(minutes=73 * 60 if reason == "expiry" else 5)
        assert stage.shown == {}


def test_an_event_about_one_pull_request_deletes_no_other_without_an_answer() -> None:
    with Stage() as stage:
        deployed(stage)
        stage.open(13, 2)
        stage.cloud.clock.advance(timedelta(hours=73))
        stage.cloud.server.fail("GET api.github.com", StatusCode.PERMISSION_DENIED, times=1000)
        with pytest.raises(RunFailed):
            stage.event(13, "opened")
        assert stage.shown == {"my-product-pr-12": image(1)}


@pytest.mark.parametrize("status", [403, 429])
def test_a_rate_limit_takes_nothing_down_and_is_not_asked_again_in_the_run(status: int) -> None:
    with Stage() as stage:
        deployed(stage)
        stage.github.limits.status = status
        stage.github.limit_for(timedelta(minutes=10))
        with pytest.raises(RunFailed, match="RateLimited"):
            stage.tick()
        assert len([call for call in stage.calls if call.startswith("GET api.github.com")]) == 1
        assert stage.shown == {"my-product-pr-12": image(1)}
        stage.tick(minutes=10)
        assert stage.shown == {"my-product-pr-12": image(1)}


def test_a_used_up_rate_limit_is_one_too() -> None:
    with Stage() as stage:
        deployed(stage)
        stage.github.limits.an_hour = 0
        with pytest.raises(RunFailed, match="RateLimited"):
            stage.tick()
        assert stage.shown == {"my-product-pr-12": image(1)}


def test_a_repository_that_is_not_found_may_be_lost_access() -> None:
    with Stage() as stage:
        deployed(stage)
        stage.github.add_token(TOKEN, "caretaker-bot", repositories=["my-team/another"])
        report = stage.tick()
        assert stage.mutating == []
        assert [(alert.kind, alert.subject) for alert in report.alerts] == [("lost_access", TEAM)]
        assert stage.shown == {"my-product-pr-12": image(1)}


def test_a_pull_request_that_is_not_found_may_be_lost_access() -> None:
    with Stage() as stage:
        deployed(stage)
        closed = stage.event_data(12, "closed")
        del stage.github.state.repository(TEAM).pull_requests[12]
        for report in (stage.push(closed, topic="caretaker-pull-requests"), stage.tick()):
            assert [(alert.kind, alert.subject) for alert in report.alerts] == [("lost_access", f"{TEAM}#12")]
        assert stage.shown == {"my-product-pr-12": image(1)}


def test_the_guard_lets_nothing_go_of_which_nothing_is_known() -> None:
    change = DeletePreview(
        target="projects/p/locations/r/services/my-product-pr-1",
        field="image",
        before="sha256:1",
        after="",
        reason=Text("by mistake"),
        scope=f"{TEAM}#1",
        etag="",
    )
    context = Context[Settings, Event, Records](
        event=Dated(Tick(every_seconds=300), "m1", NOON),
        records=Records(),
        restrictions=SpendingRestrictions(),
        settings=settings_of(),
        now=NOON,
        project=PROJECT,
    )
    refusals = certain_end(context, World(), (change,))
    assert [(refusal.scope, refusal.guard) for refusal in refusals] == [(f"{TEAM}#1", "certain_end")]


def test_the_secret_that_cannot_be_read_stops_the_run_before_anything_else() -> None:
    with Stage() as stage:
        deployed(stage)
        stage.cloud.server.fail("AccessSecretVersion", StatusCode.PERMISSION_DENIED, times=100)
        with pytest.raises(RunFailed):
            stage.tick()
        assert not [call for call in stage.calls if "api.github.com" in call]
        assert TOKEN not in report_text(stage.reports[-1])
