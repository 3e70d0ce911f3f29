"""An upgrade from the last release to this version, and back, by Terraform's own plan against mocks.

Both versions share one state. What a version knows while planning on top of the other's state was kept: had an address
changed without a `moved` block, its values would be known only after an apply. Mocks do not show which arguments
replace a resource when they change.
"""

import re
import shutil
from pathlib import Path

import pytest

from tests.infra.release import released
from tests.infra.terraform import NOT_OURS, TERRAFORM, check_copy
from tests.infra.test_terraform import whole_suite

pytestmark = [pytest.mark.one_python, pytest.mark.no_cover, pytest.mark.long]

BACKEND = re.compile(r'^  backend "gcs" \{.*?^  \}\n', re.MULTILINE | re.DOTALL)
KEPT = """
  assert {
    condition     = output.accounts == run.before.accounts && output.inboxes == run.before.inboxes
    error_message = "Accounts and inboxes are kept."
  }
  assert {
    condition     = output.webhooks == run.before.webhooks && output.budgets == run.before.budgets
    error_message = "Functions and budgets are kept."
  }
  assert {
    condition     = google_firestore_database.state.id != "" && google_storage_bucket.bundles.id != ""
    error_message = "The database and the bucket are kept."
  }
  assert {
    condition     = alltrue([for one in google_secret_manager_secret.mounted : one.id != ""])
    error_message = "Secrets are kept."
  }
  assert {
    condition     = strcontains(google_project_iam_member.build_reads_copies.condition[0].expression, "-123456789012-")
    error_message = "Grants that name the project's number are kept."
  }
"""
MOCKS = """mock_provider "time" {}

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
  mock_resource "google_billing_budget" {
    defaults = { name = "billingAccounts/0A1B2C-3D4E5F-6A7B8C/budgets/8f3d2c1b-0a9e-4d5c-8b7a-6f5e4d3c2b1a" }
  }
  mock_resource "google_cloudfunctions2_function" {
    defaults = { service_config = { uri = "https://function.a.run.app" } }
  }
}
"""
DEPLOYED = ("mode", "cap_spending", "receive_github")
RUNS = (
    ("before", "apply", "before"),
    ("upgrade", "plan", "after"),
    ("after", "apply", "after"),
    ("back", "plan", "before"),
)
"""The runs: name, command, and the version."""


def as_a_module(folder: Path) -> None:
    """Leave what a root has and a module cannot: tests, and where the state is."""
    for unneeded in ("tests", "examples", "modules/platform"):
        shutil.rmtree(folder / unneeded, ignore_errors=True)
    versions = folder / "versions.tf"
    versions.write_text(BACKEND.sub("", versions.read_text("utf-8")), "utf-8")


def run(name: str, command: str, version: str) -> str:
    """One run of the test, on the state that all of them share."""
    body = f'  command   = {command}\n  state_key = "suite"\n  module {{\n    source = "./{version}"\n  }}\n'
    return f'\nrun "{name}" {{\n{body}{KEPT if command == "plan" else ""}}}\n'


def two_automations() -> dict[str, object]:
    """Terraform's variables for one automation with a Pub/Sub trigger and one with HTTP: enough, and fast."""
    given = whole_suite()
    settings = given["settings"]
    assert isinstance(settings, dict)
    ladder = settings["cap_spending"]["budgets"]["monthly"]["ladder"]
    ladder[:] = [rung for rung in ladder if rung.get("on") != "anomaly"]  # the last release knows none
    del given["report"]  # nor this: it would take the API of IAP away, for which its plan of everything waits
    return given | {"settings": {name: settings[name] for name in DEPLOYED}, "secrets": {}}


def written(folder: Path) -> None:
    """A root whose test upgrades and reverts."""
    root = folder / "upgrade"
    shutil.copytree(TERRAFORM, root / "after", ignore=NOT_OURS)
    archive = folder.parent / "archive"
    released(archive, "infra/terraform", f"{len(RUNS)} runs of an upgrade").rename(root / "before")
    for version in ("before", "after"):
        as_a_module(root / version)
    declared = "".join(f'\nvariable "{name}" {{\n  type = any\n}}\n' for name in two_automations())
    (root / "main.tf").write_text(f'terraform {{\n  required_version = ">= 1.11"\n}}\n{declared}', "utf-8")
    (root / "tests").mkdir()
    (root / "tests" / "upgrade.tftest.hcl").write_text(MOCKS + "".join(run(*one) for one in RUNS), "utf-8")


def test_an_upgrade_from_the_last_release_and_the_way_back_keep_what_is_deployed(tmp_path: Path) -> None:
    written(tmp_path / "files")
    check_copy(tmp_path / "files", "upgrade", len(RUNS), two_automations())
