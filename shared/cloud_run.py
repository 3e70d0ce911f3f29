"""Cloud Run by REST, as far as several automations speak to it: what runs in a region, and how many instances it has.

https://cloud.google.com/run/docs/reference/rest
"""

from collections.abc import Iterator
from datetime import datetime

from shared import rest
from shared.clients import Clients
from shared.rest import ApiMessage

API = "https://run.googleapis.com/v2"
RPC = "google.cloud.run.v2"
PAGE_SIZE = {"pageSize": "1000"}
SUCCEEDED = "CONDITION_SUCCEEDED"
MANUAL = "MANUAL"
CAMEL = {
    "max_instance_count": "maxInstanceCount",
    "min_instance_count": "minInstanceCount",
    "manual_instance_count": "manualInstanceCount",
}


class Condition(ApiMessage, frozen=True):
    """The state of a resource, and why."""

    state: str = "STATE_UNSPECIFIED"
    message: str = ""

    @property
    def is_ready(self) -> bool:
        """Whether it is as it should be."""
        return self.state == SUCCEEDED


class Scaling(ApiMessage, frozen=True):
    """The numbers of instances of a service or a worker pool: the resource's own, not its template's."""

    max_instance_count: int = 0
    min_instance_count: int = 0
    manual_instance_count: int = 0
    scaling_mode: str = ""


class Resource(ApiMessage, frozen=True, kw_only=True):
    """A service or a worker pool."""

    name: str
    create_time: datetime
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    etag: str = ""
    delete_time: datetime | None = None
    reconciling: bool = False
    scaling: Scaling = Scaling()
    terminal_condition: Condition = Condition()
    uri: str = ""


class _Services(rest.Page, frozen=True):
    services: tuple[Resource, ...] = ()


class _WorkerPools(rest.Page, frozen=True):
    worker_pools: tuple[Resource, ...] = ()


def services(parent: str, clients: Clients) -> Iterator[Resource]:
    """All services of a region. Raises what the calls raise."""
    pages = rest.pages(clients, f"{API}/{parent}/services", PAGE_SIZE, _Services, rpc=f"{RPC}.Services/ListServices")
    return (service for page in pages for service in page.services)


def worker_pools(parent: str, clients: Clients) -> Iterator[Resource]:
    """All worker pools of a region. Raises what the calls raise."""
    address, rpc = f"{API}/{parent}/workerPools", f"{RPC}.WorkerPools/ListWorkerPools"
    return (
        pool for page in rest.pages(clients, address, PAGE_SIZE, _WorkerPools, rpc=rpc) for pool in page.worker_pools
    )


def set_instances(name: str, etag: str, field: str, count: int, clients: Clients) -> None:
    """Set a field of the scaling of a service or a worker pool, under its etag. It makes no revision.

    Raises what the call raises.
    """
    path, is_pool = CAMEL[field], "/workerPools/" in name
    content = {"name": name, "etag": etag, "scaling": {path: count}}
    rpc = f"{RPC}.WorkerPools/UpdateWorkerPool" if is_pool else f"{RPC}.Services/UpdateService"
    rest.send(clients, "PATCH", f"{API}/{name}", content, {"updateMask": f"scaling.{path}"}, rpc=rpc)
