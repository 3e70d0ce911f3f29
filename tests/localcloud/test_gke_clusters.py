"""Clusters and node pools of the local cloud that are created and changed, as recorded answers of GKE show it.

Recorded values: real traffic of August 2025 and logs of 2026, in GoogleCloudPlatform/k8s-config-connector.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from google.api_core import exceptions
from google.cloud import container_v1

from localcloud import LocalCloud
from shared.clients import Clients

pytestmark = pytest.mark.one_python

LOCATION = "projects/demo-project/locations/us-central1-a"
CLUSTER = f"{LOCATION}/clusters/training"
GPU = f"{CLUSTER}/nodePools/gpu"
MINUTE = timedelta(minutes=1)
ClusterStatus = container_v1.Cluster.Status
Pool = container_v1.NodePool.Status
Status = container_v1.Operation.Status
Type = container_v1.Operation.Type
SURGE = container_v1.NodePoolUpdateStrategy.SURGE
TAGS = {"tags": ["a"]}
SCOPES = ["devstorage.read_only", "logging.write", "monitoring", "service.management.readonly", "servicecontrol"]


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=datetime(2026, 11, 1, tzinfo=UTC)) as cloud:
        cloud.gke.operation_delay = MINUTE
        yield cloud


@pytest.fixture
def gke(cloud: LocalCloud) -> container_v1.ClusterManagerClient:
    return Clients("demo-project", endpoint=cloud.address).of(container_v1.ClusterManagerClient)


def create(cloud: LocalCloud, gke: container_v1.ClusterManagerClient, **fields: object) -> container_v1.Cluster:
    """A cluster that is ready."""
    gke.create_cluster(request={"parent": LOCATION, "cluster": {"name": "training", **fields}}, retry=None)
    cloud.clock.advance(MINUTE)
    return gke.get_cluster(name=CLUSTER)


def test_a_cluster_comes_with_a_node_pool(cloud: LocalCloud, gke: container_v1.ClusterManagerClient) -> None:
    operation = gke.create_cluster(request={"parent": LOCATION, "cluster": {"name": "training"}}, retry=None)
    assert (operation.operation_type, operation.status, operation.zone, operation.location) == (
        *(Type.CREATE_CLUSTER, Status.RUNNING),
        *("us-central1-a", ""),
    )
    created = gke.get_cluster(name=CLUSTER)
    assert (created.status, created.current_node_count) == (ClusterStatus.PROVISIONING, 0)
    cloud.clock.advance(MINUTE)
    done = gke.get_operation(name=f"{LOCATION}/operations/{operation.name}")
    assert {one.name: one.int_value for one in done.progress.metrics} == {
        "CLUSTER_CONFIGURING": 8,
        "CLUSTER_CONFIGURING_TOTAL": 8,
        "CLUSTER_DEPLOYING": 12,
        "CLUSTER_DEPLOYING_TOTAL": 12,
        "CLUSTER_HEALTHCHECKING": 1,
        "CLUSTER_HEALTHCHECKING_TOTAL": 2,
    }
    cluster = gke.get_cluster(name=CLUSTER)
    assert (cluster.status, cluster.current_node_count, cluster.zone) == (ClusterStatus.RUNNING, 1, "us-central1-a")
    (pool,) = cluster.node_pools
    zonal = "https://container.googleapis.com/v1/projects/demo-project/zones/us-central1-a/clusters/training"
    assert (cluster.self_link, pool.self_link) == (zonal, f"{zonal}/nodePools/default-pool")
    assert "autoscaling" not in pool
    config = pool.config
    assert [scope.rpartition("/")[2] for scope in config.oauth_scopes] == [*SCOPES, "trace.append"]
    assert (config.machine_type, config.disk_type, config.disk_size_gb, config.image_type, config.service_account) == (
        *("e2-medium", "pd-balanced", 100),
        *("COS_CONTAINERD", "default"),
    )
    assert (pool.management.auto_upgrade, pool.management.auto_repair, pool.upgrade_settings.max_surge) == (
        True,
        True,
        1,
    )
    assert (pool.max_pods_constraint.max_pods_per_node, pool.pod_ipv4_cidr_size) == (110, 24)
    assert pool.version == cluster.current_node_version


def test_a_regional_cluster_has_three_zones(cloud: LocalCloud, gke: container_v1.ClusterManagerClient) -> None:
    parent = "projects/demo-project/locations/europe-west1"
    gke.create_cluster(request={"parent": parent, "cluster": {"name": "wide", "initial_node_count": 2}}, retry=None)
    cloud.clock.advance(MINUTE)
    cluster = gke.get_cluster(name=f"{parent}/clusters/wide")
    assert list(cluster.locations) == [f"europe-west1-{zone}" for zone in "dbc"]
    assert cluster.current_node_count == 6


def test_nodes_are_filled_in_by_their_disks_and_confidentiality(
    cloud: LocalCloud, gke: container_v1.ClusterManagerClient
) -> None:
    ssd = {"ephemeral_storage_local_ssd_config": {"local_ssd_count": 2}}
    config = create(cloud, gke, node_config={"confidential_nodes": {"enabled": True}, **ssd}).node_pools[0].config
    assert config.kubelet_config.max_parallel_image_pulls == 3
    assert config.confidential_nodes.confidential_instance_type.name == "SEV"


def test_node_pools_are_created_changed_and_deleted(cloud: LocalCloud, gke: container_v1.ClusterManagerClient) -> None:
    create(cloud, gke)
    pool = {"name": "gpu", "initial_node_count": 2, "config": {"machine_type": "g2-standard-8"}}
    operation = gke.create_node_pool(request={"parent": CLUSTER, "node_pool": pool}, retry=None)
    assert (operation.operation_type, operation.status) == (Type.CREATE_NODE_POOL, Status.PENDING)
    assert gke.get_node_pool(name=GPU).status == Pool.PROVISIONING
    with pytest.raises(exceptions.FailedPrecondition, match="incompatible operation"):
        gke.delete_cluster(name=CLUSTER, retry=None)
    cloud.clock.advance(MINUTE)
    created = gke.get_node_pool(name=GPU)
    assert (created.status, cloud.gke.size_of(GPU)) == (Pool.RUNNING, 2)

    taint = {"key": "only", "value": "gpu", "effect": "NO_SCHEDULE"}
    change = {"name": GPU, "taints": {"taints": [taint]}, "labels": {"labels": {"a": "b"}}, "etag": created.etag}
    operation = gke.update_node_pool(request=change, retry=None)
    assert (operation.operation_type, operation.status) == (Type.UPGRADE_NODES, Status.PENDING)
    cloud.clock.advance(MINUTE)
    done = gke.get_operation(name=f"{LOCATION}/operations/{operation.name}")
    assert {one.name: one.int_value for one in done.progress.metrics} == {
        **dict.fromkeys(("NODES_TOTAL", "NODES_COMPLETE", "NODES_DONE"), 2),
        **dict.fromkeys(("NODES_FAILED", "NODE_PDB_DELAY_SECONDS"), 0),
    }
    changed = gke.get_node_pool(name=GPU)
    assert ([one.key for one in changed.config.taints], dict(changed.config.labels)) == (["only"], {"a": "b"})
    assert changed.config.machine_type == "g2-standard-8"
    assert changed.etag != created.etag
    with pytest.raises(exceptions.Aborted, match="does not match"):
        gke.update_node_pool(request=change, retry=None)

    operation = gke.delete_cluster(name=CLUSTER, retry=None)
    assert (operation.operation_type, operation.status) == (Type.DELETE_CLUSTER, Status.RUNNING)
    assert gke.get_cluster(name=CLUSTER).status == ClusterStatus.STOPPING
    cloud.clock.advance(MINUTE)
    with pytest.raises(
        exceptions.NotFound, match="Not found: projects/demo-project/zones/us-central1-a/clusters/train"
    ):
        gke.get_cluster(name=CLUSTER)


@pytest.mark.parametrize(
    ("update", "path", "expected"),
    [
        ({"desired_logging_service": "none"}, "logging_service", "none"),
        ({"desired_locations": ["us-central1-a", "us-central1-b"]}, "locations", ["us-central1-a", "us-central1-b"]),
        ({"desired_cluster_autoscaling": {"autoscaling_profile": 1}}, "autoscaling.autoscaling_profile", 1),
        ({"desired_default_enable_private_nodes": True}, "network_config.default_enable_private_nodes", True),
        (
            {"desired_node_pool_auto_config_network_tags": {"tags": ["a"]}},
            "node_pool_auto_config.network_tags.tags",
            ["a"],
        ),
    ],
)
def test_a_cluster_is_updated(
    cloud: LocalCloud, gke: container_v1.ClusterManagerClient, update: dict[str, object], path: str, expected: object
) -> None:
    before = create(cloud, gke)
    operation = gke.update_cluster(request={"name": CLUSTER, "update": update}, retry=None)
    assert (operation.operation_type, operation.status) == (Type.UPDATE_CLUSTER, Status.RUNNING)
    cloud.clock.advance(MINUTE)
    after = gke.get_cluster(name=CLUSTER)
    found: object = after
    for name in path.split("."):
        found = getattr(found, name)
    assert (list(found) if isinstance(expected, list) else found) == expected  # type: ignore[call-overload]
    assert (after.status, after.etag != before.etag) == (ClusterStatus.RUNNING, True)


def test_labels_need_the_fingerprint_that_was_read(cloud: LocalCloud, gke: container_v1.ClusterManagerClient) -> None:
    before = create(cloud, gke, resource_labels={"team": "a"})
    request = {"name": CLUSTER, "resource_labels": {"team": "b"}, "label_fingerprint": before.label_fingerprint}
    gke.set_labels(request=request, retry=None)
    cloud.clock.advance(MINUTE)
    assert gke.get_cluster(name=CLUSTER).resource_labels == {"team": "b"}
    with pytest.raises(exceptions.FailedPrecondition, match="fingerprint"):
        gke.set_labels(request=request, retry=None)


def test_an_update_changes_the_autoscaling_of_a_node_pool(
    cloud: LocalCloud, gke: container_v1.ClusterManagerClient
) -> None:
    create(cloud, gke)
    update = {
        "desired_node_pool_id": "default-pool",
        "desired_node_pool_autoscaling": {"enabled": True, "max_node_count": 5},
    }
    operation = gke.update_cluster(request={"name": CLUSTER, "update": update}, retry=None)
    assert (operation.operation_type, operation.status) == (Type.UPDATE_CLUSTER, Status.PENDING)
    assert operation.target_link.endswith("/clusters/training/nodePools/default-pool")
    cloud.clock.advance(MINUTE)
    assert gke.get_cluster(name=CLUSTER).node_pools[0].autoscaling.max_node_count == 5


def test_what_is_not_modelled_is_refused_by_name(cloud: LocalCloud, gke: container_v1.ClusterManagerClient) -> None:
    create(cloud, gke)
    with pytest.raises(exceptions.MethodNotImplemented, match=r"ClusterUpdate\.desired_image_type"):
        gke.update_cluster(request={"name": CLUSTER, "update": {"desired_image_type": "x"}}, retry=None)
    with pytest.raises(exceptions.MethodNotImplemented, match="Autopilot"):
        gke.create_cluster(
            request={"parent": LOCATION, "cluster": {"name": "auto", "autopilot": {"enabled": True}}}, retry=None
        )
