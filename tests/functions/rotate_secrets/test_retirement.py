"""Nothing is retired that something refers to, runs with, or may be using out of sight."""

from typing import Any

import pytest
from google.cloud import run_v2
from google.cloud.billing_v1 import CloudBillingClient
from google.protobuf import json_format

from functions.rotate_secrets.cloud_run import service_dependent
from functions.rotate_secrets.messages import NOBODY_KNOWN, StillUsedBy
from shared.errors import RunFailed
from shared.report import Report
from tests.functions.rotate_secrets.stage import (
    DIGEST,
    PRODUCT,
    REGION,
    Stage,
    a_secret,
    a_service,
    a_world,
    kinds_of,
    settings_of,
)

pytestmark = pytest.mark.one_python

REFERENCE = {"name": "K", "value_source": {"secret_key_ref": {"secret": "key", "version": "1"}}}
CONTAINER = {"image": DIGEST, "env": [REFERENCE]}


def a_pool(**more: object) -> dict[str, Any]:
    return {"proto": {"template": {"containers": [CONTAINER | more]}}}


ACCOUNT = "0A1B2C-3D4E5F-6A7B8C"


def with_elsewhere(world: dict[str, Any], **elsewhere: object) -> dict[str, Any]:
    """The world with another project, which is on a billing account."""
    project = {"location": "europe-west1", "billing_account_name": ACCOUNT, **elsewhere}
    projects = world["projects"] | {"elsewhere": project}
    return world | {"billing_accounts": {ACCOUNT: {"currency_code": "EUR"}}, "projects": projects}


def detach(stage: Stage) -> None:
    """The other project loses its billing: Cloud Run answers nothing about it."""
    request = {"name": "projects/elsewhere", "project_billing_info": {"billing_account_name": ""}}
    stage.people.of(CloudBillingClient).update_project_billing_info(request=request)


def kept(report: Report) -> str:
    """Why the previous version is kept."""
    (notice,) = [str(notice) for notice in report.notices if "cannot be retired" in str(notice)]
    return notice


def test_a_worker_pool_is_moved_and_watched() -> None:
    with Stage(world=a_world(services={}, worker_pools={"consumer": a_pool()})) as stage:
        report = stage.command("rotate", minutes=1)
        assert kinds_of(report) == ["Adopt", "AddVersion", "Promote", "Roll", "Finish"]
        pools = stage.people.of(run_v2.WorkerPoolsClient)
        pool = pools.get_worker_pool(name=f"{REGION}/workerPools/consumer")
        assert pool.template.containers[0].env[0].value_source.secret_key_ref.version == "2"
        assert kinds_of(stage.tick(hours=25)) == ["Retire"]


def test_the_version_of_a_worker_pool_that_cannot_be_moved_is_kept() -> None:
    pools = {"consumer": a_pool(image="example.com/app:latest")}
    with Stage(world=a_world(services={"api": a_service("key:1")}, worker_pools=pools)) as stage:
        report = stage.command("rotate", minutes=1)
        assert any("workerPools/consumer is not moved: its image is a tag" in str(notice) for notice in report.notices)
        assert f"still used by {REGION}/workerPools/consumer" in kept(stage.tick(hours=25))
        assert stage.versions() == ["ENABLED", "ENABLED"]


def test_the_version_of_an_instance_is_kept() -> None:
    with Stage() as stage:
        name = f"{REGION}/instances/worker"
        stage.cloud.run_instances.add(run_v2.Instance(name=name, containers=[CONTAINER]))
        report = stage.command("rotate", minutes=1)
        assert any(f"{name} is not moved: an instance cannot be changed" in str(notice) for notice in report.notices)
        late = stage.tick(hours=25)
        assert str(StillUsedBy((name,))) in kept(late)
        assert [alert.kind for alert in stage.tick(days=2).alerts] == ["retirement_owed"]
        stage.cloud.run_instances.remove(name)
        assert kinds_of(stage.tick(minutes=10)) == ["Retire"]


def test_the_version_of_a_running_execution_is_kept_until_it_ends() -> None:
    with Stage(world=a_world(services={}, run_jobs={"nightly": a_service("key:1")})) as stage:
        stage.tick()
        execution = stage.cloud.executions.start(f"{REGION}/jobs/nightly")
        assert kinds_of(stage.command("rotate", minutes=1))[-1] == "Finish"
        assert str(StillUsedBy((execution.name,))) in kept(stage.tick(hours=25))
        assert stage.versions() == ["ENABLED", "ENABLED"]
        stage.cloud.executions.end(execution.name)
        assert kinds_of(stage.tick(minutes=10)) == ["Retire"]


def test_a_revision_that_serves_is_read_while_cloud_run_still_names_it_as_the_newest() -> None:
    """As Cloud Run answered an update: the new template, and the revision from before as the newest that was created.

    The values are those of a recording of the real service: GoogleCloudPlatform/k8s-config-connector (Apache-2.0),
    testdata/basic/run/v1beta1/runservice/runservicebasic, the PATCH.
    """
    with Stage() as stage:
        service = stage.service()
        service.template.containers[0].env[0].value_source.secret_key_ref.version = "2"
        service.generation, service.observed_generation = 2, 1
        service.reconciling = True
        service.terminal_condition = run_v2.Condition(type_="Ready", state="CONDITION_PENDING")
        assert service.latest_created_revision == service.latest_ready_revision
        dependent = service_dependent(json_format.MessageToDict(run_v2.Service.pb(service)), stage.people)
        assert [reference.version for reference in dependent.references] == ["2"]
        assert [reference.version for reference in dependent.serving] == ["1"]
        assert dependent.is_in_flight


def test_nothing_is_retired_while_anything_that_uses_the_secret_is_changing() -> None:
    function = a_service("key:2", labels={"goog-managed-by": "cloudfunctions"})
    with Stage(world=a_world(services={"api": a_service("key:1")})) as stage:
        stage.command("rotate", minutes=1)
        stage.cloud.run.operation_delay = stage.settings.secrets["key"].grace * 3
        made = run_v2.Service(
            labels=function["labels"],
            template={"containers": [{"image": DIGEST, "env": [REFERENCE]}]},
        )
        stage.people.of(run_v2.ServicesClient).create_service(parent=REGION, service=made, service_id="function")
        report = stage.tick(hours=25)
        assert report.waiting == (f"key: {REGION}/services/function is changing",)
        assert stage.versions() == ["ENABLED", "ENABLED"]


def test_what_was_used_is_kept_when_nobody_is_known_to_use_it_any_more() -> None:
    with Stage() as stage:
        stage.command("rotate", minutes=1)
        stage.people.of(run_v2.ServicesClient).delete_service(name=f"{REGION}/services/api")
        report = stage.tick(hours=25)
        assert str(NOBODY_KNOWN) in kept(report)
        assert stage.versions() == ["ENABLED", "ENABLED"]
        # A person who knows better says so by disabling it.
        stage.manager.disable_secret_version(request={"name": f"{PRODUCT}/secrets/key/versions/1"})
        assert kinds_of(stage.tick(minutes=10)) == ["Retire"]
        assert stage.state().retiring == ()


def test_what_was_never_used_is_retired() -> None:
    with Stage(world=a_world(services={})) as stage:
        assert kinds_of(stage.command("rotate", minutes=1)) == ["Adopt", "AddVersion", "Promote", "Finish"]
        assert kinds_of(stage.tick(hours=25)) == ["Retire"]


def test_a_location_that_cannot_be_read_keeps_the_version_and_is_an_alert() -> None:
    places = [{"project": project, "region": "europe-west1"} for project in ("my-product", "elsewhere")]
    world = with_elsewhere(a_world(services={"api": a_service("key:1")}))
    with Stage(settings_of(dependents_in=places), world) as stage:
        stage.command("rotate", minutes=1)
        detach(stage)
        with pytest.raises(RunFailed):
            stage.tick(hours=25)
        report = stage.reports[-1]
        assert "a dependent that cannot be read may use it" in kept(report)
        assert stage.versions() == ["ENABLED", "ENABLED"]


def test_a_location_holds_up_only_the_secrets_that_may_be_used_there() -> None:
    there = {"project": "elsewhere", "region": "europe-west1"}
    secrets = {"key": a_secret(), "other": a_secret("other", dependents_in=[there])}
    world = a_world(
        secrets={"key": {"versions": ["one"]}, "other": {"versions": ["two"]}}, services={"api": a_service("key:1")}
    )
    world = with_elsewhere(world, services={"web": a_service(f"{PRODUCT}/secrets/other:1")})
    with Stage(settings_of(secrets), world) as stage:
        stage.tick()
        detach(stage)
        with pytest.raises(RunFailed):
            stage.command("rotate", minutes=1)
        with pytest.raises(RunFailed):
            stage.tick(minutes=1)
        assert stage.said("api") == ["2"]
        report = stage.reports[-1]
        assert [(refusal.scope.rpartition("/")[2], refusal.guard) for refusal in report.refusals] == [
            ("other", "never_a_gap")
        ]
        assert stage.versions("other") == ["ENABLED"]
