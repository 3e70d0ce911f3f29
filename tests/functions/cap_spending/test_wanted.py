"""The decision on each resource: whether it may be touched, its desired value, and a person's change since."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from functions.cap_spending.ladder import ActiveRung
from functions.cap_spending.messages import CannotBePaused
from functions.cap_spending.records import Context, Records
from functions.cap_spending.settings import Action, Rung, Settings
from functions.cap_spending.wanted import decide_resources
from functions.cap_spending.world import (
    BillingOf,
    CapSpendingNeed,
    JobsIn,
    Resource,
    ResourceKind,
    ServicesIn,
    kind_of,
    need_of,
)
from shared.decision import Text
from shared.events import Dated, Tick
from shared.hold_messages import ChangedByPerson, FieldValue, Gone, InFlight, KeptByPerson, Released
from shared.holds import Current, Held, Hold, HoldDecision, Phase
from shared.restrictions import SpendingRestrictions
from shared.world import Need, World
from tests.functions.cap_spending.examples import (
    API,
    EXPERIMENTS,
    IMPORT,
    MAY_TOUCH,
    NOON,
    NOVEMBER,
    TEAM_BUDGET_ID,
    WHERE,
    a_budget,
    hours,
    settings,
    settings_of,
)
from tests.functions.cap_spending.simulation import ACCOUNT_NAME, a_job, a_project, a_service

PLACES: tuple[CapSpendingNeed, ...] = (
    ServicesIn("projects/my-product/locations/europe-west1"),
    JobsIn("projects/my-product/locations/europe-west1"),
    BillingOf(EXPERIMENTS),
)


def a_rung(*actions: Action, budget: str = "monthly", at: float = 1.0, since: float = 0) -> ActiveRung:
    """A rung that is in force since some hours after noon."""
    return ActiveRung(budget, Rung(at=at, do=actions), NOVEMBER, NOON + hours(since), Text("cost is high"))


LIMIT, PAUSE, DETACH = (
    a_rung(Action.LIMIT_CLOUD_RUN),
    a_rung(Action.PAUSE_SCHEDULES),
    a_rung(Action.DETACH_BILLING),
)


def a_hold(
    original: FieldValue,
    applied: FieldValue,
    phase: Phase = Phase.CONFIRMED,
    *,
    before: FieldValue | None = None,
    field: str = "max_instances",
) -> Hold:
    """A hold on one field by the rung `monthly/actual@1`."""
    held = Held(original=original, before=original if before is None else before, applied=applied)
    return Hold({field: held}, phase, ("monthly/actual@1",), NOON)


def world_of(*resources: Resource, places: tuple[CapSpendingNeed, ...] = PLACES) -> World:
    """A world in which these resources are all that is."""
    answers: dict[Need[Any], object] = {}
    for place in {*places, *(need_of(resource.name) for resource in resources)}:
        here = tuple(resource for resource in resources if need_of(resource.name) == place)
        if isinstance(place, BillingOf):
            answers |= {place: here[0]} if here else {}
        else:
            answers[place] = here
    return World(answers)


def decisions_on(
    world: World, *rungs: ActiveRung, records: Records | None = None, known: Settings | None = None
) -> list[HoldDecision]:
    """The decisions on all that is wanted or held."""
    context = Context(
        Dated(Tick(every_seconds=600), "1", NOON),
        records or Records(),
        SpendingRestrictions(),
        known or settings(),
        NOON,
        "caretaker-home",
    )
    return decide_resources(rungs, context, world)


def test_a_job_that_cannot_be_paused_is_reported() -> None:
    found = decisions_on(world_of(a_job(state="UPDATE_FAILED")), PAUSE)
    assert [(decision.write, decision.is_settled) for decision in found] == [(None, True)]
    assert found[0].notices == (CannotBePaused(IMPORT),)
    assert decisions_on(world_of(a_job(state="UPDATE_FAILED"))) == []
    stranger = a_job(f"{WHERE}/jobs/keep-warm", state="UPDATE_FAILED")
    assert decisions_on(world_of(stranger), PAUSE) == []


def decision_on(
    resource: Resource | None,
    *rungs: ActiveRung,
    hold: Hold | None = None,
    known: Settings | None = None,
    name: str = API,
) -> HoldDecision | None:
    """The decision on the one resource that there is, if there is one."""
    records = Records(holds={resource.name if resource else name: hold} if hold else {})
    found = decisions_on(world_of(resource) if resource else world_of(), *rungs, records=records, known=known)
    assert len(found) <= 1
    return found[0] if found else None


def written(decision: HoldDecision | None) -> Current | None:
    """The writes to make."""
    return decision.write if decision else None


@pytest.mark.parametrize(
    ("resource", "rung", "write"),
    [
        pytest.param(a_service(max_instances=20), LIMIT, {"max_instances": 1}, id="a maximum"),
        pytest.param(a_service(max_instances=0), LIMIT, {"max_instances": 1}, id="Google's default maximum"),
        pytest.param(a_service(max_instances=1), LIMIT, None, id="low enough already"),
        pytest.param(a_service(min_instances=3), LIMIT, {"max_instances": 3}, id="never below the minimum"),
        pytest.param(
            a_service(max_instances=3, min_instances=3), LIMIT, None, id="a minimum that leaves nothing to lower"
        ),
        pytest.param(a_service(in_flight=True), LIMIT, None, id="being changed"),
        pytest.param(a_job(), PAUSE, {"state": "PAUSED"}, id="an enabled job"),
        pytest.param(a_job(state="PAUSED"), PAUSE, None, id="a job that was paused before"),
        pytest.param(a_job(state="DISABLED"), PAUSE, None, id="a disabled job"),
        pytest.param(a_job(state="UPDATE_FAILED"), PAUSE, None, id="a job in error"),
        pytest.param(a_project(), DETACH, {"billing_account": ""}, id="a project"),
        pytest.param(a_project(account=""), DETACH, None, id="a project that was detached before"),
        pytest.param(a_service(), PAUSE, None, id="another action"),
        pytest.param(a_service(), a_rung(Action.NOTIFY, Action.GPU_POOLS_OFF), None, id="nothing that touches"),
    ],
)
def test_what_is_wanted(resource: Resource, rung: ActiveRung, write: Current | None) -> None:
    decision = decision_on(resource, rung)
    assert written(decision) == write
    assert bool(decision and decision.intended) == bool(write)


LABELLED = settings(
    may_touch=MAY_TOUCH
    | {"limit_cloud_run": {"projects": ["my-product"], "regions": ["europe-west1"], "label": "team=web"}}
)
EMPTY_LABEL = settings(
    may_touch=MAY_TOUCH
    | {"limit_cloud_run": {"projects": ["my-product"], "regions": ["europe-west1"], "label": "capped="}}
)


@pytest.mark.parametrize(
    ("resource", "rung", "known"),
    [
        pytest.param(a_service(f"{WHERE}/services/admin"), LIMIT, None, id="a service of another name"),
        pytest.param(a_service(f"{WHERE}/services/api-2"), LIMIT, None, id="a name that only begins alike"),
        pytest.param(a_service(API.replace("my-product", "my-product-2")), LIMIT, None, id="another project"),
        pytest.param(a_service(API.replace("west1", "west4")), LIMIT, None, id="another region"),
        pytest.param(
            a_service(labels={"goog-managed-by": "cloudfunctions"}), LIMIT, None, id="the service under a function"
        ),
        pytest.param(a_service(labels={"team": "web"}), a_rung(Action.PAUSE_SCHEDULES), LABELLED, id="not this action"),
        pytest.param(a_service(labels={"team": "webs"}), LIMIT, LABELLED, id="another label"),
        pytest.param(a_service(labels={"Team": "web"}), LIMIT, LABELLED, id="another key"),
        pytest.param(a_service(labels={}), LIMIT, EMPTY_LABEL, id="no label is not an empty one"),
        pytest.param(
            a_service(f"{WHERE}/services/caretaker-cap-spending", labels={"team": "web"}),
            LIMIT,
            LABELLED,
            id="the suite's own service",
        ),
        pytest.param(a_job(f"{WHERE}/jobs/keep-warm"), PAUSE, None, id="a job without the prefix"),
        pytest.param(a_job(f"{WHERE}/jobs/my-batch-import"), PAUSE, None, id="a job with it elsewhere"),
        pytest.param(a_job(IMPORT.replace("my-product", "other-product")), PAUSE, None, id="a job of another project"),
        pytest.param(
            a_job(topic="projects/caretaker-home/topics/caretaker-cap-spending"), PAUSE, None, id="a tick in disguise"
        ),
        pytest.param(
            a_job(f"{WHERE}/jobs/caretaker-cap-spending-tick"),
            PAUSE,
            settings(
                may_touch=MAY_TOUCH
                | {"pause_schedules": {"projects": ["my-product"], "locations": ["europe-west1"], "job_prefix": "c"}}
            ),
            id="the suite's own tick, with any prefix",
        ),
        pytest.param(a_project("projects/my-product"), DETACH, None, id="a project that is not named"),
    ],
)
def test_what_is_not_ours_is_never_touched(resource: Resource, rung: ActiveRung, known: Settings | None) -> None:
    assert decision_on(resource, rung, known=known) is None


def test_services_may_be_chosen_by_label() -> None:
    assert written(decision_on(a_service(labels={"team": "web"}), LIMIT, known=LABELLED))
    assert written(decision_on(a_service(labels={"capped": ""}), LIMIT, known=EMPTY_LABEL))


@pytest.mark.parametrize("present", [20, 1, 7])
def test_a_resource_that_is_in_flight_is_neither_touched_nor_judged(present: int) -> None:
    hold = a_hold(20, 1, Phase.INTENDED)
    for rungs in ([LIMIT], []):
        decision = decision_on(a_service(max_instances=present, in_flight=True), *rungs, hold=hold)
        assert decision
        assert (decision.hold, decision.write, decision.notices) == (hold, None, ())
        assert decision.waiting == (InFlight(API),)
        assert not decision.is_settled


CONFIRMED, INTENDED = Phase.CONFIRMED, Phase.INTENDED


@pytest.mark.parametrize(
    ("hold", "present", "write", "phase", "is_noticed"),
    [
        pytest.param(a_hold(20, 1, INTENDED), 20, 1, INTENDED, False, id="intended, not done yet"),
        pytest.param(a_hold(20, 1, INTENDED), 1, None, CONFIRMED, False, id="intended, and done"),
        pytest.param(a_hold(20, 1, INTENDED), 7, None, CONFIRMED, True, id="intended, and a person came first"),
        pytest.param(a_hold(20, 1, CONFIRMED), 1, None, CONFIRMED, False, id="as we left it"),
        pytest.param(a_hold(20, 1, CONFIRMED), 7, None, CONFIRMED, True, id="a person's value"),
        pytest.param(a_hold(20, 1, CONFIRMED), 0, None, CONFIRMED, True, id="a person's default"),
        pytest.param(a_hold(20, 1, CONFIRMED), 20, None, CONFIRMED, True, id="let go by hand"),
        pytest.param(a_hold(20, 5, CONFIRMED), 5, 1, INTENDED, False, id="held higher before"),
        pytest.param(a_hold(20, 1, INTENDED, before=5), 5, 1, INTENDED, False, id="on the way from higher"),
        pytest.param(a_hold(20, 1, INTENDED, before=5), 20, None, CONFIRMED, True, id="let go by hand on the way"),
        pytest.param(a_hold(20, 20, INTENDED, before=1), 1, 1, INTENDED, False, id="it was being let go"),
        pytest.param(a_hold(20, 20, INTENDED, before=1), 20, 1, INTENDED, False, id="it had been let go"),
        pytest.param(a_hold(20, 20, INTENDED, before=1), 7, None, CONFIRMED, True, id="a person came while it was"),
    ],
)
def test_a_held_service_that_is_still_wanted(
    hold: Hold, present: int, write: int | None, phase: Phase, *, is_noticed: bool
) -> None:
    decision = decision_on(a_service(max_instances=present), LIMIT, hold=hold)
    assert decision
    assert decision.write == (None if write is None else {"max_instances": write})
    remembered = decision.intended or decision.hold
    assert remembered
    assert (remembered.phase, remembered.fields["max_instances"].original) == (phase, 20)
    notice = ChangedByPerson(API, {"max_instances": present})
    assert decision.notices == ((notice,) if is_noticed else ())


@pytest.mark.parametrize(
    ("hold", "present", "write", "is_noticed"),
    [
        pytest.param(a_hold(20, 1, CONFIRMED), 1, 20, False, id="as we left it"),
        pytest.param(a_hold(0, 1, CONFIRMED), 1, 0, False, id="back to Google's default"),
        pytest.param(a_hold(20, 1, CONFIRMED), 20, None, False, id="let go by hand"),
        pytest.param(a_hold(20, 1, CONFIRMED), 7, None, True, id="a person's value"),
        pytest.param(a_hold(20, 1, INTENDED), 20, None, False, id="never done"),
        pytest.param(a_hold(20, 1, INTENDED), 1, 20, False, id="done, without our seeing it"),
        pytest.param(a_hold(20, 1, INTENDED, before=5), 5, 20, False, id="an earlier value of ours"),
        pytest.param(a_hold(20, 1, CONFIRMED, before=5), 5, None, True, id="that value, chosen by a person later"),
        pytest.param(a_hold(20, 20, INTENDED, before=1), 1, 20, False, id="begun, not done"),
        pytest.param(a_hold(20, 20, INTENDED, before=1), 20, None, False, id="done already"),
        pytest.param(a_hold(20, 20, INTENDED, before=1), 7, None, True, id="a person came meanwhile"),
    ],
)
def test_a_held_service_that_is_let_go(hold: Hold, present: int, write: int | None, *, is_noticed: bool) -> None:
    decision = decision_on(a_service(max_instances=present), hold=hold)
    assert decision
    assert decision.write == (None if write is None else {"max_instances": write})
    if write is None:
        assert decision.hold is None
    else:
        assert decision.reason == Released(("monthly/actual@1",))
        assert decision.intended
        assert decision.intended.fields["max_instances"].original == write
        assert decision.intended.phase is INTENDED
    left = hold.fields["max_instances"].applied
    notice = KeptByPerson(API, "max_instances", present, left)
    assert decision.notices == ((notice,) if is_noticed else ())


@pytest.mark.parametrize(
    ("present", "rungs", "write"),
    [
        ("PAUSED", [PAUSE], None),
        ("PAUSED", [], "ENABLED"),
        ("ENABLED", [PAUSE], None),
        ("ENABLED", [], None),
        ("DISABLED", [], None),
    ],
)
def test_a_held_job(present: str, rungs: list[ActiveRung], write: str | None) -> None:
    decision = decision_on(a_job(state=present), *rungs, hold=a_hold("ENABLED", "PAUSED", field="state"))
    assert written(decision) == ({"state": write} if write else None)


def test_a_detached_project_stays_so_when_its_rung_lets_go() -> None:
    hold = a_hold(ACCOUNT_NAME, "", field="billing_account")
    decision = decision_on(a_project(account=""), hold=hold)
    assert decision
    assert (decision.write, decision.hold, decision.is_settled) == (None, hold, True)


@pytest.mark.parametrize(
    ("asked", "is_linked"),
    [
        ({"linked": {"my-experiments": NOON}}, True),
        ({"linked": {"my-experiments": NOON - hours(1)}}, False),
        ({"linked": {"another-project": NOON}}, False),
        ({"undone": {"monthly": NOON}}, True),
        ({"undone": {"monthly": NOON - hours(1)}}, False),
        ({"undone": {"team": NOON}}, False),
        ({"accepted": {"monthly": {"actual@1": NOON}}}, True),
        ({"accepted": {"monthly": {"actual@1.5": NOON}}}, False),
    ],
)
def test_only_a_command_links_billing_again(asked: dict[str, object], *, is_linked: bool) -> None:
    hold = a_hold(ACCOUNT_NAME, "", field="billing_account")
    records = msgspec.convert(asked, Records)
    (decision,) = decisions_on(world_of(a_project(account="")), records=replace(records, holds={EXPERIMENTS: hold}))
    assert decision.write == ({"billing_account": ACCOUNT_NAME} if is_linked else None)


def test_a_project_that_was_linked_by_command_is_not_detached_by_the_same_rung() -> None:
    records = Records(linked={"my-experiments": NOON + hours(1)})
    assert [one.write for one in decisions_on(world_of(a_project()), DETACH, records=records)] == []
    later = a_rung(Action.DETACH_BILLING, at=2.0, since=2)
    (decision,) = decisions_on(world_of(a_project()), DETACH, later, records=records)
    assert decision.write == {"billing_account": ""}
    assert decision.intended
    assert decision.intended.held_by == ("monthly/actual@2",)


TWO = settings_of(
    monthly=a_budget(),
    team=a_budget(
        id=TEAM_BUDGET_ID,
        may_touch=MAY_TOUCH
        | {
            "limit_cloud_run": {
                "projects": ["my-product"],
                "regions": ["europe-west1"],
                "services": ["api"],
                "max_instances": 5,
            }
        },
    ),
)
TEAMS = a_rung(Action.LIMIT_CLOUD_RUN, budget="team", since=1)


@pytest.mark.parametrize(
    ("rungs", "hold", "present", "write"),
    [
        pytest.param([LIMIT, TEAMS], None, 20, 1, id="the lowest of all limits"),
        pytest.param([TEAMS], None, 20, 5, id="the only limit"),
        pytest.param([TEAMS], a_hold(20, 1), 1, 5, id="the lower one lets go"),
        pytest.param([LIMIT], a_hold(20, 1), 1, None, id="the higher one lets go"),
        pytest.param([LIMIT, TEAMS], a_hold(20, 5), 5, 1, id="a lower one comes"),
        pytest.param([], a_hold(20, 5), 5, 20, id="the last one lets go"),
    ],
)
def test_several_budgets_hold_one_service(
    rungs: list[ActiveRung], hold: Hold | None, present: int, write: int | None
) -> None:
    decision = decision_on(a_service(max_instances=present), *rungs, hold=hold, known=TWO)
    assert decision
    assert decision.write == (None if write is None else {"max_instances": write})
    remembered = decision.intended or decision.hold
    assert remembered
    assert remembered.fields["max_instances"].original == 20
    if rungs:
        assert remembered.held_by == tuple(sorted(rung.name for rung in rungs))
        assert remembered.since == min(rung.since for rung in rungs)


def test_a_hold_whose_resource_is_gone_ends() -> None:
    decision = decision_on(None, LIMIT, hold=a_hold(20, 1))
    assert decision == HoldDecision(API, notices=(Gone(API),), held_by=("monthly/actual@1",))
    assert decision_on(None, LIMIT) is None


def test_what_was_not_looked_at_is_not_judged() -> None:
    records = Records(holds={API: a_hold(20, 1), IMPORT: a_hold("ENABLED", "PAUSED", field="state")})
    world = world_of(a_job(state="PAUSED"), places=())
    assert [decision.name for decision in decisions_on(world, records=records)] == [IMPORT]
    assert decisions_on(World(), records=records) == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (API, ResourceKind.SERVICES),
        (IMPORT, ResourceKind.JOBS),
        (EXPERIMENTS, ResourceKind.PROJECTS),
        (f"{WHERE}/jobs/services", ResourceKind.JOBS),
        (f"{WHERE}/workerPools/jobs", ResourceKind.WORKER_POOLS),
    ],
)
def test_the_kind_of_a_resource(name: str, kind: ResourceKind) -> None:
    assert kind_of(name) is kind


def test_why_a_resource_is_held() -> None:
    decision = decision_on(a_service(), LIMIT, a_rung(Action.LIMIT_CLOUD_RUN, at=1.2))
    assert decision
    assert str(decision.reason) == "cost is high (monthly/actual@1, monthly/actual@1.2)"
