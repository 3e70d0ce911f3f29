"""GKE of the local cloud, through the official client."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from google.api_core import exceptions
from google.cloud import container_v1

from localcloud import LocalCloud
from localcloud.core.messages import project_number
from localcloud.core.server import ApiError
from localcloud.core.snapshot import Snapshot
from shared.clients import Clients

pytestmark = pytest.mark.one_python

LOCATION = "projects/demo-project/locations/europe-west4"
CLUSTER = f"{LOCATION}/clusters/training"
GPU = f"{CLUSTER}/nodePools/gpu"
ZONES = ["europe-west4-a", "europe-west4-b"]
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)

Conditions = container_v1.StatusCondition.Code
Pool = container_v1.NodePool.Status
Status = container_v1.Operation.Status
Type = container_v1.Operation.Type


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=datetime(2026, 11, 1, tzinfo=UTC)) as cloud:
        gpu = {"name": "gpu", "locations": ZONES, "initial_node_count": 2, "config": {"machine_type": "g2-standard-8"}}
        cloud.gke.add_cluster(CLUSTER, container_v1.Cluster(node_pools=[gpu, {"name": "default"}]))
        yield cloud


@pytest.fixture
def gke(cloud: LocalCloud) -> container_v1.ClusterManagerClient:
    return Clients("demo-project", endpoint=cloud.address).of(container_v1.ClusterManagerClient)


def resize(gke: container_v1.ClusterManagerClient, count: int, name: str = GPU) -> container_v1.Operation:
    return gke.set_node_pool_size(request={"name": name, "node_count": count}, retry=None)


def autoscale(
    gke: container_v1.ClusterManagerClient, name: str = GPU, /, **autoscaling: object
) -> container_v1.Operation:
    return gke.set_node_pool_autoscaling(request={"name": name, "autoscaling": autoscaling}, retry=None)


def pool(gke: container_v1.ClusterManagerClient, name: str = GPU) -> container_v1.NodePool:
    return gke.get_node_pool(name=name)


def latest(gke: container_v1.ClusterManagerClient, operation: container_v1.Operation) -> container_v1.Operation:
    return gke.get_operation(name=f"{LOCATION}/operations/{operation.name}")


def by_number(name: str) -> str:
    """The link of a resource in an operation."""
    return f"https://container.googleapis.com/v1/{name.replace('demo-project', project_number('demo-project'))}"


def sizes(cloud: LocalCloud) -> list[tuple[int, int]]:
    """The target and actual sizes of the GPU pool's groups."""
    path = "/compute.googleapis.com/compute/v1/projects/demo-project/aggregated/instanceGroupManagers"
    scopes = json.loads(cloud.http.answer("GET", path, b"").body)["items"]
    return [
        (group["targetSize"], group["currentActions"]["none"] + group["currentActions"]["deleting"])
        for zone in ZONES
        for group in scopes.get(f"zones/{zone}", {}).get("instanceGroupManagers", [])
        if "-gpu-" in group["name"]
    ]


def test_a_cluster_and_its_node_pools(gke: container_v1.ClusterManagerClient) -> None:
    cluster = gke.get_cluster(name=CLUSTER)
    assert (cluster.name, cluster.location, cluster.status) == (
        "training",
        "europe-west4",
        container_v1.Cluster.Status.RUNNING,
    )
    assert cluster.current_node_count == 4
    assert cluster.self_link == f"https://container.googleapis.com/v1/{CLUSTER}"
    gpu, default = gke.list_node_pools(parent=CLUSTER).node_pools
    # Only clusters show how much of the range of pods' addresses is used: 4 nodes of 256 addresses of 262,144.
    assert [one.network_config.pod_ipv4_range_utilization for one in (*cluster.node_pools, gpu)] == [0.0039, 0.0039, 0]
    for shown in cluster.node_pools:
        del shown.network_config.pod_ipv4_range_utilization
    assert list(cluster.node_pools) == [gpu, default]
    assert gpu == pool(gke)
    assert (gpu.name, gpu.status, gpu.config.machine_type) == ("gpu", Pool.RUNNING, "g2-standard-8")
    assert list(gpu.locations) == ZONES
    assert list(default.locations) == ["europe-west4-b"]
    prefix = "https://www.googleapis.com/compute/v1/projects/demo-project/zones"
    for zone, url in zip(ZONES, gpu.instance_group_urls, strict=True):
        assert url.startswith(f"{prefix}/{zone}/instanceGroupManagers/gke-training-gpu-")
        assert url.endswith("-grp")
    assert len(set(cluster.instance_group_urls)) == 3


def test_lists_one_location_or_all(cloud: LocalCloud, gke: container_v1.ClusterManagerClient) -> None:
    cloud.gke.add_cluster("projects/demo-project/locations/europe-west4-a/clusters/zonal")
    cloud.gke.add_cluster("projects/other-project/locations/europe-west4/clusters/theirs")

    def found(parent: str) -> list[str]:
        return [cluster.name for cluster in gke.list_clusters(parent=parent).clusters]

    assert found(LOCATION) == ["training"]
    assert found("projects/demo-project/locations/-") == ["zonal", "training"]
    assert found("projects/demo-project/locations/us-central1") == []
    with pytest.raises(exceptions.InvalidArgument, match="Invalid parent"):
        found("projects/demo-project")


def test_a_resize_sets_every_zone_alike(cloud: LocalCloud, gke: container_v1.ClusterManagerClient) -> None:
    operation = resize(gke, 3)
    assert (operation.operation_type, operation.status) == (Type.SET_NODE_POOL_SIZE, Status.DONE)
    assert cloud.gke.size_of(GPU) == 6
    assert sizes(cloud) == [(3, 3), (3, 3)]
    assert pool(gke).initial_node_count == 3
    resize(gke, 0)
    assert cloud.gke.size_of(GPU) == 0
    assert gke.get_cluster(name=CLUSTER).current_node_count == 0


def test_an_operation_ends_on_the_clock(cloud: LocalCloud, gke: container_v1.ClusterManagerClient) -> None:
    cloud.gke.operation_delay = 90 * SECOND
    operation = resize(gke, 5)
    assert operation.name.startswith("operation-1793491200000-")
    assert (operation.status, operation.start_time, operation.end_time) == (Status.PENDING, "2026-11-01T00:00:00Z", "")
    assert operation.target_link == by_number(GPU)
    assert operation.self_link == by_number(f"{LOCATION}/operations/{operation.name}")
    assert sizes(cloud) == [(5, 2), (5, 2)]
    assert pool(gke).status == Pool.RECONCILING
    assert gke.get_cluster(name=CLUSTER).status == container_v1.Cluster.Status.RECONCILING

    cloud.clock.advance(89 * SECOND)
    assert latest(gke, operation).status == Status.RUNNING
    cloud.clock.advance(SECOND)
    done = latest(gke, operation)
    assert (done.status, done.end_time) == (Status.DONE, "2026-11-01T00:01:30Z")
    assert "error" not in done
    assert sizes(cloud) == [(5, 5), (5, 5)]
    assert pool(gke).status == Pool.RUNNING
    assert gke.get_cluster(name=CLUSTER).status == container_v1.Cluster.Status.RUNNING


def test_a_cluster_has_one_operation_at_a_time(cloud: LocalCloud, gke: container_v1.ClusterManagerClient) -> None:
    other = CLUSTER.replace("training", "other")
    cloud.gke.add_cluster(other, container_v1.Cluster(node_pools=[{"name": "gpu"}]))
    cloud.gke.operation_delay = MINUTE
    operation = resize(gke, 5)
    refusal = f"Cluster is running incompatible operation {operation.name}"
    before = pool(gke)
    with pytest.raises(exceptions.FailedPrecondition, match=refusal):
        resize(gke, 0)
    with pytest.raises(exceptions.FailedPrecondition, match=refusal):
        resize(gke, 0, f"{CLUSTER}/nodePools/default")
    with pytest.raises(exceptions.FailedPrecondition, match=refusal):
        autoscale(gke, enabled=True, max_node_count=3)
    with pytest.raises(exceptions.FailedPrecondition, match=refusal):
        gke.delete_node_pool(name=GPU, retry=None)
    assert pool(gke) == before
    assert resize(gke, 4, f"{other}/nodePools/gpu").status == Status.PENDING
    cloud.clock.advance(MINUTE)
    assert cloud.gke.size_of(GPU) == 10
    resize(gke, 0)
    cloud.clock.advance(MINUTE)
    assert cloud.gke.size_of(GPU) == 0


def test_autoscaling_is_replaced_as_a_whole(cloud: LocalCloud, gke: container_v1.ClusterManagerClient) -> None:
    operation = autoscale(gke, enabled=True, min_node_count=1, max_node_count=3)
    assert operation.operation_type == Type.UPDATE_CLUSTER
    assert operation.target_link == by_number(GPU)
    balanced = container_v1.NodePoolAutoscaling.LocationPolicy.BALANCED
    assert pool(gke).autoscaling == container_v1.NodePoolAutoscaling(
        enabled=True, min_node_count=1, max_node_count=3, location_policy=balanced
    )
    autoscale(gke, enabled=True, total_max_node_count=5, location_policy="ANY")
    assert pool(gke).autoscaling == container_v1.NodePoolAutoscaling(
        enabled=True, total_max_node_count=5, location_policy="ANY"
    )
    autoscale(gke, enabled=False)
    assert pool(gke).autoscaling == container_v1.NodePoolAutoscaling(enabled=False)
    assert cloud.gke.size_of(GPU) == 4


@pytest.mark.parametrize(
    ("autoscaling", "message"),
    [
        ({"min_node_count": -1, "max_node_count": 3}, "min_node_count must be non-negative"),
        ({"max_node_count": -1}, "max_node_count must be non-negative"),
        ({"min_node_count": 3, "max_node_count": 2}, "must not be greater than max_node_count"),
        ({"total_min_node_count": 3, "total_max_node_count": 2}, "must not be greater than total_max_node_count"),
        ({"max_node_count": 1001}, "at most 1000"),
        ({"total_max_node_count": 15_001}, "at most 15000"),
        ({"max_node_count": 2, "total_max_node_count": 4}, "exclude"),
        ({"min_node_count": 0, "max_node_count": 0}, "greater than zero while autoscaling is enabled"),
    ],
)
def test_bounds_that_are_refused(
    gke: container_v1.ClusterManagerClient, autoscaling: dict[str, object], message: str
) -> None:
    before = pool(gke)
    with pytest.raises(exceptions.InvalidArgument, match=message):
        autoscale(gke, enabled=True, **autoscaling)
    assert pool(gke) == before


@pytest.mark.parametrize("count", [-1, 1001])
def test_sizes_that_are_refused(cloud: LocalCloud, gke: container_v1.ClusterManagerClient, count: int) -> None:
    with pytest.raises(exceptions.InvalidArgument, match=str(count)):
        resize(gke, count)
    assert cloud.gke.size_of(GPU) == 4
    assert resize(gke, 1000).status == Status.DONE


def test_what_is_not_there(gke: container_v1.ClusterManagerClient) -> None:
    with pytest.raises(exceptions.NotFound, match=f"Not found: {LOCATION}/clusters/gone"):
        gke.get_cluster(name=f"{LOCATION}/clusters/gone")
    with pytest.raises(exceptions.NotFound, match=f"Not found: {LOCATION}/clusters/gone"):
        gke.list_node_pools(parent=f"{LOCATION}/clusters/gone")
    gone = f"{CLUSTER}/nodePools/gone"
    for call in (
        lambda: pool(gke, gone),
        lambda: resize(gke, 1, gone),
        lambda: autoscale(gke, gone, enabled=False),
        lambda: gke.delete_node_pool(name=gone, retry=None),
    ):
        with pytest.raises(exceptions.NotFound, match='Not found: node pool "gone" not found'):
            call()
    with pytest.raises(exceptions.NotFound, match="operation-1-a"):
        gke.get_operation(name=f"{LOCATION}/operations/operation-1-a")
    with pytest.raises(exceptions.InvalidArgument, match="Invalid resource name"):
        pool(gke, CLUSTER)


def test_a_node_pool_is_there_until_its_deletion_is_done(
    cloud: LocalCloud, gke: container_v1.ClusterManagerClient
) -> None:
    cloud.gke.operation_delay = MINUTE
    operation = gke.delete_node_pool(name=GPU, retry=None)
    assert (operation.operation_type, operation.status) == (Type.DELETE_NODE_POOL, Status.PENDING)
    assert pool(gke).status == Pool.STOPPING
    assert sizes(cloud) == [(0, 2), (0, 2)]
    cloud.clock.advance(MINUTE)
    assert latest(gke, operation).status == Status.DONE
    with pytest.raises(exceptions.NotFound):
        pool(gke)
    assert [one.name for one in gke.get_cluster(name=CLUSTER).node_pools] == ["default"]
    assert sizes(cloud) == []


def test_operations_are_listed_for_a_day_after_they_are_done(
    cloud: LocalCloud, gke: container_v1.ClusterManagerClient
) -> None:
    def listed(location: str) -> set[str]:
        return {
            one.name for one in gke.list_operations(parent=f"projects/demo-project/locations/{location}").operations
        }

    cloud.gke.operation_delay = MINUTE
    first = resize(gke, 3)
    cloud.clock.advance(timedelta(hours=1))
    second = resize(gke, 4)
    assert first.name != second.name
    assert listed("europe-west4") == listed("-") == {first.name, second.name}
    assert listed("europe-west1") == set()
    cloud.clock.advance(timedelta(hours=23))
    assert listed("-") == {first.name, second.name}
    cloud.clock.advance(MINUTE * 2)
    assert listed("-") == {second.name}
    with pytest.raises(exceptions.NotFound):
        latest(gke, first)


def test_operations_that_begin_together_have_names_of_their_own(gke: container_v1.ClusterManagerClient) -> None:
    names = {resize(gke, count).name for count in range(5)}
    assert len(names) == 5


def test_in_a_stock_out_the_operation_waits_and_fails(
    cloud: LocalCloud, gke: container_v1.ClusterManagerClient
) -> None:
    cloud.gke.operation_delay = MINUTE
    cloud.gke.stock_out("europe-west4-b")
    operation = resize(gke, 3)
    cloud.clock.advance(timedelta(minutes=19))
    assert latest(gke, operation).status == Status.RUNNING
    assert sizes(cloud) == [(3, 3), (3, 2)]
    assert pool(gke).status == Pool.RECONCILING
    assert not pool(gke).conditions

    cloud.clock.advance(MINUTE)
    failed = latest(gke, operation)
    assert (failed.status, failed.end_time) == (Status.DONE, "2026-11-01T00:20:00Z")
    assert failed.error.code == 8  # RESOURCE_EXHAUSTED
    (condition,) = failed.nodepool_conditions
    assert condition.code == Conditions.GCE_STOCKOUT
    assert "ZONE_RESOURCE_POOL_EXHAUSTED" in condition.message
    assert "The zone 'projects/demo-project/zones/europe-west4-b' does not have enough resources" in condition.message
    left = pool(gke)
    assert (left.status, list(left.conditions)) == (Pool.RUNNING_WITH_ERROR, [condition])
    assert left.status_message == failed.error.message == condition.message
    assert sizes(cloud) == [(3, 3), (3, 2)]

    # The group goes on trying.
    cloud.clock.advance(timedelta(hours=1))
    cloud.gke.end_stock_out("europe-west4-b")
    assert sizes(cloud) == [(3, 3), (3, 3)]
    left = pool(gke)
    assert (left.status, list(left.conditions), left.status_message) == (Pool.RUNNING, [], "")
    assert latest(gke, operation) == failed


def test_a_stock_out_that_ends_in_time(cloud: LocalCloud, gke: container_v1.ClusterManagerClient) -> None:
    cloud.gke.stock_out("europe-west4-a")
    operation = resize(gke, 3)
    assert operation.status == Status.PENDING
    cloud.clock.advance(timedelta(minutes=5))
    with pytest.raises(exceptions.FailedPrecondition):
        resize(gke, 2)
    cloud.gke.end_stock_out("europe-west4-a")
    done = latest(gke, operation)
    assert (done.status, done.end_time, "error" in done) == (Status.DONE, "2026-11-01T00:05:00Z", False)
    assert sizes(cloud) == [(3, 3), (3, 3)]
    # What was to end the first operation does not end the next.
    cloud.gke.stock_out("europe-west4-a")
    cloud.clock.advance(timedelta(minutes=5))
    later = resize(gke, 4)
    cloud.clock.advance(timedelta(minutes=19))
    assert latest(gke, later).status == Status.RUNNING
    cloud.clock.advance(MINUTE)
    assert latest(gke, later).error.code == 8


def test_a_stock_out_that_ends_in_one_zone_of_two(cloud: LocalCloud, gke: container_v1.ClusterManagerClient) -> None:
    for zone in ZONES:
        cloud.gke.stock_out(zone)
    operation = resize(gke, 3)
    cloud.clock.advance(timedelta(minutes=10))
    cloud.gke.end_stock_out(ZONES[0])
    assert sizes(cloud) == [(3, 3), (3, 2)]
    assert latest(gke, operation).status == Status.RUNNING
    cloud.clock.advance(timedelta(minutes=10))
    (condition,) = latest(gke, operation).nodepool_conditions
    assert ZONES[1] in condition.message
    cloud.clock.advance(timedelta(minutes=10))
    assert list(pool(gke).conditions) == [condition]


def test_a_stock_out_that_ends_before_the_nodes_were_due(
    cloud: LocalCloud, gke: container_v1.ClusterManagerClient
) -> None:
    cloud.gke.operation_delay = MINUTE
    cloud.gke.stock_out("europe-west4-a")
    operation = resize(gke, 3)
    cloud.clock.advance(30 * SECOND)
    cloud.gke.end_stock_out("europe-west4-a")
    assert sizes(cloud) == [(3, 2), (3, 2)]
    cloud.clock.advance(30 * SECOND)
    assert latest(gke, operation).status == Status.DONE
    assert sizes(cloud) == [(3, 3), (3, 3)]


def test_nodes_go_in_a_stock_out(cloud: LocalCloud, gke: container_v1.ClusterManagerClient) -> None:
    cloud.gke.stock_out("europe-west4-a")
    assert resize(gke, 1).status == Status.DONE
    assert sizes(cloud) == [(1, 1), (1, 1)]
    resize(gke, 2)
    cloud.clock.advance(timedelta(minutes=20))
    assert pool(gke).conditions
    # Fewer than are there lack nothing.
    resize(gke, 0)
    assert (pool(gke).status, list(pool(gke).conditions)) == (Pool.RUNNING, [])
    assert sizes(cloud) == [(0, 0), (0, 0)]


def test_a_stock_out_outlasts_another_operation(cloud: LocalCloud, gke: container_v1.ClusterManagerClient) -> None:
    cloud.gke.stock_out("europe-west4-a")
    resize(gke, 3)
    cloud.clock.advance(timedelta(minutes=20))
    cloud.gke.operation_delay = MINUTE
    autoscale(gke, enabled=True, max_node_count=4)
    assert pool(gke).status == Pool.RECONCILING
    cloud.gke.end_stock_out("europe-west4-a")
    cloud.clock.advance(MINUTE)
    assert (pool(gke).status, list(pool(gke).conditions)) == (Pool.RUNNING, [])
    assert cloud.gke.size_of(GPU) == 6


def test_what_is_handed_out_is_a_copy(cloud: LocalCloud) -> None:
    cloud.gke.get_node_pool(container_v1.GetNodePoolRequest(name=GPU)).locations.append("europe-west4-c")
    cloud.gke.get_cluster(container_v1.GetClusterRequest(name=CLUSTER)).node_pools[0].name = "other"
    found = cloud.gke.get_node_pool(container_v1.GetNodePoolRequest(name=GPU))
    assert (list(found.locations), found.name) == (ZONES, "gpu")


def test_a_snapshot_puts_back_an_operation_that_runs(cloud: LocalCloud, gke: container_v1.ClusterManagerClient) -> None:
    cloud.gke.operation_delay = MINUTE
    cloud.gke.stock_out("europe-west4-b")
    autoscale(gke, enabled=True, max_node_count=4)
    cloud.clock.advance(MINUTE)
    operation = resize(gke, 3)
    cloud.gke.set_demand(GPU, 8)
    cloud.clock.advance(30 * SECOND)
    snapshot = Snapshot(cloud)
    for _ in range(2):
        assert sizes(cloud) == [(3, 2), (3, 2)]
        assert latest(gke, operation).status == Status.RUNNING
        with pytest.raises(exceptions.FailedPrecondition):
            resize(gke, 0)
        cloud.clock.advance(timedelta(minutes=20))
        assert latest(gke, operation).error.code == 8
        assert sizes(cloud) == [(4, 4), (4, 2)]
        cloud.gke.end_stock_out("europe-west4-b")
        assert cloud.gke.size_of(GPU) == 8
        snapshot.restore()
    cloud.gke.end_stock_out("europe-west4-b")
    cloud.clock.advance(30 * SECOND)
    assert "error" not in latest(gke, operation)
    assert latest(gke, operation).status == Status.DONE
    assert sizes(cloud) == [(4, 4), (4, 4)]


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        (f"{LOCATION}/clusters/Training", {}, "Invalid cluster name"),
        (f"{LOCATION}/clusters/{'a' * 41}", {}, "at most 40 characters"),
        ("training", {}, "Invalid resource name"),
        (CLUSTER, {}, "Already exists"),
        (f"{LOCATION}/clusters/b", {"node_pools": [{"name": "gpu-"}]}, "Invalid node pool name"),
        (f"{LOCATION}/clusters/b", {"locations": ["europe-west1-b"]}, 'not a zone of region "europe-west4"'),
        (f"{LOCATION}/clusters/b", {"node_pools": [{"name": "gpu", "locations": ZONES * 2}]}, "twice"),
        (f"{LOCATION}/clusters/b", {"node_pools": [{"name": "gpu", "initial_node_count": -1}]}, "non-negative"),
        (f"{LOCATION}/clusters/b", {"node_pools": [{"name": "gpu"}] * 2}, "Already exists"),
        (f"{LOCATION}/clusters/b", {"node_pools": [{"name": "gpu", "autoscaling": {"enabled": True}}]}, "autoscaling"),
    ],
)
def test_clusters_that_cannot_be_added(cloud: LocalCloud, name: str, fields: dict[str, object], message: str) -> None:
    with pytest.raises(ApiError, match=message):
        cloud.gke.add_cluster(name, container_v1.Cluster(fields))
