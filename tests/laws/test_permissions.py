"""The map from calls to permissions, and how law 8 reads it."""

from pathlib import Path

import msgspec
import pytest
from google.cloud import run_v2

from functions.cap_spending.automation import AUTOMATION
from infra.suite.automations import Entry, load_automations
from tests.laws.broken import LawBroken
from tests.laws.case import Case
from tests.laws.least_privilege import granted_permissions, used_permissions
from tests.laws.permissions import ACTING, READING_IMAGES, github_permissions_of, permissions_of
from tests.laws.planted import edits_what_others_wrote
from tests.laws.scenario import load_scenario

CREATE_SERVICE = "google.cloud.run.v2.Services/CreateService"
UPDATE_SERVICE = "google.cloud.run.v2.Services/UpdateService"

pytestmark = pytest.mark.one_python


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("GET api.github.com/repos/acme/shop/pulls", (("pull_requests",), "read")),
        ("POST api.github.com/repos/acme/shop/issues/7/comments", (("issues", "pull_requests"), "write")),
        ("POST api.github.com/app/installations/9/access_tokens", ((), "")),
        ("google.cloud.run.v2.Services/ListServices", ((), "")),
    ],
)
def test_what_a_call_needs_of_github(method: str, expected: tuple[tuple[str, ...], str]) -> None:
    assert github_permissions_of(method) == expected


@pytest.mark.parametrize("method", ["GET api.github.com/repos/acme/shop/branches", "GET api.github.com/zen"])
def test_what_is_not_in_the_map(method: str) -> None:
    with pytest.raises(KeyError):
        github_permissions_of(method)


@pytest.mark.parametrize(
    ("paths", "makes_a_revision"),
    [(["scaling.max_instance_count"], False), (["template.containers"], True), ([], True), (["*"], True)],
)
def test_a_new_revision_is_of_an_image_that_must_be_readable(paths: list[str], *, makes_a_revision: bool) -> None:
    request = run_v2.UpdateServiceRequest.pb(run_v2.UpdateServiceRequest(update_mask={"paths": paths}))
    needed = permissions_of(UPDATE_SERVICE, request)
    assert ACTING in needed
    assert (READING_IMAGES in needed) is makes_a_revision


@pytest.mark.parametrize(
    ("disabled", "paths", "opens"),
    [(True, [], True), (False, [], False), (True, ["invoker_iam_disabled"], True), (True, ["template"], False)],
)
def test_who_lets_everybody_in_must_be_able_to_set_policies(*, disabled: bool, paths: list[str], opens: bool) -> None:
    service = {"invoker_iam_disabled": disabled}
    update = run_v2.UpdateServiceRequest(service=service, update_mask={"paths": paths})
    needed = permissions_of(UPDATE_SERVICE, run_v2.UpdateServiceRequest.pb(update))
    assert ("run.services.setIamPolicy" in needed) is opens
    create = run_v2.CreateServiceRequest(service=service)
    needed = permissions_of(CREATE_SERVICE, run_v2.CreateServiceRequest.pb(create))
    assert ("run.services.setIamPolicy" in needed) is disabled


def entry(**github_permissions: str) -> Entry:
    """The entry of `cap_spending`, granted more."""
    return msgspec.structs.replace(load_automations()["cap_spending"], github_permissions=github_permissions)


def used_by_what_writes_comments(given: Entry) -> set[str]:
    """The permissions of an automation that also writes comments, if it is granted that."""
    path = Path(__file__).with_name("planted.yaml")
    scenario = load_scenario(path, "cap_spending")
    return used_permissions(Case(edits_what_others_wrote(), given, scenario, "planted"))


def test_any_of_several_permissions_will_do() -> None:
    needed = used_by_what_writes_comments(entry(pull_requests="write", deployments="read"))
    assert {one for one in needed if "GitHub" in one} == {
        "GitHub's pull_requests: read",
        "GitHub's pull_requests: write",
    }
    granted = granted_permissions(entry(pull_requests="write", deployments="read"))
    assert set(granted) - needed >= {"GitHub's deployments: read"}


def test_a_level_that_is_too_low_is_not_enough() -> None:
    with pytest.raises(LawBroken, match=r"needs GitHub's issues: write or GitHub's pull_requests: write: automations"):
        used_by_what_writes_comments(entry(issues="read", pull_requests="read"))


def test_what_is_not_asked_for_where_a_call_is_made_is_not_granted() -> None:
    scenario = load_scenario(Path(__file__).with_name("planted.yaml"), "cap_spending")
    # There is a billing account, so it is granted; but that names no project.
    granted_when = {"budgets.*.billing_account": ("run.services.list", "run.services.update")}
    given = msgspec.structs.replace(load_automations()["cap_spending"], granted_when=granted_when)
    with pytest.raises(LawBroken, match=r"needs run\.services\.list elsewhere than the settings name for it"):
        used_permissions(Case(AUTOMATION, given, scenario, "planted"))
