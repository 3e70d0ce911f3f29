"""Whether quotas let every GPU pool come back from zero, as a pool that cannot is seen too late."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec

from functions.scale_gpu_pools.settings import NodePool, Pool, Settings
from infra.deploy.doctor.findings import CheckContext, Finding, not_checked, ok, problem, warning
from infra.deploy.quotas import REQUEST, UNLIMITED, limit
from shared.clients import Clients
from shared.settings import parse

if TYPE_CHECKING:
    from google.cloud.run_v2 import RevisionTemplate, WorkerPoolRevisionTemplate

AUTOMATION = "scale_gpu_pools"
COMPUTE, RUN = "compute.googleapis.com", "run.googleapis.com"
ALL_REGIONS = "GPUS-ALL-REGIONS-per-project"
PER_FAMILY = "GPUS-PER-GPU-FAMILY-per-project-region"
MODELS = {
    "nvidia-l4": "NVIDIA-L4",
    "nvidia-tesla-t4": "NVIDIA-T4",
    "nvidia-tesla-a100": "NVIDIA-A100",
    "nvidia-a100-80gb": "NVIDIA-A100-80GB",
    "nvidia-tesla-v100": "NVIDIA-V100",
    "nvidia-tesla-p100": "NVIDIA-P100",
    "nvidia-tesla-p4": "NVIDIA-P4",
}
"""GKE's accelerators whose model has a quota of its own, with another for Spot:
https://docs.cloud.google.com/compute/resource-usage#gpu_quota."""
FAMILIES = {
    "nvidia-h100-80gb": "NVIDIA_H100",
    "nvidia-h100-mega-80gb": "NVIDIA_H100",
    "nvidia-h200-141gb": "NVIDIA_H200",
    "nvidia-b200": "NVIDIA_B200",
}
"""The accelerators that share one quota, which distinguishes them by its dimension ``gpu_family``."""
ON_CLOUD_RUN = {"nvidia-l4": "NvidiaL4", "nvidia-rtx-pro-6000": "NvidiaRtxPro6000"}
"""Cloud Run's accelerators: https://docs.cloud.google.com/run/docs/configuring/gpu#request-quota."""


class Need(msgspec.Struct, frozen=True):
    """So many GPUs of a pool, and the quota that they count against."""

    project: str
    region: str
    service: str
    quota: str
    """Empty if it is not known which."""
    gpus: int
    accelerator: str
    family: str = ""

    @property
    def dimensions(self) -> Mapping[str, str]:
        """By which the quota tells places apart."""
        if self.quota == ALL_REGIONS:
            return {}
        return {"region": self.region} | ({"gpu_family": self.family} if self.family else {})


def quotas_of_gpus(context: CheckContext) -> Iterable[Finding]:
    """Whether quotas let every GPU pool come back from zero."""
    from google.api_core.exceptions import NotFound

    if AUTOMATION not in context.suite.owner:
        return
    clients = context.target.clients
    for key, pool in parse(context.suite.owner, AUTOMATION, Settings).section.pools.items():
        if pool.hours and pool.wake and pool.idle is None:
            yield warning(
                f"pool {key} has `wake` and `hours` but no `idle`: out of hours it goes to zero as soon as nothing "
                "waits, even if work is running",
                f"{AUTOMATION}.pools.{key}.idle in caretaker.yaml, unless the `wake` signals count running work too",
            )
        project = pool.full_name.split("/")[1]
        if context.is_missing(project):
            yield not_checked(f"pool {key}", project)
            continue
        try:
            needs = list(_needs(clients, pool))
        except NotFound:
            yield problem(f"pool {key}: there is no {pool.full_name}", f"{AUTOMATION}.pools.{key} in caretaker.yaml")
            continue
        if not needs:
            yield ok(f"pool {key} has no GPUs, so no quota of GPUs stops it")
        for need in needs:
            yield _finding(clients, key, need)


def _finding(clients: Clients, key: str, need: Need) -> Finding:
    where = f"{REQUEST}?project={need.project}"
    if not need.quota:
        return problem(f"pool {key}: doctor does not know the quota of {need.accelerator}", f"look for it at {where}")
    what = f"{need.quota} in {need.project}" + (f", {need.region}" if need.dimensions else "")
    allowed = limit(clients, need.project, need.service, need.quota, need.dimensions)
    if allowed is None:
        return problem(f"pool {key}: {what} could not be seen", f"look at {where}")
    takes = f"{need.gpus} GPU{'s' if need.gpus > 1 else ''}"
    if allowed != UNLIMITED and allowed < need.gpus:
        return problem(
            f"pool {key} could not return from zero: it takes {takes}, and {what} is {allowed}",
            f"ask for more of {need.quota} at {where}",
        )
    return ok(f"pool {key} takes {takes}, and {what} is {'not limited' if allowed == UNLIMITED else allowed}")


def _needs(clients: Clients, pool: Pool) -> Iterator[Need]:
    """The quotas that a pool of the size in the settings uses. Raises ``NotFound``."""
    from google.cloud.run_v2 import ServicesClient, WorkerPoolsClient

    if pool.node_pool:
        yield from _of_node_pool(clients, pool.node_pool, pool.size)
    elif pool.worker_pool:
        request = {"name": pool.full_name}
        template = clients.of(WorkerPoolsClient).get_worker_pool(request=request, **clients.reading).template
        yield from _of_cloud_run(template, pool)
    else:
        request = {"name": pool.full_name}
        yield from _of_cloud_run(
            clients.of(ServicesClient).get_service(request=request, **clients.reading).template, pool
        )


def _of_node_pool(clients: Clients, node_pool: NodePool, size: int) -> Iterator[Need]:
    from google.cloud.container_v1 import ClusterManagerClient

    found = clients.of(ClusterManagerClient).get_node_pool(request={"name": node_pool.full_name}, **clients.reading)
    region = "-".join(node_pool.location.split("-")[:2])
    is_spot = found.config.spot or found.config.preemptible
    for one in found.config.accelerators:
        kind, gpus = one.accelerator_type, one.accelerator_count * size * max(len(found.locations), 1)
        model, family = MODELS.get(kind, ""), "" if is_spot else FAMILIES.get(kind, "")
        quota = f"{'PREEMPTIBLE-' if is_spot else ''}{model}-GPUS-per-project-region" if model else ""
        yield Need(node_pool.project, region, COMPUTE, quota or (PER_FAMILY if family else ""), gpus, kind, family)
        if not is_spot:
            yield Need(node_pool.project, region, COMPUTE, ALL_REGIONS, gpus, kind)


def _of_cloud_run(template: "RevisionTemplate | WorkerPoolRevisionTemplate", pool: Pool) -> Iterator[Need]:
    place = pool.worker_pool or pool.service
    kind = template.node_selector.accelerator
    if not place or not kind:
        return
    model = ON_CLOUD_RUN.get(kind)
    zones = "NoZonalRedundancy" if template.gpu_zonal_redundancy_disabled else ""
    quota = f"{model}GpuAlloc{zones}PerProjectRegion" if model else ""
    yield Need(place.project, place.region, RUN, quota, pool.size, kind)
