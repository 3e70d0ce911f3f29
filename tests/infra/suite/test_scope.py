"""The resources that sections of the settings name, and the grants of their automations on them."""

import re
from typing import Any

import msgspec
import pytest

from functions.receive_github.webhook_secrets import REMEMBERED_SECONDS
from functions.rotate_secrets.progress import READ_WITHIN
from infra.suite.automations import load_functions
from infra.suite.scope import Scope, scope_of
from infra.suite.settings import EXAMPLES, load_caretaker_yaml, sections
from shared.settings import parse
from shared.yaml12 import read_yaml
from tests.infra.test_docs import OPERATE

CONTAINER = (
    "compute.instanceGroupManagers.list",
    "container.clusters.get",
    "container.clusters.update",
    "container.operations.list",
)
PREVIEWS = ("run.services.create", "run.services.delete", "run.services.list", "run.services.update")
SIGNALS = ("monitoring.timeSeries.list",)
BILLING = tuple(
    f"resourcemanager.projects.{verb}" for verb in ("createBillingAssignment", "deleteBillingAssignment", "get")
)
DEPENDENTS = (
    *("run.executions.list", "run.instances.list", "run.jobs.list", "run.jobs.update", "run.revisions.get"),
    *("run.services.list", "run.services.update", "run.workerpools.list", "run.workerpools.update"),
)
LISTING = ("secretmanager.secrets.list",)
TOKEN = "projects/my-github/secrets/token"  # noqa: S105 - a name
REGION = "europe-west1"
POOL: dict[str, Any] = {"size": 1, "hours": {"time_zone": "Etc/UTC", "windows": ["daily 06:00-22:00"]}}


def a_scope(automation: str, section: dict[str, Any]) -> Scope:
    """The resources that a section names, once it is known to be one."""
    parse({automation: section}, automation, sections()[automation])
    return scope_of(section, load_functions()[automation], "my-caretaker")


def budgets(**may_touch: Any) -> dict[str, Any]:
    """A section of `cap_spending` with one budget."""
    budget = {"billing_account": "0A1B2C-3D4E5F-6A7B8C", "currency": "USD", "ladder": [{"at": 1.0, "do": ["notify"]}]}
    return {"budgets": {"detach_billing": budget | {"may_touch": may_touch}}}


def previews(**more: Any) -> dict[str, Any]:
    """A section of `manage_previews`."""
    return {
        "github": {"token_secret": TOKEN},
        "project": "my-previews",
        "region": REGION,
        "service_account": "preview@my-accounts.iam.gserviceaccount.com",
        "repositories": {"a/b": {"service": "b", "image": "europe-west1-docker.pkg.dev/my-images/images/api"}},
        **more,
    }


def rotated(value: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A section of `rotate_secrets` with one secret."""
    return {"secrets": {"key": {"secret": "projects/my-secrets/secrets/s", "every_days": 30, "value": value}}, **more}


@pytest.mark.parametrize(
    ("automation", "section", "projects"),
    [
        ("cap_spending", budgets(), {}),
        (
            "cap_spending",
            budgets(pause_schedules={"projects": ["my-jobs"], "locations": [REGION], "job_prefix": "batch-"}),
            {"my-jobs": ("cloudscheduler.jobs.enable", "cloudscheduler.jobs.list", "cloudscheduler.jobs.pause")},
        ),
        (
            "cap_spending",
            budgets(
                limit_cloud_run={"projects": ["my-api"], "regions": [REGION], "services": ["api"]},
                detach_billing={"projects": ["my-api", "my-research"]},
            ),
            {"my-api": (*BILLING, "run.services.list", "run.services.update"), "my-research": BILLING},
        ),
        (
            "cap_spending",
            budgets(limit_cloud_run={"projects": ["my-api"], "regions": [REGION], "worker_pools": ["rendering"]}),
            {"my-api": ("run.workerpools.list", "run.workerpools.update")},
        ),
        # The owner's own keys are no keys of the settings.
        (
            "scale_gpu_pools",
            {"pools": {"service": POOL | {"worker_pool": {"project": "my-run", "region": REGION, "name": "p"}}}},
            {"my-run": ("run.workerpools.list", "run.workerpools.update")},
        ),
        (
            "scale_gpu_pools",
            {
                "pools": {
                    "training": {
                        "size": 1,
                        "node_pool": {"project": "my-gke", "location": "europe-west4", "cluster": "c", "name": "gpu"},
                        "idle": {
                            "signals": [
                                {"kind": "metric", "project": "my-metrics", "filter": 'metric.type="x"', "at_most": 1}
                            ]
                        },
                        "wake": [{"kind": "pending_messages", "subscription": "projects/my-jobs/subscriptions/jobs"}],
                    },
                    "images": POOL | {"service": {"project": "my-gke", "region": REGION, "name": "images"}},
                }
            },
            {
                "my-gke": (*CONTAINER, "run.services.list", "run.services.update"),
                "my-jobs": SIGNALS,
                "my-metrics": SIGNALS,
            },
        ),
        ("manage_previews", previews(), {"my-previews": PREVIEWS}),
        ("manage_previews", previews(public=False), {"my-previews": PREVIEWS}),
        (
            "manage_previews",
            previews(public=True),
            {"my-previews": tuple(sorted((*PREVIEWS, "run.services.setIamPolicy")))},
        ),
        ("rotate_secrets", rotated({"kind": "random"}), {"my-secrets": LISTING}),
        (
            "rotate_secrets",
            rotated({"kind": "random"}, dependents_in=[{"project": "my-api", "region": REGION}]),
            {"my-api": DEPENDENTS, "my-secrets": LISTING},
        ),
        (
            "rotate_secrets",
            {
                "secrets": {
                    "key": rotated({"kind": "random"})["secrets"]["key"]
                    | {"dependents_in": [{"project": "my-api", "region": REGION}]}
                }
            },
            {"my-api": DEPENDENTS, "my-secrets": LISTING},
        ),
        ("receive_github", {"repositories": ["a/b"]}, {}),
    ],
)
def test_what_is_granted_in_which_project(
    automation: str, section: dict[str, Any], projects: dict[str, tuple[str, ...]]
) -> None:
    found = a_scope(automation, section)
    assert found.projects == projects
    on_projects = {one for permissions in projects.values() for one in permissions}
    conditional = {one for permissions in load_functions()[automation].granted_when.values() for one in permissions}
    assert {one for one in found.permissions if one in conditional} >= on_projects


@pytest.mark.parametrize(
    ("automation", "section", "own", "read"),
    [
        ("manage_previews", previews(), (), (TOKEN,)),
        ("rotate_secrets", rotated({"kind": "random"}), ("projects/my-secrets/secrets/s",), ()),
        (
            "rotate_secrets",
            rotated(
                {"kind": "github_webhook", "repository": "a/b", "hook": 1}
                | {"github": {"app": {"id": 1, "installation": 2, "private_key_secret": TOKEN}}}
            ),
            ("projects/my-secrets/secrets/s",),
            (TOKEN,),
        ),
        (
            "rotate_secrets",
            rotated(
                {"kind": "github_webhook", "repository": "a/b", "hook": 1, "github": {"token_secret": TOKEN}}
                | {"previous_secret": "projects/my-secrets/secrets/s-previous"}
            ),
            ("projects/my-secrets/secrets/s", "projects/my-secrets/secrets/s-previous"),
            (TOKEN,),
        ),
        (
            # Those that rotate together are all the automation's own; an administrator's address is only read.
            "rotate_secrets",
            rotated(
                {"kind": "postgres", "users": ["a", "b"], "admin_secret": "projects/my-secrets/secrets/admin"}
                | {"other_addresses": ["projects/my-secrets/secrets/s-direct"]}
            ),
            ("projects/my-secrets/secrets/s", "projects/my-secrets/secrets/s-direct"),
            ("projects/my-secrets/secrets/admin",),
        ),
    ],
)
def test_secrets_that_are_its_own_and_secrets_that_are_read(
    automation: str, section: dict[str, Any], own: tuple[str, ...], read: tuple[str, ...]
) -> None:
    found = a_scope(automation, section)
    assert (found.own_secrets, found.secrets) == (own, tuple(sorted((*own, *read))))


def test_what_is_asked_of_each_project_whatever_it_is_granted_on() -> None:
    found = a_scope("manage_previews", previews()).permissions_by_project()
    assert found == {
        "my-previews": set(PREVIEWS),
        "my-github": {"secretmanager.versions.access"},
        "my-images": {
            "artifactregistry.repositories.downloadArtifacts",
            "artifactregistry.tags.get",
            "artifactregistry.tags.list",
        },
        "my-accounts": {"iam.serviceAccounts.actAs"},
    }


def test_what_the_example_names() -> None:
    owner: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(load_caretaker_yaml(EXAMPLES / "caretaker.yaml")))
    spending = a_scope("cap_spending", owner["cap_spending"])
    assert spending.billing_accounts == ("0A1B2C-3D4E5F-6A7B8C",)
    assert "resourcemanager.projects.deleteBillingAssignment" not in spending.permissions
    found = a_scope("manage_previews", owner["manage_previews"])
    assert found.accounts == ("preview@my-previews.iam.gserviceaccount.com",)
    assert found.repositories == ("projects/my-previews/locations/europe-west1/repositories/images",)
    secrets = a_scope("rotate_secrets", owner["rotate_secrets"])
    assert set(secrets.secrets) - set(secrets.own_secrets) == {
        "projects/my-product/secrets/database-admin-url",
        "projects/my-product/secrets/github-token",
    }
    assert a_scope("prune_backups", owner["prune_backups"]).buckets == {"my-product-backups": "my-caretaker"}


@pytest.mark.parametrize(
    ("section", "buckets"),
    [
        ({}, {}),
        ({"sets": [{"bucket": "gs://my-backups/daily", "project": "my-product"}]}, {"my-backups": "my-product"}),
        ({"sets": [{"bucket": "others"}]}, {"others": "my-caretaker"}),
        ({"note": "my projects/x", "image": "docker.io/library/x", "account": "jane@example.com"}, {}),
    ],
)
def test_buckets_and_what_merely_looks_so(section: object, buckets: dict[str, str]) -> None:
    found = scope_of(section, load_functions()["prune_backups"], "my-caretaker")
    assert msgspec.structs.replace(found, permissions=()) == Scope(buckets=buckets)


def test_the_suites_own_webhook_secret_is_rotated_as_the_docs_say() -> None:
    (written,) = re.findall(r"```yaml\n(rotate_secrets:.*?)```", OPERATE, re.DOTALL)
    section: dict[str, Any] = read_yaml(written)["rotate_secrets"]  # type: ignore[index]
    mounted = load_functions()["receive_github"].secrets
    names = tuple(f"projects/my-caretaker/secrets/{one.secret}" for one in mounted)
    assert a_scope("rotate_secrets", section).own_secrets == names
    # rotate_secrets knows by its file's name which one keeps the value before.
    assert ["previous" in one.file.rpartition("/")[2] for one in mounted] == [False, True]
    # And waits for longer than the receiver remembers what it has read.
    assert READ_WITHIN.total_seconds() > REMEMBERED_SECONDS
