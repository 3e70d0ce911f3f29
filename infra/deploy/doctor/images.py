"""Whether the topic to which Artifact Registry publishes is as deployment.yaml has it: there already, or Terraform's.

https://cloud.google.com/artifact-registry/docs/configure-notifications
"""

from collections.abc import Iterable

from infra.deploy.doctor.findings import Finding, Patient, missing, well
from infra.deploy.doctor.projects import present, with_images
from infra.deploy.provisioning import LABELS
from infra.deploy.resources import IMAGES


def topics_of_images(patient: Patient) -> Iterable[Finding]:
    """The topics of images."""
    from google.api_core.exceptions import NotFound
    from google.pubsub_v1 import PublisherClient

    clients, made = patient.target.clients, patient.suite.deployment.images
    for project in sorted(with_images(patient) & present(patient).keys()):
        topic = f"projects/{project}/topics/{IMAGES}"
        try:
            found = clients.of(PublisherClient).get_topic(request={"topic": topic}, **clients.reading)
        except NotFound:
            if made:
                yield well(f"{topic} is made by Terraform")
            else:
                mend = f"gcloud pubsub topics create {IMAGES} --project={project}, or images: true in deployment.yaml"
                yield missing(f"there is no {topic}", mend)
            continue
        is_ours = LABELS.items() <= dict(found.labels).items()
        if made and not is_ours:
            yield missing(
                f"{topic} is there already, and apply fails where it makes it",
                f"images: false in deployment.yaml, and {IMAGES} by hand in projects of images that have none",
            )
        else:
            yield well(f"{topic} is there")
