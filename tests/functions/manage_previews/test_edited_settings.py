"""Settings change while there are previews: none is left that no setting asks for, and nothing of others is touched."""

from collections.abc import Mapping

import pytest
from google.cloud.run_v2 import Service, ServicesClient

from functions.manage_previews.settings import Settings
from shared.settings import Mode
from tests.functions.manage_previews.stage import PARENT, PLACE, TEAM, Stage, image, settings_of

pytestmark = pytest.mark.one_python

PREVIEW = f"{PARENT}/services/my-product-pr-12"
ANOTHER = {"my-team/another": {"service": "another", "image": PLACE}}


def deployed(stage: Stage) -> None:
    stage.github.add_repository("my-team/another")
    stage.push_image(1)
    stage.open(12, 1)
    stage.event(12, "opened")
    assert [str(debt) for debt in stage.records.debts()] == [
        f"{PREVIEW} preview none -> {TEAM}#12: `./deploy.sh send manage_previews pause`"
    ]


@pytest.mark.parametrize(
    ("edited", "remains"),
    [
        pytest.param(settings_of(repositories=ANOTHER), {}, id="repository"),
        pytest.param(settings_of(project="my-product"), {}, id="project"),
        pytest.param(settings_of(region="europe-west4"), {}, id="region"),
        pytest.param(
            settings_of(repository={"service": "shop"}), {"shop-pr-12": image(1)}, id="what its services are called"
        ),
    ],
)
def test_a_preview_that_no_setting_asks_for_any_more_is_deleted(edited: Settings, remains: Mapping[str, str]) -> None:
    with Stage() as stage:
        deployed(stage)
        stage.settings = edited
        stage.tick()
        stage.tick()
        assert stage.shown == remains
        assert PREVIEW not in stage.records.previews
        assert stage.tick().alerts == ()


def test_what_only_looks_like_a_preview_of_a_removed_repository_is_an_alert() -> None:
    with Stage() as stage:
        deployed(stage)
        services = stage.people.of(ServicesClient)
        twin = services.get_service(name=PREVIEW)
        copied = Service(labels=twin.labels, annotations=twin.annotations, template=twin.template)
        services.create_service(request={"parent": PARENT, "service_id": "my-product-pr-13", "service": copied})
        stage.settings = settings_of(repositories=ANOTHER)
        report = stage.tick()
        assert stage.shown.keys() == {"my-product-pr-13"}
        assert [(one.kind, one.subject) for one in report.alerts] == [
            ("held_without_settings", f"{PARENT}/services/my-product-pr-13")
        ]


def test_a_preview_that_was_made_before_it_was_recorded_is_recorded_when_it_is_seen() -> None:
    with Stage() as stage:
        deployed(stage)
        stage.set_records(previews={})
        stage.tick()
        stage.settings = settings_of(repositories=ANOTHER)
        stage.tick()
        assert stage.shown == {}


def test_previews_are_alerts_while_observing() -> None:
    with Stage() as stage:
        deployed(stage)
        stage.mode = Mode.OBSERVE
        assert [(one.kind, one.subject) for one in stage.tick().alerts] == [("held_while_observing", PREVIEW)]
