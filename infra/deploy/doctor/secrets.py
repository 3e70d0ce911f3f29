"""Whether secrets are there and have values, and whether Secret Manager tells of their rotations."""

from collections.abc import Iterable
from datetime import timedelta

from functions.rotate_secrets.settings import Postgres, Settings
from infra.deploy.doctor.findings import CheckContext, Finding, not_checked, ok, problem, warning
from infra.suite.automations import load_functions
from shared.settings import parse

AUTOMATION = "rotate_secrets"
TOPIC = "caretaker-secret-notifications"


def secrets(context: CheckContext) -> Iterable[Finding]:
    """The secrets that the settings name, and those that a person must fill."""
    from google.api_core.exceptions import NotFound
    from google.cloud.secretmanager_v1 import SecretManagerServiceClient, SecretVersion

    clients, own = context.target.clients, context.suite.deployment.project
    new = context.suite.new_secrets
    wanted: dict[str, None] = {}
    for name in context.suite.automations:
        wanted |= dict.fromkeys(context.suite.scope(name).secrets)
        by_hand = [one.secret for one in load_functions()[name].secrets if one.first_version == "by_hand"]
        wanted |= dict.fromkeys(f"projects/{own}/secrets/{secret}" for secret in by_hand)
    for secret in wanted:
        project, short = secret.split("/")[1], secret.split("/")[3]
        if context.is_missing(project):
            yield not_checked(f"secret {secret}", project)
            continue
        try:
            versions = list(
                clients.of(SecretManagerServiceClient).list_secret_versions(
                    request={"parent": secret}, **clients.reading
                )
            )
        except NotFound:
            if secret in new:
                yield ok(f"secret {secret} is made by Terraform, with Secret Manager's schedule")
                continue
            fix = f"gcloud secrets create {short} --project={project} --data-file=-"
            yield problem(f"there is no secret {secret}", fix)
            continue
        # rotate_secrets adds the first version by itself, but for that of a database's address.
        is_filled = secret in new and not isinstance(new[secret].value, Postgres)
        if not is_filled and not any(version.state == SecretVersion.State.ENABLED for version in versions):
            fix = f"gcloud secrets versions add {short} --project={project} --data-file=-"
            yield problem(f"{secret} has no enabled version", fix)
        else:
            yield ok(f"{secret} has a value" if versions else f"{secret} is given its first value by rotate_secrets")


def notices_of_rotation(context: CheckContext) -> Iterable[Finding]:
    """Whether secrets send SECRET_ROTATE to the suite's topic. Without, `rotate_secrets` goes by its tick."""
    from google.api_core.exceptions import NotFound
    from google.cloud.secretmanager_v1 import SecretManagerServiceClient

    if AUTOMATION not in context.suite.owner:
        return
    clients, target = context.target.clients, context.target
    topic = f"projects/{context.suite.deployment.project}/topics/{TOPIC}"
    for rule in parse(context.suite.owner, AUTOMATION, Settings).section.secrets.values():
        project, short = rule.secret.split("/")[1], rule.secret.split("/")[3]
        if context.is_missing(project):
            continue  # reported by `secrets`
        try:
            secret = clients.of(SecretManagerServiceClient).get_secret(request={"name": rule.secret}, **clients.reading)
        except NotFound:
            continue  # reported by `secrets`
        if topic in {one.name for one in secret.topics} and secret.rotation.next_rotation_time:
            yield ok(f"{rule.secret} sends SECRET_ROTATE to the suite's topic")
            continue
        first = target.now() + timedelta(days=rule.every_days)
        yield warning(
            f"{rule.secret} sends no SECRET_ROTATE to the suite's topic: rotate_secrets relies on its tick",
            f"after apply, if you like: gcloud secrets update {short} --project={project} --add-topics={topic}"
            f" --rotation-period={rule.every_days}d --next-rotation-time={first:%Y-%m-%dT%H:%M:%SZ}",
        )
