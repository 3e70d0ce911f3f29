"""Detaching billing, run after run: the last resort, and its guards."""

import copy

import pytest
from google.api_core.exceptions import PermissionDenied
from google.cloud.billing_v1 import CloudBillingClient
from google.cloud.run_v2 import ServicesClient
from google.cloud.scheduler_v1 import CloudSchedulerClient
from grpc import StatusCode

from functions.cap_spending.changes import DetachBilling
from functions.cap_spending.commands import LinkBilling, Undo
from functions.cap_spending.messages import InDetachedProject
from functions.cap_spending.world import Resource
from shared.decision import Refusal
from shared.errors import RunFailed
from shared.hold_messages import ChangedByPerson
from shared.report import Outcome
from tests.functions.cap_spending.examples import (
    ACCOUNT,
    DECEMBER,
    EXPERIMENTS,
    MAY_TOUCH,
    OTHER_ACCOUNT,
    PROJECT,
    settings,
)
from tests.functions.cap_spending.simulation import ACCOUNT_NAME, Simulation, a_job, a_project, a_service
from tests.functions.cap_spending.stage import WORLD, Stage

pytestmark = pytest.mark.one_python

DETACH = {"at": 1.5, "do": ["detach_billing"]}
IN_EXPERIMENTS = f"{EXPERIMENTS}/locations/europe-west1"
TOY, NIGHTLY = f"{IN_EXPERIMENTS}/services/toy", f"{IN_EXPERIMENTS}/jobs/batch-nightly"
FREE = {"toy": 9, "batch-nightly": "ENABLED", "my-experiments": ACCOUNT_NAME, "api": 20}
CAPPED = {"toy": 1, "batch-nightly": "PAUSED", "my-experiments": "", "api": 1}
PROJECTS = ["my-product", "my-experiments"]
TOUCHES_WHAT_IT_DETACHES = settings(
    may_touch={
        "limit_cloud_run": {"projects": PROJECTS, "regions": ["europe-west1"], "services": ["api", "toy"]},
        "pause_schedules": {"projects": PROJECTS, "locations": ["europe-west1"], "job_prefix": "batch-"},
        "detach_billing": MAY_TOUCH["detach_billing"],
    }
)


def _detaching(project: str, twice: str = "", account: str = ACCOUNT) -> Simulation:
    scope = {"detach_billing": {"projects": [project, "my-experiments"], "even_the_suites_own_project": twice}}
    stage = Simulation(settings(DETACH, may_touch=scope))
    name = f"projects/{project}"
    stage.resources = {name: a_project(name, f"billingAccounts/{account}" if account else ""), EXPERIMENTS: a_project()}
    stage.notify(605)
    return stage


def test_detaching_is_recorded_first_and_links_again_by_command_only() -> None:
    stage = _detaching("my-sandbox")
    (first, second) = stage.plans[0].changes
    assert isinstance(first, DetachBilling)
    assert isinstance(second, DetachBilling)
    assert first.hold
    assert first.hold.fields["billing_account"].original == ACCOUNT_NAME
    stage.notify(1, interval=DECEMBER, after=24 * 16)
    stage.tick(1)
    assert stage.values == {"my-sandbox": "", "my-experiments": ""}
    assert stage.looked_at == frozenset()
    stage.deliver(LinkBilling(project="my-sandbox"), after=1)
    assert stage.values == {"my-sandbox": ACCOUNT_NAME, "my-experiments": ""}
    stage.deliver(Undo(), after=1)
    assert (stage.values["my-experiments"], stage.records.holds) == (ACCOUNT_NAME, {})


def test_a_project_that_was_linked_again_is_not_detached_by_the_next_status() -> None:
    stage = _detaching("my-sandbox")
    stage.deliver(LinkBilling(project="my-sandbox"), after=1)
    stage.notify(610, after=1)
    stage.tick(1)
    assert stage.values == {"my-sandbox": ACCOUNT_NAME, "my-experiments": ""}
    stage.notify(610, interval=DECEMBER, after=24 * 16)
    stage.tick(1)
    assert stage.values["my-sandbox"] == ""


def test_a_project_of_another_account_is_refused_and_no_other() -> None:
    stage = _detaching("my-sandbox", account=OTHER_ACCOUNT)
    assert stage.values == {"my-sandbox": f"billingAccounts/{OTHER_ACCOUNT}", "my-experiments": ""}
    reason = f"my-sandbox is linked to billingAccounts/{OTHER_ACCOUNT}, which is not the account of this budget"
    assert stage.plans[0].refusals == (Refusal("projects/my-sandbox", "may_be_detached", reason),)


@pytest.mark.parametrize(("twice", "is_detached"), [("", False), ("my-experiments", False), (PROJECT, True)])
def test_the_suites_own_project_must_be_named_twice(twice: str, *, is_detached: bool) -> None:
    stage = _detaching(PROJECT, twice)
    assert stage.values == {PROJECT: "" if is_detached else ACCOUNT_NAME, "my-experiments": ""}
    if not is_detached:
        (refusal,) = stage.plans[0].refusals
        assert refusal.reason == (
            f"{PROJECT} is the project that Caretaker runs in, and would stop it too; to allow that, set "
            f"`may_touch.detach_billing.even_the_suites_own_project: {PROJECT}`"
        )


def test_nothing_that_a_refusal_stops_is_intended() -> None:
    stage = _detaching(PROJECT)
    assert f"projects/{PROJECT}" not in stage.records.holds


@pytest.fixture
def capped() -> Simulation:
    """A service and a job are capped, and then the project that they are in is detached."""
    stage = Simulation(TOUCHES_WHAT_IT_DETACHES)
    resources: list[Resource] = [a_service(TOY, 9), a_job(NIGHTLY), a_project(), a_service()]
    stage.resources = {resource.name: resource for resource in resources}
    stage.notify(410)
    stage.notify(610, after=1)
    assert stage.values == CAPPED
    return stage


def test_what_is_in_a_detached_project_waits_and_all_else_goes_on(capped: Simulation) -> None:
    capped.tick(1)
    assert (capped.notices, capped.plans[0].waiting) == ([], ())
    capped.notify(610, after=1)
    assert capped.looked_at == frozenset()
    for _ in range(2):
        capped.notify(3, interval=DECEMBER, after=24 * 16)
        assert capped.values == CAPPED | {"api": 20}
        assert capped.plans[0].waiting == (InDetachedProject(NIGHTLY), InDetachedProject(TOY))
    capped.deliver(LinkBilling(project="my-experiments"), after=1)
    assert (capped.values, capped.records.holds, capped.records.in_force) == (FREE, {}, {})


def test_undo_links_first_and_then_lets_go_of_what_is_there(capped: Simulation) -> None:
    capped.deliver(Undo(), after=1)
    assert (capped.values, capped.records.holds) == (FREE, {})


def test_what_a_person_links_by_hand_is_seen_again(capped: Simulation) -> None:
    capped.tick(1)
    capped.change_by_hand(EXPERIMENTS, ACCOUNT_NAME)
    capped.change_by_hand(TOY, 5)
    capped.tick(1)
    assert capped.values == CAPPED | {"my-experiments": ACCOUNT_NAME, "toy": 5}
    assert str(ChangedByPerson(TOY, {"max_instances": 5})) in capped.notices


def test_a_project_whose_apis_refuse_to_answer_stops_nothing() -> None:
    world = copy.deepcopy(WORLD)
    world["projects"]["my-experiments"] |= {
        "location": "europe-west1",
        "topics": ["nightly"],
        "services": {"toy": {"scaling": {"max_instance_count": 9}}},
        "jobs": {"batch-nightly": {"schedule": "0 1 * * *", "topic": "nightly", "data": "go"}},
    }
    with Stage(TOUCHES_WHAT_IT_DETACHES, world=world, concurrency=1) as stage:

        def toy() -> tuple[int, str]:
            service = stage.people.of(ServicesClient).get_service(name=TOY)
            job = stage.people.of(CloudSchedulerClient).get_job(name=NIGHTLY)
            return service.scaling.max_instance_count, job.state.name

        # Both at once: what is in the project is capped before it is detached.
        assert stage.notify(610).outcome is Outcome.APPLIED
        with pytest.raises(PermissionDenied, match="This API method requires billing to be enabled"):
            toy()
        assert stage.tick(after=1).outcome is Outcome.UNCHANGED
        assert stage.notify(3, interval=DECEMBER, after=24 * 16).outcome is Outcome.APPLIED
        assert stage.tick(after=1).outcome is Outcome.WAITING
        assert (stage.values["api"], stage.values["my-experiments"]) == (20, "")
        assert stage.command(after=1, type="link_billing", project="my-experiments").outcome is Outcome.APPLIED
        assert toy() == (9, "ENABLED")
        assert stage.records.holds == {}


@pytest.mark.parametrize(("minutes", "is_detached"), [(0, False), (9, False), (10, True)])
def test_detaching_waits_ten_minutes_for_what_cannot_be_read_in_the_project(minutes: int, *, is_detached: bool) -> None:
    with Stage(TOUCHES_WHAT_IT_DETACHES) as stage:
        billing = stage.people.of(CloudBillingClient)
        stage.cloud.server.fail("ListServices", StatusCode.PERMISSION_DENIED, times=1_000_000)
        with pytest.raises(RunFailed):
            stage.notify(603)
        assert billing.get_project_billing_info(name=EXPERIMENTS).billing_enabled
        with pytest.raises(RunFailed):
            stage.tick(minutes / 60)
        assert billing.get_project_billing_info(name=EXPERIMENTS).billing_enabled is not is_detached
        assert (stage.records.detaching_waits == {}) is is_detached
