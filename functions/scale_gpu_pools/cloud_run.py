"""The edge to Cloud Run: worker pools, and services, by one list for each region."""

from typing import TYPE_CHECKING

from functions.scale_gpu_pools.changes import Resize
from functions.scale_gpu_pools.messages import Reconciling
from functions.scale_gpu_pools.records import PoolChange
from functions.scale_gpu_pools.world import GpuPool
from shared.clients import Clients

if TYPE_CHECKING:
    from google.cloud.run_v2 import Service, WorkerPool

MANUAL = "manual_instance_count"
MINIMUM = "min_instance_count"


def pools_in(parent: str, collection: str, clients: Clients) -> tuple[GpuPool, ...]:
    """The worker pools, or the services, of a region."""
    return tuple(_worker_pools(parent, clients) if collection == "workerPools" else _services(parent, clients))


def change_pool(change: PoolChange, clients: Clients) -> None:
    """Set how many instances a worker pool or service has, or has at least. It makes no revision."""
    if not isinstance(change, Resize):
        raise TypeError(f"Cloud Run cannot {change}")
    from google.cloud.run_v2 import (
        Service,
        ServiceScaling,
        ServicesClient,
        WorkerPool,
        WorkerPoolScaling,
        WorkerPoolsClient,
    )

    mask = {"paths": [f"scaling.{change.field}"]}
    if "/workerPools/" in change.target:
        pool = WorkerPool(
            name=change.target, etag=change.etag, scaling=WorkerPoolScaling(manual_instance_count=change.size)
        )
        clients.of(WorkerPoolsClient).update_worker_pool(
            request={"worker_pool": pool, "update_mask": mask}, **clients.writing
        )
    else:
        service = Service(name=change.target, etag=change.etag, scaling=ServiceScaling({change.field: change.size}))
        clients.of(ServicesClient).update_service(request={"service": service, "update_mask": mask}, **clients.writing)


def _worker_pools(parent: str, clients: Clients) -> list[GpuPool]:
    from google.cloud.run_v2 import WorkerPoolsClient

    found = clients.of(WorkerPoolsClient).list_worker_pools(request={"parent": parent}, **clients.reading)
    return [_pool(pool, {MANUAL: pool.scaling.manual_instance_count}, MANUAL) for pool in found]


def _services(parent: str, clients: Clients) -> list[GpuPool]:
    from google.cloud.run_v2 import ServiceScaling, ServicesClient

    found = clients.of(ServicesClient).list_services(request={"parent": parent}, **clients.reading)
    listed = []
    for service in found:
        is_manual = service.scaling.scaling_mode == ServiceScaling.ScalingMode.MANUAL
        counts = {MANUAL: service.scaling.manual_instance_count, MINIMUM: service.scaling.min_instance_count}
        listed.append(_pool(service, counts, MANUAL if is_manual else MINIMUM))
    return listed


def _pool(resource: "Service | WorkerPool", counts: dict[str, int], size_field: str) -> GpuPool:
    from google.cloud.run_v2 import Condition

    condition = resource.terminal_condition
    is_ready = condition.state == Condition.State.CONDITION_SUCCEEDED
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
