"""Answers requests in version 1 of Cloud Run's API by version 2's calls, which are recorded and failed as such.

Served are services, revisions and jobs, of one region by ``REGION-run.googleapis.com``, and lists of all regions.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import json_format
from google.protobuf.message import Message

from localcloud.core.http import HttpAnswer, HttpRequest, google_refusal
from localcloud.core.messages import invalid, project_number
from localcloud.core.server import ApiError, protobuf
from localcloud.rest.transcoder import perform, request_type
from localcloud.run.v1.fields import Field, Json, down, up
from localcloud.run.v1.tables import (
    JOB,
    KNATIVE,
    REVISIONS,
    RUN,
    SERVICE,
    WORKER_POOL,
    conditions_down,
    splits_down,
    traffic_down,
)

if TYPE_CHECKING:
    from localcloud.core.cloud import Cloud

_HOST = r"(?:(?P<region>[a-z]+-[a-z]+\d+)-)?run\.googleapis\.com"
_COLLECTION = r"(?P<collection>services|jobs|revisions|workerpools)(?:/(?P<id>[^/:]+))?"
_NAMESPACE = rf"/?apis/(?:{re.escape(KNATIVE)}|{re.escape(RUN)})/v1/namespaces/(?P<project>[^/]+)"
_ANY_REGION = r"v1/projects/(?P<project_>[^/]+)/locations/(?P<location>[^/]+)"
_PATH = re.compile(rf"{_HOST}/(?:{_NAMESPACE}|{_ANY_REGION})/{_COLLECTION}(?P<action>:[a-zA-Z]+)?")
EVERY = "-"
POLICY_METHODS = {
    ":getIamPolicy": "GetIamPolicy",
    ":setIamPolicy": "SetIamPolicy",
    ":testIamPermissions": "TestIamPermissions",
}


class V1:
    """Cloud Run's older surface, for `gcloud run`."""

    def __init__(self, cloud: "Cloud") -> None:
        from localcloud.run.registration import RUN as SERVICES
        from localcloud.run.registration import RUN_JOBS, WORKER_POOLS

        self._server = cloud.server
        self._regions: Mapping[str, Callable[[str], list[str]]] = {
            "services": cloud.of(SERVICES).regions,
            "jobs": cloud.of(RUN_JOBS).regions,
            "revisions": cloud.of(SERVICES).regions,
            "workerPools": cloud.of(WORKER_POOLS).regions,
        }

    def serves(self, host: str) -> bool:
        """Whether it is Cloud Run's, of any region."""
        return re.fullmatch(_HOST, host) is not None

    def answer(self, request: HttpRequest) -> HttpAnswer | None:
        """The answer; None to what is not of version 1, or of no resource that is served."""
        found = _PATH.fullmatch(request.path)
        if not found:
            return None
        target = Target(
            request,
            _COLLECTIONS[found["collection"]],
            found["project"] or found["project_"],
            found["location"] or found["region"] or EVERY,
            found["id"] or "",
        )
        try:
            answer = self._policy(target, found["action"]) if found["action"] else self._answer(target)
        except ApiError as error:
            return google_refusal(error)
        return None if answer is None else HttpAnswer(200, json.dumps(answer).encode())

    def _answer(self, target: "Target") -> Json | None:
        handle = {
            ("GET", False): self._list,
            ("GET", True): self._read,
            ("POST", False): self._create,
            ("PUT", True): self._replace,
            ("DELETE", True): self._delete,
        }.get((target.request.verb, bool(target.id)))
        if handle is None or (target.collection.is_read_only and target.request.verb != "GET"):
            return None
        if target.region == EVERY and handle != self._list:
            raise invalid("This is asked of a region's own host, such as europe-west1-run.googleapis.com.")
        return handle(target)

    def _list(self, target: "Target") -> Json:
        """All of the region, or of all regions, in one page; perhaps those alone whose labels are as selected."""
        collection = target.collection
        every = self._regions[collection.plural](target.project)
        listed = [
            collection.down(one)
            for region in (every if target.region == EVERY else [target.region])
            for one in self._listed(collection, f"projects/{target.project}/locations/{region}")
        ]
        wanted = _selected_labels(target.request.query.get("labelSelector", ""))
        shown = [one for one in listed if wanted.items() <= one["metadata"]["labels"].items()]
        return {"kind": f"{collection.kind}List", "apiVersion": collection.api, "metadata": {}, "items": shown}

    def _listed(self, collection: "Collection", region: str) -> list[Json]:
        parent = f"{region}/services/{EVERY}" if collection.is_read_only else region
        listed: list[Json] = self._call(collection, "List", {"parent": parent}).get(collection.plural, [])
        return listed

    def _read(self, target: "Target") -> Json:
        return target.collection.down(self._current(target))

    def _current(self, target: "Target") -> Json:
        """Version 2's form. A revision is named without its service in version 1."""
        if not target.collection.is_read_only:
            return self._call(target.collection, "Get", {"name": target.name})
        for one in self._listed(target.collection, target.parent):
            if one["name"].rpartition("/")[2] == target.id:
                return one
        raise ApiError(grpc.StatusCode.NOT_FOUND, f"Revision '{target.id}' could not be found.")

    def _create(self, target: "Target") -> Json:
        collection, wanted = target.collection, _json(target.request)
        name = wanted.get("metadata", {}).get("name", "")
        made = {"parent": target.parent, f"{collection.v2}Id": name, collection.v2: up(wanted, collection.fields)}
        self._call(collection, "Create", made)
        return self._read(replace(target, id=name))

    def _replace(self, target: "Target") -> Json:
        wanted = _json(target.request)
        changed = up(wanted, target.collection.fields, self._current(target))
        version = wanted.get("metadata", {}).get("resourceVersion")
        changed["etag"] = f'"{version}"' if version else ""
        self._call(target.collection, "Update", {target.collection.v2: changed})
        return self._read(target)

    def _delete(self, target: "Target") -> Json:
        self._call(target.collection, "Delete", {"name": target.name})
        return {"kind": "Status", "apiVersion": "v1", "status": "Success"}

    def _policy(self, target: "Target", action: str) -> Json | None:
        """The requests for the IAM policy of a service."""
        if target.collection.kind != "Service" or action not in POLICY_METHODS:
            return None
        wanted = {"resource": target.name, **_json(target.request)}
        if version := target.request.query.get("options.requestedPolicyVersion"):
            wanted["options"] = {"requestedPolicyVersion": int(version)}
        return self._perform(f"google.cloud.run.v2.Services/{POLICY_METHODS[action]}", wanted)

    def _call(self, collection: "Collection", verb: str, request: Json) -> Json:
        plural = "s" if verb == "List" else ""
        return self._perform(f"google.cloud.run.v2.{collection.kind}s/{verb}{collection.kind}{plural}", request)

    def _perform(self, rpc: str, request: Json) -> Json:
        try:
            message: Message = json_format.ParseDict(request, request_type(self._server, rpc)())
        except json_format.ParseError as error:
            raise invalid(f"Invalid JSON payload received. {error}") from error
        answer: Any = protobuf(perform(self._server, rpc, message))
        return json_format.MessageToDict(answer)


@dataclass(frozen=True)
class Target:
    """The resource of a request."""

    request: HttpRequest
    collection: "Collection"
    project: str
    region: str
    id: str
    """Of one resource, "" of all."""

    @property
    def parent(self) -> str:
        """Its place, in version 2's form."""
        return f"projects/{self.project}/locations/{self.region}"

    @property
    def name(self) -> str:
        """In full, in version 2's form."""
        return f"{self.parent}/{self.collection.plural}/{self.id}"


class Collection:
    """A kind of resource in both versions."""

    def __init__(self, kind: str, api: str, fields: tuple[Field, ...], status: Callable[[Json], Json]) -> None:
        self.kind = kind
        self.v2 = kind[0].lower() + kind[1:]
        self.plural = f"{self.v2}s"
        self.api = f"{api}/v1"
        self.fields = fields
        self.is_read_only = kind == "Revision"
        self._status = status

    def down(self, v2: Json) -> Json:
        """Version 1's form of a resource that version 2 has answered."""
        _, project, _, region, *_, name = v2["name"].split("/")
        found = down(v2, self.fields)
        metadata = found.setdefault("metadata", {})
        number = project_number(project)
        metadata |= {
            "name": name,
            "namespace": number,
            "selfLink": f"/apis/{self.api}/namespaces/{number}/{self.plural.lower()}/{name}",
            "uid": v2.get("uid", ""),
            "resourceVersion": v2.get("etag", "").strip('"'),
            "generation": int(v2.get("generation", 1)),
            "creationTimestamp": v2["createTime"],
            "labels": {**metadata.get("labels", {}), "cloud.googleapis.com/location": region},
        }
        annotations = metadata.setdefault("annotations", {})
        for key, field in (("creator", "creator"), ("lastModifier", "lastModifier")):
            if field in v2:
                annotations[f"{KNATIVE}/{key}"] = v2[field]
        if "ingress" in v2:
            annotations[f"{RUN}/ingress-status"] = annotations[f"{RUN}/ingress"]
        if self.kind == "WorkerPool":
            annotations[f"{RUN}/scalingMode"] = "manual"
        if self.is_read_only:
            metadata["labels"][f"{KNATIVE}/service"] = v2["name"].split("/")[-3]
        status = {"observedGeneration": int(v2.get("observedGeneration", 0)), **self._status(v2)}
        return {"apiVersion": self.api, "kind": self.kind, **found, "status": status}


def _selected_labels(selector: str) -> Json:
    """The labels of a selector such as ``serving.knative.dev/service = api``. Raises INVALID_ARGUMENT for others."""
    parts = [[side.strip() for side in part.split("=")] for part in selector.split(",") if part.strip()]
    if any(len(part) != 2 for part in parts):
        raise invalid(f"labelSelector: {selector!r} is not understood by the local cloud, which takes KEY=VALUE.")
    return dict(parts)


def _json(request: HttpRequest) -> Json:
    try:
        content = json.loads(request.body or b"{}")
    except ValueError as error:
        raise invalid(f"Invalid JSON payload received. {error}") from error
    if not isinstance(content, dict):
        raise invalid("Invalid JSON payload received. Expected an object.")
    return content


def _service_status(v2: Json) -> Json:
    ready = v2.get("latestReadyRevision", "").rpartition("/")[2]
    traffic = traffic_down(v2.get("trafficStatuses", []))
    for target in traffic:
        target.setdefault("revisionName", ready)  # version 1 names the latest too
    return {
        **_worker_pool_status(v2),
        **({"url": v2["uri"], "address": {"url": v2["uri"]}} if "uri" in v2 else {}),
        **({"traffic": traffic} if traffic else {}),
    }


def _worker_pool_status(v2: Json) -> Json:
    splits = splits_down(v2.get("instanceSplits", []))
    return {
        "conditions": conditions_down([v2["terminalCondition"], *v2.get("conditions", [])]),
        **{
            f"{field}Name": v2[field].rpartition("/")[2]
            for field in ("latestCreatedRevision", "latestReadyRevision")
            if field in v2
        },
        **({"instanceSplits": splits} if splits else {}),
    }


def _job_status(v2: Json) -> Json:
    return {
        "conditions": conditions_down([v2["terminalCondition"], *v2.get("conditions", [])]),
        "executionCount": int(v2.get("executionCount", 0)),
    }


def _revision_status(v2: Json) -> Json:
    return {"conditions": conditions_down(v2.get("conditions", [])), "logUri": v2.get("logUri", "")}


_COLLECTIONS = {
    "services": Collection("Service", KNATIVE, SERVICE, _service_status),
    "jobs": Collection("Job", RUN, JOB, _job_status),
    "workerpools": Collection("WorkerPool", RUN, WORKER_POOL, _worker_pool_status),
    "revisions": Collection("Revision", KNATIVE, REVISIONS, _revision_status),
}
