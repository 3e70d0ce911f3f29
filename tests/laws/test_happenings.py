"""Others' actions in a scenario without an API: typed when read, and done at their time."""

from pathlib import Path

import msgspec
import pytest
from google.cloud.run_v2 import ServicesClient

from functions.cap_spending.automation import AUTOMATION
from infra.suite.automations import load_automations
from localcloud import LocalCloud
from localcloud.core.happenings import check_happening, happenings_of
from tests.laws.case import Case
from tests.laws.end_state import INVENTORY, NO_END_STATE
from tests.laws.harness import Stage
from tests.laws.scenario import Scenario, ScenarioError, load_scenario

GOOD = Path(__file__).with_name("planted.yaml")
SHA = "1" * 40
COMMENTS = "api.github.com/repos/acme/shop/issues/7/comments"
STAGING = "api.github.com/repos/acme/shop/environments/pr%2F7/deployments"
IMAGES = "projects/my-product/locations/europe-west1/repositories/images"
MEANWHILE = [
    {"happening": "github.comment", "arguments": {"number": 7, "login": "bob", "body": "/preview"}},
    {"happening": "github.deploy", "arguments": {"environment": "pr/7", "sha": SHA, "login": "ci", "state": "error"}},
    {"happening": "github.deploy", "arguments": {"environment": "pr/7", "sha": SHA}},
    {"happening": "github.open_pull_request", "arguments": {"number": 8, "head": {"sha": SHA, "ref": "other"}}},
]

pytestmark = pytest.mark.one_python


def scenario(tmp_path: Path, *meanwhile: object) -> Scenario:
    """The scenario for planted bugs, in which something more happens."""
    path = tmp_path / "more.yaml"
    more = msgspec.json.encode([{"at": "2026-11-20T12:07:00Z", **one} for one in meanwhile]).decode()  # type: ignore[dict-item]
    path.write_text(f"{GOOD.read_text(encoding='utf-8')}\nmeanwhile: {more}\n", encoding="utf-8")
    return load_scenario(path, "cap_spending")


def stage_of(given: Scenario) -> Stage:
    """A stage for that scenario."""
    return Stage(Case(AUTOMATION, load_automations()["cap_spending"], given, "more"), "none", is_by_wire=False)


def test_what_happens_is_part_of_the_end_state(tmp_path: Path) -> None:
    in_the_shop = [{**one, "arguments": {"repository": "acme/shop", **one["arguments"]}} for one in MEANWHILE]  # type: ignore[dict-item]
    given = scenario(tmp_path, *in_the_shop)
    with stage_of(given) as stage:
        before = stage.resources()
        assert [name for name in before if name.startswith("api.github.com")] == [f"{COMMENTS}/1"]
        stage.reach(given.events[0])
        after = stage.resources()
    environment = STAGING.removesuffix("/deployments")
    assert after.keys() - before.keys() == {f"{COMMENTS}/2", environment, f"{STAGING}/1", f"{STAGING}/2"}
    assert after[f"{COMMENTS}/2"] == {"user": "bob", "app": None, "body": "/preview"}
    assert [after[f"{STAGING}/{place}"]["creator"] for place in (1, 2)] == ["ci", "octocat"]
    (status,) = after[f"{STAGING}/1"]["statuses"]
    assert (status["state"], status["creator"]) == ("error", "ci")
    assert "id" not in after[f"{STAGING}/1"]
    assert stage.cloud.github.state.repository("acme/shop").pull_requests[8].head_ref == "other"


def test_an_image_that_is_pushed_is_part_of_the_end_state(tmp_path: Path) -> None:
    image = {"repository": IMAGES, "image": "shop", "digest": f"sha256:{SHA}{SHA[:24]}", "tags": ["pr-7"]}
    given = scenario(tmp_path, {"happening": "artifact_registry.push_image", "arguments": image})
    world = {"projects": {"my-product": {"location": "europe-west1", "repositories": {"images": {}}}}}
    with stage_of(msgspec.structs.replace(given, world=world)) as stage:
        stage.reach(given.events[0])
        assert stage.resources()[f"{IMAGES}/dockerImages/shop@{image['digest']}"]["tags"] == ["pr-7"]


def test_a_policy_is_part_of_the_end_state_of_who_may_set_it() -> None:
    known = load_automations()["cap_spending"]
    may_set = msgspec.structs.replace(known, permissions=(*known.permissions, "run.services.setIamPolicy"))
    api = "projects/my-product/locations/europe-west1/services/api"
    everybody = {"role": "roles/run.invoker", "members": ["allUsers"]}
    for entry, expected in ((known, None), (may_set, [everybody])):
        case = Case(AUTOMATION, entry, load_scenario(GOOD, "cap_spending"), "planted")
        with Stage(case, "none", is_by_wire=False) as stage:
            assert "bindings" not in stage.resources()[api]
            request = {"resource": api, "policy": {"bindings": [everybody]}}
            stage.clients.of(ServicesClient).set_iam_policy(request=request)
            assert stage.resources()[api].get("bindings") == expected


def test_what_cannot_happen_names_the_scenario_and_what_it_was(tmp_path: Path) -> None:
    given = scenario(tmp_path, {"happening": "github.close", "arguments": {"repository": "acme/shop", "number": 9}})
    with (
        stage_of(given) as stage,
        pytest.raises(ScenarioError, match=r"in the scenario `more`: github\.close cannot happen: KeyError: 9"),
    ):
        stage.reach(given.events[0])


@pytest.mark.parametrize(
    ("act", "said"),
    [
        ({}, r"missing required key meanwhile\[0\]\.happening in .*; expected either a call .* or a `happening`"),
        (
            {"client": "a.BClient", "happening": "github.close"},
            r"'github.close' for meanwhile\[0\]\.happening in .* either",
        ),
        ({"client": "a.BClient"}, r"missing required key meanwhile\[0\]\.method in .*; expected the name of a method"),
        (
            {"happening": "github.cloze"},
            r"'github.cloze' for meanwhile\[0\]\.happening in .*did you mean github\.close\?",
        ),
        ({"happening": "x"}, r"'x' for meanwhile\[0\]\.happening in .*; expected one of run\.fail_instances, "),
        (
            {"happening": "github.close", "arguments": {"repository": "acme/shop", "number": "7"}},
            r"'7' for meanwhile\[0\]\.arguments\.number in .*; expected a whole number",
        ),
        (
            {"happening": "artifact_registry.push_image", "arguments": {"repository": "r", "image": "i", "digests": 1}},
            r"unknown key meanwhile\[0\]\.arguments\.digests in .*; did you mean digest\?",
        ),
    ],
)
def test_an_act_that_will_not_do(tmp_path: Path, act: dict[str, object], said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        scenario(tmp_path, act)


def test_every_happening_has_arguments_that_can_be_said() -> None:
    installation = {"installation_id": 1, "app_id": 2, "permissions": {"issues": "read"}}
    check_happening("run.fail_instances", {"name": "n", "message": None}, LocalCloud)
    check_happening("github.add_installation", installation, LocalCloud)
    for happening in happenings_of(LocalCloud):
        with pytest.raises(ValueError, match="missing required key"):
            check_happening(happening, {}, LocalCloud)


def test_every_key_of_a_world_is_part_of_the_end_state_or_says_why_not() -> None:
    keys = {section.key for service in LocalCloud.services() for section in service.sections}
    assert keys | {"billing_account_name"} == INVENTORY.keys() | NO_END_STATE.keys()
