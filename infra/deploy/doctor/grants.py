"""Whether what deployment.yaml alone can say is said: where buckets are, whose accounts and images services have."""

from collections.abc import Iterable

from infra.deploy import state_bucket
from infra.deploy.doctor.findings import Finding, Patient, advice, missing, well
from infra.deploy.doctor.projects import present

ACTING = "iam.serviceAccounts.actAs"
READING_IMAGES = "artifactregistry.repositories.downloadArtifacts"
MAKES_REVISIONS = "rotate_secrets"
"""Others change nothing but the scaling of services, or find accounts and images in their sections."""


def buckets(patient: Patient) -> Iterable[Finding]:
    """Whether buckets are in the projects in which Terraform makes the roles that it grants on them."""
    from google.api_core.exceptions import Forbidden

    numbers = present(patient)
    for name in patient.suite.automations:
        for bucket, project in patient.suite.named(name).buckets.items():
            if project not in numbers:
                continue  # said by `projects`
            try:
                number = state_bucket.project_number(patient.target.clients, bucket)
            except Forbidden:
                yield advice(
                    f"bucket {bucket} is not for you to see, and taken to be in {project}",
                    f"if it is in another project: buckets.{bucket} in deployment.yaml",
                )
                continue
            if number == numbers[project]:
                yield well(f"bucket {bucket} is in {project}")
            elif number:
                yield missing(
                    f"bucket {bucket} is not in {project}, whose roles cannot be granted on it",
                    f"buckets.{bucket} in deployment.yaml: the project whose number is {number}",
                )
            else:
                mend = f"gcloud storage buckets create gs://{bucket} --project={project}"
                yield missing(f"there is no bucket {bucket}, on which {name} is granted something", mend)


def cloud_run(patient: Patient) -> Iterable[Finding]:
    """Whether those that change services and jobs of Cloud Run may act as their accounts, and read their images."""
    for name in patient.suite.automations:
        named = patient.suite.named(name)
        if ACTING in named.permissions:
            where = " and ".join(project for project, granted in named.projects.items() if "run." in " ".join(granted))
            if named.accounts:
                yield well(f"{name} may act as {', '.join(named.accounts)}")
            elif name == MAKES_REVISIONS:
                yield missing(
                    f"{name} may act as no account, so that no service takes a new secret from it",
                    f"act_as.{name} in deployment.yaml: the accounts of services and jobs in {where}",
                )
            else:
                yield advice(
                    f"{name} may act as no account, which Google's pages ask of whoever changes a service",
                    f"act_as.{name} in deployment.yaml: the accounts of what it scales in {where}",
                )
        if READING_IMAGES in named.permissions:
            if named.repositories:
                yield well(f"{name} may deploy images of {', '.join(named.repositories)}")
            else:
                yield missing(
                    f"{name} may read no image, so that no service takes a new secret from it",
                    f"images_of.{name} in deployment.yaml: the repositories of the images of services and jobs",
                )
