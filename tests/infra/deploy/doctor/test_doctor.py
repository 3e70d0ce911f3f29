"""`./deploy.sh doctor`: what it finds missing on a cloud where one thing is, and how that is fixed."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import grpc
import msgspec
import pytest
from google.cloud.billing import budgets_v1
from google.cloud.secretmanager_v1 import SecretManagerServiceClient

from infra.deploy.__main__ import main
from infra.deploy.doctor.findings import Check, CheckContext, Finding, Status, run_check
from infra.deploy.doctor.machine import login, tools
from infra.suite.deployment import Deployment, NewBudget, NewSecret, Suite
from tests.infra.deploy.stage import (
    ACCOUNT,
    BUDGET,
    GITHUB_TOKEN,
    PROJECT,
    TOPIC,
    Stage,
    add_budget,
    add_secret,
    add_topic,
    all_is_well,
    example,
    serving,
    shipped,
)

pytestmark = pytest.mark.one_python

GONE = "gone-project"
UPDATE = f"gcloud billing budgets update {BUDGET} --billing-account={ACCOUNT}"


def test_where_nothing_is_missing() -> None:
    with all_is_well() as stage:
        assert stage.examine() == []
        assert stage.said[-1].endswith(" OK, 3 warnings, 0 problems")
        assert stage.said[-2] == "3 checks (tools, login, state) do not apply to the local cloud and were skipped"
        assert not [call for call in stage.cloud.server.calls if call.mutating and call.method.startswith("google.api")]


def no_project(stage: Stage) -> None:
    stage.suite = Suite(
        stage.suite.deployment, example(manage_previews={**example()["manage_previews"], "project": "gone"})
    )


def no_billing(stage: Stage) -> None:
    stage.cloud.billing.add_project(PROJECT)


def no_api(stage: Stage) -> None:
    stage.cloud.service_usage.disable("my-product", "run.googleapis.com", "container.googleapis.com")


def no_api_of_the_topic_of_images(stage: Stage) -> None:
    stage.cloud.service_usage.disable("my-previews", "pubsub.googleapis.com")


def no_permission(stage: Stage) -> None:
    stage.cloud.resource_manager.deny("my-product", "iam.roles.create", "storage.buckets.create")


def restricted_sharing(stage: Stage) -> None:
    stage.cloud.org_policy.allow_only(PROJECT, "iam.allowedPolicyMemberDomains", "C01234567")


def no_secret(stage: Stage) -> None:
    stage.target.clients.of(SecretManagerServiceClient).delete_secret(request={"name": GITHUB_TOKEN})


def empty_secret(stage: Stage) -> None:
    no_secret(stage)
    add_secret(stage, GITHUB_TOKEN, None)


def another_topic(stage: Stage) -> None:
    add_topic(stage, "projects/my-product/topics/ours")
    add_budget(stage, "projects/my-product/topics/ours")


def no_topic(stage: Stage) -> None:
    add_budget(stage, "")


CAP: dict[str, object] = {
    "display_name": "ours",
    "amount": {"specified_amount": {"units": 400}},
    "budget_filter": {
        "projects": [f"projects/{PROJECT}"],
        "services": ["services/152E-C115-5142"],
        "credit_types_treatment": "EXCLUDE_ALL_CREDITS",
    },
    "threshold_rules": [{"threshold_percent": at} for at in (0.5, 0.8, 1.0)],
    "notifications_rule": {"enable_project_level_recipients": True},
}


def a_capped_budget(stage: Stage) -> None:
    name = f"billingAccounts/{ACCOUNT}/budgets/{BUDGET}"
    stage.cloud.budgets.add_budget(name, budgets_v1.Budget(CAP), is_capped=True)


def no_forecast_rule(stage: Stage) -> None:
    add_budget(stage, forecast=(0.9,))


def unanswered(stage: Stage) -> None:
    stage.cloud.server.fail("GetEffectivePolicy", grpc.StatusCode.PERMISSION_DENIED)


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (
            no_project,
            (
                "project gone is missing or not visible to you\n"
                "correct the name, or ask for roles/viewer there, or gcloud projects create gone"
            ),
        ),
        (
            no_billing,
            (
                f"{PROJECT} has no open billing account\n"
                f"gcloud billing projects link {PROJECT} --billing-account=ACCOUNT  (gcloud billing accounts list)"
            ),
        ),
        (
            no_api,
            (
                "my-product: 2 APIs are not enabled\n"
                "gcloud services enable container.googleapis.com run.googleapis.com --project=my-product"
            ),
        ),
        (
            no_api_of_the_topic_of_images,
            ("my-previews: 1 APIs are not enabled\ngcloud services enable pubsub.googleapis.com --project=my-previews"),
        ),
        (
            no_permission,
            (
                "my-product: you lack iam.roles.create\nask the owner of my-product for "
                "roles/iam.roleAdmin and roles/iam.securityAdmin, or for a role with these"
            ),
        ),
        (
            restricted_sharing,
            (
                "domain-restricted sharing keeps out billing-budget-alert@system.gserviceaccount.com, so no "
                "budget notification arrives and allUsers, so no webhook arrives\n"
                "an administrator of the organization: gcloud org-policies set-policy, "
                f"iam.allowedPolicyMemberDomains with allowAll for {PROJECT}"
            ),
        ),
        (
            no_secret,
            (
                f"there is no secret {GITHUB_TOKEN}\n"
                "gcloud secrets create github-token --project=my-product --data-file=-"
            ),
        ),
        (
            empty_secret,
            (
                f"{GITHUB_TOKEN} has no enabled version\n"
                "gcloud secrets versions add github-token --project=my-product --data-file=-"
            ),
        ),
        (
            another_topic,
            (
                "budget monthly sends to projects/my-product/topics/ours, and a budget has one topic\n"
                "let Terraform create another: budgets.monthly in deployment.yaml, and no id in caretaker.yaml; or "
                f"{UPDATE} --notifications-rule-pubsub-topic={TOPIC}"
            ),
        ),
        (
            no_topic,
            (f"budget monthly sends to no topic (after apply)\n{UPDATE} --notifications-rule-pubsub-topic={TOPIC}"),
        ),
        (
            a_capped_budget,
            (
                "budget monthly has a spend cap, so it never notifies, and no rung of its ladder can act\n"
                "use a budget without a cap for the ladder, and put the cap into `spend_caps`"
            ),
        ),
        (
            no_forecast_rule,
            (
                "budget monthly has no forecast rule for the rung forecast@1, which therefore never acts\n"
                f"{UPDATE} --add-threshold-rule=percent=1,basis=forecasted-spend"
            ),
        ),
    ],
)
def test_what_is_missing_and_what_fixes_it(spoil: Callable[[Stage], None], found: str) -> None:
    with all_is_well() as stage:
        spoil(stage)
        shown = stage.examine()
        assert found in shown
        assert f" warnings, {len(shown)} problem{'' if len(shown) == 1 else 's'}" in stage.said[-1]


def without(suite: Suite, project: str) -> Suite:
    """The suite, with another name for one of its projects."""
    owner, deployment = (
        re.sub(rf"\b{project}(?![-\w])", GONE, msgspec.json.encode(one).decode())
        for one in (suite.owner, suite.deployment)
    )
    return Suite(msgspec.json.decode(deployment, type=Deployment), msgspec.json.decode(owner))


@pytest.mark.parametrize("project", ["my-product", "my-previews", PROJECT])
def test_a_missing_project_is_one_problem_and_what_is_in_it_is_not_checked(project: str) -> None:
    with all_is_well() as stage:
        stage.suite = without(stage.suite, project)
        if project == PROJECT:
            add_topic(stage, TOPIC.replace(project, GONE))
            add_budget(stage, TOPIC.replace(project, GONE))
        assert [line.partition("\n")[0] for line in stage.examine()] == [
            f"project {GONE} is missing or not visible to you"
        ]
        unchecked = [line for line in stage.said if line.startswith("not checked")]
        assert f"not checked  your permissions in {GONE}: project {GONE} is missing" in unchecked
        assert all(line.endswith(f": project {GONE} is missing") for line in unchecked)
        assert stage.said[-1].endswith(f" 1 problem, {len(unchecked)} not checked")
        # Nothing else is reported of what is in it: only of what Terraform will grant.
        others = [line for line in stage.said if line.startswith(("ok", "warning")) and " may act as " not in line]
        assert not [line for line in others if GONE in line and " may deploy images of " not in line]


def test_findings_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving({}, tmp_path):
        assert main(["doctor", "--local", "--json", "--directory", str(tmp_path)]) == 1
        printed = json.loads(capsys.readouterr().out)
    assert {finding["status"] for finding in printed["findings"]} >= {"ok", "PROBLEM"}
    assert all(finding["fix"] for finding in printed["findings"] if finding["status"] == "warning")
    assert printed["skipped"] == ["3 checks (tools, login, state) do not apply to the local cloud and were skipped"]


def test_what_could_not_be_checked_is_a_problem() -> None:
    with all_is_well() as stage:
        unanswered(stage)
        stage.examine()
        assert [line for line in stage.said if line.startswith("PROBLEM      could not see domain-restricted sharing")]


def test_a_budget_that_is_not_there_and_one_that_terraform_makes() -> None:
    owner = example()
    owner["cap_spending"]["budgets"]["monthly"]["id"] = "00000000-0000-4000-8000-000000000000"
    with all_is_well(owner) as stage:
        assert any(line.startswith("budget monthly: billingAccounts/") for line in stage.examine())
    del owner["cap_spending"]["budgets"]["monthly"]["id"]
    with all_is_well(owner, shipped(budgets={"monthly": NewBudget(amount=400)})) as stage:
        assert stage.examine() == []
        assert "ok           budget monthly is made by Terraform, with its rules and its topic" in stage.said


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on its PATH, and no login."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud-config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_QUOTA_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def program(folder: Path, name: str, prints: str) -> None:
    """A program that prints something, whatever it is asked."""
    path = folder / name
    path.write_text(f"#!{sys.executable}\nprint({prints!r})\n")
    path.chmod(0o755)


def seen(check: Check) -> list[Finding]:
    """The findings of one check of the machine, for a suite in `my-caretaker`."""
    suite = Suite(Deployment(project=PROJECT), {})
    return run_check(check, CheckContext(suite, None))  # type: ignore[arg-type]


def test_what_deploying_takes_in_each_project_is_what_is_granted_there() -> None:
    deployment = shipped(secrets={"session-key": NewSecret()})
    everything = [f"{service}.setIamPolicy" for service in ("resourcemanager.projects", "secretmanager.secrets")]
    everything += ["storage.buckets.setIamPolicy", "iam.serviceAccounts.setIamPolicy", "secretmanager.secrets.create"]
    everything += ["pubsub.topics.attachSubscription", "pubsub.topics.create"]
    accounts, projects = "iam.serviceAccounts.setIamPolicy", "resourcemanager.projects.setIamPolicy"
    with all_is_well(deployment=deployment) as stage:
        for project in ("my-product", "my-previews"):
            stage.cloud.resource_manager.deny(project, *everything)
        shown = stage.examine()
        assert [line.partition("\n")[0] for line in shown] == [
            (
                f"my-product: you lack {accounts}, {projects}, secretmanager.secrets.create,"
                " secretmanager.secrets.setIamPolicy, storage.buckets.setIamPolicy"
            ),
            (f"my-previews: you lack {accounts}, pubsub.topics.attachSubscription, pubsub.topics.create, {projects}"),
        ]
        assert shown[1].endswith("roles/iam.securityAdmin and roles/pubsub.editor, or for a role with these")


def test_secrets_that_terraform_makes_and_rotate_secrets_fills_are_not_missing() -> None:
    deployment = shipped(secrets={"session-key": NewSecret(), "database": NewSecret()})
    key, address = "projects/my-product/secrets/session-key", "projects/my-product/secrets/database-url"
    with all_is_well(deployment=deployment) as stage:
        client = stage.target.clients.of(SecretManagerServiceClient)
        for secret in (key, address):
            client.delete_secret(request={"name": secret})
        assert stage.examine() == []
        for secret in (key, address):
            add_secret(stage, secret, None)
        fix = "gcloud secrets versions add database-url --project=my-product --data-file=-"
        assert stage.examine() == [f"{address} has no enabled version\n{fix}"]


@pytest.mark.parametrize(
    ("version", "said", "is_ok"),
    [
        ('{"terraform_version": "1.11.4"}', "terraform 1.11.4", True),
        ('{"terraform_version": "2.0.0-beta1"}', "terraform 2.0.0-beta1", True),
        ('{"terraform_version": "1.9.8"}', "terraform 1.9.8 is too old: 1.11 or newer is needed", False),
        ("OpenTofu", "terraform does not print its version: ", False),
    ],
)
def test_which_terraform(machine: Path, version: str, said: str, is_ok: bool) -> None:  # noqa: FBT001
    program(machine, "terraform", version)
    program(machine, "gcloud", "")
    terraform, gcloud = seen(tools)
    assert terraform.what == said
    assert (terraform.status is Status.OK, gcloud.status is Status.OK) == (is_ok, True)


@pytest.mark.usefixtures("machine")
def test_tools_that_are_not_installed() -> None:
    found = seen(tools)
    assert [finding.what for finding in found] == ["terraform is not installed", "gcloud is not installed"]
    assert all(finding.fix.startswith("https://") for finding in found)


@pytest.mark.parametrize(
    ("credentials", "said"),
    [
        (None, ["not logged in"]),
        ({"quota_project_id": PROJECT}, []),
        ({}, ["the quota project of the login is not set"]),
        ({"quota_project_id": "another"}, ["the quota project of the login is another"]),
    ],
)
def test_who_is_logged_in(
    machine: Path, monkeypatch: pytest.MonkeyPatch, credentials: dict[str, str] | None, said: list[str]
) -> None:
    if credentials is not None:
        path = machine / "adc.json"
        user = {"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "t"}
        path.write_text(json.dumps(user | credentials))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    assert [finding.what for finding in seen(login) if finding.status is not Status.OK] == said
