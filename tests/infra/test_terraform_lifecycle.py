"""Terraform's files over time: a first apply in one go, an upgrade, a destroy, and an apply after it."""

from typing import Any

import pytest

from infra.costs.estimate import load_product
from tests.infra.terraform import TERRAFORM, folders
from tests.infra.test_terraform_structure import blocks, parsed, resources

pytestmark = pytest.mark.one_python

KEPT_AFTER_DELETION = {
    "google_project_iam_custom_role": "role_id",
    "google_organization_iam_custom_role": "role_id",
    "google_iam_workload_identity_pool": "workload_identity_pool_id",
}
"""Resources whose id Google keeps for weeks after they were deleted, with the attribute that names it."""

CANNOT_BE_DELETED = {
    "google_bigquery_dataset",
    "google_logging_project_bucket_config",
    "google_service_networking_connection",
}
"""Resources that Google refuses to delete while others use them, which Terraform does not see, or to create again soon
after; buckets besides."""

LOG_METRIC = "logging.googleapis.com/user/"


def data_sources(folder: str) -> list[tuple[str, Any]]:
    """The data sources of a folder, as `type.name`, each with its body."""
    return [
        (f"{kind}.{name}".replace('"', ""), body)
        for _, file in parsed(folder)
        for block in file.get("data", [])
        for kind, named in block.items()
        if not kind.startswith("__")
        for name, body in named.items()
    ]


@pytest.mark.parametrize("folder", folders())
def test_what_is_read_is_known_while_planning(folder: str) -> None:
    """A data source that depends on a resource is read anew whenever that one changes, and replaces what names it."""
    assert [name for name, body in data_sources(folder) if "depends_on" in body] == []
    for name, module in blocks(folder, "module").items():
        inside = (TERRAFORM / folder / module["source"].strip('"')).resolve().relative_to(TERRAFORM)
        assert "depends_on" not in module or data_sources(str(inside)) == [], name


@pytest.mark.parametrize("folder", folders())
def test_ids_of_deleted_resources_do_not_block_an_apply(folder: str) -> None:
    found = [(kind, name, body) for kind, name, body in resources(folder) if kind in KEPT_AFTER_DELETION]
    again = [f"{kind}.{name}" for kind, name, body in found if "made_at" not in str(body[KEPT_AFTER_DELETION[kind]])]
    assert again == []


@pytest.mark.parametrize("folder", folders())
def test_destroy_leaves_resources_that_google_refuses_to_delete(folder: str) -> None:
    found = [
        (name, body)
        for kind, name, body in resources(folder)
        if kind in CANNOT_BE_DELETED or (kind == "google_storage_bucket" and body.get("force_destroy") is not True)
    ]
    assert [name for name, body in found if body.get("deletion_policy") != '"ABANDON"'] == []


def test_alerts_on_metrics_of_the_log_wait_until_there_are_such() -> None:
    policies = [
        (name, body)
        for kind, name, body in resources("modules/observability")
        if kind == "google_monitoring_alert_policy" and LOG_METRIC in str(body)
    ]
    assert {name for name, _ in policies} == {"silent", "failing"}
    assert [name for name, body in policies if "time_sleep.metrics" not in str(body.get("depends_on"))] == []


RUNS_WITH_SECRETS = {"google_cloudfunctions2_function", "google_cloud_run_v2_service", "google_cloud_run_v2_job"}


def test_what_mounts_secrets_waits_for_its_grants() -> None:
    """A dependency alone is not enough: a new grant is in force everywhere only after minutes."""
    grants = "google_secret_manager_secret_iam_member"
    found = [
        (f"{folder}: {kind}", body)
        for folder in folders()
        if any(kind == grants for kind, _, _ in resources(folder))
        for kind, _, body in resources(folder)
        if kind in RUNS_WITH_SECRETS
    ]
    assert len(found) == 3
    assert [name for name, body in found if "time_sleep.grants" not in str(body["depends_on"])] == []


def test_functions_wait_for_the_grants_that_build_and_start_them() -> None:
    (function,) = (
        body for kind, _, body in resources("modules/automation") if kind == "google_cloudfunctions2_function"
    )
    (wait,) = (body for kind, _, body in resources("modules/automation") if kind == "time_sleep")
    assert "time_sleep.grants" in str(function["depends_on"])
    assert "google_secret_manager_secret_iam_member.mounted" in str(wait["triggers"])
    grants = str(blocks(".", "module")["automation"]["depends_on"])
    assert {name for kind, name, _ in resources(".") if "iam_member" in kind and name.startswith("build")} == {
        name for name in ("build", "build_reads", "build_reads_copies", "build_writes") if f".{name}" in grants
    }


def test_the_products_alerts_that_cost_are_in_the_estimate() -> None:
    """Two windows of each burn rate; one condition of each other policy."""
    policies = {
        name: body
        for kind, name, body in resources("modules/platform/observability")
        if kind == "google_monitoring_alert_policy"
    }
    assert set(policies) == {"burn", "now", "unreachable"}
    local = {
        name: value
        for _, file in parsed("modules/platform/observability")
        for block in file.get("locals", [])
        for name, value in block.items()
    }
    length = {name: sum(not key.startswith("__") for key in local[name]) for name in ("slos", "burn_rates", "now")}
    conditions = length["slos"] * length["burn_rates"] * 2 + length["now"] + 1
    (alerts,) = (part for part in load_product() if part.name == "Alerts")
    assert {use.price: use.amount for use in alerts.after.uses} == {
        "alert_reference": conditions,
        "alert_points": conditions * 30 * 86_400 // 30,
    }
