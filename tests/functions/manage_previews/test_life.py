"""A pull request's life: opened, deployed, pushed to, closed; and the comment at each step."""

from datetime import timedelta
from typing import Any

import pytest
from google.cloud.run_v2 import ServicesClient
from grpc import StatusCode

from functions.manage_previews.names import MANAGED_BY, NUMBER
from functions.manage_previews.settings import Settings
from shared.errors import RunFailed
from shared.report import Outcome
from shared.settings import Mode
from tests.functions.manage_previews.stage import PARENT, TEAM, Stage, digest_of, image, settings_of, sha_of
from tests.functions.stage import report_text
from tests.laws.probe import Probe


def test_it_waits_for_its_image_and_says_so() -> None:
    with Stage() as stage:
        stage.open(12, 1)
        report = stage.event(12, "opened")
        assert stage.services == {}
        assert "waiting for its image" in stage.our_comment(12)
        assert f"images/api:{sha_of(1)}" in stage.our_comment(12)
        assert report.next
        assert "waiting for its image" in report.next[0]


def test_the_pushed_image_wakes_it_and_is_deployed_by_digest() -> None:
    with Stage() as stage:
        stage.open(12, 1)
        stage.event(12, "opened")
        stage.push_image(1)
        service = stage.services["my-product-pr-12"]
        container = service.template.containers[0]
        assert container.image == image(1)
        assert dict(service.labels) == {**MANAGED_BY, NUMBER: "12"}
        assert service.template.service_account == "preview@my-previews.iam.gserviceaccount.com"
        assert (service.template.scaling.min_instance_count, service.template.scaling.max_instance_count) == (0, 2)
        assert not service.invoker_iam_disabled
        assert list(container.env) == []
        comment = stage.our_comment(12)
        assert "### Preview: running" in comment
        assert service.uri in comment
        assert sha_of(1) in comment
        assert digest_of(1) in comment
        assert "Expires | 2026-11-19 12:00 UTC" in comment
        assert stage.deployments(12) == [(sha_of(1), ["success"])]


def test_an_image_that_is_there_before_the_pull_request_is_deployed_at_once() -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.open(12, 1)
        stage.event(12, "opened")
        assert stage.shown == {"my-product-pr-12": image(1)}


def test_after_a_push_the_old_preview_stays_until_the_new_image_is_there() -> None:
    with Stage() as stage:
        stage.open(12, 1)
        stage.push_image(1)
        stage.event(12, "opened")
        stage.github.push(TEAM, 12, sha_of(2))
        stage.event(12, "synchronize")
        assert stage.shown == {"my-product-pr-12": image(1)}
        assert "Until then the preview shows an earlier commit" in stage.our_comment(12)
        stage.push_image(2)
        assert stage.shown == {"my-product-pr-12": image(2)}
        assert stage.deployments(12) == [(sha_of(1), ["success", "inactive"]), (sha_of(2), ["success"])]


def test_when_it_closes_all_is_gone_and_reported() -> None:
    with Stage() as stage:
        stage.open(12, 1)
        stage.push_image(1)
        stage.event(12, "opened")
        stage.github.close(TEAM, 12, merged=True)
        stage.event(12, "closed")
        assert stage.services == {}
        assert "gone, as the pull request is closed" in stage.our_comment(12)
        assert stage.deployments(12) == [(sha_of(1), ["success", "inactive"])]
        assert stage.event(12, "closed").changes == ()


def test_closed_before_opened_makes_nothing() -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.open(12, 1)
        opened = stage.event_data(12, "opened")
        stage.github.close(TEAM, 12)
        stage.event(12, "closed")
        stage.push(opened, topic="caretaker-pull-requests")
        assert stage.services == {}
        assert stage.github.comments(TEAM, 12) == []
        assert stage.records.pull_requests == {}


def test_reopened_it_comes_back_in_the_same_comment() -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.open(12, 1)
        stage.event(12, "opened")
        stage.github.close(TEAM, 12)
        stage.event(12, "closed")
        stage.github.reopen(TEAM, 12)
        stage.event(12, "reopened")
        assert stage.shown == {"my-product-pr-12": image(1)}
        assert "### Preview: running" in stage.our_comment(12)


def test_what_was_remembered_of_a_closed_pull_request_goes_in_a_week() -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.open(12, 1)
        stage.event(12, "opened")
        stage.github.close(TEAM, 12)
        stage.event(12, "closed")
        assert stage.records.pull_requests
        stage.tick(minutes=7 * 24 * 60)
        assert stage.records.pull_requests == {}


def test_a_sweep_finds_what_no_webhook_told_of() -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.push_image(2)
        stage.open(1, 1)
        stage.open(2, 2)
        stage.tick()
        assert stage.shown == {"my-product-pr-1": image(1), "my-product-pr-2": image(2)}
        stage.github.close(TEAM, 1)
        stage.tick()
        assert stage.shown == {"my-product-pr-2": image(2)}
        assert "closed" in stage.our_comment(1)


def test_a_sweep_with_nothing_to_do_lists_and_gets_nothing() -> None:
    with Stage() as stage:
        for number in range(1, 6):
            stage.push_image(number)
            stage.open(number, number)
        stage.tick()
        report = stage.tick()
        assert report.outcome is Outcome.UNCHANGED
        assert stage.calls == [
            "google.firestore.v1.Firestore/BatchGetDocuments",
            "google.cloud.run.v2.Services/ListServices",
            "google.cloud.secretmanager.v1.SecretManagerService/AccessSecretVersion",
            "GET api.github.com/repos/my-team/my-product/pulls",
            "GET api.github.com/repos/my-team/my-product/issues/comments",
        ]


def test_a_foreign_image_makes_one_read_of_state() -> None:
    with Stage() as stage:
        pushed = {"action": "INSERT", "digest": f"europe-west1-docker.pkg.dev/my-product/prod/api@{digest_of(9)}"}
        report = stage.push(pushed, topic="gcr")
        assert report.outcome is Outcome.UNCHANGED
        assert stage.calls == ["google.firestore.v1.Firestore/BatchGetDocuments"]


def test_an_image_without_a_tag_has_all_looked_at() -> None:
    with Stage() as stage:
        stage.open(12, 1)
        stage.event(12, "opened")
        uri = stage.cloud.artifact_registry.push_image(
            "projects/my-previews/locations/europe-west1/repositories/images", "api", digest_of(1), [sha_of(1)]
        )
        stage.push({"action": "INSERT", "digest": uri}, topic="gcr")
        assert stage.shown == {"my-product-pr-12": image(1)}


def test_a_tag_that_moves_to_another_image_is_followed() -> None:
    with Stage() as stage:
        stage.open(12, 1)
        stage.push_image(1)
        stage.event(12, "opened")
        stage.push_image(7, tag=sha_of(1))
        assert stage.shown == {"my-product-pr-12": image(7)}


def test_what_is_in_flight_is_waited_for_and_told_in_the_end() -> None:
    with Stage() as stage:
        stage.cloud.run.operation_delay = timedelta(minutes=2)
        stage.push_image(1)
        stage.open(12, 1)
        report = stage.event(12, "opened")
        assert report.outcome is Outcome.APPLIED
        assert report.waiting
        assert "### Preview: deploying" in stage.our_comment(12)
        assert stage.deployments(12) == [(sha_of(1), ["in_progress"])]
        stage.github.push(TEAM, 12, sha_of(2))
        stage.push_image(2)
        assert "google.cloud.run.v2.Services/UpdateService" not in stage.mutating, "none is started on top"
        stage.tick()
        assert stage.shown == {"my-product-pr-12": image(2)}
        stage.tick()
        assert "### Preview: running" in stage.our_comment(12)


def test_a_pull_request_that_closes_while_it_is_deployed_loses_its_preview_in_the_same_run() -> None:
    """The fence: after a deployment it looks again."""
    with Stage() as stage:
        stage.push_image(1)
        stage.open(12, 1)
        opened = stage.event_data(12, "opened")

        class ClosesMeanwhile(Probe):
            def before(self, method: str) -> None:
                super().before(method)
                if method.endswith("/CreateService"):
                    stage.github.close(TEAM, 12)

        stage.switchboard.connect(ClosesMeanwhile())
        report = stage.push(opened, topic="caretaker-pull-requests")
        assert [change.kind for change in report.changes] == ["DeployPreview", "DeletePreview"]
        assert stage.services == {}
        assert stage.our_comment(12) == ""


def test_a_preview_that_does_not_come_up_is_reported_without_repeating_harmful_text() -> None:
    with Stage() as stage:
        stage.cloud.run.fail_instances(f"{PARENT}/services/my-product-pr-12", "exit 1 ``` @everyone <img src=x>")
        stage.push_image(1)
        stage.open(12, 1)
        stage.event(12, "opened")
        comment = stage.our_comment(12)
        assert "### Preview: failed" in comment
        assert "exit 1" in comment
        assert "@everyone" not in comment
        assert "<img" not in comment
        assert stage.deployments(12) == [(sha_of(1), ["failure"])]
        assert stage.tick().changes == ()


def test_other_settings_roll_out() -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.open(12, 1)
        stage.event(12, "opened")
        stage.settings = settings_of(public=True, memory="1Gi", repository={"env": {"MODE": "preview"}, "port": 9000})
        stage.tick()
        service = stage.services["my-product-pr-12"]
        container = service.template.containers[0]
        assert service.invoker_iam_disabled
        assert container.resources.limits["memory"] == "1Gi"
        assert [(one.name, one.value) for one in container.env] == [("MODE", "preview")]
        assert container.ports[0].container_port == 9000
        assert "(public)" in stage.our_comment(12)


@pytest.mark.parametrize(
    ("settings", "more"),
    [
        (settings_of(), {"draft": True}),
        (settings_of(repository={"label": "preview"}), {"labels": ["bug"]}),
    ],
    ids=["draft", "label"],
)
def test_one_that_the_policy_leaves_out_is_left_in_peace(settings: Settings, more: dict[str, Any]) -> None:
    with Stage(settings) as stage:
        stage.push_image(1)
        stage.open(12, 1, **more)
        stage.event(12, "opened")
        assert stage.services == {}
        assert stage.github.comments(TEAM, 12) == []


def test_a_draft_that_becomes_ready_has_a_preview_and_loses_it_as_a_draft_again() -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.open(12, 1, draft=True)
        stage.event(12, "opened")
        stage.github.set_draft(TEAM, 12, draft=False)
        stage.event(12, "ready_for_review")
        assert stage.shown == {"my-product-pr-12": image(1)}
        stage.github.set_draft(TEAM, 12, draft=True)
        stage.event(12, "converted_to_draft")
        assert stage.services == {}
        assert "as this is a draft" in stage.our_comment(12)


def test_drafts_have_one_if_the_owner_says_so() -> None:
    with Stage(settings_of(repository={"drafts": True})) as stage:
        stage.push_image(1)
        stage.open(12, 1, draft=True)
        stage.event(12, "opened")
        assert stage.shown == {"my-product-pr-12": image(1)}


def test_the_label_lets_it_in_and_out() -> None:
    with Stage(settings_of(repository={"label": "preview"})) as stage:
        stage.push_image(1)
        stage.open(12, 1)
        stage.github.label(TEAM, 12, "preview")
        stage.event(12, "labeled", label="preview")
        assert stage.shown == {"my-product-pr-12": image(1)}
        stage.github.unlabel(TEAM, 12, "preview")
        stage.event(12, "unlabeled", label="preview")
        assert stage.services == {}
        assert "none without its label" in stage.our_comment(12)


def test_a_spending_restriction_takes_all_down_and_lets_them_come_back() -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.open(12, 1)
        stage.event(12, "opened")
        stage.restrict(because="monthly at 1.0 (actual)")
        stage.push({"type": "restrictions_changed"})
        assert stage.services == {}
        assert "previews_off is in force, by monthly at 1.0 (actual)" in stage.our_comment(12)
        stage.restrict(because=None)
        stage.push({"type": "restrictions_changed"})
        assert stage.shown == {"my-product-pr-12": image(1)}
        assert stage.deployments(12)[-1] == (sha_of(1), ["success", "inactive", "success"])


def test_pause_and_resume() -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.open(12, 1)
        stage.event(12, "opened")
        stage.command("pause")
        assert stage.services == {}
        stage.tick()
        assert stage.services == {}
        stage.command("resume")
        assert stage.shown == {"my-product-pr-12": image(1)}


def test_at_the_maximum_a_pull_request_waits_as_its_comment_says_and_nothing_is_evicted() -> None:
    with Stage(settings_of(maximum=2)) as stage:
        for number in (1, 2, 3):
            stage.push_image(number)
            stage.open(number, number)
            stage.event(number, "opened")
        assert set(stage.services) == {"my-product-pr-1", "my-product-pr-2"}
        assert "waiting for room" in stage.our_comment(3)
        stage.github.push(TEAM, 1, sha_of(4))
        stage.push_image(4)
        stage.event(1, "synchronize")
        assert stage.shown["my-product-pr-1"] == image(4)
        stage.github.close(TEAM, 2)
        stage.event(2, "closed")
        stage.tick()
        assert set(stage.services) == {"my-product-pr-1", "my-product-pr-3"}
        assert "### Preview: running" in stage.our_comment(3)


def test_room_is_given_to_whoever_has_waited_longest() -> None:
    with Stage(settings_of(maximum=1)) as stage:
        for number in (3, 2, 1):
            stage.push_image(number)
            stage.open(number, number)
            stage.cloud.clock.advance(timedelta(minutes=1))
            stage.event(number, "opened")
        stage.github.close(TEAM, 3)
        stage.tick()
        assert set(stage.services) == {"my-product-pr-2"}


def test_a_preview_expires_and_a_push_brings_it_back() -> None:
    with Stage(settings_of(time_to_live_hours=24)) as stage:
        stage.push_image(1)
        stage.open(12, 1)
        stage.event(12, "opened")
        stage.tick(minutes=24 * 60 - 1)
        assert stage.services
        stage.tick(minutes=1)
        assert stage.services == {}
        assert "expired at 2026-11-17 12:00 UTC" in stage.our_comment(12)
        assert "Comment `/preview`" in stage.our_comment(12)
        stage.github.push(TEAM, 12, sha_of(2))
        stage.push_image(2)
        stage.event(12, "synchronize")
        assert stage.shown == {"my-product-pr-12": image(2)}


def test_a_service_of_that_name_which_is_not_ours_is_never_touched() -> None:
    with Stage() as stage:
        world = {"labels": {"team": "search"}}
        stage.people.of(ServicesClient).create_service(
            request={
                "parent": PARENT,
                "service_id": "my-product-pr-12",
                "service": {**world, "template": {"containers": [{"image": "gcr.io/somebody/else"}]}},
            }
        )
        stage.push_image(1)
        stage.open(12, 1)
        report = stage.event(12, "opened")
        assert stage.shown == {"my-product-pr-12": "gcr.io/somebody/else"}
        assert [alert.kind for alert in report.alerts] == ["name_taken"]
        assert "### Preview: not deployed" in stage.our_comment(12)
        stage.github.close(TEAM, 12)
        stage.event(12, "closed")
        assert stage.shown == {"my-product-pr-12": "gcr.io/somebody/else"}


def test_a_comment_that_somebody_deleted_is_written_anew_with_the_next_news() -> None:
    with Stage() as stage:
        stage.open(12, 1)
        stage.event(12, "opened")
        stage.github.state.repository(TEAM).comments.clear()
        stage.push_image(1)
        assert "### Preview: running" in stage.our_comment(12)


def test_observing_says_what_it_would_do() -> None:
    with Stage() as stage:
        stage.mode = Mode.OBSERVE
        stage.push_image(1)
        stage.open(12, 1)
        report = stage.event(12, "opened")
        assert [change.kind for change in report.changes] == ["DeployPreview"]
        assert stage.services == {}
        assert stage.github.comments(TEAM, 12) == []


def test_a_name_that_is_not_free_yet_is_waited_for() -> None:
    """So it is for a while after one of the same name was deleted."""
    with Stage() as stage:
        stage.push_image(1)
        stage.open(12, 1)
        stage.cloud.server.fail("CreateService", StatusCode.ALREADY_EXISTS, message="already exists")
        report = stage.event(12, "opened")
        assert report.outcome is Outcome.WAITING
        stage.tick()
        assert stage.shown == {"my-product-pr-12": image(1)}


def test_a_failed_deployment_raises_and_the_next_delivery_goes_on() -> None:
    with Stage() as stage:
        stage.push_image(1)
        stage.open(12, 1)
        stage.cloud.server.fail("CreateService", StatusCode.UNAVAILABLE, after_effect=True)
        with pytest.raises(RunFailed, match="failed, such as"):
            stage.event(12, "opened")
        assert "injected" in report_text(stage.reports[-1])
        stage.event(12, "opened")
        assert "### Preview: running" in stage.our_comment(12)
