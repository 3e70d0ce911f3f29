"""The workers' Kubernetes objects, rendered by Terraform and held against Kubernetes' own schemas.

The module has no provider, so Terraform renders it without an account, a registry or a cluster.
"""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.infra.terraform import TERRAFORM

pytestmark = [
    pytest.mark.one_python,
    pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed"),
]

SCHEMAS: dict[str, Any] = json.loads((Path(__file__).parent / "kubernetes" / "schemas.json").read_text("utf-8"))
ACCOUNT = "product-workers@my-product.iam.gserviceaccount.com"
VARIABLES = {
    "project_id": "my-product",
    "namespace": "workers",
    "kubernetes_service_account": "workers",
    "service_account": ACCOUNT,
}
TEMPORAL = {"image": "europe-west1-docker.pkg.dev/my-product/images/worker:v1", "address": "temporal.my-product:7233"}
SPOT = {"key": "cloud.google.com/gke-spot", "operator": "Equal", "value": "true", "effect": "NoSchedule"}


def terraform(folder: Path, *arguments: str) -> str:
    """Terraform's output, if it succeeds."""
    ended = subprocess.run(["terraform", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def rendered(folder: Path, temporal: Mapping[str, object] | None) -> list[dict[str, Any]]:
    """The objects, as `kubectl apply` reads them."""
    shutil.copytree(TERRAFORM / "modules" / "platform" / "manifests", folder, dirs_exist_ok=True)
    (folder / "terraform.tfvars.json").write_text(json.dumps(VARIABLES | {"temporal": temporal}), "utf-8")
    terraform(folder, "init", "-input=false", "-no-color")
    terraform(folder, "apply", "-auto-approve", "-input=false", "-no-color")
    return list(yaml.safe_load_all(terraform(folder, "output", "-raw", "manifest")))


def errors(manifest: Mapping[str, Any]) -> list[str]:
    """The fields that Kubernetes would refuse, or does not know."""
    schema = {**SCHEMAS["kinds"][manifest["kind"]], "$defs": SCHEMAS["$defs"]}
    return [f"{one.json_path}: {one.message}" for one in Draft202012Validator(schema).iter_errors(manifest)]


def named(objects: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    """The objects of a kind, by name."""
    return {one["metadata"]["name"]: one for one in objects if one["kind"] == kind}


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The manifests with default values."""
    return rendered(tmp_path_factory.mktemp("manifests"), TEMPORAL)


def test_kubernetes_knows_all_of_it(objects: list[dict[str, Any]]) -> None:
    assert sorted(one["kind"] for one in objects) == [
        *["Deployment"] * 2,
        "Namespace",
        "ServiceAccount",
        *["VerticalPodAutoscaler"] * 2,
    ]
    assert [error for one in objects for error in errors(one)] == []
    assert {one["metadata"].get("namespace", "workers") for one in objects} == {"workers"}


def test_the_schemas_find_what_is_wrong(objects: list[dict[str, Any]]) -> None:
    deployment, autoscaler = (
        json.dumps(named(objects, kind)["worker"]) for kind in ("Deployment", "VerticalPodAutoscaler")
    )
    assert errors(json.loads(deployment.replace('"replicas": 1', '"replicas": "1"')))
    assert errors(json.loads(deployment.replace('"tolerations"', '"toleration"')))
    assert errors(json.loads(deployment.replace('"matchLabels"', '"labels"')))
    assert errors(json.loads(autoscaler.replace('"Recreate"', '"Always"')))
    assert errors(json.loads(autoscaler.replace('"maxAllowed"', '"maximum"')))


def test_one_worker_and_no_gpu_until_there_is_work_for_one(objects: list[dict[str, Any]]) -> None:
    deployments = named(objects, "Deployment")
    assert {name: one["spec"]["replicas"] for name, one in deployments.items()} == {"worker": 1, "gpu-worker": 0}
    pods = {name: one["spec"]["template"]["spec"] for name, one in deployments.items()}
    assert pods["worker"]["tolerations"] == [SPOT]
    assert SPOT in pods["gpu-worker"]["tolerations"]
    assert {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"} in pods["gpu-worker"]["tolerations"]
    limits = {name: pod["containers"][0]["resources"]["limits"] for name, pod in pods.items()}
    assert limits["gpu-worker"]["nvidia.com/gpu"] == "1"
    assert "nvidia.com/gpu" not in limits["worker"]
    # The pool that modules/platform/workers makes.
    assert pods["gpu-worker"]["nodeSelector"] == {"pool": "gpu"}
    assert 'labels          = { pool = "gpu" }' in (TERRAFORM / "modules/platform/workers/pools.tf").read_text("utf-8")


def test_each_worker_has_an_autoscaler_that_may_act_on_a_single_replica(objects: list[dict[str, Any]]) -> None:
    autoscalers = {name: one["spec"] for name, one in named(objects, "VerticalPodAutoscaler").items()}
    assert {name: spec["targetRef"]["name"] for name, spec in autoscalers.items()} == {
        name: name for name in named(objects, "Deployment")
    }
    assert {spec["updatePolicy"]["minReplicas"] for spec in autoscalers.values()} == {1}
    assert {name: spec["updatePolicy"]["updateMode"] for name, spec in autoscalers.items()} == {
        "worker": "Recreate",
        "gpu-worker": "Initial",
    }


def test_pods_are_the_google_account_and_trace_a_tenth(objects: list[dict[str, Any]]) -> None:
    (account,) = named(objects, "ServiceAccount").values()
    assert account["metadata"]["annotations"] == {"iam.gke.io/gcp-service-account": ACCOUNT}
    for deployment in named(objects, "Deployment").values():
        pod = deployment["spec"]["template"]["spec"]
        assert pod["serviceAccountName"] == account["metadata"]["name"]
        environment = {one["name"]: one["value"] for one in pod["containers"][0]["env"]}
        assert (environment["TRACE_RATIO"], environment["OTEL_TRACES_SAMPLER_ARG"]) == ("0.1", "0.1")
        assert environment["TEMPORAL_ADDRESS"] == TEMPORAL["address"]


def test_what_is_said_of_a_worker_is_in_its_objects(tmp_path: Path) -> None:
    worker = {"task_queue": "mail", "replicas": 2, "cpu": "2", "memory": "1Gi", "max_memory": "2Gi"}
    given = {"LOG_LEVEL": "debug", "TRACE_RATIO": "1"}
    objects = rendered(
        tmp_path, TEMPORAL | {"environment_variables": given, "trace_ratio": 0, "workers": {"mailer": worker}}
    )
    assert [error for one in objects for error in errors(one)] == []
    spec = named(objects, "Deployment")["mailer"]["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    environment = {one["name"]: one["value"] for one in container["env"]}
    assert spec["replicas"] == 2
    assert (environment["TEMPORAL_TASK_QUEUE"], environment["LOG_LEVEL"], environment["OTEL_TRACES_SAMPLER_ARG"]) == (
        "mail",
        "debug",
        "0",
    )
    assert environment["TRACE_RATIO"] == "1"
    assert container["resources"] == {"requests": {"cpu": "2", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}


def test_without_workers_there_is_the_account_alone(tmp_path: Path) -> None:
    assert [one["kind"] for one in rendered(tmp_path, None)] == ["Namespace", "ServiceAccount"]
