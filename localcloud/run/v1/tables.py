"""The table of fields of services, revisions and jobs: see `localcloud.run.v1.fields`."""

from typing import Any

from localcloud.run.v1.fields import Field, Json, enum, flag, keys, number, seconds

RUN, KNATIVE, AUTOSCALING = "run.googleapis.com", "serving.knative.dev", "autoscaling.knative.dev"
TRAFFIC, SPLIT = "TRAFFIC_TARGET_ALLOCATION_TYPE", "INSTANCE_SPLIT_ALLOCATION_TYPE"
LATEST, REVISION = f"{TRAFFIC}_LATEST", f"{TRAFFIC}_REVISION"
STATES = {"CONDITION_SUCCEEDED": "True", "CONDITION_FAILED": "False"}
"""Any other is Unknown."""


def _env_down(one: Json) -> Json:
    reference = one.get("valueSource", {}).get("secretKeyRef")
    if not reference:
        return {"name": one["name"], "value": one.get("value", "")}
    named = {"name": reference["secret"], "key": reference.get("version", "latest")}
    return {"name": one["name"], "valueFrom": {"secretKeyRef": named}}


def _env_up(one: Json) -> Json:
    reference = one.get("valueFrom", {}).get("secretKeyRef")
    if not reference:
        return {"name": one["name"], "value": one.get("value", "")}
    named = {"secret": reference["name"], "version": reference.get("key", "latest")}
    return {"name": one["name"], "valueSource": {"secretKeyRef": named}}


def _containers(make_env: Any) -> Any:  # noqa: ANN401 - of one container's JSON to another's
    def convert(containers: list[Json]) -> list[Json]:
        return [
            {
                **one,
                **({"env": [make_env(variable) for variable in one["env"]]} if "env" in one else {}),
                **({"resources": {"limits": one["resources"].get("limits", {})}} if "resources" in one else {}),
            }
            for one in containers
        ]

    return convert


def _volumes_down(volumes: list[Json]) -> list[Json]:
    return [
        {**one, "secret": _renamed(one["secret"], {"secret": "secretName"}, {"version": "key"})}
        if "secret" in one
        else one
        for one in volumes
    ]


def _volumes_up(volumes: list[Json]) -> list[Json]:
    return [
        {**one, "secret": _renamed(one["secret"], {"secretName": "secret"}, {"key": "version"})}
        if "secret" in one
        else one
        for one in volumes
    ]


def _renamed(secret: Json, names: dict[str, str], names_of_items: dict[str, str]) -> Json:
    found = {names.get(key, key): value for key, value in secret.items()}
    if "items" in found:
        found["items"] = [{names_of_items.get(key, key): one[key] for key in one} for one in found["items"]]
    return found


def traffic_down(targets: list[Json]) -> list[Json]:
    """Version 1's traffic targets, also those of a status."""
    return [
        {
            **{key: one[key] for key in ("percent", "tag") if key in one},
            **({"latestRevision": True} if one.get("type") == LATEST else {}),
            **({"revisionName": one["revision"]} if one.get("revision") else {}),
            **({"url": one["uri"]} if "uri" in one else {}),
        }
        for one in targets
    ]


def _traffic_up(targets: list[Json]) -> list[Json]:
    return [
        {
            **{key: one[key] for key in ("percent", "tag") if key in one},
            **({"type": REVISION, "revision": one["revisionName"]} if one.get("revisionName") else {"type": LATEST}),
        }
        for one in targets
    ]


def splits_down(splits: list[Json]) -> list[Json]:
    """Version 1's instance splits, which are to a worker pool what traffic is to a service."""
    return traffic_down([{**one, "type": one.get("type", "").replace(SPLIT, TRAFFIC)} for one in splits])


def _splits_up(splits: list[Json]) -> list[Json]:
    return [{**one, "type": one["type"].replace(TRAFFIC, SPLIT)} for one in _traffic_up(splits)]


def conditions_down(conditions: list[Json]) -> list[Json]:
    """Version 1's conditions."""
    return [
        {
            "type": one["type"],
            "status": STATES.get(one.get("state", ""), "Unknown"),
            **{key: one[key] for key in ("message", "lastTransitionTime") if key in one},
        }
        for one in conditions
    ]


def _metadata(v1: str, v2: str) -> tuple[Field, ...]:
    """Labels and annotations, which services, jobs and templates have."""
    return keys(f"{v1}|labels", f"{v2}labels"), keys(f"{v1}|annotations", f"{v2}annotations")


def _task(v1: str, v2: str) -> tuple[Field, ...]:
    """The containers of a service's revision or a job's task."""
    return (
        Field(f"{v1}|containers", f"{v2}|containers", _containers(_env_down), _containers(_env_up)),
        Field(f"{v1}|volumes", f"{v2}|volumes", _volumes_down, _volumes_up),
        Field(f"{v1}|serviceAccountName", f"{v2}|serviceAccount"),
        seconds(f"{v1}|timeoutSeconds", f"{v2}|timeout"),
    )


def _revision(v1: str, v2: str) -> tuple[Field, ...]:
    """A revision's fields, below ``spec|template|`` of a service or at the top of a revision."""
    annotations = f"{v1}metadata|annotations"
    return (
        *_task(f"{v1}spec", v2.removesuffix("|")),
        Field(f"{v1}spec|containerConcurrency", f"{v2}maxInstanceRequestConcurrency"),
        number(f"{annotations}|{AUTOSCALING}/minScale", f"{v2}scaling|minInstanceCount"),
        number(f"{annotations}|{AUTOSCALING}/maxScale", f"{v2}scaling|maxInstanceCount"),
        enum(f"{annotations}|{RUN}/execution-environment", f"{v2}executionEnvironment", "EXECUTION_ENVIRONMENT_"),
        flag(f"{annotations}|{RUN}/sessionAffinity", f"{v2}sessionAffinity"),
        flag(f"{annotations}|{RUN}/cpu-throttling", f"{v2}containers|0|resources|cpuIdle", default="true"),
        flag(f"{annotations}|{RUN}/startup-cpu-boost", f"{v2}containers|0|resources|startupCpuBoost"),
    )


_CLIENT = (
    Field(f"metadata|annotations|{RUN}/client-name", "client"),
    Field(f"metadata|annotations|{RUN}/client-version", "clientVersion"),
)
SERVICE = (
    *_metadata("metadata", ""),
    *_CLIENT,
    Field(f"metadata|annotations|{RUN}/description", "description"),
    enum(f"metadata|annotations|{RUN}/ingress", "ingress", "INGRESS_TRAFFIC_"),
    Field(f"metadata|annotations|{RUN}/launch-stage", "launchStage", default="GA"),
    number(f"metadata|annotations|{RUN}/minScale", "scaling|minInstanceCount"),
    number(f"metadata|annotations|{RUN}/maxScale", "scaling|maxInstanceCount"),
    enum(f"metadata|annotations|{RUN}/scalingMode", "scaling|scalingMode", ""),
    number(f"metadata|annotations|{RUN}/manualInstanceCount", "scaling|manualInstanceCount"),
    flag(f"metadata|annotations|{RUN}/invoker-iam-disabled", "invokerIamDisabled"),
    *_metadata("spec|template|metadata", "template|"),
    Field("spec|template|metadata|name", "template|revision"),
    *_revision("spec|template|", "template|"),
    Field("spec|traffic", "traffic", traffic_down, _traffic_up),
)
JOB = (
    *_metadata("metadata", ""),
    *_CLIENT,
    Field(f"metadata|annotations|{RUN}/launch-stage", "launchStage", default="GA"),
    keys("spec|template|metadata|labels", "template|labels"),
    keys("spec|template|metadata|annotations", "template|annotations"),
    Field("spec|template|spec|parallelism", "template|parallelism"),
    Field("spec|template|spec|taskCount", "template|taskCount"),
    *_task("spec|template|spec|template|spec", "template|template"),
    Field("spec|template|spec|template|spec|maxRetries", "template|template|maxRetries"),
    enum(
        f"spec|template|metadata|annotations|{RUN}/execution-environment",
        "template|template|executionEnvironment",
        "EXECUTION_ENVIRONMENT_",
    ),
)
WORKER_POOL = (
    *_metadata("metadata", ""),
    *_CLIENT,
    Field(f"metadata|annotations|{RUN}/launch-stage", "launchStage", default="GA"),
    number(f"metadata|annotations|{RUN}/manualInstanceCount", "scaling|manualInstanceCount"),
    *_metadata("spec|template|metadata", "template|"),
    Field("spec|template|metadata|name", "template|revision"),
    Field("spec|template|spec|containers", "template|containers", _containers(_env_down), _containers(_env_up)),
    Field("spec|template|spec|volumes", "template|volumes", _volumes_down, _volumes_up),
    Field("spec|template|spec|serviceAccountName", "template|serviceAccount"),
    Field("spec|template|spec|nodeSelector|run.googleapis.com/accelerator", "template|nodeSelector|accelerator"),
    Field("spec|instanceSplits", "instanceSplits", splits_down, _splits_up),
)
REVISIONS = (*_metadata("metadata", ""), *_revision("", ""))
