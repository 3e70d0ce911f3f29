"""The edge to Cloud Run: worker pools, and services, by one list for each region.

By REST (https://cloud.google.com/run/docs/reference/rest), as every tick lists them.
"""

import msgspec

from functions.scale_gpu_pools.changes import Resize
from functions.scale_gpu_pools.messages import Reconciling
from functions.scale_gpu_pools.records import PoolChange
from functions.scale_gpu_pools.world import GpuPool
from shared import rest
from shared.clients import Clients

API = "https://run.googleapis.com/v2"
SERVICES, WORKER_POOLS = "google.cloud.run.v2.Services", "google.cloud.run.v2.WorkerPools"
MANUAL = "manual_instance_count"
MINIMUM = "min_instance_count"
SUCCEEDED = "CONDITION_SUCCEEDED"
MODE_MANUAL = "MANUAL"


class _Answer(msgspec.Struct, frozen=True, rename="camel"):
    """Messages as Google's JSON has them: what is empty is left out."""


class _Scaling(_Answer, frozen=True):
    manual_instance_count: int = 0
    min_instance_count: int = 0
    scaling_mode: str = ""


class _Condition(_Answer, frozen=True):
    state: str = ""
    message: str = ""


class _Resource(_Answer, frozen=True):
    """A service or a worker pool."""

    name: str
    etag: str = ""
    reconciling: bool = False
    scaling: _Scaling = _Scaling()
    terminal_condition: _Condition = _Condition()


class _Services(rest.Page, frozen=True):
    services: tuple[_Resource, ...] = ()


class _WorkerPools(rest.Page, frozen=True):
    worker_pools: tuple[_Resource, ...] = ()


def pools_in(parent: str, collection: str, clients: Clients) -> tuple[GpuPool, ...]:
    """The worker pools, or the services, of a region."""
    return tuple(_worker_pools(parent, clients) if collection == "workerPools" else _services(parent, clients))


def change_pool(change: PoolChange, clients: Clients) -> None:
    """Set how many instances a worker pool or service has, or has at least. It makes no revision."""
    if not isinstance(change, Resize):
        raise TypeError(f"Cloud Run cannot {change}")
    camel = {MANUAL: "manualInstanceCount", MINIMUM: "minInstanceCount"}[change.field]
    content = {"name": change.target, "etag": change.etag, "scaling": {camel: change.size}}
    rpc = f"{WORKER_POOLS}/UpdateWorkerPool" if "/workerPools/" in change.target else f"{SERVICES}/UpdateService"
    rest.send(clients, "PATCH", f"{API}/{change.target}", content, {"updateMask": f"scaling.{camel}"}, rpc=rpc)


def _worker_pools(parent: str, clients: Clients) -> list[GpuPool]:
    pages = rest.pages(clients, f"{API}/{parent}/workerPools", {}, _WorkerPools, rpc=f"{WORKER_POOLS}/ListWorkerPools")
    return [
        _pool(pool, {MANUAL: pool.scaling.manual_instance_count}, MANUAL)
        for page in pages
        for pool in page.worker_pools
    ]


def _services(parent: str, clients: Clients) -> list[GpuPool]:
    listed = []
    pages = rest.pages(clients, f"{API}/{parent}/services", {}, _Services, rpc=f"{SERVICES}/ListServices")
    for service in (one for page in pages for one in page.services):
        scaling = service.scaling
        counts = {MANUAL: scaling.manual_instance_count, MINIMUM: scaling.min_instance_count}
        listed.append(_pool(service, counts, MANUAL if scaling.scaling_mode == MODE_MANUAL else MINIMUM))
    return listed


def _pool(resource: _Resource, counts: dict[str, int], size_field: str) -> GpuPool:
    condition = resource.terminal_condition
    is_ready = condition.state == SUCCEEDED
    return GpuPool(
        name=resource.name,
        current=counts,
        size_field=size_field,
        nodes_asked_for=counts[size_field],
        nodes=counts[size_field] if is_ready else 0,
        problem="" if is_ready else condition.message,
        in_flight=Reconciling(resource.name) if resource.reconciling else None,
        etag=resource.etag,
    )
