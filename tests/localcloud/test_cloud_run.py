"""Cloud Run services of the local cloud, through the official client."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from google.api_core import exceptions
from google.cloud import run_v2
from google.protobuf.field_mask_pb2 import FieldMask

from localcloud import LocalCloud
from shared.clients import Clients

pytestmark = pytest.mark.one_python

PARENT = "projects/demo-project/locations/europe-west1"
API = f"{PARENT}/services/api"


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=datetime(2026, 11, 1, tzinfo=UTC)) as cloud:
        yield cloud


@pytest.fixture
def services(cloud: LocalCloud) -> run_v2.ServicesClient:
    return Clients("demo-project", endpoint=cloud.address).of(run_v2.ServicesClient)


def a_service(**fields: object) -> run_v2.Service:
    template = run_v2.RevisionTemplate(containers=[run_v2.Container(image="example.com/api@sha256:1")])
    return run_v2.Service({"template": template, **fields})


def create(services: run_v2.ServicesClient, service_id: str = "api", /, **fields: object) -> run_v2.Service:
    operation = services.create_service(parent=PARENT, service=a_service(**fields), service_id=service_id, retry=None)
    return run_v2.Service(operation.result(timeout=10))


def update(services: run_v2.ServicesClient, service: run_v2.Service, *paths: str, **more: object) -> run_v2.Service:
    request = run_v2.UpdateServiceRequest(
        {"service": service, "update_mask": FieldMask(paths=paths) if paths else None, **more}
    )
    return run_v2.Service(services.update_service(request, retry=None).result(timeout=10))


def test_a_new_service_is_ready_and_filled_in(services: run_v2.ServicesClient) -> None:
    made = create(services, labels={"tier": "web"})
    found = services.get_service(name=API)
    assert found == made
    assert found.name == API
    assert found.labels == {"tier": "web"}
    assert (found.generation, found.observed_generation, found.reconciling) == (1, 1, False)
    assert found.terminal_condition.state == run_v2.Condition.State.CONDITION_SUCCEEDED
    assert found.latest_ready_revision == found.latest_created_revision
    assert found.latest_ready_revision.startswith(f"{API}/revisions/api-00001-")
    assert found.ingress == run_v2.IngressTraffic.INGRESS_TRAFFIC_ALL
    assert found.traffic[0].percent == 100
    assert found.template.max_instance_request_concurrency == 80
    assert found.uri.startswith("https://api-")
    assert found.create_time == datetime(2026, 11, 1, tzinfo=UTC)
    assert found.etag


def test_a_change_of_the_services_scaling_makes_no_revision(services: run_v2.ServicesClient) -> None:
    before = create(services, labels={"tier": "web"}, scaling={"max_instance_count": 20})
    wanted = run_v2.Service(name=API, scaling={"max_instance_count": 3, "min_instance_count": 2})
    after = update(services, wanted, "scaling.max_instance_count")
    assert after.scaling == run_v2.ServiceScaling(max_instance_count=3)
    assert after.labels == {"tier": "web"}
    assert after.template == before.template
    assert after.latest_created_revision == before.latest_created_revision
    assert after.generation == 2
    assert after.etag != before.etag
    assert services.get_service(name=API) == after


def test_a_masked_field_that_is_left_empty_is_cleared(services: run_v2.ServicesClient) -> None:
    create(services, scaling={"max_instance_count": 20}, labels={"tier": "web"}, description="public")
    after = update(services, run_v2.Service(name=API), "scaling.max_instance_count", "labels", "description")
    assert (after.scaling, after.labels, after.description) == (run_v2.ServiceScaling(), {}, "")


def test_without_a_mask_everything_is_replaced(services: run_v2.ServicesClient) -> None:
    before = create(services, labels={"tier": "web"}, scaling={"max_instance_count": 20})
    after = update(services, a_service(name=API, annotations={"example.com/owner": "anna"}))
    assert after.labels == {}
    assert after.annotations == {"example.com/owner": "anna"}
    assert after.scaling == run_v2.ServiceScaling()
    assert (after.uid, after.create_time) == (before.uid, before.create_time)
    assert after.latest_created_revision == before.latest_created_revision
    with pytest.raises(exceptions.InvalidArgument, match="at least one container"):
        update(services, run_v2.Service(name=API, scaling={"max_instance_count": 3}))


def test_a_change_of_the_template_makes_a_revision(services: run_v2.ServicesClient) -> None:
    service = create(services)
    before = service.latest_created_revision
    service.template.containers[0].env = [run_v2.EnvVar(name="LEVEL", value="debug")]
    after = update(services, service, "template")
    assert after.latest_created_revision != before
    assert after.latest_ready_revision == after.latest_created_revision
    assert after.latest_created_revision.startswith(f"{API}/revisions/api-00002-")


def test_an_update_that_changes_nothing_is_no_change(services: run_v2.ServicesClient) -> None:
    before = create(services, scaling={"max_instance_count": 20})
    assert update(services, run_v2.Service(name=API, scaling=before.scaling), "scaling") == before


def test_output_only_fields_are_not_the_callers(services: run_v2.ServicesClient) -> None:
    before = create(services)
    wanted = run_v2.Service(name=API, uid="mine", generation=7, uri="https://mine", description="public")
    after = update(services, wanted, "uid", "generation", "uri", "description")
    assert (after.uid, after.generation, after.uri) == (before.uid, 2, before.uri)
    assert after.description == "public"


@pytest.mark.parametrize(
    "path", ["scalling", "scaling.max", "scaling.max_instance_count.x", "labels.tier", "traffic.percent"]
)
def test_a_mask_must_name_fields(services: run_v2.ServicesClient, path: str) -> None:
    create(services)
    with pytest.raises(exceptions.InvalidArgument, match="field mask"):
        update(services, run_v2.Service(name=API), path)


def test_a_revision_name_is_used_once(services: run_v2.ServicesClient) -> None:
    service = create(services)
    service.template.revision = "api-blue"
    service = update(services, service)
    assert service.latest_created_revision == f"{API}/revisions/api-blue"
    # The service's own scaling is no part of the revision.
    scaled = update(services, run_v2.Service(name=API, scaling={"max_instance_count": 3}), "scaling")
    assert scaled.latest_created_revision == f"{API}/revisions/api-blue"

    service.etag = ""
    service.template.containers[0].image = "example.com/api@sha256:2"
    with pytest.raises(exceptions.AlreadyExists, match="'api-blue' with different configuration already exists"):
        update(services, service, "template")
    service.template.revision = ""
    assert update(services, service, "template").latest_created_revision != f"{API}/revisions/api-blue"
    with pytest.raises(exceptions.InvalidArgument, match="must start with 'api'"):
        update(services, run_v2.Service(name=API, template={"revision": "blue"}), "template.revision")


def test_a_stale_etag_is_refused(services: run_v2.ServicesClient) -> None:
    first = create(services)
    second = update(services, run_v2.Service(name=API, etag=first.etag, description="2"), "description")
    with pytest.raises(exceptions.Aborted, match=r"Conflict for resource 'api': version '.*' was specified"):
        update(services, run_v2.Service(name=API, etag=first.etag, description="3"), "description")
    with pytest.raises(exceptions.Aborted):
        services.delete_service(run_v2.DeleteServiceRequest(name=API, etag=first.etag), retry=None)
    assert services.get_service(name=API) == second
    services.delete_service(run_v2.DeleteServiceRequest(name=API, etag=second.etag), retry=None)
    with pytest.raises(exceptions.NotFound):
        services.get_service(name=API)


def test_of_many_writers_with_one_etag_one_wins(services: run_v2.ServicesClient) -> None:
    etag = create(services).etag

    def write(number: int) -> str:
        try:
            update(services, run_v2.Service(name=API, etag=etag, description=str(number)), "description")
        except exceptions.Aborted:
            return ""
        return str(number)

    with ThreadPoolExecutor(8) as pool:
        winners = [number for number in pool.map(write, range(8)) if number]
    assert winners == [services.get_service(name=API).description]


def test_an_operation_finishes_on_the_clock(cloud: LocalCloud, services: run_v2.ServicesClient) -> None:
    create(services)
    cloud.run.operation_delay = timedelta(seconds=30)
    request = run_v2.UpdateServiceRequest(
        service={"name": API, "scaling": {"max_instance_count": 3}}, update_mask={"paths": ["scaling"]}
    )
    operation = services.update_service(request, retry=None)
    assert not operation.done()
    assert operation.metadata.scaling.max_instance_count == 3
    busy = services.get_service(name=API)
    assert (busy.reconciling, busy.generation, busy.observed_generation) == (True, 2, 1)
    assert busy.terminal_condition.state == run_v2.Condition.State.CONDITION_PENDING

    cloud.clock.advance(timedelta(seconds=29))
    assert services.get_service(name=API).reconciling
    cloud.clock.advance(timedelta(seconds=1))
    ready = services.get_service(name=API)
    assert (ready.reconciling, ready.observed_generation) == (False, 2)
    # As recorded of the real service: the end of a reconciliation is no write.
    assert (ready.update_time, ready.etag) == (busy.update_time, busy.etag)
    assert ready.terminal_condition.last_transition_time == datetime(2026, 11, 1, 0, 0, 30, tzinfo=UTC)
    assert operation.result(timeout=10) == ready
    assert operation.metadata == ready


def test_a_change_while_reconciling_supersedes(cloud: LocalCloud, services: run_v2.ServicesClient) -> None:
    create(services)
    cloud.run.operation_delay = timedelta(seconds=30)
    for count in (3, 2):
        request = run_v2.UpdateServiceRequest(
            service={"name": API, "scaling": {"max_instance_count": count}},
            update_mask={"paths": ["scaling"]},
        )
        services.update_service(request, retry=None)
        cloud.clock.advance(timedelta(seconds=20))
    assert services.get_service(name=API).reconciling
    cloud.clock.advance(timedelta(seconds=10))
    service = services.get_service(name=API)
    assert (service.reconciling, service.observed_generation, service.scaling.max_instance_count) == (
        False,
        3,
        2,
    )


def test_a_name_is_free_when_the_deletion_is_done(cloud: LocalCloud, services: run_v2.ServicesClient) -> None:
    first = create(services)
    cloud.run.operation_delay = timedelta(seconds=30)
    services.delete_service(name=API, retry=None)
    services.delete_service(name=API, retry=None)
    assert services.get_service(name=API).delete_time
    assert list(services.list_services(parent=PARENT)) == []
    with pytest.raises(exceptions.AlreadyExists):
        services.create_service(parent=PARENT, service=a_service(), service_id="api", retry=None)
    with pytest.raises(exceptions.FailedPrecondition, match="being deleted"):
        services.update_service(service=a_service(name=API), retry=None)
    cloud.clock.advance(timedelta(seconds=30))
    cloud.run.operation_delay = timedelta(0)
    second = create(services)
    cloud.clock.advance(timedelta(seconds=30))
    assert services.get_service(name=API).uid == second.uid != first.uid


def test_validate_only_changes_nothing(services: run_v2.ServicesClient) -> None:
    request = run_v2.CreateServiceRequest(parent=PARENT, service=a_service(), service_id="api", validate_only=True)
    assert services.create_service(request, retry=None).result(timeout=10).template.max_instance_request_concurrency
    assert list(services.list_services(parent=PARENT)) == []
    before = create(services)
    update(services, a_service(name=API, description="public"), validate_only=True)
    services.delete_service(run_v2.DeleteServiceRequest(name=API, validate_only=True), retry=None)
    assert services.get_service(name=API) == before


def test_allow_missing_creates(services: run_v2.ServicesClient) -> None:
    with pytest.raises(exceptions.NotFound, match="Resource 'api' of kind 'SERVICE'"):
        update(services, a_service(name=API))
    assert update(services, a_service(name=API), allow_missing=True).generation == 1
    assert services.get_service(name=API).latest_ready_revision


@pytest.mark.parametrize("service_id", ["a" * 50, "Api", "1api", "api-", "my_api", ""])
def test_names_have_limits(services: run_v2.ServicesClient, service_id: str) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        create(services, service_id)
    assert create(services, "a" * 49).name.endswith("a" * 49)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"scaling": {"min_instance_count": 3, "max_instance_count": 2}},
            "scaling.max_instance_count: must be gr",
        ),
        ({"scaling": {"max_instance_count": -1}}, "must not be negative"),
        ({"scaling": {"scaling_mode": "MANUAL"}}, "manual_instance_count: must be set"),
        ({"scaling": {"manual_instance_count": 2}}, "can only be set when scaling_mode is MANUAL"),
        ({"labels": {"Tier": "web"}}, "lowercase"),
        ({"labels": {"tier": "w" * 64}}, "lowercase"),
        ({"labels": {f"l{number}": "" for number in range(65)}}, "at most 64"),
        ({"annotations": {"run.googleapis.com/ingress": "all"}}, "not supported in v2"),
        ({"annotations": {"-": "x"}}, "not a valid annotation key"),
        ({"annotations": {"note": "x" * 300_000}}, "bytes are more than"),
        ({"description": "x" * 513}, "at most 512"),
        ({"template": {"containers": [{"image": ""}]}}, r"containers\[0\].image"),
        (
            {"template": {"containers": [{"image": "x"}], "scaling": {"min_instance_count": 1}}},
            "template.scaling.max_instance_count: must be greater or equal",
        ),
    ],
)
def test_what_cloud_run_refuses(services: run_v2.ServicesClient, fields: dict[str, object], message: str) -> None:
    with pytest.raises(exceptions.InvalidArgument, match=message):
        create(services, **fields)


def test_manual_scaling(services: run_v2.ServicesClient) -> None:
    made = create(services, scaling={"scaling_mode": "MANUAL", "manual_instance_count": 0})
    assert "manual_instance_count" in made.scaling
    cleared = update(services, run_v2.Service(name=API), "scaling.scaling_mode", "scaling.manual_instance_count")
    assert "manual_instance_count" not in cleared.scaling


def test_lists_one_region_in_pages(services: run_v2.ServicesClient) -> None:
    for name in ("b", "a", "c"):
        create(services, name)
    elsewhere = PARENT.replace("west1", "west4")
    services.create_service(parent=elsewhere, service=a_service(), service_id="z", retry=None)
    first = next(services.list_services(run_v2.ListServicesRequest(parent=PARENT, page_size=2)).pages)
    assert [service.name[-1] for service in first.services] == ["a", "b"]
    # A deletion between two pages skips nothing.
    services.delete_service(name=f"{PARENT}/services/a", retry=None)
    rest = services.list_services(run_v2.ListServicesRequest(parent=PARENT, page_token=first.next_page_token))
    assert [service.name[-1] for service in rest] == ["c"]
    invented = run_v2.ListServicesRequest(parent=PARENT, page_token="§")  # noqa: S106
    with pytest.raises(exceptions.InvalidArgument, match="page_token"):
        services.list_services(invented)
    with pytest.raises(exceptions.InvalidArgument, match="Invalid parent"):
        services.list_services(parent="projects/demo-project/locations/-")


def test_a_region_holds_a_thousand_services(cloud: LocalCloud, services: run_v2.ServicesClient) -> None:
    for number in range(1000):
        cloud.run.create_service(
            run_v2.CreateServiceRequest(parent=PARENT, service=a_service(), service_id=f"s{number}")
        )
    with pytest.raises(exceptions.ResourceExhausted):
        create(services)
    assert len(list(services.list_services(parent=PARENT))) == 1000


def test_answers_are_copies(cloud: LocalCloud, services: run_v2.ServicesClient) -> None:
    create(services)
    cloud.run.get_service(run_v2.GetServiceRequest(name=API)).labels["tier"] = "web"
    assert services.get_service(name=API).labels == {}


def test_instances_that_do_not_come(cloud: LocalCloud, services: run_v2.ServicesClient) -> None:
    create(services)
    cloud.run.fail_instances(API, "There are not enough GPUs.")
    # A service that may scale to zero needs no instance to be ready.
    assert update(services, run_v2.Service(name=API, description="public"), "description").observed_generation == 2
    for field in ({"min_instance_count": 1}, {"scaling_mode": "MANUAL", "manual_instance_count": 1}):
        with pytest.raises(exceptions.FailedPrecondition, match="not enough GPUs"):
            update(services, run_v2.Service(name=API, scaling=field), "scaling")
    failed = services.get_service(name=API)
    assert failed.terminal_condition.state == run_v2.Condition.State.CONDITION_FAILED
    assert (failed.reconciling, failed.generation, failed.observed_generation) == (False, 4, 2)
    cloud.run.fail_instances(API, None)
    ready = services.get_service(name=API)
    assert ready.terminal_condition.state == run_v2.Condition.State.CONDITION_SUCCEEDED
    assert ready.observed_generation == 4


def test_a_new_service_has_no_address_and_no_revision_until_it_is_ready(
    cloud: LocalCloud, services: run_v2.ServicesClient
) -> None:
    cloud.run.operation_delay = timedelta(seconds=30)
    service = run_v2.Service(template={"containers": [{"image": "gcr.io/cloudrun/hello"}]})
    parent = API.partition("/services/")[0]
    operation = services.create_service(parent=parent, service_id="api", service=service, retry=None)
    made = services.get_service(name=API)
    assert (made.uri, list(made.urls), made.latest_created_revision) == ("", [], "")
    assert made.terminal_condition == run_v2.Condition(state="CONDITION_PENDING")
    cloud.clock.advance(timedelta(seconds=30))
    ready = operation.result(timeout=10)
    assert (ready.uri, ready.latest_created_revision) == (ready.urls[0], ready.latest_ready_revision)
    assert [one.type_ for one in ready.conditions] == ["RoutesReady", "ConfigurationsReady"]


def test_what_cloud_run_fills_in_is_as_recorded(services: run_v2.ServicesClient) -> None:
    service = create(services)
    (container,) = service.template.containers
    assert service.template.service_account.endswith("-compute@developer.gserviceaccount.com")
    assert (dict(container.resources.limits), container.resources.cpu_idle) == (
        {"memory": "512Mi", "cpu": "1000m"},
        True,
    )
    assert container.ports == [run_v2.ContainerPort(name="http1", container_port=8080)]
    assert container.startup_probe == run_v2.Probe(
        timeout_seconds=240, period_seconds=240, failure_threshold=1, tcp_socket={"port": 8080}
    )
    assert "scaling" not in service


def test_resources_that_are_given_have_idle_cpu_only_if_they_ask_for_it(services: run_v2.ServicesClient) -> None:
    container = {"image": "gcr.io/cloudrun/hello", "resources": {"limits": {"cpu": "2"}}}
    service = create(services, template={"containers": [container]})
    resources = service.template.containers[0].resources
    assert (dict(resources.limits), resources.cpu_idle) == ({"cpu": "2", "memory": "512Mi"}, False)


def test_a_deletion_is_a_generation_of_its_own(cloud: LocalCloud, services: run_v2.ServicesClient) -> None:
    create(services)
    cloud.run.operation_delay = timedelta(seconds=30)
    operation = services.delete_service(name=API, retry=None)
    deleting = services.get_service(name=API)
    assert (deleting.reconciling, deleting.generation, deleting.observed_generation) == (True, 2, 1)
    assert deleting.terminal_condition.state == run_v2.Condition.State.CONDITION_PENDING
    cloud.clock.advance(timedelta(seconds=30))
    assert operation.result(timeout=10).observed_generation == 2
