"""GKE's autoscaler on the local cloud: it follows demand, within its bounds, on the clock."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from google.cloud import container_v1

from localcloud import LocalCloud
from localcloud.gke.autoscaler import SCALE_DOWN_DELAY, SCALE_UP_DELAY, scaled
from shared.clients import Clients

pytestmark = pytest.mark.one_python

CLUSTER = "projects/demo-project/locations/europe-west4/clusters/training"
GPU = f"{CLUSTER}/nodePools/gpu"
ZONES = ["europe-west4-a", "europe-west4-b"]
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=datetime(2026, 11, 1, tzinfo=UTC)) as cloud:
        bounds = {"enabled": True, "min_node_count": 0, "max_node_count": 4}
        gpu = {"name": "gpu", "locations": ZONES, "initial_node_count": 2, "autoscaling": bounds}
        cloud.gke.add_cluster(CLUSTER, container_v1.Cluster(node_pools=[gpu, {"name": "default"}]))
        yield cloud


@pytest.fixture
def gke(cloud: LocalCloud) -> container_v1.ClusterManagerClient:
    return Clients("demo-project", endpoint=cloud.address).of(container_v1.ClusterManagerClient)


def resize(gke: container_v1.ClusterManagerClient, count: int) -> None:
    gke.set_node_pool_size(request={"name": GPU, "node_count": count}, retry=None)


def autoscale(gke: container_v1.ClusterManagerClient, **autoscaling: object) -> None:
    gke.set_node_pool_autoscaling(request={"name": GPU, "autoscaling": autoscaling}, retry=None)


def test_without_a_demand_it_does_nothing(cloud: LocalCloud, gke: container_v1.ClusterManagerClient) -> None:
    cloud.clock.advance(timedelta(hours=1))
    assert cloud.gke.size_of(GPU) == 4
    resize(gke, 0)
    cloud.clock.advance(timedelta(hours=1))
    assert cloud.gke.size_of(GPU) == 0


def test_it_scales_up_to_the_demand(cloud: LocalCloud, gke: container_v1.ClusterManagerClient) -> None:
    cloud.gke.set_demand(GPU, 5)
    cloud.clock.advance(SCALE_UP_DELAY - SECOND)
    assert cloud.gke.size_of(GPU) == 4
    cloud.clock.advance(SECOND)
    assert cloud.gke.size_of(GPU) == 5
    cloud.gke.set_demand(GPU, 50)
    cloud.clock.advance(SCALE_UP_DELAY)
    assert cloud.gke.size_of(GPU) == 8
    # It is no caller's request, and no operation.
    assert list(gke.list_operations(parent="projects/demo-project/locations/-").operations) == []


def test_it_undoes_a_resize_to_zero(cloud: LocalCloud, gke: container_v1.ClusterManagerClient) -> None:
    cloud.gke.set_demand(GPU, 3)
    resize(gke, 0)
    assert cloud.gke.size_of(GPU) == 0
    cloud.clock.advance(SCALE_UP_DELAY)
    assert cloud.gke.size_of(GPU) == 3


def test_it_scales_down_what_is_not_needed_for_ten_minutes(cloud: LocalCloud) -> None:
    cloud.gke.set_demand(GPU, 1)
    cloud.clock.advance(SCALE_DOWN_DELAY - SECOND)
    assert cloud.gke.size_of(GPU) == 4
    cloud.clock.advance(SECOND)
    assert cloud.gke.size_of(GPU) == 1


@pytest.mark.parametrize("meanwhile", [4, None])
def test_a_demand_that_comes_back_begins_the_ten_minutes_anew(cloud: LocalCloud, meanwhile: int | None) -> None:
    cloud.gke.set_demand(GPU, 1)
    cloud.clock.advance(9 * MINUTE)
    cloud.gke.set_demand(GPU, meanwhile)
    cloud.clock.advance(SECOND)
    cloud.gke.set_demand(GPU, 1)
    cloud.clock.advance(9 * MINUTE)
    assert cloud.gke.size_of(GPU) == 4
    cloud.clock.advance(MINUTE)
    assert cloud.gke.size_of(GPU) == 1


def test_it_leaves_the_minimum(cloud: LocalCloud, gke: container_v1.ClusterManagerClient) -> None:
    autoscale(gke, enabled=True, min_node_count=1, max_node_count=4)
    cloud.gke.set_demand(GPU, 0)
    cloud.clock.advance(timedelta(hours=1))
    assert cloud.gke.size_of(GPU) == 2
    autoscale(gke, enabled=True, max_node_count=4)
    cloud.clock.advance(SCALE_DOWN_DELAY)
    assert cloud.gke.size_of(GPU) == 0


def test_bounds_alone_scale_nothing(cloud: LocalCloud, gke: container_v1.ClusterManagerClient) -> None:
    cloud.gke.set_demand(GPU, 4)
    autoscale(gke, enabled=True, min_node_count=3, max_node_count=4)
    cloud.clock.advance(timedelta(hours=1))
    assert cloud.gke.size_of(GPU) == 4
    autoscale(gke, enabled=True, max_node_count=1)
    cloud.clock.advance(timedelta(hours=1))
    assert cloud.gke.size_of(GPU) == 4


def test_once_disabled_it_does_nothing(cloud: LocalCloud, gke: container_v1.ClusterManagerClient) -> None:
    cloud.gke.set_demand(GPU, 8)
    autoscale(gke, enabled=False)
    cloud.clock.advance(timedelta(hours=1))
    assert cloud.gke.size_of(GPU) == 4
    autoscale(gke, enabled=True, max_node_count=3)
    cloud.clock.advance(SCALE_UP_DELAY)
    assert cloud.gke.size_of(GPU) == 6


def test_it_waits_while_an_operation_runs(cloud: LocalCloud, gke: container_v1.ClusterManagerClient) -> None:
    cloud.gke.operation_delay = 5 * MINUTE
    gke.set_node_pool_size(request={"name": f"{CLUSTER}/nodePools/default", "node_count": 2}, retry=None)
    cloud.gke.set_demand(GPU, 6)
    cloud.clock.advance(5 * MINUTE - SECOND)
    assert cloud.gke.size_of(GPU) == 4
    cloud.clock.advance(SCALE_UP_DELAY)
    assert cloud.gke.size_of(GPU) == 6


def test_its_nodes_do_not_come_in_a_stock_out(cloud: LocalCloud, gke: container_v1.ClusterManagerClient) -> None:
    cloud.gke.stock_out("europe-west4-a")
    cloud.gke.set_demand(GPU, 8)
    cloud.clock.advance(timedelta(hours=1))
    assert cloud.gke.size_of(GPU) == 6
    assert gke.get_node_pool(name=GPU).status == container_v1.NodePool.Status.RUNNING
    cloud.gke.end_stock_out("europe-west4-a")
    assert cloud.gke.size_of(GPU) == 8


def test_a_node_pool_that_is_deleted_is_left_alone(cloud: LocalCloud, gke: container_v1.ClusterManagerClient) -> None:
    cloud.gke.set_demand(GPU, 8)
    gke.delete_node_pool(name=GPU, retry=None)
    cloud.clock.advance(timedelta(hours=1))
    assert [pool.name for pool in gke.list_node_pools(parent=CLUSTER).node_pools] == ["default"]


@pytest.mark.parametrize(
    ("sizes", "demand", "bounds", "expected"),
    [
        ([0, 0, 0], 4, {"max_node_count": 4}, [2, 1, 1]),
        ([3, 0, 0], 5, {"max_node_count": 4}, [3, 1, 1]),
        ([0, 0, 0], 4, {"max_node_count": 3, "location_policy": "ANY"}, [3, 1, 0]),
        ([0, 0, 0], 9, {"max_node_count": 2}, [2, 2, 2]),
        ([5, 0, 0], 9, {"max_node_count": 2}, [5, 2, 2]),
        ([0, 0, 0], 9, {"total_max_node_count": 5}, [2, 2, 1]),
        ([0, 0, 0], 9, {"total_max_node_count": 5, "location_policy": "ANY"}, [5, 0, 0]),
        ([2, 2, 2], 9, {"total_max_node_count": 5}, [2, 2, 2]),
        # It adds what is needed, not up to the minimum.
        ([0, 0, 0], 1, {"min_node_count": 1, "max_node_count": 4}, [1, 0, 0]),
        ([3, 1, 1], 3, {"max_node_count": 4}, [1, 1, 1]),
        ([2, 2, 2], 3, {"max_node_count": 4, "location_policy": "ANY"}, [2, 1, 0]),
        ([3, 3, 0], 0, {"min_node_count": 1, "max_node_count": 4}, [1, 1, 0]),
        ([3, 3, 3], 0, {"total_min_node_count": 2, "total_max_node_count": 9}, [1, 1, 0]),
        ([1, 0, 0], 0, {"total_min_node_count": 2, "total_max_node_count": 9}, [1, 0, 0]),
        ([2, 2, 2], 6, {"min_node_count": 3, "max_node_count": 4}, [2, 2, 2]),
    ],
)
def test_how_nodes_are_spread_over_zones(
    sizes: list[int], demand: int, bounds: dict[str, object], expected: list[int]
) -> None:
    assert scaled(sizes, demand, container_v1.NodePoolAutoscaling(enabled=True, **bounds)) == expected
