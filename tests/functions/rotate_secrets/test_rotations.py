"""Secrets and the services that use them: end states, through official clients."""

from datetime import timedelta
from typing import Any

import pytest
from google.cloud import run_v2

from functions.rotate_secrets.rotation_state import ANNOTATION
from shared.settings import Mode
from tests.functions.rotate_secrets.stage import (
    DIGEST,
    PRODUCT,
    REGION,
    Stage,
    a_secret,
    a_service,
    a_world,
    kinds_of,
    said_in,
    settings_of,
)
from tests.functions.stage import report_text

REVISION = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"


def two_secrets(**services: object) -> dict[str, Any]:
    return a_world(secrets={"key": {"versions": ["one"]}, "other": {"versions": ["two"]}}, services=services)


def test_a_tick_with_nothing_due_is_one_list() -> None:
    with Stage() as stage:
        stage.tick()
        stage.tick(days=1)
        assert stage.calls == ["BatchGetDocuments", "ListSecrets"]


def test_a_secret_is_rotated_when_its_period_is_over() -> None:
    with Stage() as stage:
        stage.tick()
        assert stage.tick(days=29).next == ("key: due at 2026-12-16 12:00 UTC",)
        report = stage.tick(days=1)
        assert kinds_of(report) == ["AddVersion", "Promote", "Roll", "Finish"]
        assert stage.said() == ["2"]
        assert len(stage.payload(2)) == 40
        secret = stage.manager.get_secret(request={"name": f"{PRODUCT}/secrets/key"})
        assert dict(secret.version_aliases) == {"caretaker-current": 2, "caretaker-previous": 1}
        assert stage.payload("latest") not in report_text(report) + repr(secret.annotations)


def test_a_notification_counts_once_and_only_if_it_is_newer() -> None:
    with Stage() as stage:
        stage.tick()
        assert kinds_of(stage.notify(minutes=1)) == ["AddVersion", "Promote", "Roll", "Finish"]
        assert kinds_of(stage.notify()) == []
        assert stage.notify("another").why == "foreign: the settings name no secret of this id"


def test_what_others_have_written_on_the_secret_stays() -> None:
    world = a_world(
        secrets={"key": {"versions": ["one"], "annotations": {"owner": "web"}, "version_aliases": {"a": 1}}}
    )
    with Stage(world=world) as stage:
        stage.command("rotate", minutes=1)
        secret = stage.manager.get_secret(request={"name": f"{PRODUCT}/secrets/key"})
        assert secret.annotations["owner"] == "web"
        assert secret.version_aliases["a"] == 1


def test_a_secret_without_a_version_gets_its_first() -> None:
    with Stage(world=a_world(secrets={"key": {}})) as stage:
        assert kinds_of(stage.tick()) == ["Adopt", "AddVersion", "Promote", "Finish"]
        assert (stage.state().current, stage.state().retiring) == (1, ())


def test_several_secrets_of_one_service_become_one_update() -> None:
    settings = settings_of({"key": a_secret(), "other": a_secret("other")})
    with Stage(settings, two_secrets(api=a_service("key:1", "other:1"), web=a_service("other:1"))) as stage:
        report = stage.command("rotate", minutes=1)
        assert [change.before for change in report.changes if change.kind == "Roll"] == ["key:1, other:1", "other:1"]
        assert stage.said("api") == ["2", "2"]
        assert len(list(stage.people.of(run_v2.RevisionsClient).list_revisions(parent=f"{REGION}/services/api"))) == 2


def test_so_many_dependents_are_on_their_way_at_once() -> None:
    services = {f"s{number}": a_service("key:1") for number in range(5)}
    with Stage(settings_of(at_once=2), a_world(services=services)) as stage:
        stage.tick()
        stage.cloud.run.operation_delay = timedelta(minutes=4)
        first = stage.command("rotate", minutes=1)
        assert [change.target[-2:] for change in first.changes if change.kind == "Roll"] == ["s0", "s1"]
        assert first.waiting == (
            "key: " + f"{REGION}/services/s0 is changing",
            f"key: {REGION}/services/s1 is changing",
        )
        # A second run starts nothing on top of what is changing.
        assert kinds_of(stage.tick(minutes=1)) == []
        assert [change.target[-2:] for change in stage.tick(minutes=4).changes] == ["s2", "s3"]
        stage.tick(minutes=10)
        stage.tick(minutes=10)
        assert [stage.said(name) for name in services] == [["2"]] * 5
        assert stage.state().attempt is None


def test_files_jobs_and_volumes_without_items_are_moved_too() -> None:
    template = {
        "containers": [{"image": DIGEST}],
        "volumes": [
            {"name": "a", "secret": {"secret": "key"}},
            {
                "name": "b",
                "secret": {"secret": f"{PRODUCT}/secrets/key", "items": [{"path": "k", "version": "latest"}]},
            },
        ],
    }
    services = {"api": {"proto": {"template": template}}}
    with Stage(world=a_world(services=services, run_jobs={"nightly": a_service("key:latest")})) as stage:
        stage.command("rotate", minutes=1)
        items = [
            (item.path, item.version) for volume in stage.service().template.volumes for item in volume.secret.items
        ]
        assert items == [("key", "2"), ("k", "2")]
        assert said_in(stage.job("nightly").template.template) == ["2"]


def test_a_revision_name_that_somebody_chose_is_no_conflict() -> None:
    template = {
        "revision": "api-green",
        "containers": [
            {
                "image": DIGEST,
                "env": [{"name": "K", "value_source": {"secret_key_ref": {"secret": "key", "version": "1"}}}],
            }
        ],
    }
    with Stage(world=a_world(services={"api": {"proto": {"template": template}}})) as stage:
        assert "Finish" in kinds_of(stage.command("rotate", minutes=1))
        assert stage.said() == ["2"]


def test_a_name_with_previous_takes_the_version_before_while_there_is_one() -> None:
    with Stage(world=a_world(services={"api": a_service("KEY=key:1", "PREVIOUS_KEY=key:1")})) as stage:
        stage.command("rotate", minutes=1)
        assert stage.said() == ["2", "1"]
        assert kinds_of(stage.tick(hours=25)) == ["Roll", "Retire"]
        assert stage.said() == ["2", "2"]


UNMOVED = [
    ({"labels": {"goog-managed-by": "cloudfunctions"}}, "Functions API", {}),
    ({"image": "example.com/app:latest"}, "its image is a tag", {"roll_tags": True}),
    ({"pinned": True}, "its traffic is pinned", {"roll_pinned_traffic": True}),
]


@pytest.mark.parametrize(("service", "why", "allowed"), UNMOVED)
def test_what_is_not_ours_to_move_is_reported_and_its_version_kept(
    service: dict[str, Any], why: str, allowed: dict[str, Any]
) -> None:
    permitted: list[tuple[dict[str, Any], bool]] = [({}, False), (allowed, True)]
    for more, is_moved in permitted:
        if is_moved and not allowed:
            continue
        shown = {key: value for key, value in service.items() if key != "pinned"}
        services = {"api": a_service("key:1", **shown), "web": a_service("key:1")}
        with Stage(settings_of({"key": a_secret(**more)}), a_world(services=services)) as stage:
            if service.get("pinned"):
                pin(stage)
            report = stage.command("rotate", minutes=1)
            assert stage.said() == (["2"] if is_moved else ["1"])
            late = stage.tick(hours=25)
            if is_moved and not service.get("pinned"):
                assert kinds_of(late) == ["Retire"]
                continue
            # It still serves with the version from before: by its template, or by the revision that it is pinned to.
            assert stage.versions() == ["ENABLED", "ENABLED"]
            assert any("cannot be retired" in notice for notice in late.notices)
            if not is_moved:
                assert any(why in notice for notice in report.notices)
            assert [alert.kind for alert in stage.tick(days=2).alerts] == ["retirement_owed"]


@pytest.mark.parametrize(("service", "why"), [(service, why) for service, why, _ in UNMOVED])
def test_a_rotation_that_would_move_nobody_is_refused_before_anything_is_added(
    service: dict[str, Any], why: str
) -> None:
    shown = {key: value for key, value in service.items() if key != "pinned"}
    with Stage(world=a_world(services={"api": a_service("key:1", **shown)})) as stage:
        if service.get("pinned"):
            pin(stage)
        report = stage.command("rotate", minutes=1)
        assert [refusal.guard for refusal in report.refusals] == ["moves_nobody"]
        assert f"{REGION}/services/api: " in report.refusals[0].reason
        assert why in report.refusals[0].reason
        assert stage.versions() == ["ENABLED"]
        assert [alert.kind for alert in stage.tick(days=39).alerts] == ["overdue"]


def pin(stage: Stage) -> None:
    """A person pins the traffic of the service to its revision."""
    ready = stage.service().latest_ready_revision.rpartition("/")[2]
    target = {"type_": REVISION, "revision": ready, "percent": 100}
    request = {
        "service": {"name": f"{REGION}/services/api", "traffic": [target]},
        "update_mask": {"paths": ["traffic"]},
    }
    stage.people.of(run_v2.ServicesClient).update_service(request=request)


def test_nothing_begins_while_a_dependent_is_not_ready() -> None:
    with Stage() as stage:
        stage.tick()
        stage.cloud.run.reject_version(f"{REGION}/services/api", f"{PRODUCT}/secrets/key/versions/1")
        service = stage.service()
        service.template.labels["deployed"] = "again"
        stage.people.of(run_v2.ServicesClient).update_service(request={"service": service})
        report = stage.command("rotate", minutes=1)
        assert kinds_of(report) == []
        assert report.next[0].startswith("key: requested at 2026")
        assert "is not ready" in report.notices[0]


def test_a_foreign_version_is_reported_and_ignored() -> None:
    with Stage() as stage:
        stage.tick()
        request = {"parent": f"{PRODUCT}/secrets/key", "payload": {"data": b"by hand"}}
        stage.manager.add_secret_version(request=request)
        report = stage.command("rotate", minutes=1)
        assert "key: version 2 of key was added by someone else, and is not used" in report.notices
        assert (stage.said(), stage.state().current) == (["3"], 3)


def test_maintenance_windows_hold_back_everything_but_the_way_back() -> None:
    hours = {"time_zone": "Etc/UTC", "windows": ["tue 08:00-10:00"]}
    with Stage(settings_of(hours=hours)) as stage:
        stage.tick()
        report = stage.command("rotate", minutes=1)
        assert (kinds_of(report), report.next[0][-54:]) == (
            [],
            "when the maintenance window opens at 2026-11-17 08:00 UTC"[-54:],
        )
        assert kinds_of(stage.tick(hours=20)) == ["AddVersion", "Promote", "Roll", "Finish"]
        assert kinds_of(stage.command("roll_back", "key", hours=5)) == ["TakeBack", "Roll", "GiveUp"]
        assert stage.said() == ["1"]


def test_what_was_taken_back_is_tried_again_a_day_later_or_when_asked() -> None:
    with Stage() as stage:
        stage.tick()
        stage.cloud.run.reject_version(f"{REGION}/services/api", f"{PRODUCT}/secrets/key/versions/2")
        report = stage.tick(days=31)
        assert kinds_of(report)[-3:] == ["TakeBack", "Roll", "GiveUp"]
        assert [alert.kind for alert in report.alerts] == ["rotation_failed"]
        assert kinds_of(stage.tick(hours=23)) == []
        assert kinds_of(stage.tick(hours=2)) == ["AddVersion", "Promote", "Roll", "Finish"]
        assert stage.tick(minutes=10).alerts == ()
        assert kinds_of(stage.tick(hours=25)) == ["Retire"]
        assert stage.versions() == ["DISABLED", "DISABLED", "ENABLED"]


def test_a_roll_back_comes_too_late_when_the_version_before_is_retired() -> None:
    with Stage() as stage:
        stage.command("rotate", minutes=1)
        stage.tick(hours=25)
        assert kinds_of(stage.command("roll_back", "key")) == []
        assert stage.said() == ["2"]


def test_a_person_who_asks_does_not_wait_for_the_grace_period() -> None:
    with Stage() as stage:
        stage.command("rotate", minutes=1)
        report = stage.command("rotate", minutes=1)
        assert kinds_of(report)[:2] == ["Retire", "AddVersion"]
        assert (stage.versions(), stage.said()) == (["DISABLED", "ENABLED", "ENABLED"], ["3"])


def test_an_overdue_rotation_is_reported_for_every_reason() -> None:
    hours = {"time_zone": "Etc/UTC", "windows": ["tue 08:00-10:00"]}
    with Stage(settings_of(hours=hours)) as stage:
        stage.tick()
        assert [alert.kind for alert in stage.tick(days=39).alerts] == ["overdue"]


def test_what_google_rotates_is_left_alone() -> None:
    with Stage(world=a_world(secrets={"key": {"versions": ["one"], "managed_rotation": True}})) as stage:
        report = stage.command("rotate", minutes=1)
        assert (stage.writes, report.notices) == (
            [],
            ("key: Google rotates it (managed rotation), so it is left alone",),
        )


def test_an_annotation_that_somebody_has_edited_is_refused() -> None:
    with Stage(world=a_world(secrets={"key": {"versions": ["one"], "annotations": {ANNOTATION: "{mine}"}}})) as stage:
        report = stage.command("rotate", minutes=1)
        assert (stage.writes, report.refusals[0].guard) == ([], "unreadable_record")


def test_a_secret_that_is_not_there_is_an_alert() -> None:
    with Stage(world=a_world(secrets={})) as stage:
        assert [(one.kind, one.subject) for one in stage.tick().alerts] == [("secret_missing", "key")]


def test_observing_says_what_acting_would_do_and_writes_nothing() -> None:
    with Stage() as stage:
        stage.tick()
        stage.mode = Mode.OBSERVE
        report = stage.tick(days=31)
        assert (kinds_of(report), stage.writes) == (["AddVersion"], [])


def test_a_version_that_was_destroyed_meanwhile_is_as_good_as_disabled() -> None:
    with Stage() as stage:
        stage.command("rotate", minutes=1)
        stage.manager.destroy_secret_version(request={"name": f"{PRODUCT}/secrets/key/versions/1"})
        assert kinds_of(stage.tick(hours=25)) == ["Retire"]
        assert stage.versions() == ["DESTROYED", "ENABLED"]


def test_status_says_age_versions_step_and_who_is_behind() -> None:
    services = {"api": a_service("key:1"), "function": a_service("key:1", labels={"goog-managed-by": "cloudfunctions"})}
    settings = settings_of({"key": a_secret(), "gone": a_secret("gone")})
    with Stage(settings, a_world(services=services)) as stage:
        assert stage.command("status").status[0].startswith("key: not rotated here yet")
        stage.command("rotate", "key", minutes=1)
        assert stage.command("status", hours=49).status == (
            "key: 2 days old; version 2 is current; 1 is the previous one; due at 2026-12-16 12:01 UTC",
            f"key: behind: {REGION}/services/function",
            f"gone: there is no {PRODUCT}/secrets/gone",
        )
        stage.cloud.run.operation_delay = timedelta(hours=1)
        relabel = {"service": {"name": f"{REGION}/services/function", "template": {"containers": [{"image": DIGEST}]}}}
        stage.people.of(run_v2.ServicesClient).update_service(request=relabel)
        stage.tick(hours=2)
        stage.command("rotate", "key", minutes=1)
        assert "rotation 2: step roll" in stage.command("status").status[0]
        assert "3 is new" not in stage.command("status").status[0]


def test_references_of_other_projects_are_known_by_number_and_id() -> None:
    world = a_world(services={})
    world["projects"]["elsewhere"] = {
        "location": "europe-west1",
        "services": {"api": a_service(f"{PRODUCT}/secrets/key:1")},
    }
    places = [{"project": "elsewhere", "region": "europe-west1"}]
    with Stage(settings_of(dependents_in=places), world) as stage:
        stage.command("rotate", minutes=1)
        service = stage.people.of(run_v2.ServicesClient).get_service(
            name="projects/elsewhere/locations/europe-west1/services/api"
        )
        assert said_in(service.template) == ["2"]
