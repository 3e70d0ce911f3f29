"""Cloud Run resources' references to Secret Manager, and whether they can be read."""

from collections.abc import Iterator

from google.cloud import run_v2
from google.cloud import secretmanager_v1 as secretmanager

from localcloud.core.server import ApiError
from localcloud.secret_manager.service import SecretManager

LATEST = "latest"

Template = run_v2.RevisionTemplate | run_v2.TaskTemplate | run_v2.WorkerPoolRevisionTemplate | run_v2.Revision


def secret_versions(template: Template, project: str) -> Iterator[str]:
    """The full name of each version that a template or a revision refers to, by number, alias or ``latest``.

    A volume without items has the latest version in it
    (https://cloud.google.com/run/docs/reference/rpc/google.cloud.run.v2#secretvolumesource).
    """
    for container in template.containers:
        for variable in container.env:
            if "value_source" in variable:
                reference = variable.value_source.secret_key_ref
                yield _full_name(reference.secret, reference.version, project)
    for volume in template.volumes:
        if "secret" in volume:
            for version in [item.version for item in volume.secret.items] or [LATEST]:
                yield _full_name(volume.secret.secret, version, project)


def problem_with(template: Template, project: str, secrets: SecretManager) -> str:
    """Why an instance could not start: the first version that cannot be accessed; "" if all can."""
    for name in secret_versions(template, project):
        try:
            secrets.access_secret_version(secretmanager.AccessSecretVersionRequest(name=name))
        except ApiError as error:
            return error.message
    return ""


def environment_of(container: run_v2.Container, project: str, secrets: SecretManager) -> dict[str, str]:
    """The variables that a container is given, those from secrets among them."""
    return {variable.name: _value(variable, project, secrets) for variable in container.env}


def _value(variable: run_v2.EnvVar, project: str, secrets: SecretManager) -> str:
    if "value_source" not in variable:
        return variable.value
    reference = variable.value_source.secret_key_ref
    request = secretmanager.AccessSecretVersionRequest(name=_full_name(reference.secret, reference.version, project))
    return secrets.access_secret_version(request).payload.data.decode()


def _full_name(secret: str, version: str, project: str) -> str:
    """A secret of the same project is named by its id alone."""
    return f"{secret if '/' in secret else f'projects/{project}/secrets/{secret}'}/versions/{version or LATEST}"
