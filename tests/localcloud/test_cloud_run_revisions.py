"""Revisions, traffic, references to secrets and jobs of Cloud Run on the local cloud, through the official clients."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import run_v2
from google.cloud import secretmanager_v1 as secretmanager

from localcloud import LocalCloud
from localcloud.world import seed, world_from
from shared.clients import Clients
from shared.errors import SettingsError

pytestmark = pytest.mark.one_python

PROJECT = "projects/demo-project"
PARENT = f"{PROJECT}/locations/europe-west1"
API = f"{PARENT}/services/api"
NIGHTLY = f"{PARENT}/jobs/nightly"
LATEST = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
REVISION = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
SUCCEEDED = run_v2.Condition.State.CONDITION_SUCCEEDED
FAILED = run_v2.Condition.State.CONDITION_FAILED
WORLD: dict[str, object] = {
    "projects": {
        "demo-project": {
            "location": "europe-west1",
            "secrets": {
                "db": {
                    "versions": ["one", "two", {"payload": "three", "state": "DISABLED"}],
                    "version_aliases": {"b": 2},
                },
            },
            "services": {"api": {"secret_env": {"DB": "db:1"}}},
            "run_jobs": {"nightly": {"secret_env": {"DB": "db:1"}}},
        }
    }
}


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=datetime(2026, 11, 1, tzinfo=UTC)) as cloud:
        seed(cloud, world_from(WORLD))
        yield cloud


@pytest.fixture
def clients(cloud: LocalCloud) -> Iterator[Clients]:
    clients = Clients("demo-project", endpoint=cloud.address)
    yield clients
    clients.close()


def refer(clients: Clients, version: str, **more: object) -> run_v2.Service:
    """Let the service refer to another version, and answer what it is then."""
    template = a_template(version)
    request = {"service": {"name": API, "template": template, **more}, "update_mask": {"paths": ["template", *more]}}
    return run_v2.Service(clients.of(run_v2.ServicesClient).update_service(request).result(timeout=10))


def a_template(version: str, name: str = "db") -> dict[str, object]:
    reference = {"secret": name, "version": version}
    return {"containers": [{"image": "api", "env": [{"name": "DB", "value_source": {"secret_key_ref": reference}}]}]}


def route(clients: Clients, *targets: dict[str, object]) -> run_v2.Service:
    request = {"service": {"name": API, "traffic": targets}, "update_mask": {"paths": ["traffic"]}}
    return run_v2.Service(clients.of(run_v2.ServicesClient).update_service(request).result(timeout=10))


def service(clients: Clients) -> run_v2.Service:
    return clients.of(run_v2.ServicesClient).get_service(name=API)


def revision(clients: Clients, name: str) -> run_v2.Revision:
    return clients.of(run_v2.RevisionsClient).get_revision(name=name)


def disable(clients: Clients, number: int) -> None:
    clients.of(secretmanager.SecretManagerServiceClient).disable_secret_version(
        name=f"{PROJECT}/secrets/db/versions/{number}"
    )


def referred(template: Any) -> str:
    """The version that the one variable of a template or revision comes from."""
    return str(template.containers[0].env[0].value_source.secret_key_ref.version)


def test_every_change_of_the_template_makes_a_revision_that_can_be_read(clients: Clients) -> None:
    first = service(clients).latest_ready_revision
    refer(clients, "2", labels={"tier": "web"})
    listed = list(clients.of(run_v2.RevisionsClient).list_revisions(parent=API))
    assert [referred(one) for one in listed] == ["1", "2"]
    assert listed[0] == revision(clients, first)
    made = listed[1]
    assert made.name == service(clients).latest_ready_revision
    assert (made.service, made.generation, made.reconciling) == ("api", 2, False)
    assert made.conditions[0].state == SUCCEEDED
    assert made.max_instance_request_concurrency == 80
    assert "labels" not in made


def test_traffic_follows_the_latest_ready_revision(clients: Clients) -> None:
    (status,) = service(clients).traffic_statuses
    assert (status.type_.name, status.percent, status.revision) == (LATEST, 100, "")


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("3", r"versions/3\] is in DISABLED state\."),
        ("9", r"versions/9\] not found\."),
        ("latest", r"versions/3\] is in DISABLED state\."),
        ("nobody", r"versions/nobody\] not found\."),
    ],
)
def test_a_revision_whose_secret_cannot_be_read_does_not_become_ready(
    clients: Clients, version: str, said: str
) -> None:
    before = service(clients)
    with pytest.raises(exceptions.FailedPrecondition, match=f"is not ready and cannot serve traffic.*{said}"):
        refer(clients, version)
    after = service(clients)
    assert after.terminal_condition.state == FAILED
    assert not after.reconciling
    assert after.latest_ready_revision == before.latest_ready_revision
    assert after.latest_created_revision != before.latest_created_revision
    assert after.traffic_statuses == before.traffic_statuses
    assert revision(clients, after.latest_created_revision).conditions[0].state == FAILED
    assert revision(clients, after.latest_ready_revision).conditions[0].state == SUCCEEDED
    assert refer(clients, "1").terminal_condition.state == SUCCEEDED


@pytest.mark.parametrize("version", ["2", "b"])
def test_a_version_is_referred_to_by_number_or_alias(clients: Clients, version: str) -> None:
    assert referred(refer(clients, version).template) == version
    ready = revision(clients, service(clients).latest_ready_revision)
    assert (referred(ready), ready.conditions[0].state) == (version, SUCCEEDED)


def test_volumes_refer_to_secrets_too(clients: Clients) -> None:
    def mount(**volume: object) -> run_v2.Service:
        template = {"containers": [{"image": "api"}], "volumes": [{"name": "db", "secret": {"secret": "db", **volume}}]}
        request = {"service": {"name": API, "template": template}, "update_mask": {"paths": ["template"]}}
        return run_v2.Service(clients.of(run_v2.ServicesClient).update_service(request).result(timeout=10))

    assert mount(items=[{"path": "url", "version": "1"}, {"path": "old", "version": "2"}]).terminal_condition.state
    with pytest.raises(exceptions.FailedPrecondition, match="DISABLED"):
        mount(items=[{"path": "url", "version": "3"}])
    # Without items it has the latest version, which is disabled.
    with pytest.raises(exceptions.FailedPrecondition, match=r"versions/3\] is in DISABLED"):
        mount()


def test_a_secret_of_another_project_is_named_in_full(cloud: LocalCloud, clients: Clients) -> None:
    seed(cloud, world_from({"projects": {"other": {"secrets": {"key": {"versions": ["x"]}}}}}))
    template = a_template("1", "projects/other/secrets/key")
    request = {"service": {"name": API, "template": template}, "update_mask": {"paths": ["template"]}}
    assert clients.of(run_v2.ServicesClient).update_service(request).result(timeout=10).latest_ready_revision


def test_what_serves_already_goes_on_when_its_version_is_disabled(clients: Clients) -> None:
    before = service(clients)
    disable(clients, 1)
    assert service(clients) == before


def test_traffic_that_is_pinned_stays(clients: Clients) -> None:
    first = service(clients).latest_ready_revision.rpartition("/")[2]
    route(clients, {"type_": REVISION, "revision": first, "percent": 100})
    after = refer(clients, "2")
    assert after.latest_ready_revision == after.latest_created_revision
    (status,) = after.traffic_statuses
    assert (status.type_.name, status.revision, status.percent) == (REVISION, first, 100)


def test_traffic_is_shared_and_revisions_have_tags(clients: Clients) -> None:
    first = service(clients).latest_ready_revision.rpartition("/")[2]
    refer(clients, "2")
    routed = route(
        clients,
        {"type_": LATEST, "percent": 90},
        {"type_": REVISION, "revision": first, "percent": 10, "tag": "before"},
    )
    assert [(one.percent, one.tag) for one in routed.traffic_statuses] == [(90, ""), (10, "before")]
    assert routed.traffic_statuses[1].uri.startswith("https://before---api-")


@pytest.mark.parametrize(
    ("targets", "named"),
    [
        ([{"type_": LATEST, "percent": 90}], "add up to 100"),
        ([{"type_": REVISION, "percent": 100}], "revision: must not be empty"),
        ([{"type_": LATEST, "revision": "api-1", "percent": 100}], "must be empty"),
        ([{"type_": LATEST, "percent": 100, "tag": "t" * 44}], "46 characters"),
    ],
)
def test_traffic_that_cannot_be_is_refused(clients: Clients, targets: list[dict[str, object]], named: str) -> None:
    with pytest.raises(exceptions.InvalidArgument, match=named):
        route(clients, *targets)


def test_traffic_to_a_revision_that_is_not_there_fails(clients: Clients) -> None:
    with pytest.raises(exceptions.FailedPrecondition, match="Revision 'api-green' does not exist or is deleted"):
        route(clients, {"type_": REVISION, "revision": "api-green", "percent": 100})


def test_revisions_go_with_their_service(clients: Clients) -> None:
    name = service(clients).latest_ready_revision
    clients.of(run_v2.ServicesClient).delete_service(name=API).result(timeout=10)
    with pytest.raises(exceptions.NotFound):
        revision(clients, name)


def test_a_revision_is_reconciling_while_its_service_is(cloud: LocalCloud, clients: Clients) -> None:
    cloud.run.operation_delay = timedelta(seconds=30)
    request = {"service": {"name": API, "template": a_template("2")}, "update_mask": {"paths": ["template"]}}
    clients.of(run_v2.ServicesClient).update_service(request)
    waiting = service(clients)
    revisions = clients.of(run_v2.RevisionsClient)
    (fresh,) = [one for one in revisions.list_revisions(parent=API) if one.reconciling]
    # As recorded of the real service, which names the newest revision only when it has come about.
    assert waiting.latest_created_revision == waiting.latest_ready_revision != fresh.name
    cloud.clock.advance(timedelta(seconds=30))
    assert service(clients).latest_created_revision == service(clients).latest_ready_revision == fresh.name


def test_jobs_refer_to_secrets_and_have_no_revisions(clients: Clients) -> None:
    jobs = clients.of(run_v2.JobsClient)
    (job,) = jobs.list_jobs(parent=PARENT)
    assert job == jobs.get_job(name=NIGHTLY)
    assert referred(job.template.template) == "1"
    assert (job.terminal_condition.state, job.template.task_count) == (SUCCEEDED, 1)
    job.template.template.containers[0].env[0].value_source.secret_key_ref.version = "2"
    changed = run_v2.Job(jobs.update_job({"job": job}).result(timeout=10))
    assert (referred(changed.template.template), changed.generation) == ("2", 2)
    with pytest.raises(exceptions.Aborted):
        jobs.update_job({"job": job})
    changed.template.template.containers[0].env[0].value_source.secret_key_ref.version = "3"
    with pytest.raises(exceptions.FailedPrecondition, match="DISABLED"):
        jobs.update_job({"job": changed}).result(timeout=10)
    assert jobs.get_job(name=NIGHTLY).terminal_condition.state == FAILED


def test_a_job_is_made_and_taken_away(clients: Clients) -> None:
    jobs = clients.of(run_v2.JobsClient)
    container = {"image": "export", "volume_mounts": [{"name": "db", "mount_path": "/elsewhere"}]}
    volume = {"name": "db", "cloud_sql_instance": {"instances": ["demo-project:europe-west1:db"]}}
    wanted = {"template": {"template": {"containers": [container], "volumes": [volume]}}}
    made = run_v2.Job(jobs.create_job({"parent": PARENT, "job_id": "export", "job": wanted}).result(timeout=10))
    assert made.name == f"{PARENT}/jobs/export"
    # As recorded of the real service, and documented.
    assert made.template.template.containers[0].volume_mounts[0].mount_path == "/cloudsql"
    jobs.delete_job(name=made.name).result(timeout=10)
    with pytest.raises(exceptions.NotFound):
        jobs.get_job(name=made.name)
    with pytest.raises(exceptions.InvalidArgument, match=r"template\.template\.containers: must have at least one"):
        jobs.create_job({"parent": PARENT, "job_id": "empty", "job": {"template": {"template": {}}}})


def test_a_reference_that_cannot_be_is_named(cloud: LocalCloud) -> None:
    services: dict[str, object] = {"web": {"secret_env": {"DB": "db"}}}
    with pytest.raises(SettingsError, match=r"services\.web\.secret_env"):
        seed(cloud, world_from({"projects": {"demo-project": {"services": services}}}))
