"""Whether agents of Google's services are there to be granted something: each is made when its service is first used.

https://cloud.google.com/iam/docs/create-service-agents
"""

from collections.abc import Iterable, Iterator

import msgspec

from infra.deploy.doctor.findings import CheckContext, Finding, not_checked, ok, problem
from infra.deploy.doctor.projects import present
from shared.clients import Clients
from shared.decoding import decoded
from shared.errors import no_answer
from shared.rest import UnknownAnswer

KEYS = "https://www.googleapis.com/service_accounts/v1/metadata/x509"


class Service(msgspec.Struct, frozen=True):
    """A service whose agent is granted something."""

    title: str
    name: str


PUBSUB = Service("Pub/Sub", "pubsub")
SECRET_MANAGER = Service("Secret Manager", "secretmanager")
IAP = Service("Identity-Aware Proxy", "iap")


def agents(context: CheckContext) -> Iterable[Finding]:
    """Whether the agents are there that Terraform grants something."""
    clients = context.target.clients
    numbers = present(context)
    for project, service in _wanted(context):
        if project not in numbers:
            yield not_checked(f"{service.title}'s agent in {project}", project)
            continue
        if _is_there(clients, f"service-{numbers[project]}@gcp-sa-{service.name}.iam.gserviceaccount.com"):
            yield ok(f"{project}: {service.title}'s agent is there")
        else:
            yield problem(
                f"{project}: {service.title}'s agent does not exist, and apply fails when it grants it a role",
                f"gcloud beta services identity create --service={service.name}.googleapis.com --project={project}",
            )


def _wanted(context: CheckContext) -> Iterator[tuple[str, Service]]:
    """Pub/Sub pushes and moves dead letters; IAP calls the report; Secret Manager publishes to a topic of ours."""
    deployment = context.suite.deployment
    yield deployment.project, PUBSUB
    if deployment.report:
        yield deployment.project, IAP
    if "rotate_secrets" in context.suite.owner:
        secrets = context.suite.scope("rotate_secrets").own_secrets
        yield from ((project, SECRET_MANAGER) for project in sorted({secret.split("/")[1] for secret in secrets}))


def _is_there(clients: Clients, account: str) -> bool:
    """Whether a service account exists, by the public keys that Google publishes of each that does.

    An agent belongs to a project of Google's, where no one else may ask IAM for it.
    https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts.keys. Raises ``GoogleAPIError``.
    """
    from google.api_core.exceptions import NotFound, from_http_response

    address = f"{KEYS}/{account}"
    with no_answer(f"GET {address}"):
        answer = clients.public_session.get(clients.url(address), timeout=clients.reading["timeout"])
    if answer.status_code == NotFound.code:
        return False
    if not answer.ok:
        raise from_http_response(answer)
    try:
        return bool(decoded(answer.content, dict[str, str]))
    except msgspec.DecodeError as error:
        raise UnknownAnswer(f"GET {address}: {error}") from None
