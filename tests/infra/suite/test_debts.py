"""Held resources keep the permissions that restoring them needs, under any settings."""

from datetime import UTC, datetime
from typing import Any

import pytest

from functions.cap_spending.records import Records as CapSpending
from functions.manage_previews.records import Made
from functions.manage_previews.records import Records as ManagePreviews
from functions.rotate_secrets.records import Records as RotateSecrets
from functions.rotate_secrets.settings import Location, Secret
from functions.rotate_secrets.terms import Terms
from functions.scale_gpu_pools.records import Records as ScaleGpuPools
from infra.suite.deployment import Deployment, Suite
from infra.suite.settings import EXAMPLES, check, load_caretaker_yaml
from shared.automation import Records
from shared.errors import SettingsError
from shared.hold_messages import FieldValue
from shared.holds import Held, Hold, Phase
from shared.settings import convert

pytestmark = pytest.mark.one_python

ACCOUNT = "0A1B2C-3D4E5F-6A7B8D"
NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)
EXAMPLE = load_caretaker_yaml(EXAMPLES / "caretaker.yaml")
OLD = "projects/my-old-product/locations/europe-west1"
SECRET = "projects/my-old-product/secrets/key"  # noqa: S105 - a name
ROTATED = convert({"secret": SECRET, "value": {"kind": "random"}, "every_days": 30}, Secret, "")


def held(name: str, field: str, original: FieldValue) -> dict[str, Hold]:
    """One resource that is held by a field."""
    return {name: Hold({field: Held(original, original, 0)}, Phase.CONFIRMED, ("monthly/actual@1",), NOON)}


@pytest.mark.parametrize(
    ("automation", "records", "granted"),
    [
        (
            "cap_spending",
            CapSpending(holds=held(f"{OLD}/services/api", "max_instances", 20)),
            {"run.services.list", "run.services.update"},
        ),
        (
            "cap_spending",
            CapSpending(holds=held(f"{OLD}/jobs/import", "state", "ENABLED")),
            {"cloudscheduler.jobs.list", "cloudscheduler.jobs.pause", "cloudscheduler.jobs.enable"},
        ),
        (
            "cap_spending",
            CapSpending(holds=held("projects/my-old-product", "billing_account", f"billingAccounts/{ACCOUNT}")),
            {
                "resourcemanager.projects.get",
                "resourcemanager.projects.createBillingAssignment",
                "resourcemanager.projects.deleteBillingAssignment",
            },
        ),
        (
            "scale_gpu_pools",
            ScaleGpuPools(holds=held(f"{OLD}/clusters/c/nodePools/gpu", "node_count", 2)),
            {
                "container.clusters.get",
                "container.clusters.update",
                "container.operations.list",
                "compute.instanceGroupManagers.list",
            },
        ),
        (
            "scale_gpu_pools",
            ScaleGpuPools(holds=held(f"{OLD}/workerPools/gpu", "manual_instance_count", 2)),
            {"run.workerpools.list", "run.workerpools.update"},
        ),
        (
            "scale_gpu_pools",
            ScaleGpuPools(holds=held(f"{OLD}/services/gpu", "min_instance_count", 2)),
            {"run.services.list", "run.services.update"},
        ),
        (
            "manage_previews",
            ManagePreviews(previews={f"{OLD}/services/shop-pr-1": Made("my-team/shop", 1, NOON)}),
            {"run.services.list", "run.services.create", "run.services.update", "run.services.delete"},
        ),
        (
            "rotate_secrets",
            RotateSecrets(
                rotations={
                    SECRET: Terms(
                        key="key",
                        secret=ROTATED,
                        locations=(Location(project="my-old-product", region="europe-west1"),),
                    )
                }
            ),
            {"secretmanager.versions.add", "secretmanager.versions.access", "run.services.update", "run.jobs.list"},
        ),
    ],
)
def test_what_is_held_keeps_its_permissions(automation: str, records: Records, granted: set[str]) -> None:
    suite = Suite(Deployment(project="my-caretaker"), EXAMPLE, {automation: records.debts()})
    assert granted <= suite.scope(automation).permissions_by_project()["my-old-product"]
    paid = Suite(suite.deployment, EXAMPLE).scope(automation)
    assert "my-old-product" not in paid.permissions_by_project()
    if "projects/my-old-product" in getattr(records, "holds", {}):
        assert ACCOUNT in suite.scope(automation).billing_accounts
    assert set(paid.permissions) <= set(suite.scope(automation).permissions)


def test_a_service_that_two_automations_would_change_is_refused() -> None:
    service = {"project": "my-product", "region": "europe-west1", "name": "images"}
    scope: dict[str, Any] = {"projects": ["my-product"], "regions": ["europe-west1"], "services": ["api", "images"]}
    budget = {
        "billing_account": "0A1B2C-3D4E5F-6A7B8C",
        "currency": "USD",
        "ladder": [{"at": 1.0, "do": ["limit_cloud_run"]}],
        "may_touch": {"limit_cloud_run": scope},
    }
    owner = {
        "cap_spending": {"budgets": {"monthly": budget}},
        "scale_gpu_pools": {"pools": {"images": {"service": service, "size": 1}}},
    }
    with pytest.raises(SettingsError) as error:
        check(owner)
    assert str(error.value) == (
        "cap_spending.budgets.monthly.may_touch.limit_cloud_run.services names the service of the pool images too;"
        " delete one of them: `gpu_pools_off` in the ladder turns pools off"
    )
    scope |= {"services": ["api"], "worker_pools": ["images"]}
    check(owner)
    pool: dict[str, Any] = {"worker_pool": service, "size": 1}
    with pytest.raises(SettingsError, match="worker_pools names the worker pool of the pool images too"):
        check({**owner, "scale_gpu_pools": {"pools": {"images": pool}}})
