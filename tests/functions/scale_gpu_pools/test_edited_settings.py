"""Settings, permissions and versions change while a pool is held: nothing is stranded, nothing forgotten."""

from datetime import timedelta

import pytest
from grpc import StatusCode

from functions.scale_gpu_pools.records import Override, Records
from functions.scale_gpu_pools.settings import Settings
from shared.errors import RunFailed
from shared.settings import Mode
from shared.state import State
from tests.functions.scale_gpu_pools.stage import CLUSTER, GPU, MONDAY, Stage, a_pool, settings_of

pytestmark = pytest.mark.one_python

NIGHT = 7 * 60
ON = (4, "1..4")
ELSEWHERE = {"project": "my-product", "location": "europe-west4", "cluster": "training", "name": "cpu"}


@pytest.mark.parametrize(
    "edited",
    [
        pytest.param(settings_of(), id="the pool is removed"),
        pytest.param(settings_of(gpu=a_pool(node_pool=ELSEWHERE, hours=None)), id="its key names another pool"),
    ],
)
def test_a_held_pool_that_no_setting_names_any_more_is_restored(edited: Settings) -> None:
    with Stage() as stage:
        stage.tick(NIGHT)
        stage.tick()
        assert stage.gpu == (0, "off")
        stage.settings = edited
        stage.tick()
        stage.tick()
        assert stage.gpu == ON
        stage.tick()
        assert stage.records.debts() == ()


def test_a_word_about_a_pool_follows_it_when_its_key_changes() -> None:
    with Stage() as stage:
        until = MONDAY + timedelta(hours=20)
        stage.command(type="awake", pool="gpu", until=until.isoformat())
        stage.settings = settings_of(training=a_pool())
        stage.tick(NIGHT)
        assert stage.gpu == ON
        assert stage.records.overrides == {GPU: Override(until, said=MONDAY)}


def test_a_word_that_an_earlier_version_stored_by_key_still_holds() -> None:
    with Stage() as stage:
        state = State(stage.clients)
        (empty,) = state.read("records/scale_gpu_pools")
        said = Override(MONDAY + timedelta(hours=20), said=MONDAY)
        state.write(empty, Records(overrides={"gpu": said}))
        stage.tick(NIGHT)
        assert stage.gpu == ON
        assert stage.records.overrides == {GPU: said}


def test_a_word_about_a_pool_that_was_removed_is_forgotten_when_it_expires() -> None:
    with Stage() as stage:
        stage.command(type="awake", pool="gpu", until=(MONDAY + timedelta(hours=1)).isoformat())
        stage.settings = settings_of(cpu=a_pool(node_pool=ELSEWHERE))
        stage.tick(30)
        assert stage.records.overrides
        stage.tick(60)
        assert stage.records.overrides == {}


def test_what_is_held_while_observing_is_an_alert() -> None:
    with Stage() as stage:
        stage.tick(NIGHT)
        stage.tick()
        stage.mode = Mode.OBSERVE
        assert {(one.kind, one.subject) for one in stage.tick().alerts} == {("held_while_observing", GPU)}


def test_a_held_pool_that_cannot_be_read_is_an_alert_with_the_command_that_restores_it() -> None:
    with Stage() as stage:
        stage.tick(NIGHT)
        stage.tick()
        stage.settings = settings_of()
        stage.cloud.server.fail(
            "google.container.v1.ClusterManager/ListNodePools", StatusCode.PERMISSION_DENIED, times=9
        )
        with pytest.raises(RunFailed):
            stage.tick()
        alerts = {one.subject: one.reason for one in stage.reports[-1].alerts if one.kind == "held_unreadable"}
        assert f"cannot read NodePoolsOf of {CLUSTER}" in alerts[GPU]
        assert "`./deploy.sh send scale_gpu_pools awake --until TIME`" in alerts[GPU]
