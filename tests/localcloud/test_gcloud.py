"""An independent client, gcloud: what `doctor` and the documentation print, and what people type."""

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from localcloud import LocalCloud
from localcloud.shell import write_environment
from localcloud.world import seed, world_from

ACCOUNT = "0X0X0X-0X0X0X-0X0X0X"
BUDGET = "5f3b1f0e-0000-4000-8000-000000000001"
WORLD = {
    "billing_accounts": {ACCOUNT: {"budgets": {BUDGET: {"display_name": "Monthly", "amount": 1000}}}},
    "projects": {
        "demo-project": {
            "billing_account_name": ACCOUNT,
            "location": "europe-west1",
            "topics": ["reports"],
            "subscriptions": {"inbox": {"topic": "reports"}},
            "services": {"api": {"scaling": {"max_instance_count": 20}}},
            "worker_pools": {"embeddings": {"manual_instance_count": 1}},
            "jobs": {"nightly": {"schedule": "30 2 * * *", "topic": "reports", "data": "go"}},
            "secrets": {"webhook": {"versions": ["value"]}},
            "clusters": {"europe-west4-a/training": {"node_pools": {"gpu": {"node_count": 2}}}},
        }
    },
}
HELLO = "us-docker.pkg.dev/cloudrun/container/hello"
PUBLISHER = "roles/pubsub.publisher"
REGION = "--region=europe-west1"
UPDATE_BUDGET = (
    f"billing budgets update {BUDGET} --billing-account={ACCOUNT} "
    "--add-threshold-rule=percent=0.7,basis=forecasted-spend "
    "--notifications-rule-pubsub-topic=projects/demo-project/topics/reports"
)
COMMANDS = (
    # What doctor prints.
    ("projects create another-project", "Waiting for [operations/"),
    ("billing accounts list", ACCOUNT),
    (f"billing projects link demo-project --billing-account={ACCOUNT}", "billingEnabled: true"),
    (f"billing budgets list --billing-account={ACCOUNT}", "displayName: Monthly"),
    (UPDATE_BUDGET, "spendBasis: FORECASTED_SPEND"),
    ("services enable container.googleapis.com run.googleapis.com --project=demo-project", ""),
    (
        "beta services identity create --service=secretmanager.googleapis.com --project=demo-project",
        "Service identity created",
    ),
    ("secrets create token --project=demo-project --data-file=README.md", "Created version [1] of the secret [token]"),
    ("secrets versions add token --project=demo-project --data-file=README.md", "Created version [2]"),
    (
        "secrets update token --project=demo-project --add-topics=projects/demo-project/topics/reports",
        "Updated secret [token]",
    ),
    ("pubsub topics create gcr --project=demo-project", "Created topic [projects/demo-project/topics/gcr]"),
    ("storage buckets create gs://demo-bucket --project=demo-project", "Creating gs://demo-bucket/"),
    # What the documentation prints.
    ("secrets versions access latest --secret=webhook --project=demo-project", "value"),
    ("pubsub topics publish reports --project=demo-project --message=hello", "messageIds:"),
    (
        f"pubsub topics add-iam-policy-binding reports --member=user:a@example.com --role={PUBLISHER}",
        "user:a@example.com",
    ),
    ("pubsub subscriptions pull inbox --project=demo-project --limit=10 --format=json", '"data": "aGVsbG8="'),
    ("scheduler jobs pause nightly --location=europe-west1 --project=demo-project", "Job has been paused"),
    (f"run services update api {REGION} --project=demo-project --update-secrets=TOKEN=token:1", "has been deployed"),
    ("storage cp README.md gs://demo-bucket/a.txt", "Copying file://README.md"),
    ("storage mv gs://demo-bucket/a.txt gs://demo-bucket/b.txt", "Removing gs://demo-bucket/a.txt"),
    ("storage cat gs://demo-bucket/b.txt", "# Caretaker"),
    ("storage rm gs://demo-bucket/b.txt", "Removing gs://demo-bucket/b.txt"),
    ("logging read severity=ERROR --project=demo-project --limit=5", "revision_name: api-00001-abc"),
    # What people type besides.
    ("secrets list --filter=name:tok", "automatic"),
    ("run services list", "https://api-"),
    (f"run services update api {REGION} --max-instances=5", "is serving"),
    (
        f"run services describe api {REGION} --format=value(spec.template.metadata.annotations)",
        "autoscaling.knative.dev/maxScale=5",
    ),
    (f"run deploy web --image={HELLO} {REGION} --allow-unauthenticated", "Setting IAM Policy"),
    (f"run revisions list {REGION} --service=api", "api-00003-"),
    (f"run jobs create migrate --image={HELLO} {REGION}", "has successfully been created"),
    (f"beta run worker-pools update embeddings {REGION} --scaling=3", "has been updated"),
    ("container clusters list", "training"),
    ("compute instance-groups managed list", "gke-training-gpu"),
    ("pubsub subscriptions seek inbox --time=2026-11-01T00:00:00Z", "subscriptions/inbox"),
    ("projects list", "another-project"),
    # What is not served is said at once, instead of being tried again for half a minute.
    (
        "pubsub snapshots create before --subscription=inbox",
        "Created snapshot [projects/demo-project/snapshots/before]",
    ),
    ("pubsub snapshots list", "before"),
    ("pubsub subscriptions seek inbox --snapshot=before", "projects/demo-project/snapshots/before"),
    ("pubsub snapshots delete before", "Deleted snapshot [projects/demo-project/snapshots/before]"),
    ("logging logs list", "google.logging.v2.LoggingServiceV2/ListLogs is not served by the local cloud"),
)
EXPECTED_TO_FAIL = {"logging logs list"}


def _installed() -> Path | None:
    """The folder of gcloud."""
    program = shutil.which("gcloud")
    folder = Path(program).resolve().parents[1] if program else None
    return folder if folder and (folder / "lib" / "gcloud.py").exists() else None


@pytest.mark.one_python
@pytest.mark.skipif(not _installed(), reason=f"gcloud is not installed: {len(COMMANDS)} of its commands were not tried")
def test_gcloud_commands(tmp_path: Path) -> None:
    folder = _installed()
    assert folder
    bundled = folder / "platform" / "bundledpythonunix" / "bin" / "python3"
    with LocalCloud(now=datetime.now(UTC), running=True) as cloud:
        seed(cloud, world_from(WORLD))
        cloud.logging.write_line(
            "demo-project", "api", b'{"severity": "ERROR", "x": 1}', location="europe-west1", revision="api-00001-abc"
        )
        environment = write_environment(cloud.http_address, tmp_path, "demo-project")
        driver = str(Path(__file__).with_name("gcloud_commands.py"))
        ran = subprocess.run(
            [str(bundled) if bundled.exists() else sys.executable, driver, str(folder / "lib")],
            input="\n".join(command for command, _ in COMMANDS),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
                **environment,
            },
            text=True,
            timeout=240,
            check=False,
        )
    printed = dict(part.partition("\n")[::2] for part in ran.stdout.split("\n$ ")[1:])
    assert printed.keys() == {command for command, _ in COMMANDS}, ran.stdout[-2000:]
    wrong = {
        command: printed[command]
        for command, expected in COMMANDS
        if expected not in printed[command] or ("exit " in printed[command]) != (command in EXPECTED_TO_FAIL)
    }
    assert not wrong, "\n".join(f"$ gcloud {command}\n{text}" for command, text in wrong.items())
