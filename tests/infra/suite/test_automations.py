"""The one map of the suite."""

from pathlib import Path
from typing import cast

import msgspec
import pytest
import yaml

from infra.suite.automations import (
    PATH,
    PERMISSIONS_PATH,
    ROOT,
    Entry,
    Webhook,
    grant_target_of,
    load_automations,
    load_functions,
    load_grant_targets,
)
from infra.suite.loading import load_automation, load_records
from localcloud.github.schema import description
from shared.events import inbox_of
from shared.lease import DURATION
from shared.restrictions import Restriction
from shared.yaml12 import read_yaml


def test_its_keys_are_the_folders_of_the_functions() -> None:
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/main.py")}
    assert set(load_functions()) == folders


@pytest.mark.parametrize("name", load_automations())
def test_each_automation_is_what_its_entry_says(name: str) -> None:
    automation = load_automation(name)
    assert (automation.name, automation.records) == (name, load_records(name))


def permissions_of_github() -> set[str]:
    """By the names that GitHub's own description has for apps."""
    schema = cast("dict[str, dict[str, object]]", description().components["schemas"]["app-permissions"])
    return set(schema["properties"])


@pytest.mark.parametrize(("name", "entry"), load_automations().items())
def test_an_entry_makes_sense(name: str, entry: Entry) -> None:
    assert entry.retry.minimum_backoff_seconds <= entry.retry.maximum_backoff_seconds
    assert inbox_of(name) not in entry.topics
    assert set(entry.obeys) <= set(Restriction)
    assert len(set(entry.permissions)) == len(entry.permissions)
    assert entry.github_permissions.keys() <= permissions_of_github()
    assert entry.tick is None or DURATION.total_seconds() < entry.tick.every_seconds


@pytest.mark.parametrize(("name", "entry"), load_functions().items())
def test_what_terraform_needs_of_an_entry(name: str, entry: Entry | Webhook) -> None:
    targets = load_grant_targets()
    on_projects = {one for one in entry.permissions if grant_target_of(one, targets).granted_on == "projects"}
    # On a whole project nothing is granted that the owner's section does not ask for there.
    assert on_projects <= {one for permissions in entry.granted_when.values() for one in permissions}
    for path, permissions in entry.granted_when.items():
        assert set(permissions) <= set(entry.permissions), path
    folders = [secret.file.rpartition("/")[0] for secret in entry.secrets]
    assert len(set(folders)) == len(folders)
    # A service account's id, and a subscription's name.
    assert len(inbox_of(name)) <= 30
    if isinstance(entry, Entry):
        assert set(entry.filters) <= set(entry.topics)
        assert bool(entry.may_trigger) == ("pubsub.topics.publish" in entry.permissions)
        assert all(len(text) <= 256 for text in entry.filters.values())
        assert entry.time_limit_seconds + 30 <= 600


@pytest.mark.parametrize("path", [PATH, PERMISSIONS_PATH])
def test_terraform_reads_the_same(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert yaml.safe_load(text) == read_yaml(text)  # Terraform reads YAML 1.1, where `on` is true


def test_a_permission_on_a_billing_account_has_a_role_of_googles() -> None:
    for key, target in load_grant_targets().items():
        assert bool(target.predefined) == (target.granted_on == "billing_accounts"), key


@pytest.mark.parametrize("name", [name for name, entry in load_functions().items() if isinstance(entry, Webhook)])
def test_what_comes_from_outside_never_goes_to_an_inbox(name: str) -> None:
    webhook = load_functions()[name]
    assert isinstance(webhook, Webhook)
    inboxes = {inbox_of(automation) for automation in load_automations()}
    assert not inboxes & set(webhook.publishes)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("memory:", "memroy:"),
        ("max_instances: 3", "max_instances: 0"),
        ("every_seconds: 43200", "every_seconds: 86400"),
        ("dead_letter_after: 20", "dead_letter_after: 3"),
        ("github_permissions: {metadata: read", "github_permissions: {metadata: admin"),
    ],
)
def test_a_map_that_will_not_do(tmp_path: Path, old: str, new: str) -> None:
    text = PATH.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "automations.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(msgspec.ValidationError):
        load_automations(path)
