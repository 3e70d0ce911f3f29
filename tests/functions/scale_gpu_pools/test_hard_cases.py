"""Cases in which a pool could end in a wrong state, or a report could be wrong."""

from datetime import timedelta

import pytest
from google.cloud.container_v1 import ClusterManagerClient
from google.cloud.run_v2 import Service, ServiceScaling, ServicesClient

from functions.scale_gpu_pools.settings import Settings
from shared.settings import Mode
from tests.functions.scale_gpu_pools.stage import CLUSTER, GPU, QUEUE, Stage, a_pool, settings_of

pytestmark = pytest.mark.one_python

NIGHT, TO_MORNING, TO_EVENING = 6 * 60, 14 * 60, 10 * 60
SERVICE = "projects/my-product/locations/europe-west4/services/images"
UNDELIVERED = "pubsub.googleapis.com/subscription/num_undelivered_messages"


def a_world(**pool: object) -> dict[str, object]:
    """A world with the node pool ``gpu``, so made."""
    clusters = {"training": {"node_pools": {"gpu": pool}}}
    return {"projects": {"my-product": {"location": "europe-west4", "clusters": clusters}}}


def autoscaled(**bounds: object) -> dict[str, object]:
    """A node pool with one node that may be scaled to zero."""
    return {"node_count": 1, "autoscaling": {"min_node_count": 0, "max_node_count": 4, **bounds}}


def images() -> Settings:
    """A service of Cloud Run."""
    place = {"project": "my-product", "region": "europe-west4", "name": "images"}
    pool = a_pool(service=place)
    del pool["node_pool"]
    return settings_of(images=pool)


def a_service(**scaling: object) -> dict[str, object]:
    """A world with that service."""
    return {"projects": {"my-product": {"location": "europe-west4", "services": {"images": {"scaling": scaling}}}}}


def backlog(stage: Stage, messages: int | None) -> None:
    """So many messages wait from now on."""
    stage.cloud.monitoring.set_value(
        "my-product",
        UNDELIVERED,
        messages,
        resource_type="pubsub_subscription",
        resource_labels={"subscription_id": "jobs"},
    )


def set_autoscaling(stage: Stage, **autoscaling: object) -> None:
    """A person sets the pool's autoscaling."""
    stage.people.of(ClusterManagerClient).set_node_pool_autoscaling(request={"name": GPU, "autoscaling": autoscaling})


def test_what_the_autoscaler_takes_away_and_brings_later_is_no_stock_out() -> None:
    with Stage(world=a_world(**autoscaled())) as stage:
        stage.tick(NIGHT)
        stage.tick(TO_MORNING)
        stage.tick()
        stage.cloud.gke.set_demand(GPU, 0)
        for _ in range(6):
            assert not stage.tick(15).alerts
        assert stage.gpu[0] == 0
        stage.cloud.gke.stock_out("europe-west4-b")
        stage.cloud.gke.set_demand(GPU, 1)
        assert not stage.tick().alerts


def test_a_service_that_is_deployed_is_no_stock_out() -> None:
    with Stage(images(), world=a_service(min_instance_count=2)) as stage:
        stage.tick(NIGHT)
        stage.tick(TO_MORNING)
        stage.tick()
        stage.cloud.run.operation_delay = timedelta(minutes=3)
        changed = Service(name=SERVICE, labels={"tier": "web"})
        stage.people.of(ServicesClient).update_service(
            request={"service": changed, "update_mask": {"paths": ["labels"]}}
        )
        assert not stage.tick(1).alerts
        assert not stage.tick(60).alerts


def test_nodes_that_never_came_are_asked_for_again_though_the_autoscaler_gave_up() -> None:
    with Stage(settings_of(gpu=a_pool(size=2)), world=a_world(**autoscaled())) as stage:
        stage.tick(NIGHT)
        stage.cloud.gke.stock_out("europe-west4-b")
        stage.tick(TO_MORNING)
        for _ in range(4):
            stage.tick()
        stage.cloud.gke.set_demand(GPU, 0)
        stage.cloud.clock.advance(timedelta(minutes=15))
        (alert,) = stage.tick().alerts
        assert alert.kind == "stock_out"
        assert "SetNodePoolSize" in stage.mutating


@pytest.mark.parametrize("location", ["europe-west4", "europe-west4-a"])
def test_what_is_in_flight_is_seen_in_zonal_clusters_too(location: str) -> None:
    clusters = {f"{location}/training": {"node_pools": {"gpu": autoscaled()}}}
    place = {"project": "my-product", "location": location, "cluster": "training", "name": "gpu"}
    world = {"projects": {"my-product": {"clusters": clusters}}}
    with Stage(settings_of(gpu=a_pool(node_pool=place)), world=world) as stage:
        stage.cloud.gke.operation_delay = timedelta(minutes=30)
        assert "UPDATE_CLUSTER has been in flight" in str(stage.tick(NIGHT).waiting)
        stage.tick()
        assert not stage.mutating


def test_a_pool_whose_bounds_a_person_set_at_night_goes_to_zero_the_next_evening() -> None:
    with Stage() as stage:
        stage.tick(NIGHT)
        set_autoscaling(stage, enabled=True, max_node_count=7)
        stage.tick()
        stage.tick(TO_MORNING)
        assert not stage.tick().notices
        assert stage.gpu == (4, "0..7")
        stage.tick(TO_EVENING)
        assert stage.gpu == (0, "off")


@pytest.mark.parametrize("minutes", [0, 2, 30])
def test_who_asks_for_a_pool_that_somebody_took_to_zero_is_heard(minutes: int) -> None:
    with Stage() as stage:
        set_autoscaling(stage, enabled=False)
        stage.tick()
        stage.resize_by_hand(0)
        stage.command(minutes, type="awake", until="2026-11-16T17:00:00Z")
        assert stage.gpu[0] > 0


def test_the_autoscalers_last_move_is_not_taken_for_a_persons() -> None:
    with Stage() as stage:
        stage.tick()
        stage.cloud.gke.operation_delay = timedelta(minutes=3)
        stage.tick(NIGHT)
        stage.cloud.clock.advance(timedelta(minutes=4))
        stage.cloud.gke.operation_delay = timedelta(0)
        stage.resize_by_hand(3)
        assert not stage.tick().notices
        assert stage.gpu == (0, "off")


def test_the_saved_original_is_not_what_somebodys_bounds_made_of_it() -> None:
    with Stage(settings_of(gpu=a_pool(on_drift="enforce"))) as stage:
        stage.tick(NIGHT)
        set_autoscaling(stage, enabled=True, max_node_count=9)
        stage.cloud.gke.set_demand(GPU, 18)
        stage.cloud.clock.advance(timedelta(minutes=2))
        stage.tick()
        stage.cloud.gke.set_demand(GPU, None)
        stage.tick(TO_MORNING)
        stage.tick()
        assert stage.gpu == (4, "1..4")


def test_bounds_on_all_zones_together_are_kept_and_savings_count_the_nodes_there_were() -> None:
    zones = [f"europe-west4-{zone}" for zone in "abc"]
    autoscaling = {"total_min_node_count": 1, "total_max_node_count": 3, "location_policy": "ANY"}
    with Stage(world=a_world(locations=zones, node_count=1, autoscaling=autoscaling)) as stage:
        stage.cloud.gke.set_demand(GPU, 1)
        stage.tick(60)
        assert stage.cloud.gke.size_of(GPU) == 1
        stage.tick(5 * 60)
        stage.tick(60)
        status = stage.command(type="status").status
        assert "saved on 2026-11-16: gpu 2.00 USD" in status  # an hour of one node
        stage.cloud.gke.set_demand(GPU, None)
        stage.tick(13 * 60)
        stage.tick()
        assert stage.cloud.gke.size_of(GPU) <= 3


def test_a_pool_that_its_autoscaler_had_at_zero_saves_nothing_and_comes_back_as_small() -> None:
    with Stage(settings_of(gpu=a_pool(size=4)), world=a_world(**(autoscaled() | {"node_count": 0}))) as stage:
        stage.tick(NIGHT)
        assert stage.gpu == (0, "off")
        assert not any("saved" in line for line in stage.command(60, type="status").status)
        stage.tick(TO_MORNING)
        assert stage.gpu == (0, "0..4")


def test_work_that_waits_asks_an_autoscaled_pool_once_an_hour() -> None:
    pool = a_pool(wake=[QUEUE])
    with Stage(settings_of(gpu=pool), world=a_world(**autoscaled())) as stage:
        stage.cloud.gke.set_demand(GPU, 0)
        stage.tick(20)
        backlog(stage, 40)
        asked = 0
        for _ in range(24):
            stage.tick()
            asked += stage.mutating == ["SetNodePoolSize"]
        assert asked == 2


def test_several_pools_of_a_cluster_get_their_nodes_before_any_gets_its_bounds_back() -> None:
    node_pools = {name: autoscaled() for name in "abc"}
    world = {
        "projects": {"my-product": {"location": "europe-west4", "clusters": {"training": {"node_pools": node_pools}}}}
    }
    place = {"project": "my-product", "location": "europe-west4", "cluster": "training"}
    settings = settings_of(**{name: a_pool(node_pool={**place, "name": name}) for name in "abc"})
    with Stage(settings, world=world) as stage:
        stage.tick(NIGHT)
        stage.cloud.gke.operation_delay = timedelta(minutes=1)
        for minutes in (TO_MORNING, 5, 5):
            stage.tick(minutes)
            assert stage.mutating == ["SetNodePoolSize"]
        stage.cloud.clock.advance(timedelta(minutes=2))
        assert all(stage.cloud.gke.size_of(f"{CLUSTER}/nodePools/{name}") == 1 for name in "abc")


def test_a_signal_without_data_that_keeps_a_pool_on_is_an_alert_after_an_hour() -> None:
    with Stage(settings_of(gpu=a_pool(wake=[QUEUE]))) as stage:
        stage.tick()
        for _ in range(5):
            assert not stage.tick(NIGHT / 5 + 10).alerts or stage.cloud.clock.now().hour >= 18
        stage.tick(30)
        (alert,) = stage.tick(40).alerts
        assert alert.kind == "no_data"
        assert "no data in 10 minutes" in alert.reason
        backlog(stage, 0)
        assert not stage.tick(15).alerts


def test_a_service_whose_scaling_mode_somebody_changes_keeps_its_original() -> None:
    with Stage(images(), world=a_service(min_instance_count=2)) as stage:
        services = stage.people.of(ServicesClient)
        stage.tick(NIGHT)
        for mode, count in ((ServiceScaling.ScalingMode.MANUAL, 1), (ServiceScaling.ScalingMode.AUTOMATIC, None)):
            scaling = ServiceScaling(scaling_mode=mode, manual_instance_count=count)
            mask = {"paths": ["scaling.scaling_mode", "scaling.manual_instance_count"]}
            services.update_service(request={"service": Service(name=SERVICE, scaling=scaling), "update_mask": mask})
            report = stage.tick()
            assert [alert.kind for alert in report.alerts] == ["scaling_mode_changed"] * (count == 1)
        stage.tick(TO_MORNING)
        assert services.get_service(name=SERVICE).scaling.min_instance_count == 2


def test_observing_what_was_saved_does_not_change_the_plan_again_and_again() -> None:
    with Stage() as stage:
        stage.tick(NIGHT)
        stage.mode = Mode.OBSERVE
        assert stage.tick(TO_MORNING).plan_changed
        assert not stage.tick().plan_changed


def test_an_idle_pool_rests_on_when_a_restriction_is_lifted() -> None:
    idle = {"for_minutes": 30, "signals": [QUEUE]}
    with Stage(settings_of(gpu=a_pool(idle=idle))) as stage:
        backlog(stage, 0)
        stage.tick(45)
        stage.tick()
        assert stage.gpu == (0, "off")
        stage.restrict(because="monthly/actual@1")
        stage.tick()
        stage.restrict(because=None)
        stage.tick()
        assert stage.gpu == (0, "off")


def test_taking_back_an_old_command_leaves_what_somebody_has_resized() -> None:
    with Stage() as stage:
        stage.tick(NIGHT)
        stage.resize_by_hand(3)
        stage.tick()
        stage.command(5, type="awake", until="2026-11-16T12:00:00Z")
        assert stage.gpu == (6, "off")
