"""GitHub's refusals, hidden resources and deferrals affect their own pull request only, and cost few requests."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import grpc
import msgspec
import pytest

from functions.manage_previews.pacing import MOST_WRITES, WINDOW
from localcloud.github.state import Head
from shared.errors import RunFailed
from shared.report import Outcome, Report
from tests.functions.manage_previews.stage import (
    BOT,
    PLACE,
    REGISTRY,
    TEAM,
    TOKEN,
    WORLD,
    Stage,
    digest_of,
    image,
    settings_of,
    sha_of,
)

pytestmark = pytest.mark.one_python

OTHER = "my-team/other-product"
REPOSITORIES = {
    TEAM: {"service": "my-product", "image": PLACE},
    OTHER: {"service": "other-product", "image": PLACE},
}
GITHUB: dict[str, object] = {"repositories": {TEAM: {}, OTHER: {}}, "tokens": {TOKEN: {"login": BOT}}}


@contextmanager
def two_repositories() -> Iterator[Stage]:
    """A preview in each of two repositories: its first commit is deployed and reported."""
    with Stage(settings_of(repositories=REPOSITORIES), world={**WORLD, "github": GITHUB}) as stage:
        for repository in (TEAM, OTHER):
            stage.github.open_pull_request(repository, 1, Head(sha_of(1)))
        stage.cloud.artifact_registry.push_image(REGISTRY, "api", digest_of(1), [sha_of(1)])
        stage.tick()
        assert stage.shown == {"my-product-pr-1": image(1), "other-product-pr-1": image(1)}
        yield stage


def requests(stage: Stage, verb: str = "") -> list[str]:
    """The last run's requests to GitHub."""
    return [call for call in stage.calls if "api.github.com" in call and call.startswith(verb)]


def delete_deployments(stage: Stage) -> None:
    stage.github.state.repository(TEAM).deployments.clear()


def withdraw_deployments(stage: Stage) -> None:
    stage.github.add_token(TOKEN, BOT, permissions={"pull_requests": "write"})


def forbid(stage: Stage) -> None:
    for verb in ("GET", "POST", "PATCH"):
        method = f"{verb} api.github.com/repos/{TEAM}"
        stage.cloud.server.fail(method, grpc.StatusCode.PERMISSION_DENIED, times=1000)


def lock(stage: Stage) -> None:
    stage.github.lock_conversation(TEAM, 1)
    stage.github.state.repository(TEAM).comments.clear()


def hide(stage: Stage) -> None:
    del stage.github.state.repository(TEAM).pull_requests[1]


def hide_repository(stage: Stage) -> None:
    stage.github.add_token(TOKEN, BOT, repositories=[OTHER])


def push_to_each(stage: Stage) -> None:
    """A commit is pushed to each pull request that is there, with its image."""
    stage.cloud.artifact_registry.push_image(REGISTRY, "api", digest_of(2), [sha_of(2)])
    for repository in (TEAM, OTHER):
        if 1 in stage.github.state.repository(repository).pull_requests:
            stage.github.push(repository, 1, sha_of(2))


def tick(stage: Stage) -> Report:
    """A tick, and its report, whether the run fails or not."""
    try:
        return stage.tick()
    except RunFailed:
        return stage.reports[-1]


@pytest.mark.parametrize(
    ("error", "shown", "later"),
    [
        (delete_deployments, 2, Outcome.UNCHANGED),
        (withdraw_deployments, 2, Outcome.UNCHANGED),
        (lock, 2, Outcome.UNCHANGED),
        (forbid, 1, Outcome.FAILED),
        (hide, 1, Outcome.UNCHANGED),
        (hide_repository, 1, Outcome.UNCHANGED),
    ],
)
def test_an_error_of_github_stops_its_own_pull_request_only(
    error: Callable[[Stage], None], shown: int, later: Outcome
) -> None:
    with two_repositories() as stage:
        error(stage)
        push_to_each(stage)
        tick(stage)
        assert stage.shown == {"my-product-pr-1": image(shown), "other-product-pr-1": image(2)}
        (comment,) = stage.github.comments(OTHER, 1)
        assert sha_of(2) in comment
        tick(stage)
        report = tick(stage)  # what GitHub refuses for good is not tried again
        assert (report.outcome, requests(stage, "P")) == (later, [])
        stage.restrict(because="monthly at 1.0 (actual)")
        tick(stage)
        assert stage.shown == {}


def test_what_github_refuses_for_good_is_reported_once_and_tried_again_a_day_later() -> None:
    with Stage() as stage:
        stage.open(1, 1)
        stage.github.lock_conversation(TEAM, 1)
        report = stage.event(1, "opened")
        assert [(one.kind, one.outcome) for one in report.changes] == [("WriteComment", Outcome.REFUSED)]
        assert "issue is locked" in report.changes[0].error
        assert "unlock the conversation" in report.changes[0].error
        assert report.outcome is Outcome.REFUSED
        assert stage.tick().changes == ()
        stage.github.lock_conversation(TEAM, 1, locked=False)
        assert stage.tick(minutes=23 * 60).changes == ()
        assert [one.outcome for one in stage.tick(minutes=60).changes] == [Outcome.APPLIED]
        assert "waiting for its image" in stage.our_comment(1)


def test_a_rate_limit_is_remembered_by_all_runs_until_it_ends() -> None:
    with Stage() as stage:
        for number in range(1, 101):
            stage.open(number, number)
        stage.github.limit_for(timedelta(minutes=30))
        asked = 0
        for number in range(1, 101):
            try:
                stage.event(number, "opened")
            except RunFailed:
                asked += 100
            asked += len(requests(stage))
        assert asked == 101  # the first run fails, with one request
        assert "GitHub answers nothing until 2026-11-16 12:30" in stage.tick().upcoming[0].what
        stage.tick(minutes=30)
        assert stage.our_comment(1)


def test_what_is_paused_is_deleted_while_github_answers_nothing() -> None:
    with two_repositories() as stage:
        stage.github.limit_for(timedelta(minutes=30))
        with pytest.raises(RunFailed):
            stage.tick()
        stage.command("pause")
        assert stage.shown == {}
        assert requests(stage) == []


def test_what_is_paused_is_deleted_with_an_expired_token_and_the_run_says_so() -> None:
    with two_repositories() as stage:
        stage.github.add_token(TOKEN, BOT, expires_at=stage.cloud.clock.now())
        with pytest.raises(RunFailed, match=r"Bad credentials; .* store a new one in .*secrets/github-token"):
            stage.command("pause")
        assert stage.shown == {}


def test_the_status_lists_previews_whose_pull_requests_cannot_be_read() -> None:
    with two_repositories() as stage:
        forbid(stage)
        with pytest.raises(RunFailed):
            stage.command("status")
        first, other, unread = stage.reports[-1].status
        assert first == "2 previews of 10 at most"
        assert other.startswith(f"{OTHER}#1: running")
        assert unread.startswith(f"{TEAM}#1: its pull request could not be read; https://my-product-pr-1-")


def test_a_push_with_its_image_costs_eight_requests() -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.open(12, 1)
        stage.event(12, "opened")
        stage.github.push(TEAM, 12, sha_of(2))
        stage.event(12, "synchronize")
        asked = len(requests(stage))
        stage.push_image(2)
        asked += len(requests(stage))
        assert asked <= 8
        assert stage.shown == {"my-product-pr-12": image(2)}
        assert stage.deployments(12)[-1] == (sha_of(2), ["success"])


def test_a_first_sweep_is_spread_over_as_many_as_github_allows() -> None:
    with Stage() as stage:
        for number in range(1, 71):
            stage.open(number, number)
        written, left = [], []
        for _ in range(3):
            left.append(stage.tick(minutes=WINDOW.total_seconds() / 60).upcoming[-1].what)
            written.append(len(requests(stage, "POST")))
        assert written == [30, 30, 10]
        assert max(written) < MOST_WRITES
        assert all(stage.our_comment(number) for number in range(1, 71))
        assert ["written by the next runs" in line for line in left] == [True, True, False]


def test_a_deployment_that_cloud_run_refuses_is_reported_in_its_words_and_ends_when_it_does_not() -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.open(1, 1)
        words = "Permission 'iam.serviceaccounts.actAs' denied on service account preview"
        stage.cloud.server.fail("CreateService", grpc.StatusCode.PERMISSION_DENIED, times=2, message=words)
        for _ in range(2):
            with pytest.raises(RunFailed):
                stage.event(1, "opened")
        assert "### Preview: failed" in stage.our_comment(1)
        assert "iam.serviceaccounts.actAs" in stage.our_comment(1)
        assert "doctor" in stage.our_comment(1)
        stage.tick()
        assert "### Preview: running" in stage.our_comment(1)


def test_a_preview_that_cannot_be_deleted_is_failed_money() -> None:
    with two_repositories() as stage:
        stage.cloud.server.fail("DeleteService", grpc.StatusCode.PERMISSION_DENIED, times=2)
        with pytest.raises(RunFailed):
            stage.command("pause")
        assert stage.reports[-1].failed_money == 2


@pytest.mark.parametrize("name", ["my-team/renamed", "another-team/my-product"])
def test_a_repository_that_was_renamed_or_transferred_is_followed_with_an_alert(name: str) -> None:
    with two_repositories() as stage:
        stage.github.rename(TEAM, name)
        stage.github.push(name, 1, sha_of(2))
        stage.cloud.artifact_registry.push_image(REGISTRY, "api", digest_of(2), [sha_of(2)])
        report = stage.tick()
        assert [(alert.kind, alert.subject) for alert in report.alerts] == [("repository_renamed", TEAM)]
        assert "receive_github.repositories" in report.alerts[0].reason
        assert stage.shown["my-product-pr-1"] == image(2)
        (comment,) = stage.github.comments(name, 1)
        assert sha_of(2) in comment


def environments(stage: Stage) -> list[str]:
    """The environments of the repository."""
    return list(stage.github.state.repository(TEAM).environments)


def closed_after_its_preview(stage: Stage, number: int) -> Report:
    """A pull request whose image is there is opened, and closed."""
    stage.open(number, number)
    stage.push_image(number)
    stage.event(number, "opened")
    assert environments(stage)[-1] == f"my-product-pr-{number}"
    stage.github.close(TEAM, number)
    return stage.event(number, "closed")


def test_the_environment_of_a_preview_is_deleted_when_its_pull_request_closes() -> None:
    with Stage() as stage:
        stage.github.state.repository(TEAM).commits.add(sha_of(9))
        stage.github.deploy(TEAM, "production", sha_of(9))
        closed_after_its_preview(stage, 1)
        assert environments(stage) == ["production"]
        assert stage.tick().changes == ()
        stage.github.reopen(TEAM, 1)
        stage.event(1, "reopened")
        assert environments(stage) == ["production", "my-product-pr-1"]
        stage.github.close(TEAM, 1)
        stage.tick()  # no webhook came
        assert environments(stage) == ["production"]


def test_the_environment_of_a_deployment_that_an_earlier_release_made_is_deleted_too() -> None:
    with Stage() as stage:
        stage.open(1, 1)
        stage.push_image(1)
        stage.event(1, "opened")
        (record,) = stage.records.pull_requests.values()
        stage.set_records(pull_requests={f"{TEAM}#1": msgspec.structs.replace(record, environment="")})
        stage.github.close(TEAM, 1)
        stage.event(1, "closed")
        assert environments(stage) == []
        assert stage.tick().changes == ()


def test_an_environment_to_which_others_have_deployed_stays() -> None:
    with Stage() as stage:
        stage.github.state.repository(TEAM).commits.add(sha_of(1))
        stage.github.deploy(TEAM, "my-product-pr-1", sha_of(1))
        assert closed_after_its_preview(stage, 1).outcome is Outcome.APPLIED
        assert environments(stage) == ["my-product-pr-1"]
        assert stage.tick().changes == ()


def test_without_the_permission_environments_stay_which_is_reported_once_and_blocks_nothing() -> None:
    with Stage() as stage:
        stage.github.add_token(TOKEN, BOT, permissions={"pull_requests": "write", "deployments": "write"})
        report = closed_after_its_preview(stage, 1)
        assert [(one.kind, one.outcome) for one in report.changes][-1] == ("DeleteEnvironment", Outcome.REFUSED)
        assert "administration" in report.changes[-1].error
        report = closed_after_its_preview(stage, 2)
        assert "DeleteEnvironment" not in {one.kind for one in report.changes}
        assert report.outcome is Outcome.APPLIED
        assert stage.shown == {}
        assert environments(stage) == ["my-product-pr-1", "my-product-pr-2"]
        assert stage.tick().changes == ()
        stage.github.add_token(TOKEN, BOT)
        stage.advance(minutes=24 * 60)
        closed_after_its_preview(stage, 3)
        assert environments(stage) == ["my-product-pr-1", "my-product-pr-2"]


@pytest.mark.parametrize("error", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL])
def test_an_environment_whose_deletion_fails_is_deleted_by_the_next_run(error: grpc.StatusCode) -> None:
    with Stage() as stage:
        stage.cloud.server.fail("DELETE api.github.com", error, after_effect=error is grpc.StatusCode.INTERNAL)
        with pytest.raises(RunFailed):
            closed_after_its_preview(stage, 1)
        stage.tick()
        assert environments(stage) == []
        assert stage.tick().changes == ()
