"""Cloud Run's validation of services, jobs and worker pools.

Pure functions over messages: ``cloud_run_resources.py`` keeps the state. The text and code of the scaling rule are
those that users report (goblet/goblet #287); limits are from the message descriptions of
``google.cloud.run.v2`` and https://cloud.google.com/run/quotas.
"""

import re
from datetime import datetime

import grpc
from google.cloud import run_v2

from localcloud.core.messages import invalid, project_number
from localcloud.core.server import ApiError
from localcloud.run.traffic import check_traffic

LONGEST_ID = 49
LONGEST_REVISION_ID = 63
LONGEST_DESCRIPTION = 512
MOST_LABELS = 64
NONCE = "client.knative.dev/nonce"
"""The label with which `gcloud run` makes each template that it sends another, whose revision it can find."""
LARGEST_ANNOTATIONS = 256 * 1024

OUTPUT_ONLY = frozenset(
    (
        "name",
        "uid",
        "generation",
        "create_time",
        "update_time",
        "delete_time",
        "expire_time",
        "creator",
        "last_modifier",
        "observed_generation",
        "terminal_condition",
        "conditions",
        "latest_ready_revision",
        "latest_created_revision",
        "traffic_statuses",
        "instance_split_statuses",
        "uri",
        "urls",
        "satisfies_pzs",
        "threat_detection_enabled",
        "reconciling",
        "etag",
        "execution_count",
        "latest_created_execution",
    )
)

Resource = run_v2.Service | run_v2.WorkerPool | run_v2.Job
Template = run_v2.RevisionTemplate | run_v2.WorkerPoolRevisionTemplate | run_v2.TaskTemplate

_LOCATION = re.compile(r"^projects/(?P<project>[a-z0-9:.-]+)/locations/(?P<location>[a-z][a-z0-9-]*)$")
_NAME = re.compile(r"^(?P<parent>projects/[^/]+/locations/[^/]+)/(?P<collection>[^/]+)/(?P<id>[^/]+)$")
_ID = re.compile(r"^[a-z]([-a-z0-9]*[a-z0-9])?$")
_LABEL_KEY = re.compile(r"^[^\W\d_A-Z][\w-]{0,62}$")
_LABEL_VALUE = re.compile(r"^[\w-]{0,63}$")
_ANNOTATION_KEY = re.compile(r"^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$")
_RESERVED = ("run.googleapis.com", "cloud.googleapis.com", "serving.knative.dev", "autoscaling.knative.dev")


def check_parent(parent: str) -> None:
    """Refuse a parent that is not one region of a project (the wildcard "-" is none)."""
    if not _LOCATION.match(parent):
        raise invalid(f"Invalid parent {parent!r}: expected projects/PROJECT/locations/REGION.")


def mutable(message: type[Resource]) -> tuple[str, ...]:
    """The fields that a caller may set."""
    return tuple(name for name in message.meta.fields if name not in OUTPUT_ONLY)


def condition(state: str, when: datetime, message: str = "", kind: str = "Ready") -> run_v2.Condition:
    """Whether a resource is ready, and Cloud Run's message about it."""
    ready = run_v2.Condition.State[state]
    return run_v2.Condition(type_=kind, state=ready, message=message, last_transition_time=when)


def check_id(resource_id: str, where: str) -> None:
    """Refuse an id that Cloud Run does not allow: 49 lowercase letters, digits and hyphens at most."""
    if not _ID.match(resource_id) or len(resource_id) > LONGEST_ID:
        raise invalid(
            f"Violation in {where}: {resource_id!r} must have fewer than 50 "
            "characters, lowercase letters, digits and hyphens, begin with a letter, not end with a hyphen."
        )


def split_name(name: str, collection: str) -> tuple[str, str]:
    """The parent and the id of a full name in a collection (``services``); INVALID_ARGUMENT for anything else."""
    match = _NAME.match(name)
    if not match or match["collection"] != collection:
        raise invalid(f"Invalid name {name!r}: expected projects/PROJECT/locations/REGION/{collection}/ID.")
    return match["parent"], match["id"]


def check_etag(resource: Resource, etag: str) -> None:
    """Refuse an etag that is not the newest, with ABORTED; none is as good as the newest."""
    if etag and etag != resource.etag:
        resource_id = resource.name.rpartition("/")[2]
        given, current = (one.strip('"').partition("/")[0] for one in (etag, resource.etag))
        raise ApiError(
            grpc.StatusCode.ABORTED,
            f"Conflict for resource '{resource_id}': version '{given}' was specified but "
            f"current version is '{current}'.",
        )


def address(parent: str, service_id: str) -> str:
    """The deterministic address of a service, on a project number that is made from the project's id."""
    match = _LOCATION.match(parent)
    if not match:
        raise invalid(f"Invalid parent {parent!r}.")
    return f"https://{service_id}-{project_number(match['project'])}.{match['location']}.run.app"


def check(service: run_v2.Service, where: str) -> None:
    """Raise INVALID_ARGUMENT for what Cloud Run would not take; ``where`` is its place in the request."""
    _check_described(service, where)
    _check_service_scaling(service.scaling, f"{where}.scaling")
    _check_range(
        service.template.scaling.min_instance_count,
        service.template.scaling.max_instance_count,
        f"{where}.template.scaling",
    )
    _check_revision_id(service.template.revision, service.name.rsplit("/", 1)[-1], f"{where}.template.revision")
    check_traffic(service, where)


def check_job(job: run_v2.Job, where: str) -> None:
    """Raise INVALID_ARGUMENT for what Cloud Run would not take; ``where`` is its place in the request."""
    _check_containers(job.template.template, f"{where}.template.template")
    for described, place in ((job, where), (job.template, f"{where}.template")):
        _check_labels(dict(described.labels), f"{place}.labels")
        _check_annotations(dict(described.annotations), f"{place}.annotations")


def check_worker_pool(pool: run_v2.WorkerPool, where: str) -> None:
    """Raise INVALID_ARGUMENT for what Cloud Run would not take; ``where`` is its place in the request."""
    _check_described(pool, where)
    if pool.scaling.manual_instance_count < 0:
        raise invalid(f"Violation in {where}.scaling.manual_instance_count: must not be negative.")
    _check_revision_id(pool.template.revision, pool.name.rsplit("/", 1)[-1], f"{where}.template.revision")


def _check_described(service: run_v2.Service | run_v2.WorkerPool, where: str) -> None:
    """Validation that services and worker pools share: containers, labels, annotations."""
    if len(service.description) > LONGEST_DESCRIPTION:
        raise invalid(f"Violation in {where}.description: must have at most {LONGEST_DESCRIPTION} characters.")
    _check_containers(service.template, f"{where}.template")
    _check_labels(dict(service.labels), f"{where}.labels")
    _check_labels(dict(service.template.labels), f"{where}.template.labels")
    _check_annotations(dict(service.annotations), f"{where}.annotations")
    _check_annotations(dict(service.template.annotations), f"{where}.template.annotations")


def _check_containers(template: Template, where: str) -> None:
    if not template.containers:
        raise invalid(f"Violation in {where}.containers: must have at least one container.")
    for number, container in enumerate(template.containers):
        if not container.image:
            raise invalid(f"Violation in {where}.containers[{number}].image: must not be empty.")
        for variable in container.env:
            reference = variable.value_source.secret_key_ref
            if "value_source" in variable and not (reference.secret and reference.version):
                raise invalid(f"Violation in {where}.containers[{number}].env: {variable.name!r}: secret and version.")


def _check_service_scaling(scaling: run_v2.ServiceScaling, where: str) -> None:
    manual = scaling.scaling_mode == run_v2.ServiceScaling.ScalingMode.MANUAL
    counted = "manual_instance_count" in scaling
    if manual and not counted:
        raise invalid(f"Violation in {where}.manual_instance_count: must be set when scaling_mode is MANUAL.")
    if counted and not manual:
        raise invalid(f"Violation in {where}.manual_instance_count: can only be set when scaling_mode is MANUAL.")
    if scaling.manual_instance_count < 0:
        raise invalid(f"Violation in {where}.manual_instance_count: must not be negative.")
    # Of a service, unlike of a revision, a maximum of 0 means: no maximum.
    _check_range(scaling.min_instance_count, scaling.max_instance_count or max(scaling.min_instance_count, 0), where)


def _check_range(minimum: int, maximum: int, where: str) -> None:
    for value, field in ((minimum, "min_instance_count"), (maximum, "max_instance_count")):
        if value < 0:
            raise invalid(f"Violation in {where}.{field}: must not be negative.")
    if minimum > maximum:
        raise invalid(f"Violation in {where}.max_instance_count: must be greater or equal than min_instance_count.")


def _check_labels(labels: dict[str, str], where: str) -> None:
    labels = {key: value for key, value in labels.items() if key != NONCE}
    if len(labels) > MOST_LABELS:
        raise invalid(f"Violation in {where}: at most {MOST_LABELS} labels are allowed.")
    for key, value in labels.items():
        lower = key == key.lower() and value == value.lower()
        if not (_LABEL_KEY.match(key) and _LABEL_VALUE.match(value) and lower):
            raise invalid(
                f"Violation in {where}: {key!r}: {value!r}: keys start with a letter; keys and values "
                "have at most 63 lowercase letters, digits, underscores and hyphens."
            )


def _check_annotations(annotations: dict[str, str], where: str) -> None:
    for key in annotations:
        namespace = key.split("/")[0]
        if any(namespace == name or namespace.endswith(f".{name}") for name in _RESERVED):
            raise invalid(f"Violation in {where}: {key!r}: the namespace {namespace} is not supported in v2.")
        if not _ANNOTATION_KEY.match(key):
            raise invalid(f"Violation in {where}: {key!r} is not a valid annotation key.")
    size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
    if size > LARGEST_ANNOTATIONS:
        raise invalid(f"Violation in {where}: {size} bytes are more than {LARGEST_ANNOTATIONS}.")


def _check_revision_id(revision: str, service_id: str, where: str) -> None:
    if not revision:
        return
    if not revision.startswith(f"{service_id}-") or len(revision) > LONGEST_REVISION_ID:
        raise invalid(
            f"Violation in {where}: {revision!r} must start with {service_id!r} and a hyphen, and have at "
            f"most {LONGEST_REVISION_ID} characters."
        )
