"""While a spend cap has paused Cloud Run in a project, each automation waits with what it would change there."""

from google.cloud.run_v2 import WorkerPoolsClient

from shared.clients import Clients
from shared.report import Outcome, Report
from shared.restrictions import DOCUMENT, SpendingRestrictions
from shared.state import State
from tests.functions.manage_previews.stage import Stage as Previews
from tests.functions.rotate_secrets.stage import Stage as Secrets
from tests.functions.rotate_secrets.stage import kinds_of
from tests.functions.scale_gpu_pools.stage import Stage as Pools
from tests.functions.scale_gpu_pools.stage import a_pool, settings_of

CAP = "billingAccounts/0A1B2C-3D4E5F-6A7B8C/spendCaps/{project}/cloud_run"
RENDER = "projects/my-product/locations/europe-west4/workerPools/render"


def pause(clients: Clients, *projects: str) -> None:
    """The record of `cap_spending` once a cap is enforced in these projects, or lifted in all."""
    state = State(clients)
    (known,) = state.read(DOCUMENT)
    paused = {project: CAP.format(project=project) for project in projects}
    state.write(known, SpendingRestrictions(cloud_run_paused=paused))


def must_wait(report: Report, name: str, project: str) -> None:
    """A report that waits for a resource, and names the cap."""
    assert not [one for one in report.changes if one.target == name]
    told = [line for line in report.waiting if f"{name} waits" in line]
    assert told
    assert f"a spend cap has paused Cloud Run in {project} ({CAP.format(project=project)})" in told[0]


def test_a_rotation_waits_and_is_not_rolled_back() -> None:
    api = "projects/my-product/locations/europe-west1/services/api"
    with Secrets() as stage:
        stage.tick()
        pause(stage.clients, "my-product")
        report = stage.tick(days=30)
        must_wait(report, api, "my-product")
        assert report.outcome is Outcome.WAITING
        assert (stage.said(), stage.versions()) == (["1"], ["ENABLED"])
        pause(stage.clients, "another-project")
        assert kinds_of(stage.tick(days=1)) == ["AddVersion", "Promote", "Roll", "Finish"]


def test_a_preview_waits() -> None:
    with Previews() as stage:
        pause(stage.clients, "my-previews")
        stage.open(12, 1)
        stage.push_image(1)
        report = stage.event(12, "opened")
        must_wait(report, "projects/my-previews/locations/europe-west1/services/my-product-pr-12", "my-previews")
        assert stage.services == {}
        pause(stage.clients)
        stage.tick()
        assert list(stage.services) == ["my-product-pr-12"]


def test_a_pool_on_cloud_run_waits_and_a_node_pool_does_not() -> None:
    workers = {"project": "my-product", "region": "europe-west4", "name": "render"}
    settings = settings_of(gpu=a_pool(), render=a_pool(node_pool=None, worker_pool=workers))
    product = {"location": "europe-west4", "worker_pools": {"render": {"manual_instance_count": 2}}}
    training = {"node_pools": {"gpu": {"locations": ["europe-west4-a"], "node_count": 2}}}
    world = {"projects": {"my-product": {**product, "clusters": {"training": training}}}}
    with Pools(settings, world=world) as stage:
        pause(stage.clients, "my-product")
        report = stage.tick(minutes=60 * 14)
        must_wait(report, RENDER, "my-product")
        assert [one for one in report.changes if one.target.endswith("nodePools/gpu")]
        pool = stage.people.of(WorkerPoolsClient).get_worker_pool(name=RENDER)
        assert pool.scaling.manual_instance_count == 2
        pause(stage.clients)
        stage.tick()
        assert stage.people.of(WorkerPoolsClient).get_worker_pool(name=RENDER).scaling.manual_instance_count == 0
