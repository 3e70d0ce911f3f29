"""The permissions that a call needs. The map is ours, from Google's and GitHub's pages: no service has checked it."""

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.message import Message

from localcloud.github.access import PERMISSIONS as GITHUB_PERMISSIONS
from localcloud.github.schema import HOST, description

Needed = tuple[str, ...]

ACTING = "iam.serviceAccounts.actAs"
"""Google's pages on configuring Cloud Run ask for it on every change
(https://docs.cloud.google.com/run/docs/configuring/max-instances): whether the service does, we have not observed."""
READING_IMAGES = "artifactregistry.repositories.downloadArtifacts"
"""The caller that creates a revision, or changes a job, must be able to read its image
(https://docs.cloud.google.com/artifact-registry/docs/integrate-cloud-run)."""


def _commit(request: Any) -> Needed:
    """The precondition that every write of the suite has distinguishes a create from an update."""
    needed = set()
    for write in request.writes:
        if write.WhichOneof("operation") == "delete":
            needed.add("datastore.entities.delete")
        elif write.current_document.WhichOneof("condition_type") == "exists" and not write.current_document.exists:
            needed.add("datastore.entities.create")
        elif write.current_document.WhichOneof("condition_type") == "update_time":
            needed.add("datastore.entities.update")
        else:
            needed |= {"datastore.entities.create", "datastore.entities.update"}
    return tuple(needed)


def _link(request: Any) -> Needed:
    if not request.project_billing_info.billing_account_name:
        return ("resourcemanager.projects.deleteBillingAssignment",)
    return ("resourcemanager.projects.createBillingAssignment", "billing.resourceAssociations.create")


def _create_service(request: Any) -> Needed:
    return ("run.services.create", ACTING, READING_IMAGES, *_letting_everybody_in(request.service))


def _update_service(request: Any) -> Needed:
    """A changed template makes a revision, for which the caller must be able to read its image."""
    paths = {path.partition(".")[0] for path in request.update_mask.paths} or {"*"}
    running = (READING_IMAGES,) if paths & {"template", "*"} else ()
    opening = _letting_everybody_in(request.service) if paths & {"invoker_iam_disabled", "*"} else ()
    return ("run.services.update", ACTING, *running, *opening)


def _update_worker_pool(request: Any) -> Needed:
    """As with services: of a worker pool that is only resized, no image is read."""
    paths = {path.partition(".")[0] for path in request.update_mask.paths} or {"*"}
    return ("run.workerpools.update", ACTING, *((READING_IMAGES,) if paths & {"template", "*"} else ()))


def _letting_everybody_in(service: Any) -> Needed:
    """https://docs.cloud.google.com/run/docs/authenticating/public."""
    return ("run.services.setIamPolicy",) if service.invoker_iam_disabled else ()


PERMISSIONS: Mapping[str, Needed | Callable[[Any], Needed]] = {
    "google.firestore.v1.Firestore/BatchGetDocuments": ("datastore.entities.get",),
    "google.firestore.v1.Firestore/Commit": _commit,
    "google.cloud.run.v2.Services/ListServices": ("run.services.list",),
    "google.cloud.run.v2.Services/GetService": ("run.services.get",),
    "google.cloud.run.v2.Services/CreateService": _create_service,
    "google.cloud.run.v2.Services/UpdateService": _update_service,
    "google.cloud.run.v2.Services/DeleteService": ("run.services.delete",),
    "google.cloud.run.v2.Services/GetIamPolicy": ("run.services.getIamPolicy",),
    "google.cloud.run.v2.Services/SetIamPolicy": ("run.services.setIamPolicy",),
    "google.cloud.run.v2.Revisions/GetRevision": ("run.revisions.get",),
    "google.cloud.run.v2.Revisions/ListRevisions": ("run.revisions.list",),
    "google.cloud.run.v2.Jobs/ListJobs": ("run.jobs.list",),
    "google.cloud.run.v2.Jobs/GetJob": ("run.jobs.get",),
    "google.cloud.run.v2.Jobs/UpdateJob": ("run.jobs.update", ACTING, READING_IMAGES),
    "google.cloud.scheduler.v1.CloudScheduler/ListJobs": ("cloudscheduler.jobs.list",),
    "google.cloud.scheduler.v1.CloudScheduler/GetJob": ("cloudscheduler.jobs.get",),
    "google.cloud.scheduler.v1.CloudScheduler/PauseJob": ("cloudscheduler.jobs.pause",),
    "google.cloud.scheduler.v1.CloudScheduler/ResumeJob": ("cloudscheduler.jobs.enable",),
    "google.cloud.billing.v1.CloudBilling/GetProjectBillingInfo": ("resourcemanager.projects.get",),
    "google.cloud.billing.v1.CloudBilling/UpdateProjectBillingInfo": _link,
    "google.pubsub.v1.Publisher/Publish": ("pubsub.topics.publish",),
    "google.cloud.run.v2.WorkerPools/ListWorkerPools": ("run.workerpools.list",),
    "google.cloud.run.v2.WorkerPools/UpdateWorkerPool": _update_worker_pool,
    "google.cloud.run.v2.Executions/ListExecutions": ("run.executions.list",),
    "google.cloud.run.v2.Instances/ListInstances": ("run.instances.list",),
    "google.container.v1.ClusterManager/ListNodePools": ("container.clusters.get",),
    "google.container.v1.ClusterManager/SetNodePoolSize": ("container.clusters.update",),
    "google.container.v1.ClusterManager/SetNodePoolAutoscaling": ("container.clusters.update",),
    "google.container.v1.ClusterManager/ListOperations": ("container.operations.list",),
    "google.monitoring.v3.MetricService/ListTimeSeries": ("monitoring.timeSeries.list",),
    "google.cloud.secretmanager.v1.SecretManagerService/ListSecrets": ("secretmanager.secrets.list",),
    "google.cloud.secretmanager.v1.SecretManagerService/GetSecret": ("secretmanager.secrets.get",),
    "google.cloud.secretmanager.v1.SecretManagerService/UpdateSecret": ("secretmanager.secrets.update",),
    "google.cloud.secretmanager.v1.SecretManagerService/AddSecretVersion": ("secretmanager.versions.add",),
    "google.cloud.secretmanager.v1.SecretManagerService/GetSecretVersion": ("secretmanager.versions.get",),
    "google.cloud.secretmanager.v1.SecretManagerService/ListSecretVersions": ("secretmanager.versions.list",),
    "google.cloud.secretmanager.v1.SecretManagerService/AccessSecretVersion": ("secretmanager.versions.access",),
    "google.cloud.secretmanager.v1.SecretManagerService/EnableSecretVersion": ("secretmanager.versions.enable",),
    "google.cloud.secretmanager.v1.SecretManagerService/DisableSecretVersion": ("secretmanager.versions.disable",),
    "google.cloud.secretmanager.v1.SecretManagerService/DestroySecretVersion": ("secretmanager.versions.destroy",),
    "google.devtools.artifactregistry.v1.ArtifactRegistry/GetDockerImage": ("artifactregistry.dockerimages.get",),
    "google.devtools.artifactregistry.v1.ArtifactRegistry/ListDockerImages": ("artifactregistry.dockerimages.list",),
    "google.devtools.artifactregistry.v1.ArtifactRegistry/GetTag": ("artifactregistry.tags.get",),
    "google.devtools.artifactregistry.v1.ArtifactRegistry/ListTags": ("artifactregistry.tags.list",),
}
"""By method, what it needs, or how that follows from the request."""

_BUDGETS = r"billingbudgets\.googleapis\.com/v1/billingAccounts/[^/]+/budgets"
_OBJECTS = r"storage\.googleapis\.com/storage/v1/b/[^/]+/o"

HTTP_PERMISSIONS: Mapping[str, Needed] = {
    rf"GET {_OBJECTS}": ("storage.objects.list",),
    rf"DELETE {_OBJECTS}/[^/]+": ("storage.objects.delete",),
    # With the precondition that there is no live object, which would be overwritten.
    rf"POST {_OBJECTS}/[^/]+/restore": ("storage.objects.restore", "storage.objects.create"),
    # With that precondition too.
    rf"POST {_OBJECTS}/[^/]+/copyTo/b/[^/]+/o/[^/]+": ("storage.objects.get", "storage.objects.create"),
    # Each of its calls needs what it needs alone.
    r"POST storage\.googleapis\.com/batch/storage/v1": (),
    # Their addresses are all that they ask for.
    r"POST hooks\.slack\.com/services/.+": (),
    r"POST chat\.googleapis\.com/v1/spaces/[^/]+/messages": (),
    r"GET compute\.googleapis\.com/compute/v1/projects/[^/]+/aggregated/instanceGroupManagers": (
        "compute.instanceGroupManagers.list",
    ),
    rf"GET {_BUDGETS}": ("billing.budgets.list",),
    rf"GET {_BUDGETS}/[^/]+": ("billing.budgets.get",),
    rf"POST {_BUDGETS}": ("billing.budgets.create",),
    rf"PATCH {_BUDGETS}/[^/]+": ("billing.budgets.update",),
    rf"DELETE {_BUDGETS}/[^/]+": ("billing.budgets.delete",),
}
"""The same for calls over HTTP, by a pattern of ``VERB host/path``."""


def permissions_of(method: str, request: Message) -> Needed:
    """The IAM permissions that a call needs. Raises ``KeyError`` for a method that is not in the map."""
    needed = PERMISSIONS[method] if method in PERMISSIONS else _by_http(method)
    return needed(request) if callable(needed) else needed


@functools.lru_cache(maxsize=1024)
def _by_http(method: str) -> Needed:
    if method.partition(" ")[2].startswith(f"{HOST}/"):
        return ()
    for pattern, needed in HTTP_PERMISSIONS.items():
        if re.fullmatch(pattern, method):
            return needed
    raise KeyError(method)


@functools.lru_cache(maxsize=1024)
def github_permissions_of(method: str) -> tuple[Needed, str]:
    """The GitHub permissions that a call needs: any of these, at least at this level; none, if there are none.

    Raises ``KeyError`` for an operation of GitHub's that the local cloud does not serve.
    """
    verb, _, path = method.partition(" ")
    if not path.startswith(f"{HOST}/"):
        return (), ""
    for name, operation in description().operations.items():
        if operation.verb == verb and operation.pattern.fullmatch(path):
            return GITHUB_PERMISSIONS[name]
    raise KeyError(method)
