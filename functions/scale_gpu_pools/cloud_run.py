"""The edge to Cloud Run: worker pools, and services, by one list for each region.

By REST (https://cloud.google.com/run/docs/reference/rest), as every tick lists them.
"""

from functions.scale_gpu_pools.changes import Resize
from functions.scale_gpu_pools.messages import Reconciling
from functions.scale_gpu_pools.records import PoolChange
from functions.scale_gpu_pools.world import GpuPool
from shared import cloud_run
from shared.clients import Clients
from shared.cloud_run import Resource

MANUAL = "manual_instance_count"
MINIMUM = "min_instance_count"


def pools_in(parent: str, collection: str, clients: Clients) -> tuple[GpuPool, ...]:
    """The worker pools, or the services, of a region."""
    if collection == "workerPools":
        return tuple(_pool(pool, (MANUAL,), MANUAL) for pool in cloud_run.worker_pools(parent, clients))
    return tuple(_service(service) for service in cloud_run.services(parent, clients))


def change_pool(change: PoolChange, clients: Clients) -> None:
    """Set how many instances a worker pool or service has, or has at least. It makes no revision."""
    if not isinstance(change, Resize):
        raise TypeError(f"Cloud Run cannot {change}")
    cloud_run.set_instances(change.target, change.etag, change.field, change.size, clients)


def _service(service: Resource) -> GpuPool:
    is_manual = service.scaling.scaling_mode == cloud_run.MANUAL
    return _pool(service, (MANUAL, MINIMUM), MANUAL if is_manual else MINIMUM)


def _pool(resource: Resource, fields: tuple[str, ...], size_field: str) -> GpuPool:
    condition = resource.terminal_condition
    counts = {field: getattr(resource.scaling, field) for field in fields}
    return GpuPool(
        name=resource.name,
        current=counts,
        size_field=size_field,
        nodes_asked_for=counts[size_field],
        nodes=counts[size_field] if condition.is_ready else 0,
        problem="" if condition.is_ready else condition.message,
        in_flight=Reconciling(resource.name) if resource.reconciling else None,
        etag=resource.etag,
    )
