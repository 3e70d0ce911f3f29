"""Whether the topic to which Artifact Registry publishes is as deployment.yaml has it: there already, or Terraform's.

https://cloud.google.com/artifact-registry/docs/configure-notifications
"""

from collections.abc import Iterable

from infra.deploy.doctor.findings import CheckContext, Finding, not_checked, ok, problem
from infra.deploy.doctor.projects import with_images
from infra.deploy.provisioning import LABELS
from infra.deploy.resources import IMAGES


def topics_of_images(context: CheckContext) -> Iterable[Finding]:
    """The topics of images."""
    from google.api_core.exceptions import NotFound
    from google.pubsub_v1 import PublisherClient

    clients, made = context.target.clients, context.suite.deployment.images
    for project in sorted(with_images(context)):
        topic = f"projects/{project}/topics/{IMAGES}"
        if context.is_missing(project):
            yield not_checked(topic, project)
            continue
        try:
            found = clients.of(PublisherClient).get_topic(request={"topic": topic}, **clients.reading)
        except NotFound:
            if made:
                yield ok(f"{topic} is made by Terraform")
            else:
                fix = f"gcloud pubsub topics create {IMAGES} --project={project}, or images: true in deployment.yaml"
                yield problem(f"there is no {topic}", fix)
            continue
        is_ours = LABELS.items() <= dict(found.labels).items()
        if made and not is_ours:
            yield problem(
                f"{topic} exists already, and apply fails when it creates it",
                f"images: false in deployment.yaml, and {IMAGES} by hand in projects of images that have none",
            )
        else:
            yield ok(f"{topic} is there")
