"""REST: official clients get over ``transport="rest"`` what they get over gRPC, by Google's http rules."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import grpc
import pytest
from google.api_core.exceptions import GoogleAPICallError
from google.api_core.operation import Operation
from google.auth.credentials import AnonymousCredentials
from google.cloud import (
    artifactregistry_v1,
    billing_v1,
    container_v1,
    firestore_admin_v1,
    orgpolicy_v2,
    resourcemanager_v3,
    run_v2,
    scheduler_v1,
    secretmanager_v1,
    service_usage_v1,
    trace_v2,
)
from google.cloud.billing import budgets_v1
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.protobuf.json_format import MessageToDict
from google.pubsub_v1 import PublisherClient, SubscriberClient

from localcloud import LocalCloud
from localcloud.core.rpcs import rpcs
from localcloud.core.server import protobuf
from localcloud.core.transports import REQUEST_STREAM
from localcloud.rest.rules import rules
from localcloud.world import seed, world_from

HELLO = "us-docker.pkg.dev/cloudrun/container/hello"
NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
PROJECT = "projects/demo-project"
REGION = f"{PROJECT}/locations/europe-west1"
SERVICE = f"{REGION}/services/api"
JOB = f"{REGION}/jobs/nightly"
CLUSTER = f"{REGION}/clusters/training"
POOL = f"{CLUSTER}/nodePools/gpu"
DOCUMENTS = f"{PROJECT}/databases/(default)/documents"
REPOSITORY = f"{REGION}/repositories/images"
DIGEST = f"sha256:{'1' * 64}"
SECRET = f"{PROJECT}/secrets/token"
ACCOUNT = "billingAccounts/0X0X0X-0X0X0X-0X0X0X"
BUDGET = f"{ACCOUNT}/budgets/5f3b1f0e-0000-4000-8000-000000000001"
TOPIC = f"{PROJECT}/topics/reports"
SUBSCRIPTION = f"{PROJECT}/subscriptions/inbox"
WORLD = {
    "billing_accounts": {
        "0X0X0X-0X0X0X-0X0X0X": {
            "budgets": {
                BUDGET.rpartition("/")[2]: {"display_name": "Monthly", "amount": 1000, "threshold_rules": [0.5]}
            }
        }
    },
    "projects": {
        "demo-project": {
            "billing_account_name": "0X0X0X-0X0X0X-0X0X0X",
            "location": "europe-west1",
            "topics": ["reports"],
            "subscriptions": {"inbox": {"topic": "reports"}},
            "services": {"api": {"scaling": {"max_instance_count": 20}}, "admin": {}},
            "worker_pools": {"embeddings": {"manual_instance_count": 1}},
            "run_jobs": {"migrate": {}},
            "jobs": {"nightly": {"schedule": "30 2 * * *", "topic": "reports", "data": "go"}},
            "clusters": {"training": {"node_pools": {"gpu": {"node_count": 2, "autoscaling": {"max_node_count": 4}}}}},
            "repositories": {"images": {"images": {"team/api": {DIGEST: ["latest"]}}}},
            "secrets": {"token": {"versions": ["one"], "topics": [TOPIC]}},
        }
    },
}


class Case(NamedTuple):
    """One call."""

    client: type
    method: str
    request: Mapping[str, object]


def _document(name: str) -> dict[str, object]:
    return {"name": f"{DOCUMENTS}/{name}", "fields": {"n": {"integer_value": 1}}}


RUN = run_v2.ServicesClient
SECRETS = secretmanager_v1.SecretManagerServiceClient
GKE = container_v1.ClusterManagerClient
STORE = FirestoreClient
JOBS = scheduler_v1.CloudSchedulerClient
IMAGES = artifactregistry_v1.ArtifactRegistryClient
BUDGETS = budgets_v1.BudgetServiceClient
BILLING = billing_v1.CloudBillingClient
NEW_SERVICE = {
    "template": {
        "containers": [{"image": "us-docker.pkg.dev/cloudrun/container/hello", "ports": [{"container_port": 8080}]}]
    }
}
CASES = [
    Case(RUN, "get_service", {"name": SERVICE}),
    Case(RUN, "list_services", {"parent": REGION, "page_size": 1, "show_deleted": True}),
    Case(RUN, "create_service", {"parent": REGION, "service_id": "new", "service": NEW_SERVICE}),
    Case(RUN, "create_service", {"parent": REGION, "service_id": "new", "service": NEW_SERVICE}),
    Case(
        RUN,
        "update_service",
        {
            "service": {"name": SERVICE, "scaling": {"max_instance_count": 3}, "labels": {"a_b": "c"}},
            "update_mask": {"paths": ["scaling.max_instance_count", "labels"]},
        },
    ),
    Case(RUN, "get_service", {"name": SERVICE}),
    Case(RUN, "get_iam_policy", {"resource": SERVICE, "options": {"requested_policy_version": 3}}),
    Case(
        RUN,
        "set_iam_policy",
        {"resource": SERVICE, "policy": {"bindings": [{"role": "roles/run.invoker", "members": ["allUsers"]}]}},
    ),
    Case(RUN, "delete_service", {"name": f"{REGION}/services/admin", "validate_only": True}),
    Case(RUN, "get_service", {"name": f"{REGION}/services/none"}),
    Case(run_v2.RevisionsClient, "list_revisions", {"parent": SERVICE}),
    Case(run_v2.WorkerPoolsClient, "list_worker_pools", {"parent": REGION}),
    Case(run_v2.JobsClient, "list_jobs", {"parent": REGION}),
    Case(run_v2.ExecutionsClient, "list_executions", {"parent": f"{REGION}/jobs/migrate"}),
    Case(SECRETS, "list_secrets", {"parent": PROJECT}),
    Case(
        SECRETS, "create_secret", {"parent": PROJECT, "secret_id": "new", "secret": {"replication": {"automatic": {}}}}
    ),
    Case(SECRETS, "add_secret_version", {"parent": SECRET, "payload": {"data": b"\xff\x00two"}}),
    Case(SECRETS, "access_secret_version", {"name": f"{SECRET}/versions/latest"}),
    Case(
        SECRETS,
        "update_secret",
        {"secret": {"name": SECRET, "annotations": {"a_b": "c"}}, "update_mask": {"paths": ["annotations"]}},
    ),
    Case(SECRETS, "disable_secret_version", {"name": f"{SECRET}/versions/1"}),
    Case(SECRETS, "access_secret_version", {"name": f"{SECRET}/versions/1"}),
    Case(PublisherClient, "list_topics", {"project": PROJECT}),
    Case(PublisherClient, "create_topic", {"name": f"{PROJECT}/topics/new", "labels": {"a": "b"}}),
    Case(
        PublisherClient,
        "publish",
        {"topic": TOPIC, "messages": [{"data": b"\xff", "attributes": {"camelCase": "x", "snake_case": "y"}}]},
    ),
    Case(SubscriberClient, "pull", {"subscription": SUBSCRIPTION, "max_messages": 10}),
    Case(
        SubscriberClient,
        "update_subscription",
        {
            "subscription": {"name": SUBSCRIPTION, "ack_deadline_seconds": 60},
            "update_mask": {"paths": ["ack_deadline_seconds"]},
        },
    ),
    Case(GKE, "list_clusters", {"parent": f"{PROJECT}/locations/-"}),
    Case(GKE, "get_node_pool", {"name": POOL}),
    Case(GKE, "set_node_pool_size", {"name": POOL, "node_count": 0}),
    Case(GKE, "list_operations", {"parent": REGION}),
    Case(GKE, "get_cluster", {"name": f"{REGION}/clusters/none"}),
    Case(STORE, "create_document", {"parent": f"{DOCUMENTS}/a/b", "collection_id": "c", "document": {}}),
    Case(STORE, "update_document", {"document": _document("a/b/c/d"), "current_document": {"exists": False}}),
    Case(STORE, "get_document", {"name": f"{DOCUMENTS}/a/b/c/d"}),
    Case(STORE, "list_documents", {"parent": f"{DOCUMENTS}/a/b", "collection_id": "c"}),
    Case(STORE, "batch_get_documents", {"database": DOCUMENTS.rpartition("/")[0], "documents": [f"{DOCUMENTS}/a/b"]}),
    Case(STORE, "commit", {"database": DOCUMENTS.rpartition("/")[0], "writes": [{"update": _document("a/e")}]}),
    Case(firestore_admin_v1.FirestoreAdminClient, "list_databases", {"parent": PROJECT}),
    Case(JOBS, "list_jobs", {"parent": REGION}),
    Case(JOBS, "pause_job", {"name": JOB}),
    Case(JOBS, "pause_job", {"name": JOB}),
    Case(JOBS, "update_job", {"job": {"name": JOB, "description": "x"}, "update_mask": {"paths": ["description"]}}),
    Case(IMAGES, "list_docker_images", {"parent": REPOSITORY}),
    Case(IMAGES, "get_docker_image", {"name": f"{REPOSITORY}/dockerImages/team%2Fapi@{DIGEST}"}),
    Case(IMAGES, "list_tags", {"parent": f"{REPOSITORY}/packages/team%2Fapi"}),
    Case(BUDGETS, "list_budgets", {"parent": ACCOUNT}),
    Case(
        BUDGETS,
        "update_budget",
        {"budget": {"name": BUDGET, "display_name": "Other"}, "update_mask": {"paths": ["display_name"]}},
    ),
    Case(BILLING, "get_project_billing_info", {"name": PROJECT}),
    Case(
        BILLING, "update_project_billing_info", {"name": PROJECT, "project_billing_info": {"billing_account_name": ""}}
    ),
    # From here on the project is detached: ErrorInfo comes with the refusal.
    Case(RUN, "list_services", {"parent": REGION}),
    Case(JOBS, "get_job", {"name": JOB}),
    Case(resourcemanager_v3.ProjectsClient, "get_project", {"name": PROJECT}),
    Case(
        resourcemanager_v3.ProjectsClient,
        "test_iam_permissions",
        {"resource": PROJECT, "permissions": ["run.services.get", "run.services.list"]},
    ),
    Case(
        service_usage_v1.ServiceUsageClient,
        "batch_get_services",
        {"parent": PROJECT, "names": [f"{PROJECT}/services/{one}.googleapis.com" for one in ("run", "pubsub")]},
    ),
    Case(
        orgpolicy_v2.OrgPolicyClient,
        "get_effective_policy",
        {"name": f"{PROJECT}/policies/iam.allowedPolicyMemberDomains"},
    ),
    Case(trace_v2.TraceServiceClient, "batch_write_spans", {"name": PROJECT, "spans": []}),
]


def _cloud() -> LocalCloud:
    cloud = LocalCloud(now=NOW)
    seed(cloud, world_from(WORLD))
    return cloud


def _client(cloud: LocalCloud, kind: Any, transport: str) -> Any:
    transports = kind.get_transport_class(transport)
    if transport == "grpc":
        return kind(transport=transports(channel=grpc.insecure_channel(cloud.address)))
    host = f"{cloud.http_address}/{kind.DEFAULT_ENDPOINT}"
    return kind(transport=transports(host=host, credentials=AnonymousCredentials()))


def _outcome(client: Any, case: Case) -> object:
    try:
        answer = getattr(client, case.method)(request=case.request, retry=None, timeout=10)
    except GoogleAPICallError as error:
        # HTTP does not tell apart all codes of gRPC, so neither do the classes of exceptions.
        return error.code, re.sub(r"^[A-Z]+ http\S+: ", "", error.message), error.reason, error.metadata
    if isinstance(answer, Operation):
        return MessageToDict(answer.operation)
    if hasattr(answer, "pages"):
        return [MessageToDict(protobuf(page)) for page in answer.pages]
    if isinstance(answer, Iterator) or hasattr(answer, "__next__"):
        return [MessageToDict(protobuf(one)) for one in answer]
    return None if answer is None else MessageToDict(protobuf(answer))


def test_the_official_clients_get_the_same_over_both_transports() -> None:
    different: list[object] = []
    with _cloud() as by_grpc, _cloud() as by_rest:
        clients = {
            (kind, transport): _client(cloud, kind, transport)
            for kind in {case.client for case in CASES}
            for cloud, transport in ((by_grpc, "grpc"), (by_rest, "rest"))
        }
        for case in CASES:
            one, other = (_outcome(clients[case.client, transport], case) for transport in ("grpc", "rest"))
            if one != other:
                different.append((case.client.__name__, case.method, one, other))
        recorded = [
            [(call.method, call.request, call.code) for call in cloud.server.calls] for cloud in (by_grpc, by_rest)
        ]
    assert different == []
    assert recorded[0] == recorded[1]


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    cloud = _cloud()
    yield cloud
    cloud.stop()


RUN_HOST = "run.googleapis.com/v2"
SERVICE_URL = f"{RUN_HOST}/{SERVICE}"
SUBSCRIPTION_URL = f"pubsub.googleapis.com/v1/{SUBSCRIPTION}"
INTERVAL = "interval.startTime=2026-11-01T00:00:00Z&interval.end_time=2026-11-01T01:00:00Z"
SERIES = f"monitoring.googleapis.com/v3/{PROJECT}/timeSeries"


@pytest.mark.parametrize(
    ("request_line", "body", "expected"),
    [
        # Update masks in either spelling, in the query and in the body.
        (
            f"PATCH {SERVICE_URL}?updateMask=scaling.max_instance_count",
            {"scaling": {"maxInstanceCount": 7}},
            {"done": True},
        ),
        (
            f"PATCH {SERVICE_URL}?updateMask=scaling.maxInstanceCount",
            {"scaling": {"max_instance_count": 8}},
            {"done": True},
        ),
        (
            f"PATCH {SUBSCRIPTION_URL}",
            {"subscription": {"ackDeadlineSeconds": 30}, "updateMask": "ack_deadline_seconds"},
            {"ackDeadlineSeconds": 30},
        ),
        # A custom verb is no part of the name before it, and an encoded colon is.
        (f"POST {SUBSCRIPTION_URL}:modifyPushConfig", {"pushConfig": {}}, {}),
        (f"GET {SUBSCRIPTION_URL}%3Adetach", None, (404, "Resource not found (resource=inbox:detach).")),
        # Nested query fields, enums by number and by name, flags, and what a field is not.
        (
            f"GET {SERIES}?filter=metric.type%3D%22x%22&{INTERVAL}&view=1&aggregation.groupByFields=a",
            None,
            {},
        ),
        (f"GET {SERIES}?view=HEADERS&interval=x", None, (400, "Invalid JSON payload received.")),
        (
            f"GET {RUN_HOST}/{REGION}/services?showDeleted=maybe",
            None,
            (400, "Invalid value at 'showDeleted' (TYPE_BOOL)"),
        ),
        (
            f"GET {RUN_HOST}/{REGION}/services?colour=red",
            None,
            (400, "Invalid JSON payload received. Unknown name 'colour'"),
        ),
        (f"PATCH {SERVICE_URL}", {"colour": "red"}, (400, "Invalid JSON payload received.")),
        (f"PATCH {SERVICE_URL}", "{", (400, "Invalid JSON payload received.")),
        # Enums as numbers, and parts of answers.
        (
            f"GET {SERVICE_URL}?$alt=json;enum-encoding=int&fields=name,launchStage",
            None,
            {"name": SERVICE, "launchStage": 4},
        ),
        (f"GET {SERVICE_URL}?alt=json&fields=launchStage&prettyPrint=false", None, {"launchStage": "GA"}),
        (
            f"GET {SERVICE_URL}?fields=template/containers(image)",
            None,
            {"template": {"containers": [{"image": HELLO}]}},
        ),
        (f"GET {SERVICE_URL}?fields=colour", None, (400, "Invalid field selection colour")),
        (f"GET {SERVICE_URL}?alt=proto", None, (400, "Invalid value for the query parameter 'alt'")),
        # Names with slashes of their own, as they are and encoded once more.
        (
            f"GET artifactregistry.googleapis.com/v1/{REPOSITORY}/packages/team%2Fapi/tags?fields=tags.name",
            None,
            (400, "Invalid field selection tags.name"),
        ),
        (
            f"GET artifactregistry.googleapis.com/v1/{REPOSITORY}/packages/team%252Fapi/tags?fields=tags/name",
            None,
            {"tags": [{"name": f"{REPOSITORY}/packages/team%2Fapi/tags/latest"}]},
        ),
        # Hosts of one region.
        (
            f"GET europe-west1-{RUN_HOST}/{REGION}/services?fields=services/name&pageSize=1&filter=",
            None,
            (400, "Invalid JSON payload received. Unknown name 'filter'"),
        ),
        (f"GET europe-west1-{SERVICE_URL}?fields=name", None, {"name": SERVICE}),
        # What is not served: a method, and what is no method.
        (
            f"POST {SUBSCRIPTION_URL.replace('subscriptions/inbox', 'snapshots/x')}",
            None,
            (404, "POST pubsub.googleapis.com/"),
        ),
        (
            f"GET logging.googleapis.com/v2/{PROJECT}/logs",
            None,
            (405, "google.logging.v2.LoggingServiceV2/ListLogs is not"),
        ),
        (f"GET {RUN_HOST}/things", None, (404, f"GET {RUN_HOST}/things is not served by the local cloud")),
    ],
)
def test_how_a_request_is_read(
    cloud: LocalCloud, request_line: str, body: object, expected: tuple[int, str] | dict[str, object]
) -> None:
    verb, _, target = request_line.partition(" ")
    sent = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    answer = cloud.http.answer(verb, f"/{target}", sent)
    content = json.loads(answer.body)
    if isinstance(expected, tuple):
        status, message = expected
        assert (answer.status, content["error"]["message"][: len(message)]) == (status, message)
    else:
        assert answer.status == 200, content
        assert {name: content.get(name) for name in expected} == expected


def test_whatever_is_served_has_a_rule_but_streams_of_requests(cloud: LocalCloud) -> None:
    kinds = {rpc.path[1:]: rpc.kind for service in cloud.services() for api in service.transports for rpc in rpcs(api)}
    served = {path for path in kinds if cloud.server.find(f"/{path}").method.handle}
    ruled = {rule.rpc for of_host in rules().values() for rule in of_host}
    assert served - ruled == {path for path in served if kinds[path] == REQUEST_STREAM}
    assert ruled <= kinds.keys()
