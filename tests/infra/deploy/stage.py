"""A suite as `infra/deploy` knows it, and a local cloud in which nothing is amiss."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
from google.cloud import billing_v1, run_v2
from google.cloud.billing import budgets_v1
from google.cloud.container_v1 import AcceleratorConfig, Cluster, NodeConfig, NodePool
from google.cloud.secretmanager_v1 import SecretManagerServiceClient
from google.pubsub_v1 import PublisherClient

from infra.deploy.doctor.examine import examine
from infra.deploy.doctor.findings import CheckContext
from infra.deploy.target import Target
from infra.suite.deployment import Deployment, Suite, load_deployment
from infra.suite.settings import EXAMPLES, load_caretaker_yaml
from local.endpoints import write_endpoints
from local.suite import Suite as LocalSuite
from localcloud import LocalCloud
from shared.clients import Clients, RetryPolicy

PROJECT = "my-caretaker"
ACCOUNT = "0A1B2C-3D4E5F-6A7B8C"
BUDGET = "8f3d2c1b-0a9e-4d5c-8b7a-6f5e4d3c2b1a"
TOPIC = f"projects/{PROJECT}/topics/caretaker-budget-notifications"
GITHUB_TOKEN = "projects/my-product/secrets/github-token"  # noqa: S105 - a name
NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)
CLUSTER = "projects/my-product/locations/europe-west4/clusters/research"
FORECAST = budgets_v1.ThresholdRule.Basis.FORECASTED_SPEND


def example(**sections: object) -> dict[str, Any]:
    """The example's settings, as JSON has them, with other sections."""
    owner: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(load_caretaker_yaml(EXAMPLES / "caretaker.yaml")))
    return owner | sections


def shipped(**fields: object) -> Deployment:
    """The example's `deployment.yaml`, with other fields."""
    return msgspec.structs.replace(load_deployment(EXAMPLES / "deployment.yaml"), **fields)


@dataclass
class Stage:
    """A local cloud, a suite, and the lines that were printed."""

    cloud: LocalCloud
    suite: Suite
    said: list[str] = field(default_factory=list)

    @cached_property
    def target(self) -> Target:
        """The suite on that cloud."""
        clients = Clients(
            PROJECT,
            endpoint=self.cloud.address,
            http_endpoint=self.cloud.http_address,
            retry=RetryPolicy(first=0.01, give_up=0.05),
        )
        return Target(PROJECT, clients, self.cloud.now_address)

    def examine(self) -> list[str]:
        """The problems that doctor finds, each with what fixes it."""
        examine(CheckContext(self.suite, self.target), self.said.append)
        shown = self.said[:-2]
        return _with_fixes(shown, "PROBLEM")

    @property
    def warned(self) -> list[str]:
        """The warnings so far, each with its remedy."""
        return _with_fixes(self.said, "warning")


def _with_fixes(shown: list[str], word: str) -> list[str]:
    return [f"{line[13:]}\n{shown[place + 1].strip()}" for place, line in enumerate(shown) if line.startswith(word)]


@contextmanager
def all_is_well(owner: Mapping[str, object] | None = None, deployment: Deployment | None = None) -> Iterator[Stage]:
    """A cloud that has all that the example names."""
    with LocalCloud(now=NOON) as cloud:
        cloud.billing.add_account(billing_v1.BillingAccount(name=f"billingAccounts/{ACCOUNT}", open_=True))
        for project in (PROJECT, "my-product", "my-previews"):
            cloud.resource_manager.add_project(project)
            cloud.billing.add_project(project, f"billingAccounts/{ACCOUNT}")
        stage = Stage(cloud, Suite(deployment or shipped(), owner or example()))
        cloud.storage.add_bucket("my-product", "my-product-backups")
        add_pools(stage)
        add_topic(stage, TOPIC)
        add_budget(stage)
        for secret in {one for name in stage.suite.automations for one in stage.suite.scope(name).secrets}:
            add_secret(stage, secret)
        yield stage


def add_pools(stage: Stage) -> None:
    """Let the example's GPU pools exist: an L4 on each of two nodes, and one on Cloud Run."""
    accelerators = [AcceleratorConfig(accelerator_type="nvidia-l4", accelerator_count=1)]
    zones = ["europe-west4-a", "europe-west4-b"]
    pool = NodePool(name="gpu", locations=zones, config=NodeConfig(accelerators=accelerators))
    stage.cloud.gke.add_cluster(CLUSTER, Cluster(node_pools=[pool]))
    container = run_v2.Container(image="europe-west1-docker.pkg.dev/my-product/images/embeddings")
    template = run_v2.WorkerPoolRevisionTemplate(
        containers=[container],
        node_selector=run_v2.NodeSelector(accelerator="nvidia-l4"),
        gpu_zonal_redundancy_disabled=True,
    )
    stage.cloud.worker_pools.create_worker_pool(
        run_v2.CreateWorkerPoolRequest(
            parent="projects/my-product/locations/europe-west1",
            worker_pool_id="embeddings",
            worker_pool=run_v2.WorkerPool(template=template),
        )
    )


def add_topic(stage: Stage, topic: str) -> None:
    """Let a topic exist."""
    stage.target.clients.of(PublisherClient).create_topic(request={"name": topic})


def add_budget(stage: Stage, topic: str = TOPIC, forecast: tuple[float, ...] = (1.0,)) -> None:
    """Let the budget of the example exist, with these forecast rules."""
    rules = [budgets_v1.ThresholdRule(threshold_percent=at, spend_basis=FORECAST) for at in forecast]
    budget = budgets_v1.Budget(
        display_name="monthly",
        amount={"specified_amount": {"currency_code": "USD", "units": 400}},
        threshold_rules=rules,
        notifications_rule={"pubsub_topic": topic, "schema_version": "1.0"} if topic else {},
    )
    stage.cloud.budgets.add_budget(f"billingAccounts/{ACCOUNT}/budgets/{BUDGET}", budget)


def add_secret(stage: Stage, name: str, value: bytes | None = b"value") -> None:
    """Let a secret exist, with a value or without; it tells the suite of its rotations."""
    parent, _, secret_id = name.rpartition("/secrets/")
    client = stage.target.clients.of(SecretManagerServiceClient)
    secret: dict[str, object] = {"replication": {"automatic": {}}}
    client.create_secret(request={"parent": parent, "secret_id": secret_id, "secret": secret})
    if value is not None:
        client.add_secret_version(request={"parent": name, "payload": {"data": value}})


@contextmanager
def serving(owner: Mapping[str, object], folder: Path) -> Iterator[LocalSuite]:
    """A suite that is up, and in a folder where it is, as `./deploy.sh local` writes it."""
    with (
        LocalCloud(now=NOON) as cloud,
        LocalSuite(cloud, "my-product", owner, on_line=lambda _line: None, error_log=folder / "log") as suite,
    ):
        write_endpoints(folder / "endpoints.json", suite)
        yield suite
