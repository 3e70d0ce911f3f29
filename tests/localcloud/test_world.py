"""The local cloud's initial state, seen through the official clients."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from google.cloud import billing_v1, container_v1, monitoring_v3, run_v2, scheduler_v1
from google.cloud.billing import budgets_v1
from google.pubsub_v1 import PublisherClient, SubscriberClient

import local
from localcloud import LocalCloud
from localcloud.world import WorldError, load_world, seed, world_from
from shared.clients import Clients
from shared.errors import SettingsError
from tests.wrong_settings import refused

EXAMPLE = Path(local.__path__[0]) / "example_world.yaml"
ACCOUNT = "billingAccounts/0X0X0X-0X0X0X-0X0X0X"
PROJECT = "projects/demo-project"
PARENT = f"{PROJECT}/locations/europe-west1"
NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=NOW) as cloud:
        yield cloud


@pytest.fixture
def clients(cloud: LocalCloud) -> Clients:
    return Clients("demo-project", endpoint=cloud.address)


def in_project(**sections: object) -> dict[str, object]:
    return {"projects": {"demo-project": {"location": "europe-west1", **sections}}}


def newest_value(clients: Clients, metric: str) -> int:
    """The newest whole number of the one series of a metric within two days."""
    interval = {"start_time": NOW - timedelta(days=1), "end_time": NOW + timedelta(days=1)}
    request = {"name": PROJECT, "filter": f'metric.type = "{metric}"', "interval": interval}
    (series,) = clients.of(monitoring_v3.MetricServiceClient).list_time_series(request=request)
    return int(series.points[0].value.int64_value)


def test_the_example_comes_true(cloud: LocalCloud, clients: Clients) -> None:
    cloud.run.operation_delay = cloud.worker_pools.operation_delay = timedelta(minutes=1)
    seed(cloud, load_world(EXAMPLE))
    assert cloud.server.calls == []
    assert cloud.run.operation_delay == cloud.worker_pools.operation_delay == timedelta(minutes=1)

    services = {
        one.name[len(PARENT) + 10 :]: one for one in clients.of(run_v2.ServicesClient).list_services(parent=PARENT)
    }
    assert {name: one.scaling.max_instance_count for name, one in services.items()} == {
        "admin": 0,
        "api": 20,
        "worker": 10,
    }
    assert not any(one.reconciling for one in services.values())
    assert services["api"].labels == {"tier": "web"}
    assert services["api"].template.containers[0].env[0] == run_v2.EnvVar(name="LOG_LEVEL", value="info")

    (pool,) = clients.of(run_v2.WorkerPoolsClient).list_worker_pools(parent=PARENT)
    assert (pool.name, pool.scaling.manual_instance_count) == (f"{PARENT}/workerPools/embeddings", 1)
    assert (pool.reconciling, pool.template.node_selector.accelerator) == (False, "nvidia-l4")
    assert pool.template.containers[0].image.endswith("/hello")
    assert newest_value(clients, "pubsub.googleapis.com/subscription/num_undelivered_messages") == 3

    jobs = list(clients.of(scheduler_v1.CloudSchedulerClient).list_jobs(parent=PARENT))
    assert {job.name.rsplit("/", 1)[1]: job.state.name for job in jobs} == {
        "batch-export": "PAUSED",
        "batch-import": "ENABLED",
        "nightly-report": "ENABLED",
    }
    nightly = jobs[2].pubsub_target
    assert (nightly.topic_name, nightly.data) == (
        "projects/demo-project/topics/reports",
        b'{"report": "nightly"}',
    )

    topics = clients.of(PublisherClient).list_topics(project="projects/demo-project")
    assert {topic.name.rsplit("/", 1)[1] for topic in topics} == {"budget-alerts", "reports", "imports"}
    subscription = clients.of(SubscriberClient).get_subscription(
        subscription="projects/demo-project/subscriptions/reports-worker"
    )
    assert subscription.ack_deadline_seconds == 60
    assert subscription.retry_policy.minimum_backoff == timedelta(seconds=10)

    info = clients.of(billing_v1.CloudBillingClient).get_project_billing_info(name="projects/demo-project")
    assert (info.billing_account_name, info.billing_enabled) == (ACCOUNT, True)
    (budget,) = clients.of(budgets_v1.BudgetServiceClient).list_budgets(parent=ACCOUNT)
    assert budget.name == f"{ACCOUNT}/budgets/5f3b1f0e-0000-4000-8000-000000000001"
    assert (budget.amount.specified_amount.units, budget.amount.specified_amount.currency_code) == (
        1000,
        "EUR",
    )
    assert [rule.threshold_percent for rule in budget.threshold_rules] == [0.5, 0.9, 1.0, 1.0]
    assert budget.threshold_rules[3].spend_basis == budgets_v1.ThresholdRule.Basis.FORECASTED_SPEND
    assert budget.budget_filter.projects == ["projects/demo-project"]
    assert budget.notifications_rule.schema_version == "1.0"

    (cluster,) = clients.of(container_v1.ClusterManagerClient).list_clusters(parent=f"{PROJECT}/locations/-").clusters
    assert (cluster.name, cluster.location, cluster.current_node_count) == ("training", "europe-west4-a", 3)
    gpu = cluster.node_pools[1]
    assert (gpu.name, gpu.config.machine_type, gpu.config.accelerators[0].accelerator_type) == (
        "gpu",
        "g2-standard-8",
        "nvidia-l4",
    )
    assert (gpu.autoscaling.enabled, gpu.autoscaling.max_node_count, gpu.initial_node_count) == (True, 4, 2)


def test_an_empty_world() -> None:
    assert world_from(None) == world_from({})


def test_a_world_in_the_words_of_the_api(cloud: LocalCloud, clients: Clients) -> None:
    template = {"revision": "api-blue", "containers": [{"image": "example.com/api", "env": [{"name": "A"}]}]}
    seed(
        cloud,
        world_from(
            in_project(
                topics=["ticks"],
                services={
                    "us-central1/api": {
                        "labels": {"a": "b"},
                        "proto": {"template": template, "ingress": "INGRESS_TRAFFIC_INTERNAL_ONLY"},
                    },
                    "manual": {
                        "scaling": {"scaling_mode": "MANUAL", "manual_instance_count": 0},
                        "proto": {"template": {"scaling": {"max_instance_count": 3}}},
                    },
                },
                jobs={"web": {"schedule": "* * * * *", "proto": {"http_target": {"uri": "https://example.com"}}}},
            )
        ),
    )
    services = clients.of(run_v2.ServicesClient)
    api = services.get_service(name="projects/demo-project/locations/us-central1/services/api")
    assert api.template.containers[0].image == "example.com/api"
    assert api.latest_ready_revision.endswith("/revisions/api-blue")
    assert api.ingress == run_v2.IngressTraffic.INGRESS_TRAFFIC_INTERNAL_ONLY
    manual = services.get_service(name=f"{PARENT}/services/manual")
    assert "manual_instance_count" in manual.scaling
    assert manual.template.scaling.max_instance_count == 3
    assert manual.template.containers[0].image
    job = clients.of(scheduler_v1.CloudSchedulerClient).get_job(name=f"{PARENT}/jobs/web")
    assert job.http_target.uri == "https://example.com"


def test_worker_pools(cloud: LocalCloud, clients: Clients) -> None:
    pools = {
        "small": {"image": "example.com/small", "env": {"LEVEL": "debug"}, "labels": {"team": "a"}},
        "us-central1/large": {"manual_instance_count": 3, "proto": {"template": {"containers": [{"image": "large"}]}}},
    }
    seed(cloud, world_from(in_project(worker_pools=pools)))
    client = clients.of(run_v2.WorkerPoolsClient)
    small = client.get_worker_pool(name=f"{PARENT}/workerPools/small")
    assert (small.template.containers[0].image, small.labels) == ("example.com/small", {"team": "a"})
    assert small.template.containers[0].env == [run_v2.EnvVar(name="LEVEL", value="debug")]
    assert "manual_instance_count" in small.scaling
    assert small.scaling.manual_instance_count == 0
    large = client.get_worker_pool(name=f"{PROJECT}/locations/us-central1/workerPools/large")
    assert (large.template.containers[0].image, large.scaling.manual_instance_count) == ("large", 3)


def test_time_series_over_time(cloud: LocalCloud, clients: Clients) -> None:
    series: dict[str, object] = {
        "metric": "custom.googleapis.com/queue",
        "metric_labels": {"queue": "a"},
        "resource": {"type": "generic_task", "labels": {"location": "europe-west1"}},
    }
    values: list[dict[str, object]] = [
        {"value": 4},
        {"value": 2, "since": "2026-11-01T01:30:00+01:00"},
        {"value": None, "since": "2026-11-01T00:40:00Z"},
    ]
    seed(cloud, world_from(in_project(time_series=[series | value for value in values])))
    client = clients.of(monitoring_v3.MetricServiceClient)
    request = {
        "name": PROJECT,
        "filter": 'metric.type = "custom.googleapis.com/queue"',
        "interval": {"start_time": NOW - timedelta(days=2), "end_time": NOW + timedelta(days=1)},
    }
    cloud.clock.advance(timedelta(hours=1))
    (found,) = client.list_time_series(request=request)
    assert (found.metric.labels["queue"], found.resource.type) == ("a", "generic_task")
    assert found.resource.labels["location"] == "europe-west1"
    times = [point.interval.end_time for point in found.points]
    assert (times[0], times[-1]) == (NOW + timedelta(minutes=39), NOW - timedelta(days=1))
    changed = [point.interval.end_time for point in found.points if point.value.int64_value == 2]
    assert (changed[0], changed[-1]) == (NOW + timedelta(minutes=39), NOW + timedelta(minutes=30))


def test_clusters_and_their_node_pools(cloud: LocalCloud, clients: Clients) -> None:
    pools = {
        "plain": {},
        "gpu": {
            "locations": ["europe-west1-c", "europe-west1-d"],
            "node_count": 2,
            "autoscaling": {"total_max_node_count": 5, "location_policy": "ANY"},
            "demand": 9,
            "proto": {"initial_node_count": 7, "config": {"spot": True}},
        },
        "off": {"node_count": 0, "autoscaling": {"enabled": False}},
    }
    clusters = {"training": {"node_pools": pools, "proto": {"resource_labels": {"team": "a"}}}, "us-east1-b/other": {}}
    seed(cloud, world_from(in_project(clusters=clusters)))
    assert cloud.server.calls == []
    gke = clients.of(container_v1.ClusterManagerClient)
    training, other = gke.list_clusters(parent=f"{PROJECT}/locations/-").clusters
    assert (training.name, training.location, training.resource_labels) == ("training", "europe-west1", {"team": "a"})
    assert (other.name, other.location, other.locations) == ("other", "us-east1-b", ["us-east1-b"])
    plain, gpu, off = training.node_pools
    assert (plain.name, plain.locations, plain.autoscaling.enabled) == ("plain", ["europe-west1-b"], False)
    assert (gpu.initial_node_count, gpu.config.spot) == (7, True)
    assert gpu.autoscaling == container_v1.NodePoolAutoscaling(
        enabled=True, total_max_node_count=5, location_policy="ANY"
    )
    assert not off.autoscaling.enabled
    sizes = [cloud.gke.size_of(f"{PARENT}/clusters/training/nodePools/{pool.name}") for pool in training.node_pools]
    assert sizes == [1, 4, 0]
    # The pods that wait for nodes get them.
    cloud.clock.advance(timedelta(minutes=1))
    assert cloud.gke.size_of(f"{PARENT}/clusters/training/nodePools/gpu") == 5


def test_compute_knows_the_projects_of_the_world(cloud: LocalCloud) -> None:
    seed(cloud, world_from({"projects": {"empty-project": {}}}))
    path = "compute.googleapis.com/compute/v1/projects/{}/aggregated/instanceGroupManagers"
    assert cloud.http.answer("GET", path.format("empty-project"), b"").status == 200
    assert cloud.http.answer("GET", path.format("no-project"), b"").status == 404


def test_a_detached_and_a_locked_project(cloud: LocalCloud, clients: Clients) -> None:
    account = {"0X0X0X-0X0X0X-0X0X0X": {"open": False}}
    projects = {"a": {}, "b": {"billing_account_name": ACCOUNT, "billing_locked": True}}
    seed(cloud, world_from({"billing_accounts": account, "projects": projects}))
    billing = clients.of(billing_v1.CloudBillingClient)
    assert billing.get_project_billing_info(name="projects/a").billing_account_name == ""
    info = billing.get_project_billing_info(name="projects/b")
    assert (info.billing_account_name, info.billing_enabled) == (ACCOUNT, False)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (["demo-project"], r"^: \['demo-project'\]; expected a mapping"),
        ({"project": {}}, r"^project: .*; did you mean projects\?"),
        (
            in_project(services={"api": {"scaling": {"max_instances": 3}}}),
            r"^projects\.demo-project\.services\.api\.scaling\.max_instances: 3; .*max_instance_count",
        ),
        (
            in_project(services={"worker": {}, "api": {"scaling": {"max_instance_count": "many"}}}),
            r"services\.api\.scaling\.max_instance_count: 'many'; .*a whole number",
        ),
        (
            in_project(services={"api": {"scaling": {"min_instance_count": -1}}}),
            r"min_instance_count: -1; .*at least 0",
        ),
        (in_project(services={"api": {"env": {"PORT": 80}}}), r"env\.PORT: 80; expected text"),
        (
            in_project(worker_pools={"a": {"manual_instance_count": -1}}),
            r"manual_instance_count: -1; .*at least 0",
        ),
        (in_project(worker_pools={"a": {"scaling": {}}}), r"worker_pools\.a\.scaling"),
        (in_project(time_series=[{"metric": "m"}]), r"time_series\[0\]\.resource: None; expected"),
        (
            in_project(time_series=[{"metric": "m", "resource": {"type": "global"}, "since": "2026-11-01T00:00:00"}]),
            r"time_series\[0\]\.since: '2026-11-01T00:00:00'",
        ),
        (in_project(jobs={"tick": {}}), r"jobs\.tick\.schedule: None; expected"),
        (
            in_project(clusters={"a": {"node_pools": {"gpu": {"autoscaling": {"max_nodes": 3}}}}}),
            r"clusters\.a\.node_pools\.gpu\.autoscaling\.max_nodes: 3; .*max_node_count",
        ),
        (
            in_project(clusters={"a": {"node_pools": {"gpu": {"demand": -1}}}}),
            r"demand: -1; .*at least 0",
        ),
        (
            in_project(jobs={"tick": {"schedule": "* * * * *", "state": "ON"}}),
            r"state: 'ON'; .*ENABLED",
        ),
        (
            {"billing_accounts": {"A": {"budgets": {"b": {"threshold_rules": [0.5, {"percent": 1}]}}}}},
            r"budgets\.b\.threshold_rules\[1\]",
        ),
    ],
)
def test_errors_name_the_key_the_value_and_what_would_do(data: object, message: str) -> None:
    with refused(message):
        world_from(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            {"billing_accounts": {"0X0X0X-0X0X0X-0X0X0X": {"currency_code": "EUA"}}},
            r"billing_accounts.0X0X0X-0X0X0X-0X0X0X; unknown currency_code 'EUA'; expected an ISO 4217 code",
        ),
        (
            {
                "billing_accounts": {"0X0X0X-0X0X0X-0X0X0X": {"budgets": {"b": {"amount": 1, "projects": ["demo"]}}}},
                "projects": {"demo-project": {}},
            },
            "budgets.b; unknown project 'demo'; expected projects of the world: demo-project",
        ),
        (in_project(services={"API": {}}), r"projects\.demo-project\.services\.API; .*lowercase letters"),
        ({"projects": {"p": {"services": {"api": {}}}}}, r"services\.api; no region: .*REGION/api"),
        (
            in_project(services={"api": {"proto": {"scalling": {}}}}),
            r"services\.api; .*no field named \"scalling\"",
        ),
        (
            in_project(services={"api": {"labels": {"a": "b"}, "proto": {"labels": {"c": "d"}}}}),
            "proto.labels: .*say it once",
        ),
        (
            in_project(services={"api": {"image": "x", "proto": {"template": {"containers": []}}}}),
            "image, env: .*under proto",
        ),
        (
            in_project(jobs={"tick": {"schedule": "hourly", "topic": "t", "data": "x"}}),
            "Schedule or time zone",
        ),
        (in_project(jobs={"tick": {"schedule": "* * * * *", "data": "x"}}), "expected a topic"),
        (in_project(jobs={"tick": {"schedule": "* * * * *"}}), "target is required"),
        (
            in_project(billing_account_name="0X0X0X-0X0X0X-0X0X0X"),
            "projects.demo-project; There is no billing account",
        ),
        (in_project(topics=["ticks", "ticks"]), "topics: 'ticks'; "),
        ({"projects": {"p": {"clusters": {"a": {}}}}}, r"clusters\.a; no region: .*REGION/a"),
        (in_project(worker_pools={"A": {}}), r"worker_pools\.A; .*lowercase letters"),
        (
            in_project(worker_pools={"a": {"env": {"B": "c"}, "proto": {"template": {}}}}),
            r"worker_pools\.a; image, env: .*under proto",
        ),
        (in_project(clusters={"A": {}}), r"clusters\.A; Invalid cluster name"),
        (
            in_project(clusters={"a": {"node_pools": {"gpu": {"locations": ["us-east1-b"]}}}}),
            r"clusters\.a\.node_pools\.gpu; Invalid locations: \"us-east1-b\"",
        ),
        (
            in_project(clusters={"a": {"node_pools": {"gpu": {"autoscaling": {}}}}}),
            r"node_pools\.gpu; NodePool.autoscaling.max_node_count must be greater than zero",
        ),
        (
            in_project(clusters={"a": {"node_pools": {"gpu": {"proto": {"name": "other"}}}}}),
            r"node_pools\.gpu; proto\.name: .*say it once",
        ),
        (in_project(subscriptions={"inbox": {"topic": "gone"}}), r"subscriptions\.inbox; "),
        ({"billing_accounts": {"mine": {}}}, r"billing_accounts\.mine; .*XXXXXX-XXXXXX-XXXXXX"),
        (
            {"billing_accounts": {"0X0X0X-0X0X0X-0X0X0X": {"budgets": {"b": {"display_name": "none"}}}}},
            r"budgets\.b; Budget.amount is required",
        ),
    ],
)
def test_what_the_services_refuse_cannot_be_seeded(cloud: LocalCloud, data: object, message: str) -> None:
    with pytest.raises(WorldError, match=message):
        seed(cloud, world_from(data))


def test_a_file_that_is_no_yaml(tmp_path: Path) -> None:
    path = tmp_path / "world.yaml"
    path.write_text("projects: [")
    with pytest.raises(SettingsError, match=r"line 1 is not closed in .*world\.yaml line 1"):
        load_world(path)
    path.write_text("")
    assert load_world(path) == world_from({})
