"""Work is not broken off when hours end, and what Monitoring may have left out is no idleness."""

import json
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from localcloud.core.http import HttpRequest, Route
from localcloud.rest.transcoder import Transcoder
from shared.settings import Mode
from tests.functions.scale_gpu_pools.stage import HOURS, QUEUE, Stage, a_pool, settings_of
from tests.laws.probe import Probe

pytestmark = pytest.mark.one_python

DUTY: dict[str, object] = {
    "kind": "gpu_duty_cycle",
    "project": "my-product",
    "location": "europe-west4",
    "cluster": "training",
}
POOL = settings_of(gpu=a_pool(idle={"for_minutes": 30, "signals": [DUTY]}, wake=[QUEUE]))
UNDELIVERED = "pubsub.googleapis.com/subscription/num_undelivered_messages"
DUTY_CYCLE = "kubernetes.io/container/accelerator/duty_cycle"
TO_NINE = 9 * 60
IDLE_FOR = 30


def backlog(stage: Stage, messages: int) -> None:
    """So many messages wait from now on."""
    labels = {"subscription_id": "jobs"}
    stage.cloud.monitoring.set_value(
        "my-product", UNDELIVERED, messages, resource_type="pubsub_subscription", resource_labels=labels
    )


def duty(stage: Stage, percent: int | None) -> None:
    """The GPUs are so busy from now on; None if no container has one."""
    labels = {"location": "europe-west4", "cluster_name": "training"}
    stage.cloud.monitoring.set_value(
        "my-product", DUTY_CYCLE, percent, resource_type="k8s_container", resource_labels=labels
    )


def at_nine_in_the_evening(stage: Stage) -> None:
    """The pool is at zero, and a job comes."""
    backlog(stage, 0)
    duty(stage, 0)
    stage.tick(40)
    stage.tick(TO_NINE - 40)
    assert stage.gpu == (0, "off")
    duty(stage, None)
    backlog(stage, 1)


@pytest.mark.parametrize("comes", [True, False])
def test_work_that_shows_once_the_lease_is_taken_keeps_the_pool_on(comes: bool) -> None:  # noqa: FBT001
    class Work(Probe):
        """Work that begins to show after a run has found the pool idle, and before it sets its size."""

        def after(self, method: str) -> None:
            if comes and method.endswith("Commit"):
                duty(stage, 80)

    with Stage(POOL) as stage:
        backlog(stage, 0)
        duty(stage, 0)
        stage.advance(minutes=40)
        stage.deliver({"type": "tick", "every_seconds": 300}, probe=Work())
        assert ("SetNodePoolSize" in stage.mutating) == (not comes)
        assert (stage.gpu[0] > 0) == comes


def test_a_job_at_night_is_started_once_and_runs_to_its_end() -> None:
    with Stage(POOL) as stage:
        at_nine_in_the_evening(stage)
        changes: list[str] = []
        for minute in range(0, 4 * 60, 5):
            if minute == 10:  # it has been taken: the queue counts only what waits
                backlog(stage, 0)
                duty(stage, 80)
            if minute == 190:
                duty(stage, 0)
            stage.tick(5)
            changes += stage.mutating
            assert stage.gpu[0] or not 10 <= minute < 185 + IDLE_FOR, f"killed after {minute} minutes"
        assert stage.gpu == (0, "off")
        assert changes.count("SetNodePoolSize") == 2, changes


def test_without_data_at_night_it_stays_on_and_an_alert_follows_after_an_hour() -> None:
    with Stage(POOL) as stage:
        at_nine_in_the_evening(stage)
        stage.tick(5)
        backlog(stage, 0)
        duty(stage, None)
        alerts = [stage.tick(5).alerts for _ in range(30)]
        assert stage.gpu[0]
        assert [one.kind for one in alerts[-1]] == ["no_data"]
        assert "GPU duty cycle of training: no data in 30 minutes" in alerts[-1][0].reason
        assert not any(alerts[:15])


@pytest.mark.parametrize("hours", [HOURS, None])
def test_without_data_an_alert_follows_after_an_hour(hours: dict[str, object] | None) -> None:
    with Stage(
        settings_of(gpu=a_pool(idle={"for_minutes": 30, "signals": [DUTY]}, wake=[QUEUE], hours=hours))
    ) as stage:
        backlog(stage, 0)
        alerts = [stage.tick(5).alerts for _ in range(20)]
        assert [one.kind for one in alerts[-1]] == ["no_data"]
        assert not any(alerts[:12])


def leave_series_out(stage: Stage) -> None:
    stage.cloud.monitoring.execution_errors.append("a shard is away")


def zones_out_of_reach(stage: Stage) -> None:
    """Answer as before, but with a field of Google's JSON that its own client of today does not know."""
    rpcs = Transcoder(stage.cloud)

    def answer(request: HttpRequest) -> object:
        found = rpcs.answer(request)
        assert found
        return {**json.loads(found.body), "unreachable": ["europe-west4"]}

    stage.cloud.http.add_routes(
        Route("GET", re.compile(r"monitoring\.googleapis\.com/v3/projects/[^/]+/timeSeries"), answer)
    )


@pytest.mark.parametrize(
    ("trouble", "is_idle"), [(leave_series_out, False), (zones_out_of_reach, False), (lambda _: None, True)]
)
def test_series_that_may_be_missing_are_not_idle(trouble: Callable[[Stage], None], is_idle: bool) -> None:  # noqa: FBT001
    with Stage(POOL) as stage:
        backlog(stage, 0)
        duty(stage, 0)
        trouble(stage)
        stage.cloud.clock.advance(timedelta(minutes=40))
        for _ in range(4):
            stage.tick()
        assert (stage.gpu[0] == 0) == is_idle


def containers(stage: Stage, requested: int | None, pod: str = "trainer-1") -> None:
    """From now on a container of this pod requests GPUs; None if it has ended. Nodes report all the while."""
    place = {"location": "europe-west4", "cluster_name": "training"}
    for metric, value, resource, more in (
        ("container/accelerator/request", requested, "k8s_container", {"namespace_name": "ml", "pod_name": pod}),
        ("node/cpu/allocatable_cores", 8.0, "k8s_node", {"node_name": "cpu-1"}),
    ):
        stage.cloud.monitoring.set_value(
            "my-product", f"kubernetes.io/{metric}", value, resource_type=resource, resource_labels=place | more
        )


@pytest.mark.parametrize(("requested", "is_zero"), [(None, True), (1, False)])
def test_without_a_container_that_wants_gpus_a_pool_is_idle_and_without_data_it_is_not(
    requested: int | None,
    is_zero: bool,  # noqa: FBT001
) -> None:
    with Stage(POOL) as stage:
        backlog(stage, 0)
        containers(stage, 1)
        containers(stage, requested)
        reports = [stage.tick() for _ in range(9)]
        assert (stage.gpu[0] == 0) == is_zero
        assert ("no container has had a GPU" in str(reports)) == is_zero


def test_a_pool_is_idle_although_another_of_its_cluster_is_not() -> None:
    mine = DUTY | {"namespace": "ml", "pods": "trainer-", "model": "nvidia-l4"}
    with Stage(settings_of(gpu=a_pool(idle={"for_minutes": 30, "signals": [mine]}, wake=[QUEUE]))) as stage:
        backlog(stage, 0)
        for namespace, pod, model, percent in (
            ("ml", "trainer-1", "nvidia-l4", 1),
            ("ml", "trainer-2", "nvidia-h100-80gb", 90),
            ("ml", "server-1", "nvidia-l4", 90),
            ("web", "trainer-1", "nvidia-l4", 90),
        ):
            place = {"location": "europe-west4", "cluster_name": "training"}
            stage.cloud.monitoring.set_value(
                "my-product",
                DUTY_CYCLE,
                percent,
                resource_type="k8s_container",
                resource_labels=place | {"namespace_name": namespace, "pod_name": pod},
                metric_labels={"model": model},
            )
        for _ in range(8):
            stage.tick()
        assert stage.gpu == (0, "off")
        assert "GPU duty cycle of training (ml, trainer-, nvidia-l4): at most 1" in str(stage.reports)


def test_once_started_it_stays_on_as_long_as_the_settings_say() -> None:
    with Stage(settings_of(gpu=a_pool(wake=[QUEUE], on_for_minutes=60))) as stage:
        backlog(stage, 0)
        stage.tick(TO_NINE)
        backlog(stage, 1)
        stage.tick(5)
        backlog(stage, 0)
        sizes = [stage.gpu[0] for _ in range(14) if stage.tick(5)]
        assert all(sizes[:11])
        assert sizes[-1] == 0


def test_observing_says_what_acting_would_have_saved() -> None:
    """And not the sum of what it wanted: nodes that are back stay on for half an hour."""
    saved = {}
    for mode in (Mode.OBSERVE, Mode.ACT):
        settings = replace(settings_of(gpu=a_pool(hours=None, idle={"signals": [QUEUE]}, wake=[QUEUE])), mode=mode)
        with Stage(settings) as stage:
            stage.mode = mode
            backlog(stage, 0)
            for minute in range(0, 6 * 60, 5):
                if minute % 80 == 0:  # a job of ten minutes every eighty
                    backlog(stage, 1)
                if minute % 80 == 10:
                    backlog(stage, 0)
                stage.tick(5)
            status = stage.command(type="status").status
            assert stage.mutating == []
            saved[mode] = [line for line in status if "saved since" in line]
    (observed,), (acted,) = saved[Mode.OBSERVE], saved[Mode.ACT]
    hours = float(observed.rpartition(" node-hours")[0].rpartition(" ")[2])
    assert observed.startswith("acting would have saved since 2026-11-16 12:40 UTC: gpu ")
    assert observed.endswith(" USD")
    assert acted.startswith("saved since 2026-11-16 12:40 UTC: gpu ")
    assert float(acted.split()[-2]) == pytest.approx(hours * 2, abs=0.1)
