"""A suite's resources on the local cloud: Terraform's values, as its own tests compare them with a file."""

from typing import Any

import msgspec
import pytest

from infra.deploy.changes import Change, changes, summary
from infra.deploy.resources import AnyResource, Subscription, TickJob, resources_of
from infra.suite.automations import load_functions
from infra.suite.deployment import Deployment, Suite
from infra.tools.examples import every_section
from tests.infra.deploy.stage import PROJECT

pytestmark = pytest.mark.one_python

SUITE = Suite(Deployment(project=PROJECT), every_section())
BUNDLES = {name: f"{name}-0123456789abcdef.zip" for name in load_functions()}
ADDRESS = "http://127.0.0.1:8080"


def a_suite(**deployment: object) -> Suite:
    """One automation that is woken by images, too."""
    owner = {"mode": "observe", "manage_previews": every_section()["manage_previews"]}
    return Suite(Deployment(project=PROJECT, **deployment), owner)  # type: ignore[arg-type]


def made(suite: Suite, bundle: str = "0") -> tuple[AnyResource, ...]:
    """Its resources, with a bundle of some name."""
    return resources_of(suite, {"manage_previews": bundle}, lambda name: f"{ADDRESS}/{name}")


def shown(change: Change) -> str:
    """The changed resource's type and id."""
    return f"{type(change.resource).__name__} {change.resource.name.rpartition('/')[2]}"


def test_what_is_made_comes_after_what_it_needs() -> None:
    listed = [shown(one) for one in changes((), made(a_suite()))]
    assert listed == [
        "Topic caretaker-manage-previews",
        "Topic caretaker-manage-previews-dead-letters",
        "Topic caretaker-pull-requests",
        "Topic gcr",
        "Function caretaker-manage-previews",
        "Subscription caretaker-manage-previews-dead-letters",
        "Subscription caretaker-manage-previews-to-caretaker-manage-previews",
        "Subscription caretaker-pull-requests-to-caretaker-manage-previews",
        "Subscription gcr-my-previews-to-caretaker-manage-previews",
        "TickJob caretaker-manage-previews-tick",
    ]
    gone = changes(made(a_suite()), ())
    assert [shown(one) for one in gone] == listed[::-1]
    assert (summary(gone), changes(made(a_suite()), made(a_suite()))) == ("10 to delete", ())


def test_a_topic_of_images_that_is_there_already() -> None:
    (only,) = changes(made(a_suite(images=False)), made(a_suite()))
    assert str(only) == "+ Topic        gcr in my-previews: does not exist"


def test_what_changes_says_how() -> None:
    suite = a_suite()
    other = msgspec.structs.replace(suite, owner={**suite.owner, "mode": "act"})
    (function,) = changes(made(suite), made(other, bundle="1"))
    assert str(function) == (
        "~ Function     caretaker-manage-previews in my-caretaker: bundle 0 -> 1, settings.mode observe -> act"
    )
    before = [
        msgspec.structs.replace(one, filter="a", max_delivery_attempts=5)
        if isinstance(one, Subscription) and one.name.endswith("pull-requests-to-caretaker-manage-previews")
        else msgspec.structs.replace(one, schedule="* * * * *")
        if isinstance(one, TickJob)
        else one
        for one in made(suite)
    ]
    listed = changes(before, made(suite))
    subscription, how = (
        "caretaker-pull-requests-to-caretaker-manage-previews",
        "filter a -> none, max_delivery_attempts 5 -> 20",
    )
    assert [str(one) for one in listed] == [
        *(f"{action} Subscription {subscription} in my-caretaker: {how}" for action in "-+"),
        "~ TickJob      caretaker-manage-previews-tick in my-caretaker: schedule * * * * * -> */5 * * * *",
    ]
    assert summary(listed) == "1 to create, 1 to change, 1 to delete"


def test_values_are_shown_whole_but_for_credentials_and_absent_ones_named() -> None:
    suite = a_suite()
    section: Any = {**every_section()["manage_previews"], "service_account": "a" * 70, "env": "postgresql://u:p@h/d"}
    del section["time_to_live_hours"]
    other = msgspec.structs.replace(suite, owner={**suite.owner, "manage_previews": section})
    (function,) = changes(made(suite), made(other))
    assert function.reason == (
        "settings.manage_previews.service_account preview@my-previews.iam.gserviceaccount.com -> "
        f"{'a' * 70}, settings.manage_previews.time_to_live_hours 72 -> none, settings.manage_previews.env none -> postgresql://***@h/d"
    )


def test_what_differs_within_a_list_of_mappings_is_named_by_its_place() -> None:
    def suite_with(**rule: object) -> Suite:
        section = {"rules": [{"do": ["notify"]}, {"at": 1, "do": ["notify"], **rule}]}
        return Suite(
            Deployment(project=PROJECT), {"manage_previews": {**every_section()["manage_previews"], **section}}
        )

    (function,) = changes(made(suite_with()), made(suite_with(do=["notify", "previews_off"])))
    assert function.reason == 'settings.manage_previews.rules[1].do ["notify"] -> ["notify","previews_off"]'
