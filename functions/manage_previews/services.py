"""The edge to Cloud Run: the services that are previews of ours, by one list, and how one is made and taken away."""

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from functions.manage_previews.changes import DeletePreview, DeployPreview
from functions.manage_previews.names import COMMIT, DIGEST, MANAGED_BY, NUMBER, REPOSITORY, TEMPLATE
from functions.manage_previews.spec import Spec
from functions.manage_previews.world import ListedService, PreviewService
from shared import rest
from shared.clients import Clients
from shared.errors import StillBusy

if TYPE_CHECKING:
    from google.cloud.run_v2 import Service

API = "https://run.googleapis.com/v2"
LIST = "google.cloud.run.v2.Services/ListServices"
SUCCEEDED = "CONDITION_SUCCEEDED"
MASK = ("labels", "annotations", "ingress", "invoker_iam_disabled", "template")


class _Condition(msgspec.Struct, frozen=True):
    """Messages as Google's JSON has them: what is empty is left out."""

    state: str = ""
    message: str = ""


class _Listed(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    create_time: datetime
    etag: str = ""
    uri: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    reconciling: bool = False
    delete_time: datetime | None = None
    terminal_condition: _Condition = _Condition()


class _Services(rest.Page, frozen=True):
    services: tuple[_Listed, ...] = ()


def services(parent: str, clients: Clients) -> tuple[ListedService, ...]:
    """All services of a region, by REST, as every tick lists them."""
    pages = rest.pages(clients, f"{API}/{parent}/services", {"pageSize": "1000"}, _Services, rpc=LIST)
    return tuple(_listed(service) for page in pages for service in page.services)


def deploy(change: DeployPreview, clients: Clients) -> None:
    """Make the service, or change it; Cloud Run goes on by itself, and the service says when it is ready."""
    from google.api_core.exceptions import AlreadyExists
    from google.cloud.run_v2 import ServicesClient

    client, service = clients.of(ServicesClient), _service(change.spec)
    if change.etag:
        service.name, service.etag = change.spec.name, change.etag
        client.update_service(request={"service": service, "update_mask": {"paths": MASK}}, **clients.writing)
        return
    request = {"parent": change.spec.parent, "service_id": change.spec.service_id, "service": service}
    try:
        client.create_service(request=request, **clients.writing)
    except AlreadyExists as error:
        # So it is for a while after one of the same name was deleted, too.
        raise StillBusy(f"{change.spec.name}: {error.message}") from error


def delete(change: DeletePreview, clients: Clients) -> None:
    """Take the service away; one that is gone already is as good."""
    from google.api_core.exceptions import NotFound
    from google.cloud.run_v2 import ServicesClient

    try:
        clients.of(ServicesClient).delete_service(
            request={"name": change.target, "etag": change.etag}, **clients.writing
        )
    except NotFound:
        return


def _listed(service: _Listed) -> ListedService:
    labels, said, condition = service.labels, service.annotations, service.terminal_condition
    is_ours = all(labels.get(name) == value for name, value in MANAGED_BY.items())
    number = labels.get(NUMBER, "")
    is_in_flight = service.reconciling or service.delete_time is not None
    is_ready = condition.state == SUCCEEDED
    return ListedService(
        name=service.name,
        is_ours=is_ours,
        number=int(number) if is_ours and number.isdecimal() else None,
        repository=said.get(REPOSITORY, ""),
        preview=PreviewService(
            name=service.name,
            sha=said.get(COMMIT, ""),
            digest=said.get(DIGEST, ""),
            template=said.get(TEMPLATE, ""),
            etag=service.etag,
            uri=service.uri,
            in_flight=is_in_flight,
            problem="" if is_ready or is_in_flight else condition.message or "Cloud Run gives no reason",
            since=service.create_time,
        ),
    )


def _service(spec: Spec) -> "Service":
    """The service that a spec describes: it costs nothing while it serves no requests."""
    from google.cloud.run_v2 import (
        Container,
        ContainerPort,
        EnvVar,
        IngressTraffic,
        ResourceRequirements,
        RevisionScaling,
        RevisionTemplate,
        Service,
    )

    container = Container(
        image=spec.image,
        ports=[ContainerPort(container_port=spec.port)],
        env=[EnvVar(name=name, value=value) for name, value in sorted(spec.env.items())],
        resources=ResourceRequirements(
            limits={"cpu": spec.cpu, "memory": spec.memory}, cpu_idle=True, startup_cpu_boost=True
        ),
    )
    return Service(
        labels={**MANAGED_BY, NUMBER: str(spec.number)},
        annotations={
            REPOSITORY: spec.repository,
            COMMIT: spec.sha,
            DIGEST: spec.digest,
            TEMPLATE: spec.template,
        },
        ingress=IngressTraffic.INGRESS_TRAFFIC_ALL,
        invoker_iam_disabled=spec.public,
        template=RevisionTemplate(
            service_account=spec.service_account,
            scaling=RevisionScaling(min_instance_count=0, max_instance_count=spec.max_instances),
            containers=[container],
        ),
    )
