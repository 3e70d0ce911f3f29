"""`./deploy.sh doctor` on regions, quotas, and Secret Manager's notifications of rotations."""

from collections.abc import Callable, Iterable, Iterator

import grpc
import pytest
from google.cloud.container_v1 import AcceleratorConfig, NodeConfig, NodePool
from google.cloud.secretmanager_v1 import SecretManagerServiceClient

from infra.deploy.doctor.agents import agents
from infra.deploy.doctor.findings import CheckContext, Finding, run_check
from infra.deploy.doctor.gpus import quotas_of_gpus
from infra.deploy.doctor.grants import buckets, cloud_run
from infra.deploy.doctor.images import topics_of_images
from infra.deploy.doctor.region import quotas_of_functions, region
from infra.deploy.doctor.secrets import notices_of_rotation
from infra.deploy.quotas import limit
from infra.suite.deployment import SignedInReport, Suite
from localcloud.core.messages import project_number
from tests.infra.deploy.stage import CLUSTER, PROJECT, Stage, add_topic, all_is_well, example, shipped

pytestmark = pytest.mark.one_python

Checks = Callable[[CheckContext], Iterable[Finding]]
CPU, MEMORY = "CpuAllocPerProjectRegion", "MemAllocPerProjectRegion"
L4, ALL = "NVIDIA-L4-GPUS-per-project-region", "GPUS-ALL-REGIONS-per-project"
ON_CLOUD_RUN = "NvidiaL4GpuAllocNoZonalRedundancyPerProjectRegion"
QUOTAS = "https://console.cloud.google.com/iam-admin/quotas?project="


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """A cloud of this file's: each test checks something of its own."""
    with all_is_well() as made:
        yield made


def found(stage: Stage, check: Checks, **deployment: object) -> list[tuple[str, str, str]]:
    """The findings of one check: status, subject, fix."""
    suite = Suite(shipped(**deployment), stage.suite.owner)
    return [(str(one.status), one.what, one.fix) for one in run_check(check, CheckContext(suite, stage.target))]


def test_a_region_that_lacks_a_service(stage: Stage) -> None:
    stage.cloud.locations.lack("cloudscheduler.googleapis.com", "europe-west4")
    stage.cloud.locations.lack("cloudfunctions.googleapis.com", "europe-west4")
    assert found(stage, region, region="europe-west4", firestore_location="europe-north9") == [
        (
            "PROBLEM",
            "europe-west4 has no Cloud Run functions, no Cloud Scheduler",
            "region in deployment.yaml: such as europe-west1, asia-northeast1, us-central1",
        ),
        (
            "PROBLEM",
            "Firestore cannot be in europe-north9",
            "firestore_location in deployment.yaml: such as europe-west1, europe-west4, asia-northeast1",
        ),
    ]
    assert found(stage, region, firestore_location="eur3")[1] == ("ok", "Firestore can be in eur3", "")


@pytest.mark.parametrize(
    ("region", "cpu", "memory", "said"),
    [
        ("europe-west1", None, None, [("ok", " is not limited", ""), ("ok", " is not limited", "")]),
        (
            "us-central1",
            9_000,
            40 * 2**30,
            [
                ("PROBLEM", " is 9 vCPU, and receive_github is not deployed with less than 10", CPU),
                ("ok", " is 40 GiB, and the suite needs 13 at most", ""),
            ],
        ),
        (
            "asia-northeast1",
            20_000,
            0,
            [
                ("warning", " is 20 vCPU: with all instances at once the suite would need 26", CPU),
                ("PROBLEM", " is 0 GiB, and receive_github is not deployed with less than 5", MEMORY),
            ],
        ),
    ],
)
def test_room_for_the_functions(
    stage: Stage, region: str, cpu: int | None, memory: int | None, said: list[tuple[str, str, str]]
) -> None:
    for quota, value in ((CPU, cpu), (MEMORY, memory)):
        if value is not None:
            stage.cloud.cloud_quotas.set_limit(PROJECT, quota, value, region=region)
    assert found(stage, quotas_of_functions, region=region) == [
        (
            word,
            f"Cloud Run's {quota} in {region}{what}",
            f"ask for more of {fix} at {QUOTAS}{PROJECT}" if fix else "",
        )
        for quota, (word, what, fix) in zip((CPU, MEMORY), said, strict=True)
    ]


def test_pools_that_could_not_come_back(stage: Stage) -> None:
    quotas = stage.cloud.cloud_quotas
    assert [word for word, _, _ in found(stage, quotas_of_gpus)] == ["ok"] * 3
    quotas.set_limit("my-product", L4, 0)
    quotas.set_limit("my-product", L4, 1, region="europe-west4")
    quotas.set_limit("my-product", ALL, 2)
    quotas.set_limit("my-product", ON_CLOUD_RUN, 0)
    assert found(stage, quotas_of_gpus) == [
        (
            "PROBLEM",
            f"pool training could not return from zero: it takes 2 GPUs, and {L4} in my-product, europe-west4 is 1",
            f"ask for more of {L4} at {QUOTAS}my-product",
        ),
        ("ok", f"pool training takes 2 GPUs, and {ALL} in my-product is 2", ""),
        (
            "PROBLEM",
            (
                f"pool embeddings could not return from zero: it takes 1 GPU, and {ON_CLOUD_RUN} in my-product, "
                "europe-west1 is 0"
            ),
            f"ask for more of {ON_CLOUD_RUN} at {QUOTAS}my-product",
        ),
    ]


@pytest.mark.parametrize(
    ("kind", "market", "found_quota"),
    [
        (
            "nvidia-l4",
            "spot",
            "PREEMPTIBLE-NVIDIA-L4-GPUS-per-project-region in my-product, europe-west4 is not limited",
        ),
        ("nvidia-h100-80gb", "on demand", "GPUS-PER-GPU-FAMILY-per-project-region in my-product, europe-west4 is 8"),
        ("nvidia-h100-80gb", "spot", "doctor does not know the quota of nvidia-h100-80gb"),
        ("", "on demand", "has no GPUs, so no quota of GPUs stops it"),
    ],
)
def test_which_quota_a_node_pool_counts_against(
    stage: Stage,
    kind: str,
    market: str,
    found_quota: str,
) -> None:
    family = "GPUS-PER-GPU-FAMILY-per-project-region"
    stage.cloud.cloud_quotas.set_limit("my-product", family, 0, gpu_family="NVIDIA_H200", region="europe-west4")
    stage.cloud.cloud_quotas.set_limit("my-product", family, 8, gpu_family="NVIDIA_H100", region="europe-west4")
    is_spot = market == "spot"
    name = f"gpu-{kind or 'none'}-{market.replace(' ', '-')}"
    accelerators = [AcceleratorConfig(accelerator_type=kind, accelerator_count=8)] if kind else []
    pool = NodePool(name=name, locations=["europe-west4-a"], config=NodeConfig(accelerators=accelerators, spot=is_spot))
    stage.cloud.gke.add_node_pool(CLUSTER, pool, 0)
    shown = found(_with_pool(stage, name), quotas_of_gpus)
    assert shown[0][1].endswith(found_quota)
    assert len(shown) == (2 if kind and not is_spot else 1)


def _with_pool(stage: Stage, name: str, **more: object) -> Stage:
    node_pool = {"project": "my-product", "location": "europe-west4", "cluster": "research", "name": name}
    owner = example(scale_gpu_pools={"pools": {"training": {"node_pool": node_pool, "size": 1, **more}}})
    return Stage(stage.cloud, Suite(stage.suite.deployment, owner))


def test_a_pool_that_is_not_there(stage: Stage) -> None:
    assert found(_with_pool(stage, "gone"), quotas_of_gpus) == [
        (
            "PROBLEM",
            f"pool training: there is no {CLUSTER}/nodePools/gone",
            "scale_gpu_pools.pools.training in caretaker.yaml",
        )
    ]


def test_a_pool_that_would_be_turned_off_under_its_work(stage: Stage) -> None:
    wake = [{"kind": "pending_messages", "subscription": "projects/my-product/subscriptions/jobs"}]
    hours = {"time_zone": "Etc/UTC", "windows": ["mon-fri 08:00-18:00"]}
    (status, what, fix), *_ = found(_with_pool(stage, "gpu", hours=hours, wake=wake), quotas_of_gpus)
    assert status == "warning"
    assert what.startswith("pool training has `wake` and `hours` but no `idle`")
    assert fix.startswith("scale_gpu_pools.pools.training.idle")


def test_a_quota_that_cannot_be_read_is_a_problem(stage: Stage) -> None:
    stage.cloud.cloud_quotas.forget(PROJECT, MEMORY)
    stage.cloud.server.fail("quotaInfos/NVIDIA", grpc.StatusCode.PERMISSION_DENIED)
    cpu, memory = found(stage, quotas_of_functions, region="europe-west4")
    assert (cpu[0], memory[0]) == ("ok", "PROBLEM")
    assert memory[1].startswith(
        "could not see whether the quotas of Cloud Run leave room for the functions (NotFound: "
    )
    ((word, what, _),) = found(stage, quotas_of_gpus)
    assert (word, "injected PERMISSION_DENIED" in what) == ("PROBLEM", True)
    stage.cloud.cloud_quotas.set_limit(PROJECT, CPU, 1, region="europe-west4")
    assert limit(stage.target.clients, PROJECT, "run.googleapis.com", CPU, {"region": "europe-west4"}) == 1


def test_an_agent_that_is_not_there_and_one_that_cannot_be_seen(stage: Stage) -> None:
    ours, theirs = f"{PROJECT}: Pub/Sub's agent", "my-product: Secret Manager's agent"
    assert found(stage, agents) == [("ok", f"{ours} is there", ""), ("ok", f"{theirs} is there", "")]
    stage.cloud.service_agents.remove(PROJECT, "pubsub")
    stage.cloud.service_agents.remove("my-product", "secretmanager")
    assert found(stage, agents) == [
        (
            "PROBLEM",
            f"{agent} does not exist, and apply fails when it grants it a role",
            f"gcloud beta services identity create --service={service}.googleapis.com --project={project}",
        )
        for agent, service, project in ((ours, "pubsub", PROJECT), (theirs, "secretmanager", "my-product"))
    ]
    stage.cloud.server.fail("x509", grpc.StatusCode.UNAVAILABLE)
    ((word, what, _),) = found(stage, agents)
    assert (word, "injected UNAVAILABLE" in what) == ("PROBLEM", True)


def test_the_agent_that_calls_the_report(stage: Stage) -> None:
    report = SignedInReport(image="x/report:v1", viewers=("group:team@example.com",))
    stage.cloud.service_agents.remove(PROJECT, "iap")
    missing = {fix for word, _, fix in found(stage, agents, report=report) if word == "PROBLEM"}
    assert f"gcloud beta services identity create --service=iap.googleapis.com --project={PROJECT}" in missing


def test_a_bucket_that_is_elsewhere_and_one_that_is_not_there(stage: Stage) -> None:
    assert found(stage, buckets) == [("ok", "bucket my-product-backups is in my-product", "")]
    assert found(stage, buckets, buckets={}) == [
        (
            "PROBLEM",
            f"bucket my-product-backups is not in {PROJECT}, whose roles cannot be granted on it",
            (
                "buckets.my-product-backups in deployment.yaml: the project whose number is "
                f"{project_number('my-product')}"
            ),
        )
    ]
    stage.cloud.server.fail("my-product-backups", grpc.StatusCode.PERMISSION_DENIED)
    assert found(stage, buckets) == [
        (
            "warning",
            "bucket my-product-backups is not visible to you; assumed to be in my-product",
            "if it is in another project: buckets.my-product-backups in deployment.yaml",
        )
    ]
    owner = example()
    owner["prune_backups"]["sets"]["shop"]["bucket"] = "gone"
    assert found(Stage(stage.cloud, Suite(shipped(), owner)), buckets) == [
        (
            "PROBLEM",
            "bucket gone does not exist, and prune_backups needs grants on it",
            f"gcloud storage buckets create gs://gone --project={PROJECT}",
        )
    ]


def test_a_topic_of_images_that_is_made_or_there_already(stage: Stage) -> None:
    topic = "projects/my-previews/topics/gcr"
    assert found(stage, topics_of_images) == [("ok", f"{topic} is made by Terraform", "")]
    assert found(stage, topics_of_images, images=False) == [
        (
            "PROBLEM",
            f"there is no {topic}",
            "gcloud pubsub topics create gcr --project=my-previews, or images: true in deployment.yaml",
        )
    ]
    add_topic(stage, topic)
    assert found(stage, topics_of_images, images=False) == [("ok", f"{topic} is there", "")]
    assert found(stage, topics_of_images) == [
        (
            "PROBLEM",
            f"{topic} exists already, and apply fails when it creates it",
            "images: false in deployment.yaml, and gcr by hand in projects of images that have none",
        )
    ]


def test_automations_that_may_act_as_no_account_and_read_no_image(stage: Stage) -> None:
    assert {word for word, _, _ in found(stage, cloud_run)} == {"ok"}
    assert [one for one in found(stage, cloud_run, act_as={}, images_of={}) if one[0] != "ok"] == [
        (
            "warning",
            f"{name} may act as no account, but Google's documentation requires that to change a service",
            f"act_as.{name} in deployment.yaml: the accounts of what it scales in my-product",
        )
        for name in ("cap_spending", "scale_gpu_pools")
    ] + [
        (
            "PROBLEM",
            "rotate_secrets may act as no account, so it cannot move a service to a new secret",
            "act_as.rotate_secrets in deployment.yaml: the accounts of services and jobs in my-product",
        ),
        (
            "PROBLEM",
            "rotate_secrets may read no image, so it cannot move a service to a new secret",
            "images_of.rotate_secrets in deployment.yaml: the repositories of the images of services and jobs",
        ),
    ]


def test_a_secret_that_tells_of_its_rotation_and_one_that_does_not(stage: Stage) -> None:
    name, topic = "projects/my-product/secrets/session-key", f"projects/{PROJECT}/topics/caretaker-secret-notifications"
    assert found(stage, notices_of_rotation)[0] == (
        "warning",
        f"{name} sends no SECRET_ROTATE to the suite's topic: rotate_secrets relies on its tick",
        (
            f"after apply, if you like: gcloud secrets update session-key --project=my-product --add-topics={topic}"
            " --rotation-period=30d --next-rotation-time=2026-12-15T12:00:00Z"
        ),
    )
    add_topic(stage, topic)
    rotation = {"next_rotation_time": "2026-12-15T12:00:00Z", "rotation_period": "2592000s"}
    secret = {"name": name, "topics": [{"name": topic}], "rotation": rotation}
    client = stage.target.clients.of(SecretManagerServiceClient)
    client.update_secret(request={"secret": secret, "update_mask": "topics,rotation"})
    assert found(stage, notices_of_rotation)[0] == ("ok", f"{name} sends SECRET_ROTATE to the suite's topic", "")
