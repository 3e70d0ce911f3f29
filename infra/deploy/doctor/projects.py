"""Whether the projects are ready: they are there, are paid for, have their APIs, and let the caller deploy."""

from collections.abc import Iterable, Iterator

from infra.deploy.doctor.findings import CheckContext, Finding, not_checked, ok, problem
from infra.deploy.resources import IMAGES
from infra.suite.automations import Entry, grant_target_of, load_functions, load_grant_targets

DEPLOYING = (
    "artifactregistry.repositories.create",
    "cloudfunctions.functions.create",
    "cloudscheduler.jobs.create",
    "datastore.databases.create",
    "datastore.indexes.update",
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
"""The permissions that deploying takes in the suite's own project."""

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
"""APIs that the checks themselves read in the suite's own project, counted as its calls."""

DOMAINS = "iam.allowedPolicyMemberDomains"
"""https://cloud.google.com/resource-manager/docs/organization-policy/restricting-domains"""


def watched(context: CheckContext) -> dict[str, set[str]]:
    """The projects in which automations are granted something, each with the APIs that they ask there.

    The suite's own comes first: Terraform enables the others in it.
    """
    targets = load_grant_targets()
    own = context.suite.deployment.project
    found: dict[str, set[str]] = {own: {*BEFORE_TERRAFORM, *LOOKING}}
    for name in context.suite.automations:
        for project, granted in context.suite.scope(name).permissions_by_project().items():
            if project != own:
                found.setdefault(project, set()).update(
                    grant_target_of(permission, targets).api for permission in granted
                )
    for project in with_images(context) - {own}:
        found.setdefault(project, set()).add("pubsub.googleapis.com")
    return found


def present(context: CheckContext) -> dict[str, str]:
    """The projects that exist, with their numbers. Raises ``GoogleAPIError``."""
    numbers = {project: context.project_number(project) for project in watched(context)}
    return {project: number for project, number in numbers.items() if number}


def with_images(context: CheckContext) -> set[str]:
    """The projects to whose topic of images an automation subscribes."""
    entries = {name: load_functions()[name] for name in context.suite.automations}
    return {
        repository.split("/")[1]
        for name, entry in entries.items()
        if isinstance(entry, Entry) and IMAGES in entry.topics
        for repository in context.suite.scope(name).repositories
    }


def projects(context: CheckContext) -> Iterable[Finding]:
    """The projects."""
    there = present(context)
    for project in watched(context):
        if project in there:
            yield ok(f"project {project} is there")
        else:
            fix = f"correct the name, or ask for roles/viewer there, or gcloud projects create {project}"
            yield problem(f"project {project} is missing or not visible to you", fix)


def billing(context: CheckContext) -> Iterable[Finding]:
    """The billing account of the suite's own project."""
    from google.cloud.billing_v1 import CloudBillingClient

    clients, project = context.target.clients, context.suite.deployment.project
    info = clients.of(CloudBillingClient).get_project_billing_info(
        request={"name": f"projects/{project}"}, **clients.reading
    )
    if info.billing_enabled:
        yield ok(f"{project} is billed to {info.billing_account_name.removeprefix('billingAccounts/')}")
    else:
        yield problem(
            f"{project} has no open billing account",
            f"gcloud billing projects link {project} --billing-account=ACCOUNT  (gcloud billing accounts list)",
        )


def apis(context: CheckContext) -> Iterable[Finding]:
    """The APIs that must be enabled; in the suite's own project those that Terraform begins with, or checks read."""
    from google.cloud.service_usage_v1 import ServiceUsageClient, State

    clients = context.target.clients
    there = present(context)
    for project, wanted in watched(context).items():
        if not wanted:
            continue
        if project not in there:
            yield not_checked(f"the APIs of {project}", project)
            continue
        parent = f"projects/{project}"
        names = [f"{parent}/services/{service}" for service in sorted(wanted)]
        answer = clients.of(ServiceUsageClient).batch_get_services(
            request={"parent": parent, "names": names}, **clients.reading
        )
        off = [one.name.rpartition("/")[2] for one in answer.services if one.state != State.ENABLED]
        if off:
            fix = f"gcloud services enable {' '.join(off)} --project={project}"
            yield problem(f"{project}: {len(off)} APIs are not enabled", fix)
        else:
            yield ok(f"{project}: the APIs that it needs are enabled")


def permissions(context: CheckContext) -> Iterable[Finding]:
    """The permissions that deploying takes."""
    from google.cloud.resourcemanager_v3 import ProjectsClient

    clients, own = context.target.clients, context.suite.deployment.project
    there = present(context)
    for project in watched(context):
        if project not in there:
            yield not_checked(f"your permissions in {project}", project)
            continue
        wanted = DEPLOYING if project == own else sorted(_granting(context, project))
        answer = clients.of(ProjectsClient).test_iam_permissions(
            request={"resource": f"projects/{project}", "permissions": list(wanted)}, **clients.reading
        )
        lacking = sorted(set(wanted) - set(answer.permissions))
        if lacking:
            roles = "roles/owner" if project == own else "roles/iam.roleAdmin and roles/iam.securityAdmin"
            if MAKING_A_TOPIC in lacking or SUBSCRIBING in lacking:
                roles = "roles/iam.roleAdmin, roles/iam.securityAdmin and roles/pubsub.editor"
            fix = f"ask the owner of {project} for {roles}, or for a role with these"
            yield problem(f"{project}: you lack {', '.join(lacking)}", fix)
        else:
            yield ok(f"{project}: you may deploy" if project == own else f"{project}: you may grant roles")


def _granting(context: CheckContext, project: str) -> set[str]:
    """The permissions that deploying takes in another project."""
    targets, needed = load_grant_targets(), {"iam.roles.create"}
    for name in context.suite.automations:
        granted = context.suite.scope(name).permissions_by_project().get(project, set())
        needed |= {GRANTING[grant_target_of(permission, targets).granted_on] for permission in granted}
    if any(secret.split("/")[1] == project for secret in context.suite.new_secrets):
        needed.add("secretmanager.secrets.create")
    if project in with_images(context):
        needed |= {SUBSCRIBING, MAKING_A_TOPIC} if context.suite.deployment.images else {SUBSCRIBING}
    return needed


def who_may_be_granted(context: CheckContext) -> Iterable[Finding]:
    """Domain-restricted sharing, which may keep out Cloud Billing's publisher and GitHub."""
    from google.cloud.orgpolicy_v2 import OrgPolicyClient

    strangers = [*_strangers(context)]
    if not strangers:
        return
    clients, project = context.target.clients, context.suite.deployment.project
    policy = clients.of(OrgPolicyClient).get_effective_policy(
        request={"name": f"projects/{project}/policies/{DOMAINS}"}, **clients.reading
    )
    if all(rule.allow_all or not (rule.deny_all or rule.values.allowed_values) for rule in policy.spec.rules):
        yield ok("roles can be granted to every account that needs one")
        return
    fix = f"an administrator of the organization: gcloud org-policies set-policy, {DOMAINS} with allowAll for {project}"
    yield problem(f"domain-restricted sharing keeps out {' and '.join(strangers)}", fix)


def _strangers(context: CheckContext) -> Iterator[str]:
    """Grantees that belong to no organization."""
    automations = context.suite.automations
    if "cap_spending" in automations:
        yield "billing-budget-alert@system.gserviceaccount.com, so no budget notification arrives"
    if any(load_functions()[name].__struct_config__.tag == "http" for name in automations):
        yield "allUsers, so no webhook arrives"
