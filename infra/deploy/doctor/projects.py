"""Whether the projects are ready: they are there, are paid for, have their APIs, and let whoever asks deploy."""

from collections.abc import Iterable, Iterator
from functools import partial

from infra.deploy.doctor.findings import Finding, Patient, missing, well
from infra.deploy.resources import IMAGES
from infra.suite.automations import Entry, load_functions, load_places, place_of
from shared.clients import Clients

DEPLOYING = (
    "artifactregistry.repositories.create",
    "cloudfunctions.functions.create",
    "cloudscheduler.jobs.create",
    "datastore.databases.create",
    "iam.roles.create",
    "iam.serviceAccounts.actAs",
    "iam.serviceAccounts.create",
    "logging.logMetrics.create",
    "monitoring.alertPolicies.create",
    "monitoring.dashboards.create",
    "pubsub.subscriptions.create",
    "pubsub.topics.attachSubscription",
    "pubsub.topics.create",
    "resourcemanager.projects.setIamPolicy",
    "run.services.setIamPolicy",
    "secretmanager.secrets.create",
    "serviceusage.services.enable",
    "storage.buckets.create",
)
"""What whoever deploys needs in the suite's own project."""

GRANTING = {
    "projects": "resourcemanager.projects.setIamPolicy",
    "secrets": "secretmanager.secrets.setIamPolicy",
    "buckets": "storage.buckets.setIamPolicy",
    "repositories": "artifactregistry.repositories.setIamPolicy",
    "accounts": "iam.serviceAccounts.setIamPolicy",
}
"""And in the projects that it looks after, besides making roles: by what something is granted on there."""

SUBSCRIBING = "pubsub.topics.attachSubscription"
MAKING_A_TOPIC = "pubsub.topics.create"
"""And where images are, whose topic the suite subscribes to, and makes, if it is not there
(https://cloud.google.com/pubsub/docs/create-push-subscription)."""

BEFORE_TERRAFORM = ("cloudresourcemanager.googleapis.com", "serviceusage.googleapis.com")
"""APIs with which Terraform enables the others."""

LOOKING = (
    "artifactregistry.googleapis.com",
    "billingbudgets.googleapis.com",
    "cloudbilling.googleapis.com",
    "cloudfunctions.googleapis.com",
    "cloudquotas.googleapis.com",
    "cloudscheduler.googleapis.com",
    "firestore.googleapis.com",
    "orgpolicy.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
)
"""APIs that these looks themselves ask in the suite's own project, counted as its calls."""

DOMAINS = "iam.allowedPolicyMemberDomains"
"""https://cloud.google.com/resource-manager/docs/organization-policy/restricting-domains"""


def watched(patient: Patient) -> dict[str, set[str]]:
    """The projects in which automations are granted something, each with the APIs that they ask there.

    The suite's own comes first: Terraform enables the others in it.
    """
    places = load_places()
    own = patient.suite.deployment.project
    found: dict[str, set[str]] = {own: {*BEFORE_TERRAFORM, *LOOKING}}
    for name in patient.suite.automations:
        for project, granted in patient.suite.named(name).permissions_by_project().items():
            if project != own:
                found.setdefault(project, set()).update(place_of(permission, places).api for permission in granted)
    for project in with_images(patient) - {own}:
        found.setdefault(project, set()).add("pubsub.googleapis.com")
    return found


def present(patient: Patient) -> dict[str, str]:
    """Those of them that are there, with their numbers: several looks ask. Raises ``GoogleAPIError``."""
    clients = patient.target.clients
    numbers = {
        project: clients.once(("number of project", project), partial(_number, project, clients))
        for project in watched(patient)
    }
    return {project: number for project, number in numbers.items() if number}


def _number(project: str, clients: Clients) -> str:
    """Of a project; "" if it is not there, or not for whoever asks to see."""
    from google.api_core.exceptions import NotFound, PermissionDenied
    from google.cloud.resourcemanager_v3 import ProjectsClient

    request = {"name": f"projects/{project}"}
    try:
        there = clients.of(ProjectsClient).get_project(request=request, **clients.reading)
    except (NotFound, PermissionDenied):
        return ""
    return there.name.removeprefix("projects/")


def with_images(patient: Patient) -> set[str]:
    """The projects to whose topic of images an automation subscribes."""
    entries = {name: load_functions()[name] for name in patient.suite.automations}
    return {
        repository.split("/")[1]
        for name, entry in entries.items()
        if isinstance(entry, Entry) and IMAGES in entry.topics
        for repository in patient.suite.named(name).repositories
    }


def projects(patient: Patient) -> Iterable[Finding]:
    """The projects."""
    there = present(patient)
    for project in watched(patient):
        if project in there:
            yield well(f"project {project} is there")
        else:
            mend = f"gcloud projects create {project}, or ask for roles/viewer there; or is it a slip of the pen?"
            yield missing(f"project {project} is not there, or not for you to see", mend)


def billing(patient: Patient) -> Iterable[Finding]:
    """What the suite's own project is billed to."""
    from google.cloud.billing_v1 import CloudBillingClient

    clients, project = patient.target.clients, patient.suite.deployment.project
    info = clients.of(CloudBillingClient).get_project_billing_info(
        request={"name": f"projects/{project}"}, **clients.reading
    )
    if info.billing_enabled:
        yield well(f"{project} is billed to {info.billing_account_name.removeprefix('billingAccounts/')}")
    else:
        yield missing(
            f"{project} has no open billing account",
            f"gcloud billing projects link {project} --billing-account=ACCOUNT  (gcloud billing accounts list)",
        )


def apis(patient: Patient) -> Iterable[Finding]:
    """The APIs that must be enabled; in the suite's own project those that Terraform begins with, or that looks ask."""
    from google.cloud.service_usage_v1 import ServiceUsageClient, State

    clients = patient.target.clients
    there = present(patient)
    for project, wanted in watched(patient).items():
        if not wanted or project not in there:
            continue
        parent = f"projects/{project}"
        names = [f"{parent}/services/{service}" for service in sorted(wanted)]
        answer = clients.of(ServiceUsageClient).batch_get_services(
            request={"parent": parent, "names": names}, **clients.reading
        )
        off = [one.name.rpartition("/")[2] for one in answer.services if one.state != State.ENABLED]
        if off:
            mend = f"gcloud services enable {' '.join(off)} --project={project}"
            yield missing(f"{project}: {len(off)} APIs are not enabled", mend)
        else:
            yield well(f"{project}: the APIs that it needs are enabled")


def permissions(patient: Patient) -> Iterable[Finding]:
    """The permissions that deploying takes."""
    from google.cloud.resourcemanager_v3 import ProjectsClient

    clients, own = patient.target.clients, patient.suite.deployment.project
    for project in present(patient):
        wanted = DEPLOYING if project == own else sorted(_granting(patient, project))
        answer = clients.of(ProjectsClient).test_iam_permissions(
            request={"resource": f"projects/{project}", "permissions": list(wanted)}, **clients.reading
        )
        lacking = sorted(set(wanted) - set(answer.permissions))
        if lacking:
            roles = "roles/owner" if project == own else "roles/iam.roleAdmin and roles/iam.securityAdmin"
            if MAKING_A_TOPIC in lacking or SUBSCRIBING in lacking:
                roles = "roles/iam.roleAdmin, roles/iam.securityAdmin and roles/pubsub.editor"
            mend = f"ask whoever owns {project} for {roles}, or for a role with these"
            yield missing(f"{project}: you lack {', '.join(lacking)}", mend)
        else:
            yield well(f"{project}: you may deploy" if project == own else f"{project}: you may grant roles")


def _granting(patient: Patient, project: str) -> set[str]:
    """What whoever deploys needs in a project that is looked after."""
    places, needed = load_places(), {"iam.roles.create"}
    for name in patient.suite.automations:
        granted = patient.suite.named(name).permissions_by_project().get(project, set())
        needed |= {GRANTING[place_of(permission, places).granted_on] for permission in granted}
    if any(secret.split("/")[1] == project for secret in patient.suite.new_secrets):
        needed.add("secretmanager.secrets.create")
    if project in with_images(patient):
        needed |= {SUBSCRIBING, MAKING_A_TOPIC} if patient.suite.deployment.images else {SUBSCRIBING}
    return needed


def who_may_be_granted(patient: Patient) -> Iterable[Finding]:
    """Domain-restricted sharing, which may keep out Cloud Billing's publisher and GitHub."""
    from google.cloud.orgpolicy_v2 import OrgPolicyClient

    strangers = [*_strangers(patient)]
    if not strangers:
        return
    clients, project = patient.target.clients, patient.suite.deployment.project
    policy = clients.of(OrgPolicyClient).get_effective_policy(
        request={"name": f"projects/{project}/policies/{DOMAINS}"}, **clients.reading
    )
    if all(rule.allow_all or not (rule.deny_all or rule.values.allowed_values) for rule in policy.spec.rules):
        yield well("roles can be granted to whoever needs them")
        return
    mend = (
        f"an administrator of the organization: gcloud org-policies set-policy, {DOMAINS} with allowAll for {project}"
    )
    yield missing(f"domain-restricted sharing keeps out {' and '.join(strangers)}", mend)


def _strangers(patient: Patient) -> Iterator[str]:
    """Who is granted something, but is in nobody's organization."""
    automations = patient.suite.automations
    if "cap_spending" in automations:
        yield "billing-budget-alert@system.gserviceaccount.com, so that no budget notification comes"
    if any(load_functions()[name].__struct_config__.tag == "http" for name in automations):
        yield "allUsers, so that no webhook comes"
