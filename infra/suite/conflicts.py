"""Conflicts between automations on the same resource: each would undo the other's change, or be refused for it."""

from collections.abc import Iterator, Mapping

from functions.cap_spending.settings import Settings as CapSpending
from functions.scale_gpu_pools.settings import Settings as ScaleGpuPools
from shared.errors import SettingsError
from shared.settings import Section


def conflicts(sections: Mapping[str, Section]) -> Iterator[SettingsError]:
    """Each pool whose service or worker pool `limit_cloud_run` names too.

    A minimum of instances that is restored while the maximum is limited below it is refused by Cloud Run on every run.
    """
    spending, pools = sections.get("cap_spending"), sections.get("scale_gpu_pools")
    if not (isinstance(spending, CapSpending) and isinstance(pools, ScaleGpuPools)):
        return
    limited = {
        f"projects/{project}/locations/{region}/{collection}/{name}": (setting, f"{key}.may_touch.limit_cloud_run")
        for key, budget in spending.budgets.items()
        if (scope := budget.may_touch.limit_cloud_run)
        for project in scope.projects
        for region in scope.regions
        for setting, collection, names in (
            ("services", "services", scope.services),
            ("worker_pools", "workerPools", scope.worker_pools),
        )
        for name in names
    }
    for key, pool in pools.pools.items():
        if found := limited.get(pool.full_name):
            setting, where = found
            what = {"services": "service", "worker_pools": "worker pool"}[setting]
            other = f"cap_spending.budgets.{where}.{setting}"
            remedy = "delete one of them: `gpu_pools_off` in the ladder turns pools off"
            yield SettingsError(
                f"scale_gpu_pools.pools.{key}.{setting.removesuffix('s')}",
                pool.full_name,
                remedy,
                problem=f"{other} names the {what} of the pool {key} too",
                remedy=remedy,
            )
