"""The edge to Cloud Run: the services that are previews of ours, by one list, and how one is made and taken away.

By REST: https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services.
"""

from functions.manage_previews.changes import DeletePreview, DeployPreview
from functions.manage_previews.names import COMMIT, DIGEST, MANAGED_BY, NUMBER, REPOSITORY, TEMPLATE
from functions.manage_previews.spec import Spec
from functions.manage_previews.world import ListedService, PreviewService
from shared import cloud_run, rest
from shared.clients import Clients
from shared.cloud_run import API, Resource
from shared.errors import StillBusy, already_exists_errors, not_found_errors

RPC = "google.cloud.run.v2.Services"
MASK = "labels,annotations,ingress,invokerIamDisabled,template"


def deploy(change: DeployPreview, clients: Clients) -> None:
    """Make the service, or change it; Cloud Run goes on by itself, and the service says when it is ready."""
    spec, service = change.spec, _service(change.spec)
    if change.etag:
        content = {"name": spec.name, "etag": change.etag, **service}
        rest.send(clients, "PATCH", f"{API}/{spec.name}", content, {"updateMask": MASK}, rpc=f"{RPC}/UpdateService")
        return
    address, query = f"{API}/{spec.parent}/services", {"serviceId": spec.service_id}
    try:
        rest.send(clients, "POST", address, service, query, rpc=f"{RPC}/CreateService")
    except already_exists_errors() as error:
        # So it is for a while after one of the same name was deleted, too.
        raise StillBusy(f"{spec.name}: {rest.said_by(error)}") from error


def delete(change: DeletePreview, clients: Clients) -> None:
    """Take the service away; one that is gone already is as good."""
    try:
        rest.send(
            clients, "DELETE", f"{API}/{change.target}", parameters={"etag": change.etag}, rpc=f"{RPC}/DeleteService"
        )
    except not_found_errors():
        return


def services(parent: str, clients: Clients) -> tuple[ListedService, ...]:
    """All services of a region."""
    return tuple(_listed(service) for service in cloud_run.services(parent, clients))


def _listed(service: Resource) -> ListedService:
    labels, said, condition = service.labels, service.annotations, service.terminal_condition
    is_ours = all(labels.get(name) == value for name, value in MANAGED_BY.items())
    number = labels.get(NUMBER, "")
    is_in_flight = service.reconciling or service.delete_time is not None
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
            problem="" if condition.is_ready or is_in_flight else condition.message or "Cloud Run gives no reason",
            since=service.create_time,
        ),
    )


def _service(spec: Spec) -> dict[str, object]:
    """The service that a spec describes: it costs nothing while it serves no requests."""
    container = {
        "image": spec.image,
        "ports": [{"containerPort": spec.port}],
        "env": [{"name": name, "value": value} for name, value in sorted(spec.env.items())],
        "resources": {
            "limits": {"cpu": spec.cpu, "memory": spec.memory},
            "cpuIdle": True,
            "startupCpuBoost": True,
        },
    }
    return {
        "labels": {**MANAGED_BY, NUMBER: str(spec.number)},
        "annotations": {
            REPOSITORY: spec.repository,
            COMMIT: spec.sha,
            DIGEST: spec.digest,
            TEMPLATE: spec.template,
        },
        "ingress": "INGRESS_TRAFFIC_ALL",
        "invokerIamDisabled": spec.public,
        "template": {
            "serviceAccount": spec.service_account,
            "scaling": {"maxInstanceCount": spec.max_instances},
            "containers": [container],
        },
    }
