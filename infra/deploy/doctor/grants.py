"""Whether what deployment.yaml alone can say is said: where buckets are, whose accounts and images services have."""

from collections.abc import Iterable

from infra.deploy import state_bucket
from infra.deploy.doctor.findings import CheckContext, Finding, not_checked, ok, problem, warning
from infra.deploy.doctor.projects import present

ACTING = "iam.serviceAccounts.actAs"
READING_IMAGES = "artifactregistry.repositories.downloadArtifacts"
MAKES_REVISIONS = "rotate_secrets"
"""Others change nothing but the scaling of services, or find accounts and images in their sections."""


def buckets(context: CheckContext) -> Iterable[Finding]:
    """Whether buckets are in the projects in which Terraform makes the roles that it grants on them."""
    from google.api_core.exceptions import Forbidden

    numbers = present(context)
    for name in context.suite.automations:
        for bucket, project in context.suite.scope(name).buckets.items():
            if project not in numbers:
                yield not_checked(f"bucket {bucket}", project)
                continue
            try:
                number = state_bucket.project_number(context.target.clients, bucket)
            except Forbidden:
                yield warning(
                    f"bucket {bucket} is not visible to you; assumed to be in {project}",
                    f"if it is in another project: buckets.{bucket} in deployment.yaml",
                )
                continue
            if number == numbers[project]:
                yield ok(f"bucket {bucket} is in {project}")
            elif number:
                yield problem(
                    f"bucket {bucket} is not in {project}, whose roles cannot be granted on it",
                    f"buckets.{bucket} in deployment.yaml: the project whose number is {number}",
                )
            else:
                fix = f"gcloud storage buckets create gs://{bucket} --project={project}"
                yield problem(f"bucket {bucket} does not exist, and {name} needs grants on it", fix)


def cloud_run(context: CheckContext) -> Iterable[Finding]:
    """Whether those that change services and jobs of Cloud Run may act as their accounts, and read their images."""
    for name in context.suite.automations:
        scope = context.suite.scope(name)
        if ACTING in scope.permissions:
            where = " and ".join(project for project, granted in scope.projects.items() if "run." in " ".join(granted))
            if scope.accounts:
                yield ok(f"{name} may act as {', '.join(scope.accounts)}")
            elif name == MAKES_REVISIONS:
                yield problem(
                    f"{name} may act as no account, so it cannot move a service to a new secret",
                    f"act_as.{name} in deployment.yaml: the accounts of services and jobs in {where}",
                )
            else:
                yield warning(
                    f"{name} may act as no account, but Google's documentation requires that to change a service",
                    f"act_as.{name} in deployment.yaml: the accounts of what it scales in {where}",
                )
        if READING_IMAGES in scope.permissions:
            if scope.repositories:
                yield ok(f"{name} may deploy images of {', '.join(scope.repositories)}")
            else:
                yield problem(
                    f"{name} may read no image, so it cannot move a service to a new secret",
                    f"images_of.{name} in deployment.yaml: the repositories of the images of services and jobs",
                )
