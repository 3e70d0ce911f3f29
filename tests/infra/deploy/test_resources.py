"""What a suite is made of on the local cloud: Terraform's values, as its own tests hold them against a file."""

from typing import Any

import msgspec
import pytest

from infra.deploy.changes import changes, summary
from infra.deploy.resources import AnyResource, Subscription, TickJob, Topic, resources_of, settings_of
from infra.suite.automations import ROOT, load_functions
from infra.suite.deployment import Deployment, Suite
from tests.infra.deploy.stage import PROJECT
from tests.infra.examples import every_section

pytestmark = pytest.mark.one_python

FILE = ROOT / "infra" / "terraform" / "tests" / "resources.json"
SUITE = Suite(Deployment(project=PROJECT), every_section())
BUNDLES = {name: f"{name}-0123456789abcdef.zip" for name in load_functions()}
ADDRESS = "http://127.0.0.1:8080"


def short(name: str) -> str:
    """A resource's id."""
    return name.rpartition("/")[2]


def as_terraform_has_them() -> dict[str, Any]:
    """The example's resources, in the words of Terraform's provider, as far as its tests can see them."""
    resources = resources_of(SUITE, BUNDLES, lambda name: f"{ADDRESS}/{name}")
    subscriptions = [one for one in resources if isinstance(one, Subscription)]
    pushed = [one for one in subscriptions if one.push_endpoint]
    return {
        "subscriptions": {
            short(one.name): {
                "ack_deadline_seconds": one.ack_deadline_seconds,
                "filter": one.filter,
                "max_delivery_attempts": one.max_delivery_attempts,
                "maximum_backoff": f"{one.maximum_backoff_seconds}s",
                "message_retention_duration": f"{one.message_retention_seconds}s",
                "minimum_backoff": f"{one.minimum_backoff_seconds}s",
            }
            for one in pushed
        },
        "dead_letters": {
            short(one.name): {
                "ack_deadline_seconds": one.ack_deadline_seconds,
                "message_retention_duration": f"{one.message_retention_seconds}s",
            }
            for one in subscriptions
            if not one.push_endpoint
        },
        "paths": {short(one.name): one.topic for one in pushed},
        "ticks": {
            short(one.name): {
                "data": {"every_seconds": one.every_seconds, "type": "tick"},
                "schedule": one.schedule,
                "time_zone": one.time_zone,
            }
            for one in resources
            if isinstance(one, TickJob)
        },
        "topics": [short(one.name) for one in resources if isinstance(one, Topic)],
        "wake": settings_of(SUITE)["cap_spending"]["cap_spending"]["wake"],  # type: ignore[index]
    }


def test_terraform_holds_its_own_against_these() -> None:
    """Whoever changes both writes what is on the right to the file: infra/terraform/tests/*.tftest.hcl read it."""
    assert msgspec.json.decode(FILE.read_bytes()) == as_terraform_has_them()


def a_suite(**deployment: object) -> Suite:
    """One automation that is woken by images, too."""
    owner = {"mode": "observe", "manage_previews": every_section()["manage_previews"]}
    return Suite(Deployment(project=PROJECT, **deployment), owner)  # type: ignore[arg-type]


def made(suite: Suite, bundle: str = "0") -> tuple[AnyResource, ...]:
    """What it is made of, with a bundle of some name."""
    return resources_of(suite, {"manage_previews": bundle}, lambda name: f"{ADDRESS}/{name}")


def test_what_is_made_comes_after_what_it_needs() -> None:
    told = [f"{type(one.resource).__name__} {short(one.resource.name)}" for one in changes((), made(a_suite()))]
    assert told == [
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
    assert [f"{type(one.resource).__name__} {short(one.resource.name)}" for one in gone] == told[::-1]
    assert (summary(gone), changes(made(a_suite()), made(a_suite()))) == ("10 to take away", ())


def test_a_topic_of_images_that_is_there_already() -> None:
    (only,) = changes(made(a_suite(images=False)), made(a_suite()))
    assert str(only) == "+ Topic        gcr: it is not there"


def test_what_changes_says_how() -> None:
    suite = a_suite()
    other = msgspec.structs.replace(suite, owner={**suite.owner, "mode": "act"})
    (function,) = changes(made(suite), made(other, bundle="1"))
    assert str(function) == "~ Function     caretaker-manage-previews: bundle 0 -> 1, settings.mode observe -> act"
    before = [
        msgspec.structs.replace(one, filter="a", max_delivery_attempts=5)
        if isinstance(one, Subscription) and one.name.endswith("pull-requests-to-caretaker-manage-previews")
        else msgspec.structs.replace(one, schedule="* * * * *")
        if isinstance(one, TickJob)
        else one
        for one in made(suite)
    ]
    told = changes(before, made(suite))
    subscription, how = (
        "caretaker-pull-requests-to-caretaker-manage-previews",
        "filter a -> none, max_delivery_attempts 5 -> 20",
    )
    assert [str(one) for one in told] == [
        *(f"{action} Subscription {subscription}: {how}" for action in "-+"),
        "~ TickJob      caretaker-manage-previews-tick: schedule * * * * * -> */5 * * * *",
    ]
    assert summary(told) == "1 to create, 1 to change, 1 to take away"


def test_long_values_are_cut_and_absent_ones_named() -> None:
    suite = a_suite()
    section: Any = {**every_section()["manage_previews"], "service_account": "a" * 70}
    del section["time_to_live_hours"]
    other = msgspec.structs.replace(suite, owner={**suite.owner, "manage_previews": section})
    (function,) = changes(made(suite), made(other))
    assert function.reason == (
        "settings.manage_previews.service_account preview@my-previews.iam.gserviceaccount.com -> "
        f"{'a' * 60}..., settings.manage_previews.time_to_live_hours 72 -> none"
    )
