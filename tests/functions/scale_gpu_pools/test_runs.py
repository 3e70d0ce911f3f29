"""Runs of `scale_gpu_pools` on a node pool of the local cloud: to zero, and back as it was."""

from datetime import timedelta

import grpc
import pytest
from google.cloud.container_v1 import ClusterManagerClient

from shared.errors import RunFailed
from shared.report import Outcome, severity
from shared.settings import Mode
from tests.functions.scale_gpu_pools.stage import CLUSTER, GPU, HOURS, Stage, a_pool, settings_of

READS = ["BatchGetDocuments", "ListNodePools", "instanceGroupManagers"]
ON, ZERO = (4, "1..4"), (0, "off")
NIGHT = 6 * 60
"""Minutes from noon, into the evening."""
TO_MORNING = 14 * 60
"""Minutes from there, into the next day's hours."""


def test_a_pool_goes_to_zero_when_its_hours_end_and_comes_back_as_it_was() -> None:
    with Stage() as stage:
        stage.tick()
        assert stage.gpu == ON
        stage.tick(NIGHT)
        assert stage.mutating == ["SetNodePoolAutoscaling", "SetNodePoolSize"]
        assert stage.gpu == ZERO
        stage.tick(TO_MORNING)
        assert stage.mutating == ["SetNodePoolSize", "SetNodePoolAutoscaling"]
        assert stage.gpu == ON
        assert not stage.records.holds


def test_a_tick_on_which_nothing_changes_makes_one_state_read_one_list_a_cluster_and_one_of_the_groups() -> None:
    with Stage() as stage:
        stage.tick()
        stage.tick()
        assert stage.calls == READS
        stage.tick(NIGHT)
        stage.tick()
        assert stage.calls == READS


@pytest.mark.parametrize("autoscaling", [
    {"enabled": True, "total_min_node_count": 1, "total_max_node_count": 6, "location_policy": "ANY"},
    {"enabled": True, "min_node_count": 0, "max_node_count": 9, "location_policy": "BALANCED"},
    {"enabled": False},
])  # fmt: skip
def test_the_whole_autoscaling_comes_back(autoscaling: dict[str, object]) -> None:
    world = {
        "projects": {
            "my-product": {
                "location": "europe-west4",
                "clusters": {"training": {"node_pools": {"gpu": {"node_count": 2, "autoscaling": autoscaling}}}},
            }
        }
    }
    with Stage(world=world) as stage:
        containers = stage.people.of(ClusterManagerClient)
        before = containers.get_node_pool(request={"name": GPU})
        stage.tick(NIGHT)
        assert not containers.get_node_pool(request={"name": GPU}).autoscaling.enabled
        stage.tick(TO_MORNING)
        assert containers.get_node_pool(request={"name": GPU}).autoscaling == before.autoscaling
        assert stage.cloud.gke.size_of(GPU) == 2


def test_the_autoscaler_does_not_undo_what_it_would_undo() -> None:
    with Stage() as stage:
        stage.cloud.gke.set_demand(GPU, 3)
        stage.tick(NIGHT)
        stage.tick(60)
        assert stage.gpu == ZERO
        stage.tick(TO_MORNING)
        assert stage.gpu[1] == "1..4"
        assert stage.gpu[0] >= 3


def test_a_size_that_the_autoscaler_moved_on_the_way_is_the_one_that_comes_back() -> None:
    with Stage() as stage:
        stage.cloud.gke.operation_delay = timedelta(minutes=3)
        stage.tick()
        stage.cloud.gke.set_demand(GPU, 8)
        stage.tick(NIGHT)
        for _ in range(3):
            stage.tick()
        assert stage.gpu == ZERO
        hold = stage.records.holds[GPU]
        assert hold.fields["node_count"].original == 4  # in each of two zones


@pytest.mark.parametrize("minutes", [1, 3, 4.9])
def test_what_is_in_flight_is_waited_for_over_later_ticks(minutes: float) -> None:
    with Stage() as stage:
        stage.tick()
        stage.cloud.gke.operation_delay = timedelta(minutes=minutes)
        report = stage.tick(NIGHT)
        assert stage.mutating == ["SetNodePoolAutoscaling"]
        assert "UPDATE_CLUSTER has been in flight" in report.waiting[0]
        stage.tick(minutes / 2)
        assert not stage.mutating
        stage.tick()
        assert stage.mutating == ["SetNodePoolSize"]
        stage.tick()
        assert stage.gpu == ZERO


def test_two_ticks_are_enough_to_wake() -> None:
    with Stage() as stage:
        stage.cloud.gke.operation_delay = timedelta(minutes=3)
        stage.tick(NIGHT)
        stage.tick()
        stage.tick()
        stage.tick(TO_MORNING)
        assert stage.mutating == ["SetNodePoolSize"]
        stage.tick()
        assert stage.mutating == ["SetNodePoolAutoscaling"]
        stage.cloud.clock.advance(timedelta(minutes=3))
        assert stage.gpu == ON


def test_two_pools_of_one_cluster_take_turns() -> None:
    pools = settings_of(gpu=a_pool(), cpu=a_pool(node_pool=dict(a_pool()["node_pool"], name="cpu")))  # type: ignore[call-overload]
    with Stage(pools) as stage:
        stage.cloud.gke.operation_delay = timedelta(minutes=3)
        report = stage.tick(NIGHT)
        assert len(stage.mutating) == 1
        assert "in flight" in report.waiting[0]
        for _ in range(4):
            stage.tick()
            assert len(stage.mutating) <= 1
        assert stage.gpu == ZERO
        assert stage.cloud.gke.size_of(f"{CLUSTER}/nodePools/cpu") == 0


def test_an_operation_that_begins_just_before_ours_is_waited_for_and_is_no_failure() -> None:
    with Stage() as stage:
        stage.tick()
        message = "Cluster is running incompatible operation operation-1."
        stage.cloud.server.fail("SetNodePoolAutoscaling", grpc.StatusCode.FAILED_PRECONDITION, message=message)
        report = stage.tick(NIGHT)
        assert (report.outcome, report.changes[0].outcome) == (Outcome.WAITING, Outcome.WAITING)
        stage.tick()
        assert stage.gpu == ZERO


def test_another_failed_precondition_is_a_failure() -> None:
    with Stage() as stage:
        stage.cloud.server.fail("SetNodePoolAutoscaling", grpc.StatusCode.FAILED_PRECONDITION, message="no")
        with pytest.raises(RunFailed):
            stage.tick(NIGHT)


def test_a_pool_that_does_not_exist_is_reported_and_skipped() -> None:
    node_pool = {"project": "my-product", "location": "europe-west4", "cluster": "training", "name": "gone"}
    elsewhere = node_pool | {"cluster": "nowhere"}
    settings = settings_of(gpu=a_pool(), gone=a_pool(node_pool=node_pool), lost=a_pool(node_pool=elsewhere))
    with Stage(settings) as stage:
        report = stage.tick(NIGHT)
        assert stage.gpu == ZERO
        assert {notice.partition(" is skipped")[0] for notice in report.notices} == {"gone", "lost"}


def test_a_pool_that_is_deleted_while_it_is_held_is_forgotten() -> None:
    with Stage() as stage:
        stage.tick(NIGHT)
        stage.people.of(ClusterManagerClient).delete_node_pool(request={"name": GPU})
        stage.tick()
        assert not stage.records.holds
        assert not stage.records.pools


def test_a_pool_that_is_taken_out_of_the_settings_is_given_back_and_forgotten() -> None:
    with Stage() as stage:
        stage.tick(NIGHT)
        stage.settings = settings_of()
        stage.tick()
        assert stage.gpu == ON
        stage.tick()
        assert not stage.records.holds
        assert not stage.records.pools


def test_observing_says_what_it_would_do_and_does_nothing() -> None:
    with Stage() as stage:
        stage.mode = Mode.OBSERVE
        report = stage.tick(NIGHT)
        assert [change.kind for change in report.changes] == ["SetAutoscaling"]
        assert (report.outcome, report.plan_changed) == (Outcome.OBSERVED, True)
        assert not stage.mutating
        assert not stage.tick().plan_changed


def test_a_stock_out_is_an_alert_with_googles_reason_until_there_are_nodes() -> None:
    with Stage() as stage:
        stage.cloud.gke.operation_delay = timedelta(minutes=2)
        for minutes in (NIGHT, 5, 5):
            stage.tick(minutes)
        zones = ("europe-west4-a", "europe-west4-b")
        for zone in zones:
            stage.cloud.gke.stock_out(zone)
        assert not stage.tick(TO_MORNING).alerts
        assert not any(stage.tick().alerts for _ in range(3))
        report = stage.tick()
        (alert,) = report.alerts
        assert (alert.kind, alert.subject, severity(report)) == ("stock_out", GPU, "ERROR")
        assert "ZONE_RESOURCE_POOL_EXHAUSTED" in alert.reason
        assert stage.tick().alerts
        for zone in zones:
            stage.cloud.gke.end_stock_out(zone)
        stage.tick()
        assert not stage.tick().alerts
        assert stage.gpu == ON


def test_a_pool_without_hours_is_on_but_for_restrictions() -> None:
    pool = a_pool()
    del pool["hours"]
    with Stage(settings_of(gpu=pool)) as stage:
        stage.tick(NIGHT)
        assert stage.gpu == ON
        stage.restrict(because="monthly/actual@1")
        report = stage.push({"type": "restrictions_changed"})
        assert stage.gpu == ZERO
        assert report.changes[0].reason == ("the spending restriction gpu_pools_off is in force, by monthly/actual@1")
        stage.command(type="awake", until="2026-11-20T00:00:00Z")
        assert stage.gpu == ZERO
        stage.restrict(because=None)
        stage.tick()
        assert stage.gpu == ON


def test_an_override_expires_by_itself() -> None:
    with Stage() as stage:
        stage.tick(NIGHT)
        stage.command(type="awake", until="2026-11-16T19:00:00Z")
        assert stage.gpu == ON
        stage.tick(60)
        assert stage.gpu == ZERO


def test_a_pool_at_zero_that_nothing_is_remembered_of_comes_to_the_size_of_the_settings() -> None:
    world = {
        "projects": {
            "my-product": {
                "location": "europe-west4",
                "clusters": {"training": {"node_pools": {"gpu": {"node_count": 0}}}},
            }
        }
    }
    with Stage(settings_of(gpu=a_pool(size=3, hours=HOURS)), world=world) as stage:
        stage.tick()
        assert stage.gpu == (3, "off")
