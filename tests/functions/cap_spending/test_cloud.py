"""The edge to Google Cloud: what is really asked of it, and what of its answers is believed."""

import itertools
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import grpc
import pytest
from google.cloud.billing.budgets_v1 import BudgetServiceClient
from google.cloud.run_v2 import Service, ServicesClient, UpdateServiceRequest
from google.cloud.scheduler_v1 import CloudSchedulerClient
from google.pubsub_v1 import SubscriberClient

from shared.decision import Refusal
from shared.errors import RunFailed
from shared.hold_messages import ChangedByPerson
from shared.report import MOST_CHANGES, Outcome, Severity, severity
from tests.functions.cap_spending import examples
from tests.functions.cap_spending.examples import (
    ACCOUNT,
    API,
    BUDGET_ID,
    DECEMBER,
    EXPERIMENTS,
    IMPORT,
    MAY_TOUCH,
    NOON,
    PROJECT,
    WHERE,
    WORKER,
    a_budget,
    settings,
    settings_of,
)
from tests.functions.cap_spending.simulation import ACCOUNT_NAME
from tests.functions.cap_spending.stage import BUDGET_NAME, GET_BUDGET, WORLD, Stage

pytestmark = pytest.mark.one_python

FREE = {
    "admin": 5,
    "api": 20,
    "worker": 10,
    "batch-import": "ENABLED",
    "keep-warm": "ENABLED",
    "my-experiments": ACCOUNT_NAME,
}
CAPPED = FREE | {"api": 1, "worker": 1, "batch-import": "PAUSED"}
LIMIT = {"at": 1.0, "do": ["limit_cloud_run"]}
UPDATE = "Services/UpdateService"
BLOCKED_BY = {
    GET_BUDGET: {"api", "worker", "batch-import", "my-experiments"},
    "ListServices": {"api", "worker", "my-experiments"},
    "ListJobs": {"batch-import", "my-experiments"},
    "GetProjectBillingInfo": {"my-experiments"},
}
"""The caps that stay when a read fails although the budget was raised: a new amount links no project."""


@pytest.fixture
def stage() -> Iterator[Stage]:
    with Stage() as stage:
        yield stage


class Interference:
    """Does something once, just before the first call of a method is sent."""

    def __init__(self, method: str) -> None:
        self._method = method
        self.deed: Callable[[], object] | None = None

    def before(self, method: str) -> None:
        """Do it, if this is the call."""
        if method.endswith(self._method) and self.deed:
            deed, self.deed = self.deed, None
            deed()

    def after(self, method: str) -> None:
        """Nothing."""


def test_a_month_leaves_everything_as_it_was(stage: Stage) -> None:
    assert stage.notify(120).outcome is Outcome.UNCHANGED
    assert stage.values == FREE
    assert stage.notify(412.3, after=1).outcome is Outcome.APPLIED
    assert stage.values == CAPPED
    assert stage.notify(603, after=1).outcome is Outcome.APPLIED
    assert stage.values == CAPPED | {"my-experiments": ""}
    assert stage.notify(2.4, interval=DECEMBER, after=24 * 16).outcome is Outcome.APPLIED
    assert stage.values == FREE | {"my-experiments": ""}
    assert stage.command(type="link_billing", project="my-experiments").outcome is Outcome.APPLIED
    assert stage.values == FREE
    assert (stage.records.holds, stage.records.in_force, dict(stage.restrictions.in_force)) == ({}, {}, {})


def test_only_the_limit_of_a_service_is_written(stage: Stage) -> None:
    services = stage.people.of(ServicesClient)
    before = services.get_service(name=API)
    stage.notify(412)
    (request,) = [
        UpdateServiceRequest(UpdateServiceRequest.deserialize(call.request.SerializeToString()))
        for call in stage.cloud.server.calls
        if call.method.endswith(UPDATE) and API.encode() in call.request.SerializeToString()
    ]
    assert list(request.update_mask.paths) == ["scaling.max_instance_count"]
    assert request.service.etag == before.etag
    after = services.get_service(name=API)
    assert after.latest_created_revision == before.latest_created_revision
    assert after.scaling.max_instance_count == 1
    for field in ("template", "labels", "annotations", "traffic", "ingress"):
        assert getattr(after, field) == getattr(before, field)


def test_a_service_that_was_changed_since_it_was_read_is_not_written_over() -> None:
    interference = Interference(UPDATE)
    with Stage(settings(LIMIT), watcher=interference, concurrency=1) as stage:
        interference.deed = lambda: stage.set_max_instances(API, 7)
        with pytest.raises(RunFailed, match="1 change failed"):
            stage.notify(412, message_id="7")
        (failed, applied) = stage.reports[-1].changes
        assert (failed.target, failed.outcome) == (API, Outcome.FAILED)
        assert (applied.target, applied.outcome) == (WORKER, Outcome.APPLIED)
        assert stage.reports[-1].notices == (str(ChangedByPerson(API, {"max_instances": 7})),)
        assert stage.notify(412, message_id="7").outcome is Outcome.UNCHANGED
        assert stage.values == FREE | {"api": 7, "worker": 1}


def test_a_service_that_was_deployed_since_it_was_read_is_capped_at_the_next_delivery() -> None:
    interference = Interference(UPDATE)
    with Stage(settings(LIMIT), watcher=interference, concurrency=1) as stage:

        def deploy() -> None:
            services = stage.people.of(ServicesClient)
            service = Service(name=API, labels={"team": "web", "release": "7"})
            services.update_service(request={"service": service, "update_mask": {"paths": ["labels"]}}).result()

        interference.deed = deploy
        with pytest.raises(RunFailed):
            stage.notify(412, message_id="7")
        assert stage.notify(412, message_id="7").outcome is Outcome.APPLIED
        assert stage.values == FREE | {"api": 1, "worker": 1}
        assert stage.people.of(ServicesClient).get_service(name=API).labels["release"] == "7"


def test_every_page_is_read() -> None:
    many = {f"service-{number:03}": {"scaling": {"max_instance_count": 9}} for number in range(105)}
    scope = {"projects": ["my-product"], "regions": ["europe-west1"], "services": [*many, "api"]}
    world = json.loads(json.dumps(WORLD))
    world["projects"]["my-product"]["services"] |= many
    with Stage(settings(LIMIT, may_touch={"limit_cloud_run": scope}), world=world) as stage:
        report = stage.notify(412)
        assert report.counts == {Outcome.APPLIED: 106}
        assert len(report.changes) == MOST_CHANGES
        assert all(value == 1 for name, value in stage.values.items() if name in many)


def test_services_are_chosen_by_label_and_others_are_in_no_call() -> None:
    scope = {"projects": ["my-product"], "regions": ["europe-west1"], "label": "team=web", "max_instances": 2}
    with Stage(settings(LIMIT, may_touch={"limit_cloud_run": scope})) as stage:
        stage.notify(412)
        assert stage.values == FREE | {"api": 2}
        assert sum(call.method.endswith(UPDATE) for call in stage.cloud.server.calls) == 1


def test_what_is_held_outside_the_settings_is_let_go_all_the_same(stage: Stage) -> None:
    stage.notify(412)
    elsewhere = {
        "limit_cloud_run": {"projects": ["my-product"], "regions": ["us-central1"], "services": ["api"]},
        "pause_schedules": {"projects": ["my-product"], "locations": ["us-central1"], "job_prefix": "batch-"},
    }
    stage.settings = settings({"at": 1.0, "do": ["limit_cloud_run", "pause_schedules"]}, may_touch=elsewhere)
    stage.tick(1 / 6)
    assert stage.values == FREE


def test_a_job_is_resumed_only_if_it_was_ours_to_pause(stage: Stage) -> None:
    scheduler = stage.people.of(CloudSchedulerClient)
    stage.notify(412)
    scheduler.resume_job(name=IMPORT)
    stage.tick(1 / 6)
    assert stage.values == CAPPED | {"batch-import": "ENABLED"}
    stage.command(type="undo")
    assert stage.values == FREE


@pytest.mark.parametrize(
    ("amount", "is_capped"),
    [
        pytest.param({"specified_amount": {"units": 412}}, True, id="not enough"),
        pytest.param({"specified_amount": {"units": 412, "nanos": 300_000_000}}, True, id="exactly the cost"),
        pytest.param({"specified_amount": {"units": 412, "nanos": 310_000_000}}, False, id="a cent more"),
        pytest.param({"specified_amount": {"units": 0}}, True, id="nothing"),
        pytest.param({"last_period_amount": {}}, True, id="last month's cost"),
    ],
)
def test_a_tick_reads_the_budget_while_something_is_in_force(
    stage: Stage, amount: dict[str, Any], *, is_capped: bool
) -> None:
    stage.notify(412.3)
    stage.people.of(BudgetServiceClient).update_budget(
        request={"budget": {"name": BUDGET_NAME, "amount": amount}, "update_mask": {"paths": ["amount"]}}
    )
    stage.calls()
    stage.tick(1 / 6)
    first, *rest = stage.calls()
    assert (first, GET_BUDGET in rest) == ("BatchGetDocuments", True)
    assert (stage.values == CAPPED) is is_capped
    assert (stage.values == FREE) is not is_capped


@pytest.mark.parametrize(
    ("method", "code"),
    [
        (GET_BUDGET, grpc.StatusCode.PERMISSION_DENIED),  # NOT_FOUND says that it has been deleted
        *itertools.product(
            ["ListServices", "ListJobs", "GetProjectBillingInfo"],
            [grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.NOT_FOUND],
        ),
    ],
)
def test_a_read_that_fails_is_never_none_and_blocks_only_what_needs_it(
    stage: Stage, method: str, code: grpc.StatusCode
) -> None:
    stage.notify(603)
    held = stage.records.holds
    stage.set_budget(Decimal(9000))
    stage.cloud.server.fail(method, code, times=1)
    with pytest.raises(RunFailed):
        stage.tick(1 / 6)
    report = stage.reports[-1]
    assert (report.outcome, len(report.unreadable)) == (Outcome.FAILED, 1)
    blocked = BLOCKED_BY[method]
    assert stage.values == FREE | {name: (CAPPED | {"my-experiments": ""})[name] for name in blocked}
    assert stage.records.holds == {name: hold for name, hold in held.items() if name.rpartition("/")[2] in blocked}
    stage.tick(1 / 6)
    assert stage.values == FREE | {"my-experiments": ""}


def test_what_a_deleted_budget_has_in_force_stays_until_a_person_undoes_it(stage: Stage) -> None:
    stage.notify(410)
    stage.people.of(BudgetServiceClient).delete_budget(request={"name": BUDGET_NAME})
    for _ in range(2):
        report = stage.tick(1 / 6)
        (alert,) = report.alerts
        assert (alert.kind, alert.subject, alert.since) == ("budget_missing", "monthly", NOON + timedelta(minutes=10))
        assert alert.reason == (
            f"billing account {ACCOUNT} no longer has the budget {BUDGET_ID}: what it has in force stays so until "
            "`./deploy.sh send cap_spending undo --budget monthly`"
        )
        assert (report.outcome, severity(report)) == (Outcome.UNCHANGED, Severity.ERROR)
        assert stage.values == CAPPED
    stage.command(1, type="undo")
    assert (stage.values, stage.records.holds) == (FREE, {})
    assert stage.tick(1 / 6).alerts == ()


def test_a_change_of_restrictions_wakes_the_inboxes_that_obey_them() -> None:
    pools, previews = f"projects/{PROJECT}/topics/pools", f"projects/{PROJECT}/topics/previews"
    known = settings_of(
        monthly=a_budget({"at": 1.0, "do": ["gpu_pools_off"]}),
        wake={"gpu_pools_off": [pools], "previews_off": [previews]},
    )
    with Stage(known) as stage:
        subscriber = stage.people.of(SubscriberClient)
        for topic in (pools, previews):
            subscriber.create_subscription(
                request={"name": topic.replace("/topics/", "/subscriptions/"), "topic": topic}
            )
        stage.notify(412)
        stage.notify(413, after=1)
        woken = {
            topic: [
                received.message.data
                for received in subscriber.pull(
                    request={"subscription": topic.replace("/topics/", "/subscriptions/"), "max_messages": 10}
                ).received_messages
            ]
            for topic in (pools, previews)
        }
        assert woken == {pools: [b'{"type":"restrictions_changed"}'], previews: []}


def test_a_refusal_stops_its_project_and_no_other() -> None:
    scope = {"detach_billing": {"projects": [PROJECT, "my-experiments"]}}
    with Stage(settings({"at": 1.5, "do": ["detach_billing"]}, may_touch=scope)) as stage:
        report = stage.notify(603)
        assert report.outcome is Outcome.REFUSED
        (refusal,) = report.refusals
        assert isinstance(refusal, Refusal)
        assert (refusal.scope, refusal.guard) == (f"projects/{PROJECT}", "may_be_detached")
        assert stage.values["my-experiments"] == ""
        detached = [call for call in stage.cloud.server.calls if call.method.endswith("UpdateProjectBillingInfo")]
        assert len(detached) == 1


def test_the_account_is_durable_before_a_project_is_detached() -> None:
    interference = Interference("UpdateProjectBillingInfo")
    with Stage(watcher=interference) as stage:
        known: list[object] = []
        interference.deed = lambda: known.append(stage.records.holds[EXPERIMENTS].fields["billing_account"].original)
        stage.notify(603)
        assert known == [ACCOUNT_NAME]


def test_the_originals_are_durable_before_a_service_is_touched() -> None:
    interference = Interference(UPDATE)
    with Stage(settings(LIMIT), watcher=interference) as stage:
        known: list[object] = []
        interference.deed = lambda: known.append(
            {name: hold.fields["max_instances"].original for name, hold in stage.records.holds.items()}
        )
        stage.notify(412)
        assert known == [{API: 20, WORKER: 10}]


def test_nothing_is_read_for_a_budget_that_wants_nothing() -> None:
    elsewhere = MAY_TOUCH | {
        "limit_cloud_run": {"projects": ["far-away"], "regions": ["us-central1"], "services": ["x"]}
    }
    known = settings_of(monthly=a_budget(LIMIT), team=a_budget(LIMIT, id=examples.TEAM_BUDGET_ID, may_touch=elsewhere))
    with Stage(known) as stage:
        stage.notify(412)
        parents = {
            getattr(call.request, "parent", "")
            for call in stage.cloud.server.calls
            if call.method.endswith("ListServices")
        }
        assert parents == {WHERE}
