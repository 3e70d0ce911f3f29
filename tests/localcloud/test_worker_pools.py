"""Cloud Run worker pools of the local cloud, through the official client."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from google.api.launch_stage_pb2 import LaunchStage
from google.api_core import exceptions
from google.api_core.operation import Operation
from google.cloud import run_v2
from google.protobuf.field_mask_pb2 import FieldMask

from localcloud import LocalCloud
from localcloud.core.snapshot import Snapshot
from shared.clients import Clients

pytestmark = pytest.mark.one_python

NOW = datetime(2026, 11, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PARENT = "projects/demo-project/locations/europe-west1"
GPU = f"{PARENT}/workerPools/gpu"
State = run_v2.Condition.State


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=NOW) as cloud:
        yield cloud


@pytest.fixture
def pools(cloud: LocalCloud) -> run_v2.WorkerPoolsClient:
    return Clients("demo-project", endpoint=cloud.address).of(run_v2.WorkerPoolsClient)


def a_pool(**fields: object) -> run_v2.WorkerPool:
    template = {"containers": [{"image": "example.com/worker@sha256:1"}]}
    return run_v2.WorkerPool({"template": template, **fields})


def create(pools: run_v2.WorkerPoolsClient, pool_id: str = "gpu", /, **fields: object) -> run_v2.WorkerPool:
    operation = pools.create_worker_pool(
        parent=PARENT, worker_pool=a_pool(**fields), worker_pool_id=pool_id, retry=None
    )
    return run_v2.WorkerPool(operation.result(timeout=10))


def change(pools: run_v2.WorkerPoolsClient, pool: run_v2.WorkerPool, *paths: str, **more: object) -> Operation:
    request = run_v2.UpdateWorkerPoolRequest(
        {"worker_pool": pool, "update_mask": FieldMask(paths=paths) if paths else None, **more}
    )
    return pools.update_worker_pool(request, retry=None)


def update(pools: run_v2.WorkerPoolsClient, pool: run_v2.WorkerPool, *paths: str, **more: object) -> run_v2.WorkerPool:
    return run_v2.WorkerPool(change(pools, pool, *paths, **more).result(timeout=10))


def sized(count: int, **fields: object) -> run_v2.WorkerPool:
    return run_v2.WorkerPool({"name": GPU, "scaling": {"manual_instance_count": count}, **fields})


def delete(pools: run_v2.WorkerPoolsClient, **fields: object) -> Operation:
    return pools.delete_worker_pool(run_v2.DeleteWorkerPoolRequest({"name": GPU, **fields}), retry=None)


def test_a_new_pool_is_ready_and_filled_in(pools: run_v2.WorkerPoolsClient) -> None:
    made = create(pools, labels={"tier": "gpu"}, scaling={"manual_instance_count": 2})
    found = pools.get_worker_pool(name=GPU)
    assert found == made
    assert found.name == GPU
    assert found.labels == {"tier": "gpu"}
    assert found.scaling == run_v2.WorkerPoolScaling(manual_instance_count=2)
    assert (found.generation, found.observed_generation, found.reconciling) == (1, 1, False)
    assert found.terminal_condition.state == State.CONDITION_SUCCEEDED
    assert found.latest_ready_revision == found.latest_created_revision
    assert found.latest_ready_revision.startswith(f"{GPU}/revisions/gpu-00001-")
    latest = run_v2.InstanceSplitAllocationType.INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST
    assert list(found.instance_splits) == [run_v2.InstanceSplit(type_=latest, percent=100)]
    assert found.launch_stage == LaunchStage.GA
    assert found.create_time == NOW
    assert found.etag
    assert found.uid


def test_a_change_of_the_size_makes_no_revision(pools: run_v2.WorkerPoolsClient) -> None:
    before = create(pools, labels={"tier": "gpu"}, scaling={"manual_instance_count": 2})
    after = update(pools, sized(0, labels={"tier": "web"}), "scaling.manual_instance_count")
    assert "manual_instance_count" in after.scaling
    assert after.scaling.manual_instance_count == 0
    assert after.labels == {"tier": "gpu"}
    assert after.template == before.template
    assert after.latest_created_revision == before.latest_created_revision
    assert (after.generation, after.uid, after.create_time) == (2, before.uid, before.create_time)
    assert after.etag != before.etag
    assert pools.get_worker_pool(name=GPU) == after


def test_a_masked_field_that_is_left_empty_is_cleared(pools: run_v2.WorkerPoolsClient) -> None:
    create(pools, scaling={"manual_instance_count": 2}, labels={"tier": "gpu"}, description="training")
    empty = run_v2.WorkerPool(name=GPU)
    after = update(pools, empty, "scaling.manual_instance_count", "labels", "description")
    assert (after.scaling, after.labels, after.description) == (run_v2.WorkerPoolScaling(), {}, "")
    with pytest.raises(exceptions.InvalidArgument, match="at least one container"):
        update(pools, empty, "template")


def test_without_a_mask_everything_is_replaced(pools: run_v2.WorkerPoolsClient) -> None:
    before = create(pools, labels={"tier": "gpu"}, scaling={"manual_instance_count": 2})
    for paths in ((), ("*",)):
        after = update(pools, a_pool(name=GPU, annotations={"example.com/owner": "anna"}), *paths)
        assert (after.labels, after.annotations) == ({}, {"example.com/owner": "anna"})
        assert after.scaling == run_v2.WorkerPoolScaling()
        assert (after.uid, after.create_time) == (before.uid, before.create_time)
        assert after.latest_created_revision == before.latest_created_revision
        update(pools, sized(2, labels={"tier": "gpu"}), "scaling", "labels")
    with pytest.raises(exceptions.InvalidArgument, match="at least one container"):
        update(pools, sized(3))


def test_a_change_of_the_template_makes_a_revision(pools: run_v2.WorkerPoolsClient) -> None:
    pool = create(pools)
    before = pool.latest_created_revision
    pool.template.containers[0].env = [run_v2.EnvVar(name="LEVEL", value="debug")]
    after = update(pools, pool, "template")
    assert after.latest_created_revision != before
    assert after.latest_ready_revision == after.latest_created_revision
    assert after.latest_created_revision.startswith(f"{GPU}/revisions/gpu-00002-")


def test_a_revision_name_is_used_once(pools: run_v2.WorkerPoolsClient) -> None:
    pool = create(pools)
    pool.template.revision = "gpu-blue"
    pool = update(pools, pool)
    assert pool.latest_created_revision == f"{GPU}/revisions/gpu-blue"
    assert update(pools, sized(3), "scaling").latest_created_revision == f"{GPU}/revisions/gpu-blue"
    pool.etag = ""
    pool.template.containers[0].image = "example.com/worker@sha256:2"
    with pytest.raises(exceptions.AlreadyExists, match="'gpu-blue' with different configuration already exists"):
        update(pools, pool, "template")
    with pytest.raises(exceptions.InvalidArgument, match="must start with 'gpu'"):
        update(pools, run_v2.WorkerPool(name=GPU, template={"revision": "blue"}), "template.revision")


def test_a_new_revision_can_be_forced(pools: run_v2.WorkerPoolsClient) -> None:
    before = create(pools)
    after = update(pools, run_v2.WorkerPool(name=GPU), "description", force_new_revision=True)
    assert after.latest_ready_revision not in {before.latest_ready_revision, ""}
    assert (after.generation, after.template) == (2, before.template)


def test_an_update_that_changes_nothing_is_no_change(pools: run_v2.WorkerPoolsClient) -> None:
    before = create(pools, scaling={"manual_instance_count": 2})
    assert update(pools, sized(2), "scaling") == before
    assert update(pools, sized(2), "scaling.manual_instance_count") == before


def test_output_only_fields_are_not_the_callers(pools: run_v2.WorkerPoolsClient) -> None:
    before = create(pools, uid="mine", latest_ready_revision="mine", custom_audiences=["mine"], expire_time=NOW)
    assert "mine" not in {before.uid, before.latest_ready_revision, *before.custom_audiences}
    assert "expire_time" not in before
    wanted = run_v2.WorkerPool(name=GPU, uid="mine", generation=7, description="training")
    after = update(pools, wanted, "uid", "generation", "instance_split_statuses", "description")
    assert (after.uid, after.generation, after.description) == (before.uid, 2, "training")


@pytest.mark.parametrize("path", ["scalling", "scaling.max", "scaling.manual_instance_count.x", "labels.tier", ""])
def test_a_mask_must_name_fields(pools: run_v2.WorkerPoolsClient, path: str) -> None:
    create(pools)
    with pytest.raises(exceptions.InvalidArgument, match="field mask"):
        update(pools, run_v2.WorkerPool(name=GPU), path)


def test_a_stale_etag_is_refused(pools: run_v2.WorkerPoolsClient) -> None:
    first = create(pools)
    second = update(pools, sized(2, etag=first.etag), "scaling")
    with pytest.raises(exceptions.Aborted, match=r"Conflict for resource 'gpu': version '\w+' was specified"):
        update(pools, sized(3, etag=first.etag), "scaling")
    with pytest.raises(exceptions.Aborted):
        delete(pools, etag=first.etag)
    assert pools.get_worker_pool(name=GPU) == second
    delete(pools, etag=second.etag)
    with pytest.raises(exceptions.NotFound):
        pools.get_worker_pool(name=GPU)


def test_of_many_writers_with_one_etag_one_wins(pools: run_v2.WorkerPoolsClient) -> None:
    etag = create(pools).etag

    def write(number: int) -> int:
        try:
            update(pools, sized(number, etag=etag), "scaling")
        except exceptions.Aborted:
            return 0
        return number

    with ThreadPoolExecutor(8) as threads:
        winners = [number for number in threads.map(write, range(1, 9)) if number]
    assert winners == [pools.get_worker_pool(name=GPU).scaling.manual_instance_count]


def test_an_operation_finishes_on_the_clock(cloud: LocalCloud, pools: run_v2.WorkerPoolsClient) -> None:
    create(pools)
    cloud.worker_pools.operation_delay = 30 * SECOND
    operation = change(pools, sized(3), "scaling")
    assert not operation.done()
    assert operation.metadata.scaling.manual_instance_count == 3
    busy = pools.get_worker_pool(name=GPU)
    assert (busy.reconciling, busy.generation, busy.observed_generation) == (True, 2, 1)
    assert busy.terminal_condition.state == State.CONDITION_PENDING
    cloud.clock.advance(29 * SECOND)
    assert pools.get_worker_pool(name=GPU).reconciling
    cloud.clock.advance(SECOND)
    ready = pools.get_worker_pool(name=GPU)
    assert (ready.reconciling, ready.observed_generation) == (False, 2)
    assert (ready.update_time, ready.etag) == (busy.update_time, busy.etag)
    assert ready.terminal_condition.last_transition_time == NOW + 30 * SECOND
    assert operation.result(timeout=10) == ready


def test_a_change_while_reconciling_supersedes(cloud: LocalCloud, pools: run_v2.WorkerPoolsClient) -> None:
    create(pools)
    cloud.worker_pools.operation_delay = 30 * SECOND
    for count in (3, 2):
        change(pools, sized(count), "scaling")
        cloud.clock.advance(20 * SECOND)
    assert pools.get_worker_pool(name=GPU).reconciling
    cloud.clock.advance(10 * SECOND)
    pool = pools.get_worker_pool(name=GPU)
    assert (pool.reconciling, pool.observed_generation, pool.scaling.manual_instance_count) == (False, 3, 2)


def test_a_name_is_free_when_the_deletion_is_done(cloud: LocalCloud, pools: run_v2.WorkerPoolsClient) -> None:
    first = create(pools)
    cloud.worker_pools.operation_delay = 30 * SECOND
    delete(pools)
    deleting = pools.get_worker_pool(name=GPU)
    assert (deleting.delete_time, deleting.expire_time) == (NOW, NOW + timedelta(days=30))
    assert deleting.reconciling
    assert list(pools.list_worker_pools(parent=PARENT)) == []
    shown = run_v2.ListWorkerPoolsRequest(parent=PARENT, show_deleted=True)
    assert list(pools.list_worker_pools(shown)) == [deleting]
    with pytest.raises(exceptions.AlreadyExists):
        create(pools)
    with pytest.raises(exceptions.FailedPrecondition, match="being deleted"):
        update(pools, sized(1), "scaling")
    cloud.clock.advance(30 * SECOND)
    assert list(pools.list_worker_pools(shown)) == []
    cloud.worker_pools.operation_delay = timedelta(0)
    assert create(pools).uid != first.uid


def test_deleting_twice_takes_one_pool_away(cloud: LocalCloud, pools: run_v2.WorkerPoolsClient) -> None:
    create(pools)
    cloud.worker_pools.operation_delay = 30 * SECOND
    delete(pools)
    cloud.clock.advance(10 * SECOND)
    delete(pools)
    cloud.clock.advance(20 * SECOND)
    cloud.worker_pools.operation_delay = timedelta(0)
    second = create(pools)
    cloud.clock.advance(30 * SECOND)
    assert pools.get_worker_pool(name=GPU) == second


def test_a_pool_can_be_deleted_while_it_reconciles(cloud: LocalCloud, pools: run_v2.WorkerPoolsClient) -> None:
    create(pools)
    cloud.worker_pools.operation_delay = 30 * SECOND
    resizing = change(pools, sized(3), "scaling")
    cloud.clock.advance(20 * SECOND)
    deleting = delete(pools)
    cloud.clock.advance(10 * SECOND)
    # The change is over, the deletion goes on.
    assert resizing.done()
    assert pools.get_worker_pool(name=GPU).reconciling
    cloud.clock.advance(20 * SECOND)
    assert deleting.result(timeout=10).name == GPU
    with pytest.raises(exceptions.NotFound):
        pools.get_worker_pool(name=GPU)


def test_a_change_of_a_pool_that_is_gone_leaves_its_successor_alone(
    cloud: LocalCloud, pools: run_v2.WorkerPoolsClient
) -> None:
    cloud.worker_pools.operation_delay = 60 * SECOND
    request = {"parent": PARENT, "worker_pool": a_pool(), "worker_pool_id": "gpu"}
    first = pools.create_worker_pool(request, retry=None)
    cloud.worker_pools.operation_delay = timedelta(0)
    delete(pools)
    cloud.worker_pools.operation_delay = 60 * SECOND
    cloud.clock.advance(30 * SECOND)
    second = pools.create_worker_pool(request, retry=None)
    cloud.clock.advance(30 * SECOND)
    with pytest.raises(exceptions.Aborted):
        first.result(timeout=10)
    assert not second.done()
    assert pools.get_worker_pool(name=GPU).reconciling
    cloud.clock.advance(30 * SECOND)
    assert not pools.get_worker_pool(name=GPU).reconciling


def test_instances_that_do_not_come(cloud: LocalCloud, pools: run_v2.WorkerPoolsClient) -> None:
    before = create(pools, scaling={"manual_instance_count": 0})
    cloud.worker_pools.fail_instances(GPU, "no GPUs in europe-west1")
    assert pools.get_worker_pool(name=GPU) == before
    pool = sized(2, template=before.template)
    pool.template.containers[0].image = "example.com/worker@sha256:2"
    with pytest.raises(exceptions.FailedPrecondition, match="no GPUs in europe-west1"):
        update(pools, pool, "scaling", "template")
    failed = pools.get_worker_pool(name=GPU)
    assert (failed.reconciling, failed.terminal_condition.state) == (False, State.CONDITION_FAILED)
    assert failed.terminal_condition.message == "no GPUs in europe-west1"
    # Those of the last generation that was brought about.
    assert (failed.generation, failed.observed_generation) == (2, 1)
    assert failed.latest_ready_revision == before.latest_ready_revision != failed.latest_created_revision
    # Without instances nothing is missing.
    none = update(pools, sized(0), "scaling")
    assert (none.terminal_condition.state, none.observed_generation) == (State.CONDITION_SUCCEEDED, 3)
    assert none.latest_ready_revision == none.latest_created_revision


def test_instances_come_when_they_can(cloud: LocalCloud, pools: run_v2.WorkerPoolsClient) -> None:
    create(pools)
    cloud.worker_pools.fail_instances(GPU, "no GPUs")
    operation = change(pools, sized(2), "scaling")
    assert operation.done()
    cloud.worker_pools.fail_instances(GPU, None)
    pool = pools.get_worker_pool(name=GPU)
    assert (pool.terminal_condition.state, pool.observed_generation) == (State.CONDITION_SUCCEEDED, 2)
    assert pool.terminal_condition.message == ""
    assert update(pools, sized(3), "scaling").observed_generation == 3


def test_a_deletion_goes_on_when_instances_can_come(cloud: LocalCloud, pools: run_v2.WorkerPoolsClient) -> None:
    create(pools)
    cloud.worker_pools.fail_instances(GPU, "no GPUs")
    change(pools, sized(2), "scaling")
    cloud.worker_pools.operation_delay = SECOND
    delete(pools)
    cloud.worker_pools.fail_instances(GPU, None)
    assert pools.get_worker_pool(name=GPU).reconciling
    cloud.clock.advance(SECOND)
    with pytest.raises(exceptions.NotFound):
        pools.get_worker_pool(name=GPU)


def test_validate_only_changes_nothing(pools: run_v2.WorkerPoolsClient) -> None:
    request = run_v2.CreateWorkerPoolRequest(
        parent=PARENT, worker_pool=a_pool(), worker_pool_id="gpu", validate_only=True
    )
    assert pools.create_worker_pool(request, retry=None).result(timeout=10).instance_splits
    assert list(pools.list_worker_pools(parent=PARENT)) == []
    before = create(pools)
    assert update(pools, sized(2), "scaling", validate_only=True).scaling.manual_instance_count == 2
    with pytest.raises(exceptions.InvalidArgument):
        update(pools, sized(-1), "scaling", validate_only=True)
    delete(pools, validate_only=True)
    assert pools.get_worker_pool(name=GPU) == before


def test_allow_missing_creates(pools: run_v2.WorkerPoolsClient) -> None:
    with pytest.raises(exceptions.NotFound, match="Resource 'gpu' of kind 'WORKERPOOL' in region 'europe-west1'"):
        update(pools, a_pool(name=GPU))
    update(pools, a_pool(name=GPU), allow_missing=True, validate_only=True)
    assert list(pools.list_worker_pools(parent=PARENT)) == []
    assert update(pools, a_pool(name=GPU), allow_missing=True).generation == 1
    assert update(pools, sized(2), "scaling", allow_missing=True).generation == 2


@pytest.mark.parametrize("pool_id", ["a" * 50, "Gpu", "1gpu", "gpu-", "my_gpu", ""])
def test_names_have_limits(pools: run_v2.WorkerPoolsClient, pool_id: str) -> None:
    with pytest.raises(exceptions.InvalidArgument, match="worker_pool_id"):
        create(pools, pool_id)
    assert create(pools, "a" * 49).name.endswith("a" * 49)


@pytest.mark.parametrize("name", ["gpu", f"{PARENT}/workerPools/", f"{GPU}/x", f"{PARENT}/services/gpu", PARENT])
def test_names_are_full_ones(pools: run_v2.WorkerPoolsClient, name: str) -> None:
    with pytest.raises(exceptions.InvalidArgument, match="Invalid name"):
        pools.get_worker_pool(run_v2.GetWorkerPoolRequest(name=name))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"scaling": {"manual_instance_count": -1}}, "manual_instance_count: must not be negative"),
        ({"labels": {"Tier": "gpu"}}, "lowercase"),
        ({"labels": {"run.googleapis.com/x": "y"}}, "lowercase"),
        ({"labels": {f"l{number}": "" for number in range(65)}}, "at most 64"),
        ({"annotations": {"run.googleapis.com/launch-stage": "BETA"}}, "not supported in v2"),
        ({"description": "x" * 513}, "at most 512"),
        ({"template": {}}, "at least one container"),
        ({"template": {"containers": [{"image": ""}]}}, r"CreateWorkerPoolRequest.worker_pool.*containers\[0\].image"),
        ({"template": {"containers": [{"image": "x"}], "labels": {"A": "b"}}}, "template.labels"),
    ],
)
def test_what_cloud_run_refuses(pools: run_v2.WorkerPoolsClient, fields: dict[str, object], message: str) -> None:
    with pytest.raises(exceptions.InvalidArgument, match=message):
        create(pools, **fields)


def test_lists_one_region_in_pages(pools: run_v2.WorkerPoolsClient) -> None:
    for name in ("b", "a", "c"):
        create(pools, name)
    for elsewhere in (PARENT.replace("west1", "west4"), PARENT.replace("west1", "west12")):
        pools.create_worker_pool(parent=elsewhere, worker_pool=a_pool(), worker_pool_id="z", retry=None)
    first = next(pools.list_worker_pools(run_v2.ListWorkerPoolsRequest(parent=PARENT, page_size=2)).pages)
    assert [pool.name[-1] for pool in first.worker_pools] == ["a", "b"]
    # A deletion between two pages skips nothing.
    pools.delete_worker_pool(name=f"{PARENT}/workerPools/a", retry=None)
    rest = pools.list_worker_pools(run_v2.ListWorkerPoolsRequest(parent=PARENT, page_token=first.next_page_token))
    assert [pool.name[-1] for pool in rest] == ["c"]
    invented = run_v2.ListWorkerPoolsRequest(parent=PARENT, page_token="§")  # noqa: S106
    with pytest.raises(exceptions.InvalidArgument, match="page_token"):
        pools.list_worker_pools(invented)
    with pytest.raises(exceptions.InvalidArgument, match="Invalid parent"):
        pools.list_worker_pools(parent="projects/demo-project/locations/-")


def test_services_are_others(cloud: LocalCloud, pools: run_v2.WorkerPoolsClient) -> None:
    create(pools)
    services = Clients("demo-project", endpoint=cloud.address).of(run_v2.ServicesClient)
    assert list(services.list_services(parent=PARENT)) == []
    service = run_v2.Service(template={"containers": [{"image": "x"}]})
    services.create_service(parent=PARENT, service=service, service_id="gpu", retry=None)
    delete(pools)
    assert len(list(services.list_services(parent=PARENT))) == 1


def test_answers_are_copies(cloud: LocalCloud, pools: run_v2.WorkerPoolsClient) -> None:
    create(pools)
    cloud.worker_pools.get_worker_pool(run_v2.GetWorkerPoolRequest(name=GPU)).labels["tier"] = "web"
    assert pools.get_worker_pool(name=GPU).labels == {}


def test_a_snapshot_puts_back_a_pool_that_reconciles(cloud: LocalCloud, pools: run_v2.WorkerPoolsClient) -> None:
    create(pools)
    cloud.worker_pools.operation_delay = 30 * SECOND
    operation = change(pools, sized(3), "scaling")
    cloud.clock.advance(10 * SECOND)
    busy = pools.get_worker_pool(name=GPU)
    snapshot = Snapshot(cloud)
    for _ in range(2):
        assert pools.get_worker_pool(name=GPU) == busy
        assert not pools.get_operation({"name": operation.operation.name}).done
        cloud.clock.advance(20 * SECOND)
        assert pools.get_operation({"name": operation.operation.name}).done
        ready = pools.get_worker_pool(name=GPU)
        assert (ready.reconciling, ready.observed_generation) == (False, 2)
        delete(pools)
        cloud.worker_pools.fail_instances(GPU, "no GPUs")
        snapshot.restore()
    cloud.clock.advance(20 * SECOND)
    assert pools.get_worker_pool(name=GPU).terminal_condition.state == State.CONDITION_SUCCEEDED
