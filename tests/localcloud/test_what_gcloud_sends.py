"""The requests of `gcloud` and `gsutil`, sent plainly: so they are tested where those are not installed, too."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from localcloud import LocalCloud
from localcloud.world import seed, world_from

pytestmark = pytest.mark.one_python

PROJECT = "projects/demo-project"
REGION = f"{PROJECT}/locations/europe-west1"
RUN = "europe-west1-run.googleapis.com/apis/serving.knative.dev/v1/namespaces/demo-project"
JOBS = "europe-west1-run.googleapis.com/apis/run.googleapis.com/v1/namespaces/demo-project"
SECRETS = f"secretmanager.googleapis.com/v1/{PROJECT}/secrets"
STORAGE = "storage.googleapis.com/storage/v1/b"
COMPUTE = "compute.googleapis.com/compute/v1/projects/demo-project"
USAGE = f"serviceusage.googleapis.com/v1/{PROJECT}/services"
PROJECTS = "cloudresourcemanager.googleapis.com/v1/projects"
WORLD = {
    "projects": {
        "demo-project": {
            "location": "europe-west1",
            "topics": ["reports"],
            "services": {"api": {"scaling": {"max_instance_count": 20}, "secret_env": {"TOKEN": "token:1"}}},
            "worker_pools": {"embeddings": {"manual_instance_count": 1}},
            "secrets": {"token": {"versions": ["x"], "labels": {"env": "prod"}}, "other": {}},
            "clusters": {"europe-west4-a/training": {"node_pools": {"gpu": {"node_count": 2}}}},
            "buckets": {"notes": {"objects": {"a/b.txt": {"content": "hi"}}}},
        }
    }
}


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    cloud = LocalCloud(now=datetime(2026, 11, 1, 9, tzinfo=UTC))
    seed(cloud, world_from(WORLD))
    yield cloud
    cloud.stop()


def ask(cloud: LocalCloud, line: str, body: object = None, headers: Mapping[str, str] | None = None) -> object:
    """The JSON of an answer; with its status, if that is not 200."""
    verb, _, target = line.partition(" ")
    sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    answer = cloud.http.answer(verb, f"/{target}", sent, headers)
    content = json.loads(answer.body) if answer.body else None
    return content if answer.status == 200 else (answer.status, content)


def at(answer: Any, path: str) -> Any:
    """The value at a path of JSON, ``|`` between its keys."""
    for key in path.split("|") if path else ():
        answer = answer[int(key)] if isinstance(answer, (list, tuple)) else answer.get(key)
    return answer


MULTIPART = (
    b"--===1==\r\nContent-Type: application/json\r\n\r\n" + b'{"name": "new.txt"}'
    b"\r\n--===1==\r\nContent-Type: text/plain\r\n\r\nhello\r\n--===1==--"
)


def test_storage(cloud: LocalCloud) -> None:
    # The quotation marks are no part of the boundary, though RFC 2046 knows double ones alone.
    quoted = {"Content-Type": "multipart/related; boundary='===1=='"}
    upload = "storage.googleapis.com/upload/storage/v1/b/notes/o"
    made = ask(cloud, f"POST {upload}?uploadType=multipart", MULTIPART, quoted)
    assert at(made, "size") == "5"
    begun = cloud.http.answer("POST", f"/{upload}?uploadType=resumable&name=streamed", b"{}")
    session = begun.headers["Location"].removeprefix("https:/")
    # Node's client says neither where its only piece ends nor how long the whole is.
    whole = cloud.http.answer("PUT", session, b"streamed content", {"Content-Range": "bytes 0-*/*"})
    assert (whole.status, json.loads(whole.body)["size"]) == (200, "16")
    folded = ask(cloud, f"GET {STORAGE}/notes/o?delimiter=/&includeFoldersAsPrefixes=True&fields=prefixes,items/name")
    assert folded == {"prefixes": ["a/"], "items": [{"name": "new.txt"}, {"name": "streamed"}]}
    parts = ask(cloud, f"GET {STORAGE}/notes/o/new.txt?fields=name,customerEncryption,contentType,contexts")
    assert parts == {"name": "new.txt", "contentType": "text/plain"}
    assert at(ask(cloud, f"GET {STORAGE}/notes/storageLayout"), "hierarchicalNamespace") == {"enabled": False}
    rewritten = ask(cloud, f"POST {STORAGE}/notes/o/new.txt/rewriteTo/b/notes/o/moved?maxBytesRewrittenPerCall=1")
    assert (at(rewritten, "done"), at(rewritten, "resource|contentType")) == (True, "text/plain")
    own = {"contentType": "text/x-note", "metadata": {"a": "b"}, "generation": "1"}
    other = ask(cloud, f"POST {STORAGE}/notes/o/new.txt/rewriteTo/b/notes/o/other", own)
    assert (at(other, "resource|contentType"), at(other, "resource|metadata")) == ("text/x-note", {"a": "b"})
    assert cloud.storage.names("notes") == ["a/b.txt", "moved", "new.txt", "other", "streamed"]


def test_compute_lists(cloud: LocalCloud) -> None:
    scopes = ask(
        cloud, f"GET {COMPUTE}/aggregated/instanceGroupManagers?includeAllScopes=True&returnPartialSuccess=True"
    )
    group = at(scopes, "items|zones/europe-west4-a|instanceGroupManagers|0")
    assert at(group, "targetSize") == 2
    plain = ask(cloud, f"GET {COMPUTE}/zones/europe-west4-a/instanceGroups?maxResults=500")
    assert (at(plain, "items|0|name"), at(plain, "items|0|size")) == (at(group, "name"), 2)
    assert ask(cloud, f"GET {COMPUTE}/zones/europe-west4-a/autoscalers") == {"kind": "compute#autoscalerList"}


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("name:tok", ["token"]),
        ("labels.env%3Dprod", ["token"]),
        ("NOT%20labels.env:*", ["other"]),
        ("create_time%3C%222026-01-01%22", []),
        ("", ["other", "token"]),
    ],
)
def test_filters_of_secrets(cloud: LocalCloud, given: str, names: list[str]) -> None:
    found = at(ask(cloud, f"GET {SECRETS}?filter={given}"), "secrets") or []
    assert [one["name"].rpartition("/")[2] for one in found] == names


def test_policies_of_secrets(cloud: LocalCloud) -> None:
    policy = {"policy": {"bindings": [{"role": "roles/secretmanager.viewer", "members": ["allUsers"]}]}}
    assert at(ask(cloud, f"GET {SECRETS}/token:getIamPolicy?options.requestedPolicyVersion=3"), "bindings") is None
    ask(cloud, f"POST {SECRETS}/token:setIamPolicy", policy)
    assert at(ask(cloud, f"GET {SECRETS}/token:getIamPolicy"), "bindings") == policy["policy"]["bindings"]
    ask(cloud, f"DELETE {SECRETS}/token")
    ask(cloud, f"POST {SECRETS}?secretId=token", {"replication": {"automatic": {}}})
    assert at(ask(cloud, f"GET {SECRETS}/token:getIamPolicy"), "bindings") is None


def test_a_job_over_http_has_what_scheduler_fills_in(cloud: LocalCloud) -> None:
    job = {"name": f"{REGION}/jobs/x", "schedule": "* * * * *", "httpTarget": {"uri": "https://example.com/"}}
    made = ask(cloud, f"POST cloudscheduler.googleapis.com/v1/{REGION}/jobs", job)
    assert at(made, "retryConfig|maxRetryDuration") == "0s"
    assert at(made, "httpTarget|headers") == {"User-Agent": "Google-Cloud-Scheduler"}


def test_services_are_enabled_listed_and_disabled(cloud: LocalCloud) -> None:
    assert at(ask(cloud, f"POST {USAGE}/run.googleapis.com:disable"), "done")
    assert [one["name"] for one in at(ask(cloud, f"GET {USAGE}?filter=state:DISABLED"), "services")] == [
        f"{PROJECT}/services/run.googleapis.com"
    ]
    operation = ask(cloud, f"POST {USAGE}:batchEnable", {"serviceIds": ["run.googleapis.com", "x.googleapis.com"]})
    name = at(operation, "name")
    assert at(ask(cloud, f"GET serviceusage.googleapis.com/v1/{name}"), "response|services|0|state") == "ENABLED"
    assert at(ask(cloud, f"GET {USAGE}?filter=state:DISABLED"), "services") is None
    enabled = at(ask(cloud, f"POST {USAGE}/y.googleapis.com:enable"), "response|service|config|name")
    assert enabled == "y.googleapis.com"
    assert at(ask(cloud, f"GET {USAGE}/y.googleapis.com"), "state") == "ENABLED"
    identity = f"serviceusage.googleapis.com/v1beta1/{PROJECT}/services/pubsub.googleapis.com:generateServiceIdentity"
    cloud.service_agents.remove("demo-project", "pubsub")
    account = at(ask(cloud, f"POST {identity}"), "response|email")
    assert isinstance(ask(cloud, f"GET www.googleapis.com/service_accounts/v1/metadata/x509/{account}"), dict)


def test_projects_in_version_1(cloud: LocalCloud) -> None:
    operation = ask(cloud, f"POST {PROJECTS}", {"projectId": "another-project", "name": "Another"})
    name = at(operation, "name")
    done = ask(cloud, f"GET cloudresourcemanager.googleapis.com/v1/{name}")
    assert (at(done, "done"), at(done, "response|projectId")) == (True, "another-project")
    listed = at(ask(cloud, f"GET {PROJECTS}?filter=&pageSize=500"), "projects")
    assert [one["projectId"] for one in listed] == ["another-project", "demo-project"]
    assert at(ask(cloud, f"GET {PROJECTS}/demo-project"), "lifecycleState") == "ACTIVE"
    assert at(ask(cloud, f"POST {PROJECTS}", {"projectId": "demo-project"}), "0") == 409
    assert at(ask(cloud, f"POST {PROJECTS}", {"projectId": "No"}), "0") == 400
    assert at(ask(cloud, f"POST {PROJECTS}", []), "0") == 400
    assert at(ask(cloud, f"GET {PROJECTS}/none-of-ours"), "0") == 403


def test_run_services_in_version_1(cloud: LocalCloud) -> None:
    api = ask(cloud, f"GET {RUN}/services/api")
    assert at(api, "metadata|annotations|run.googleapis.com/maxScale") == "20"
    assert at(api, "status|conditions|0|status") == "True"
    secret = {"secretKeyRef": {"name": "token", "key": "1"}}
    assert at(api, "spec|template|spec|containers|0|env") == [{"name": "TOKEN", "valueFrom": secret}]
    assert at(api, "status|traffic|0|revisionName") == at(api, "status|latestReadyRevisionName")
    # `gcloud run services update` reads, changes and puts the whole.
    at(api, "spec|template")["metadata"] = {
        "annotations": {"autoscaling.knative.dev/maxScale": "5"},
        "labels": {"client.knative.dev/nonce": "abc"},
    }
    updated = ask(cloud, f"PUT {RUN}/services/api", api)
    assert at(updated, "spec|template|metadata|annotations") == {"autoscaling.knative.dev/maxScale": "5"}
    assert at(updated, "metadata|generation") == 2
    assert [call.method for call in cloud.server.calls if call.mutating] == [
        "google.cloud.run.v2.Services/UpdateService"
    ]
    stale = ask(cloud, f"PUT {RUN}/services/api", api)
    assert (at(stale, "0"), at(stale, "1|error|status")) == (409, "ABORTED")
    listed = ask(cloud, f"GET run.googleapis.com/v1/{PROJECT}/locations/-/services")
    assert [one["metadata"]["name"] for one in at(listed, "items")] == ["api"]
    revisions = ask(cloud, f"GET {RUN}/revisions?labelSelector=serving.knative.dev/service%20%3D%20api")
    names = [one["metadata"]["name"] for one in at(revisions, "items")]
    assert names[-1] == at(updated, "status|latestReadyRevisionName")
    assert at(ask(cloud, f"GET {RUN}/revisions/{names[0]}"), "metadata|name") == names[0]
    policy = {"policy": {"bindings": [{"role": "roles/run.invoker", "members": ["allUsers"]}]}}
    resource = f"run.googleapis.com/v1/{REGION}/services/api"
    ask(cloud, f"POST {resource}:setIamPolicy", policy)
    got = ask(cloud, f"GET {resource}:getIamPolicy?options.requestedPolicyVersion=3")
    assert at(got, "bindings") == policy["policy"]["bindings"]
    assert at(ask(cloud, f"DELETE {RUN}/services/api"), "status") == "Success"


def test_run_jobs_and_worker_pools_in_version_1(cloud: LocalCloud) -> None:
    container = {"image": "us-docker.pkg.dev/cloudrun/container/job"}
    task = {"containers": [container], "maxRetries": 1, "timeoutSeconds": "60"}
    job = {"metadata": {"name": "migrate"}, "spec": {"template": {"spec": {"template": {"spec": task}}}}}
    made = ask(cloud, f"POST {JOBS}/jobs", job)
    assert at(made, "spec|template|spec|template|spec|timeoutSeconds") == 60
    at(made, "spec|template|spec")["taskCount"] = 3
    assert at(ask(cloud, f"PUT {JOBS}/jobs/migrate", made), "spec|template|spec|taskCount") == 3
    assert len(at(ask(cloud, f"GET run.googleapis.com/apis/{JOBS.partition('/apis/')[2]}/jobs"), "items")) == 1
    pool = ask(cloud, f"GET {JOBS}/workerpools/embeddings")
    annotations = at(pool, "metadata|annotations")
    assert at(annotations, "run.googleapis.com/manualInstanceCount") == "1"
    annotations["run.googleapis.com/manualInstanceCount"] = "3"
    changed = ask(cloud, f"PUT {JOBS}/workerpools/embeddings", pool)
    assert at(changed, "metadata|annotations|run.googleapis.com/manualInstanceCount") == "3"


@pytest.mark.parametrize(
    ("line", "body", "status", "message"),
    [
        (f"GET {RUN}/services/none", None, 404, "Resource 'none' of kind 'SERVICE'"),
        (f"GET {RUN}/revisions/none", None, 404, "Revision 'none' could not be found."),
        (f"GET {RUN.replace('europe-west1-', '')}/services/api", None, 400, "This is asked of a region's own host"),
        (f"GET {RUN}/services?labelSelector=a", None, 400, "labelSelector: 'a' is not understood"),
        (f"POST {RUN}/services", "[]", 400, "Invalid JSON payload received."),
        (
            f"POST {RUN}/services",
            {"metadata": {"name": "x", "annotations": {"run.googleapis.com/x": "1"}}},
            400,
            "metadata.",
        ),
        (
            f"POST {RUN}/services",
            {"metadata": {"name": "x", "annotations": {"run.googleapis.com/maxScale": "many"}}},
            400,
            "metadata.annotations.run.googleapis.com/maxScale: 'many' is not a whole number",
        ),
        (
            f"POST {RUN}/services",
            {"metadata": {"name": "x"}, "spec": {"template": {"spec": {"timeoutSeconds": []}}}},
            400,
            "Inv",
        ),
        (f"POST {RUN}/revisions", {}, 404, "POST europe-west1-run.googleapis.com/"),
        (f"POST {JOBS}/jobs/x:run", {}, 404, "POST europe-west1-run.googleapis.com/"),
    ],
)
def test_what_version_1_refuses(cloud: LocalCloud, line: str, body: object, status: int, message: str) -> None:
    answer = ask(cloud, line, body)
    assert (at(answer, "0"), str(at(answer, "1|error|message"))[: len(message)]) == (status, message)
