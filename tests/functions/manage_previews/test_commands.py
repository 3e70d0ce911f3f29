"""Authors whose requests count: commands in comments, approvals of forks, and strangers, who can have nothing done."""

from datetime import timedelta

import pytest

from functions.manage_previews.requests import Kind
from shared.errors import RunFailed
from shared.github_events import TOPIC
from shared.report import Outcome
from tests.functions.manage_previews.stage import READER, TEAM, WRITER, Stage, image, settings_of, sha_of

FORK = "passer-by/my-product"


def test_stop_takes_it_down_until_somebody_starts_it_again() -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.open(12, 1)
        stage.event(12, "opened")
        stage.cloud.clock.advance_to(stage.cloud.clock.now())
        stage.tick()
        stage.comment(12, "/preview stop")
        assert stage.services == {}
        assert "### Preview: stopped" in stage.our_comment(12)
        stage.github.push(TEAM, 12, sha_of(2))
        stage.push_image(2)
        stage.event(12, "synchronize")
        assert stage.services == {}
        stage.tick()
        stage.comment(12, "/preview")
        assert stage.shown == {"my-product-pr-12": image(2)}


@pytest.mark.parametrize("command", ["/preview stop", "/preview extend 24h", "/preview"])
def test_who_may_not_write_is_not_listened_to(command: str) -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.open(12, 1)
        stage.event(12, "opened")
        comment = stage.our_comment(12)
        stage.tick()
        report = stage.comment(12, command, by=READER)
        assert report.changes == ()
        assert any("has no write access" in notice for notice in report.notices)
        assert stage.shown == {"my-product-pr-12": image(1)}
        assert stage.our_comment(12) == comment
        (record,) = stage.records.pull_requests.values()
        assert record.requests == {}


def test_who_is_nobody_on_github_is_not_listened_to() -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.open(12, 1)
        stage.event(12, "opened")
        stop = stage.comment_data(12, "/preview stop") | {"author": "deleted-account"}
        stage.push(stop, topic="caretaker-pull-requests")
        assert stage.shown == {"my-product-pr-12": image(1)}


def test_a_stranger_later_does_not_undo_what_a_maintainer_said() -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.open(12, 1)
        stage.event(12, "opened")
        stage.tick()
        stage.comment(12, "/preview stop")
        stage.tick()
        stage.comment(12, "/preview", by=READER)
        stage.tick()
        assert stage.services == {}


def test_extend_keeps_it_longer_and_a_redelivery_changes_nothing() -> None:
    with Stage(settings_of(time_to_live_hours=24)) as stage:
        stage.push_image(1)
        stage.open(12, 1)
        stage.event(12, "opened")
        extend = stage.comment_data(12, "/preview extend 3d")
        stage.push(extend, topic="caretaker-pull-requests")
        assert "Expires | 2026-11-19 12:00 UTC" in stage.our_comment(12)
        stage.tick(minutes=48 * 60)
        assert stage.services
        report = stage.push(extend, topic="caretaker-pull-requests")
        assert report.changes == ()
        assert "Expires | 2026-11-19 12:00 UTC" in stage.our_comment(12)
        stage.tick(minutes=24 * 60)
        assert stage.services == {}


def test_preview_renews_the_time_to_live() -> None:
    with Stage(settings_of(time_to_live_hours=24)) as stage:
        stage.push_image(1)
        stage.open(12, 1)
        stage.event(12, "opened")
        stage.tick(minutes=24 * 60)
        assert stage.services == {}
        stage.comment(12, "/preview")
        assert stage.shown == {"my-product-pr-12": image(1)}
        stage.tick(minutes=23 * 60)
        assert stage.services


def test_an_unknown_command_gets_a_short_help_once() -> None:
    with Stage() as stage:
        stage.open(12, 1)
        stage.event(12, "opened")
        stage.comment(12, "/preview please @everyone", by=READER)
        comment = stage.our_comment(12)
        assert "That command is unknown" in comment
        assert "please" not in comment
        assert "everyone" not in comment
        report = stage.comment(12, "/preview pretty please", by=READER)
        assert report.changes == ()
        assert stage.our_comment(12) == comment


def test_words_that_came_the_wrong_way_round_count_by_when_they_were_said() -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.open(12, 1)
        stage.event(12, "opened")
        stop = stage.comment_data(12, "/preview stop")
        stage.tick()
        start = stage.comment_data(12, "/preview")
        stage.push(start, topic="caretaker-pull-requests")
        stage.push(stop, topic="caretaker-pull-requests")
        assert stage.shown == {"my-product-pr-12": image(1)}


# Forks


def test_a_fork_is_not_deployed_and_the_comment_offers_the_line_to_copy() -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.open(7, 1, fork=FORK, login=READER)
        stage.event(7, "opened", sender=READER)
        assert stage.services == {}
        assert f"```\n/preview {sha_of(1)}\n```" in stage.our_comment(7)


def test_a_maintainer_approves_one_commit_and_a_push_asks_anew() -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.push_image(2)
        stage.open(7, 1, fork=FORK)
        stage.event(7, "opened")
        stage.comment(7, f"/preview {sha_of(1)}")
        assert stage.shown == {"my-product-pr-7": image(1)}
        stage.github.push(TEAM, 7, sha_of(2))
        stage.event(7, "synchronize")
        assert stage.shown == {"my-product-pr-7": image(1)}
        assert f"/preview {sha_of(2)}" in stage.our_comment(7)
        assert "Until then the preview shows an earlier commit." in stage.our_comment(7)
        stage.tick()
        assert stage.shown == {"my-product-pr-7": image(1)}


@pytest.mark.parametrize("command", ["/preview", "/preview extend 24h", f"/preview {sha_of(9)}"])
def test_what_is_no_approval_of_the_head_deploys_nothing(command: str) -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.open(7, 1, fork=FORK)
        stage.event(7, "opened")
        stage.comment(7, command)
        stage.tick()
        assert stage.services == {}


def test_the_author_of_a_fork_cannot_approve_it() -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.open(7, 1, fork=FORK, login=READER)
        stage.comment(7, f"/preview {sha_of(1)}", by=READER)
        stage.github.label(TEAM, 7, "safe to preview")
        stage.event(7, "labeled", sender=READER, label="safe to preview")
        stage.tick()
        assert stage.services == {}


def test_a_label_approves_the_commit_of_its_event_alone() -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.push_image(2)
        stage.open(7, 1, fork=FORK)
        stage.github.label(TEAM, 7, "safe to preview")
        labeled = stage.event_data(7, "labeled", label="safe to preview")
        stage.github.push(TEAM, 7, sha_of(2))
        stage.push(labeled, topic="caretaker-pull-requests")
        assert stage.services == {}
        report = stage.event(7, "labeled", label="another label")
        assert (report.outcome, stage.services, [call for call in stage.calls if "api.github.com" in call]) == (
            Outcome.UNCHANGED,
            {},
            [],
        )
        stage.tick()
        stage.advance(minutes=2)
        stage.event(7, "labeled", label="safe to preview")
        assert stage.shown == {"my-product-pr-7": image(2)}


@pytest.mark.one_python
@pytest.mark.parametrize("arrives", ["in order", "label first", "push lost", "push late"])
@pytest.mark.parametrize(("seconds", "is_far"), [(-1, False), (0, False), (119, False), (120, True), (600, True)])
def test_a_label_near_a_push_asks_again(seconds: int, arrives: str, *, is_far: bool) -> None:
    with Stage() as stage:
        stage.push_image(2)
        stage.open(7, 1, fork=FORK)
        stage.event(7, "opened")
        stage.advance(minutes=60)
        pushed_at = stage.cloud.clock.now()
        stage.github.push(TEAM, 7, sha_of(2))
        pushed = stage.event_data(7, "synchronize")
        stage.github.label(TEAM, 7, "safe to preview")
        labeled_at = pushed_at + timedelta(seconds=seconds)
        labeled = stage.event_data(7, "labeled", label="safe to preview", updated_at=labeled_at)
        stage.cloud.clock.advance_to(max(labeled_at, pushed_at))
        if arrives == "in order":
            stage.push(pushed, topic=TOPIC)
        stage.push(labeled, topic=TOPIC)
        if arrives == "push late":
            stage.tick(minutes=15)
        if arrives in ("label first", "push late"):
            stage.push(pushed, topic=TOPIC)
        is_approved = is_far and arrives != "push lost"
        assert bool(stage.services) is is_approved
        if not is_approved:
            assert "within two minutes of a push" in stage.our_comment(7)
        stage.advance(minutes=10)
        stage.event(7, "labeled", label="safe to preview")  # set again
        assert stage.shown == {"my-product-pr-7": image(2)}


@pytest.mark.one_python
@pytest.mark.parametrize(
    ("steps", "shown"),
    [
        ("image1 wait label", 1),
        ("wait label image1", 1),
        ("label wait image1", None),  # it was opened just before
        ("wait label push image1", None),
        ("image1 wait label push", 1),
        ("image1 wait label push image2", 1),
        ("image1 wait label push image2 label", 1),
        ("image1 wait label push image2 wait", 1),
        ("image1 wait label push image2 wait label", 2),
    ],
)
def test_a_label_approves_the_commit_that_was_head_and_is_the_one_with_an_image_then(
    steps: str, shown: int | None
) -> None:
    with Stage() as stage:
        stage.open(7, 1, fork=FORK)
        stage.event(7, "opened")
        for step in steps.split():
            match step:
                case "image1" | "image2":
                    stage.push_image(int(step[-1]))
                case "label":
                    stage.github.label(TEAM, 7, "safe to preview")
                    stage.event(7, "labeled", label="safe to preview")
                case "push":
                    stage.github.push(TEAM, 7, sha_of(2))
                    stage.event(7, "synchronize")
                case _:
                    stage.tick(minutes=10)
        stage.tick()
        assert stage.shown == ({} if shown is None else {"my-product-pr-7": image(shown)})
        is_approved = shown == (2 if "push" in steps else 1)
        assert ("waiting for approval" not in stage.our_comment(7)) is is_approved


def test_a_label_near_a_push_takes_nothing_from_the_approval_by_a_comment() -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.open(7, 1, fork=FORK)
        stage.event(7, "opened")
        stage.comment(7, f"/preview {sha_of(1)}")
        stage.github.label(TEAM, 7, "safe to preview")
        stage.event(7, "labeled", label="safe to preview")
        stage.command("pause")
        assert stage.shown == {}
        stage.advance(minutes=1)
        stage.command("resume")
        assert stage.shown == {"my-product-pr-7": image(1)}


def test_a_message_is_believed_only_as_far_as_github_confirms_it() -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.open(7, 1, fork=FORK)
        comment = stage.comment_data(7, "good work")
        for said in (
            {**comment, "command": f"/preview {sha_of(1)}"},
            {**comment, "comment_id": 999, "command": f"/preview {sha_of(1)}"},
        ):
            report = stage.push(said, topic="caretaker-pull-requests")
            assert "GitHub has no such comment" in " ".join(report.notices)
        report = stage.event(7, "labeled", label="safe to preview")
        assert "GitHub has no such comment or label" in report.notices[0]
        assert stage.services == {}
        assert "comment_id" not in stage.our_comment(7)


def test_a_command_whose_webhook_was_lost_is_found_by_the_next_sweep() -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.open(7, 1)
        stage.event(7, "opened")
        stage.cloud.clock.advance(timedelta(minutes=1))
        stage.comment_data(7, "/preview stop", by=READER)
        stage.tick()
        assert stage.services
        stage.comment_data(7, "/preview stop")
        stage.tick()
        assert stage.services == {}
        assert stage.tick().changes == ()


def test_a_repository_is_known_however_its_name_is_spelled() -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.open(7, 1)
        data = stage.event_data(7, "opened")
        stage.push({**data, "repository": TEAM.upper()}, topic="caretaker-pull-requests")
        assert stage.shown == {"my-product-pr-7": image(1)}
        assert list(stage.records.pull_requests) == [f"{TEAM}#7"]


def test_an_approval_is_checked_again_when_it_is_deployed() -> None:
    with Stage() as stage:
        stage.open(7, 1, fork=FORK)
        stage.comment(7, f"/preview {sha_of(1)}")
        assert "waiting for its image" in stage.our_comment(7)
        stage.github.set_permission(TEAM, WRITER, "read")
        stage.push_image(1)
        assert stage.services == {}
        assert "waiting for approval" in stage.our_comment(7)


def test_a_fork_that_has_been_deleted_is_one() -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.open(7, 1, fork=FORK)
        stage.github.delete_fork(TEAM, 7)
        stage.event(7, "synchronize")
        assert stage.services == {}


def test_an_error_of_the_permission_api_fails_closed() -> None:
    from grpc import StatusCode

    with Stage() as stage:
        stage.push_image(1)
        stage.open(7, 1, fork=FORK)
        stage.event(7, "opened")
        stage.cloud.server.fail("/permission", StatusCode.PERMISSION_DENIED)
        approve = stage.comment_data(7, f"/preview {sha_of(1)}")
        with pytest.raises(RunFailed):
            stage.push(approve, topic="caretaker-pull-requests")
        assert stage.services == {}
        (record,) = stage.records.pull_requests.values()
        assert {word.kind for word in record.pending} == {Kind.START, Kind.APPROVE}, "nothing is lost"
        stage.push(approve, topic="caretaker-pull-requests")
        assert stage.shown == {"my-product-pr-7": image(1)}
