"""`./deploy.sh plan`, `apply` and `destroy` with `--local`: the suite on the local cloud becomes what is asked for."""

import json
from pathlib import Path

import grpc
import msgspec
import pytest
from google.cloud.run_v2 import Service, ServicesClient
from google.cloud.scheduler_v1 import CloudSchedulerClient
from google.pubsub_v1 import PublisherClient, SubscriberClient

from functions.cap_spending.records import MADE_CAP, Records
from functions.cap_spending.spend_caps import CappedService
from functions.manage_previews.names import MANAGED_BY, NUMBER, REPOSITORY
from functions.manage_previews.records import Made
from functions.manage_previews.records import Records as PreviewRecords
from infra.deploy.__main__ import main
from infra.deploy.local import LocalDeployment
from infra.deploy.target import Target
from infra.deploy.terraform import NotDeployed
from infra.suite.automations import ROOT
from infra.suite.deployment import Deployment, NewBudget
from infra.suite.deployment import Suite as DeployedSuite
from infra.suite.settings import load_caretaker_yaml
from local.endpoints import write_endpoints
from local.suite import Suite
from shared.clients import Clients
from shared.holds import Held, Hold, Phase
from shared.state import State
from tests.infra.deploy.doctor.test_caps import add_cap
from tests.infra.deploy.stage import ACCOUNT, NOON, serving

pytestmark = pytest.mark.one_python

STORY = msgspec.json.decode(msgspec.json.encode(load_caretaker_yaml(ROOT / "local" / "story" / "caretaker.yaml")))
del STORY["cap_spending"]["spend_caps"]  # its first run would create them
PROJECT = "projects/my-product"
INBOX = f"{PROJECT}/subscriptions/caretaker-cap-spending-to-caretaker-cap-spending"
TICK = f"{PROJECT}/locations/europe-west1/jobs/caretaker-cap-spending-tick"
BUDGETS = f"{PROJECT}/topics/caretaker-budget-notifications"
REPORTS = f"{PROJECT}/topics/reports"


def deploy(folder: Path, command: str, *options: str, **owner: object) -> int:
    """The exit code of `./deploy.sh` for a suite with such settings."""
    return main([command, *where(folder, {"cap_spending": STORY["cap_spending"]} | owner), *options])


def where(folder: Path, owner: dict[str, object]) -> list[str]:
    """The options that name the local cloud and such settings."""
    settings = folder / "caretaker.yaml"
    settings.write_text(json.dumps(owner))
    return ["--local", "--directory", str(folder), "--settings", str(settings)]


def test_from_observing_to_acting_and_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def shown() -> list[str]:
        return capsys.readouterr().out.splitlines()

    observing = {"mode": "observe", "cap_spending": STORY["cap_spending"]}
    acting = {"mode": "act", "scale_gpu_pools": STORY["scale_gpu_pools"]}
    with serving(observing, tmp_path) as suite:
        suite.clients.of(PublisherClient).create_topic(request={"name": REPORTS})
        assert deploy(tmp_path, "plan", mode="observe") == 0
        assert shown() == ["no changes"]

        assert deploy(tmp_path, "plan", **acting) == 0
        planned = shown()
        assert planned[-1] == "6 to create, 1 to change"
        assert "  ~ Function     caretaker-cap-spending in my-product: settings.mode observe -> act, " in "\n".join(
            planned
        )
        assert deploy(tmp_path, "plan", "--json", **acting) == 0
        printed = capsys.readouterr()
        changed = json.loads(printed.out)["plan"]
        assert [one["action"] for one in changed].count("create") == 6
        (updated,) = [one for one in changed if one["action"] == "update"]
        assert (updated["kind"], updated["name"]) == (
            "Function",
            f"{PROJECT}/locations/europe-west1/functions/caretaker-cap-spending",
        )
        assert printed.err.splitlines()[-1] == planned[-1]
        assert deploy(tmp_path, "apply", **acting) == 2  # there is no terminal to answer yes
        assert deploy(tmp_path, "plan", **acting) == 0
        assert shown()[-len(planned) :] == planned
        assert [one.name for one in suite.functions] == [
            f"{PROJECT}/locations/europe-west1/functions/caretaker-cap-spending"
        ]

        assert deploy(tmp_path, "apply", "--yes", **acting) == 0
        assert [line for line in shown() if line.startswith("unchanged ")] == [
            "unchanged  cap_spending on Status",
            "unchanged  scale_gpu_pools on Status",
        ]
        _drift_is_corrected(suite, tmp_path)
        _functions_that_do_not_start_leave_those_that_run(suite, tmp_path)
        shown()
        _what_is_held_is_not_left_behind(suite, tmp_path, capsys)
        assert deploy(tmp_path, "destroy", "--yes", "--even-if-held", **acting) == 0
        (original,) = json.loads(next(tmp_path.glob("held-*.json")).read_text())
        assert (original["automation"], original["original"]) == ("cap_spending", "ENABLED")
        assert shown()[-1].endswith(" to delete")
        assert [one.name for one in suite.clients.of(PublisherClient).list_topics(project=PROJECT)] == [REPORTS]
        assert list(suite.clients.of(SubscriberClient).list_subscriptions(project=PROJECT)) == []
        assert list(suite.clients.of(CloudSchedulerClient).list_jobs(parent=TICK.partition("/jobs/")[0])) == []
        assert (suite.functions, suite.process_id) == ((), 0)
        assert State(suite.clients).read("records/cap_spending")[0].fields is None
        assert deploy(tmp_path, "destroy", "--yes", **acting) == 0
        assert shown() == ["no changes", "nothing to apply"]


def _drift_is_corrected(suite: Suite, folder: Path) -> None:
    subscriber, scheduler = suite.clients.of(SubscriberClient), suite.clients.of(CloudSchedulerClient)
    hasty = {"name": INBOX, "ack_deadline_seconds": 10}
    mask = {"paths": ["ack_deadline_seconds"]}
    subscriber.update_subscription(request={"subscription": hasty, "update_mask": mask})
    spoilt = {"name": TICK, "schedule": "0 0 * * *", "pubsub_target": {"topic_name": REPORTS, "data": b"no tick"}}
    scheduler.update_job(request={"job": spoilt, "update_mask": {"paths": ["schedule", "pubsub_target"]}})
    subscriber.delete_subscription(subscription=f"{PROJECT}/subscriptions/caretaker-cap-spending-dead-letters")
    suite.clients.of(PublisherClient).delete_topic(topic=BUDGETS)
    suite.cloud.server.fail("UpdateJob", grpc.StatusCode.UNAVAILABLE)
    again = {"mode": "act", "scale_gpu_pools": STORY["scale_gpu_pools"]}
    assert deploy(folder, "apply", "--yes", **again) == 1  # half of it; what was done stands
    assert deploy(folder, "apply", "--yes", **again) == 0
    assert subscriber.get_subscription(subscription=INBOX).ack_deadline_seconds == 270
    notified = f"{PROJECT}/subscriptions/caretaker-budget-notifications-to-caretaker-cap-spending"
    assert subscriber.get_subscription(subscription=notified).topic == BUDGETS
    job = scheduler.get_job(name=TICK)
    assert (job.schedule, json.loads(job.pubsub_target.data)) == (
        "*/10 * * * *",
        {"type": "tick", "every_seconds": 600},
    )


def _what_is_held_is_not_left_behind(suite: Suite, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hold = Hold(
        fields={"state": Held(original="ENABLED", before="ENABLED", applied="PAUSED")},
        phase=Phase.CONFIRMED,
        held_by=("monthly",),
        since=NOON,
    )
    state = State(suite.clients)
    state.write(state.read("records/cap_spending")[0], Records(holds={f"{PROJECT}/locations/l/jobs/batch": hold}))
    before = suite.functions
    removed = {"cap_spending": STORY["cap_spending"]} | {"mode": "observe"}
    for command in ("plan", "apply", "destroy"):
        capsys.readouterr()
        assert deploy(folder, command, "--yes", **removed) == (0 if command == "plan" else 2)
        destroying, observing = "`destroy` deletes its records", "its `mode` is observe, so it restores nothing"
        why = destroying if command == "destroy" else observing
        assert (
            f"batch state ENABLED -> PAUSED, and {why}: run `./deploy.sh send cap_spending undo --budget monthly` first"
            in (capsys.readouterr().out)
        )
    assert suite.functions == before


def _functions_that_do_not_start_leave_those_that_run(suite: Suite, folder: Path) -> None:
    before, process = suite.functions, suite.process_id
    wrong = msgspec.structs.replace(before[0], settings={"cap_spending": {"budgets": 7}})
    with pytest.raises(RuntimeError, match=r"did not start: .*invalid value 7 for .*budgets;"):
        suite.deploy([wrong])
    assert (suite.functions, suite.process_id != process) == (before, True)
    assert main(["send", "--local", "--directory", str(folder), "cap_spending", "status"]) == 0


def test_destroy_deletes_previews_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    acting = {"mode": "act", "manage_previews": STORY["manage_previews"]}
    parent = "projects/my-product-previews/locations/europe-west1"
    with serving(acting, tmp_path) as suite:
        made = Made("my-team/my-product", 7, NOON)
        preview = Service(
            labels={**MANAGED_BY, NUMBER: "7"},
            annotations={REPOSITORY: made.repository},
            template={"containers": [{"image": "europe-west1-docker.pkg.dev/my-product/images/api"}]},
        )
        services = suite.clients.of(ServicesClient)
        services.create_service(
            request={"parent": parent, "service_id": "my-product-pr-7", "service": preview}
        ).result()
        state = State(suite.clients)
        held = PreviewRecords(previews={f"{parent}/services/my-product-pr-7": made})
        state.write(state.read("records/manage_previews")[0], held)
        assert main(["destroy", "--yes", *where(tmp_path, acting)]) == 0
        assert list(services.list_services(parent=parent)) == []
        assert "services/my-product-pr-7 preview none -> my-team/my-product#7" in capsys.readouterr().out


def test_plan_keeps_spend_caps_and_warns_of_foreign_ones_and_destroy_deletes_only_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cap = {"billing_account": ACCOUNT, "project": "my-other", "service": "cloud_run", "amount": 50, "currency": "USD"}
    acting: dict[str, object] = {"mode": "act", "cap_spending": {"budgets": {}, "spend_caps": {"run": cap}}}
    budgets = f"https://billingbudgets.googleapis.com/v1/billingAccounts/{ACCOUNT}/budgets"
    with serving(acting, tmp_path) as suite:

        def capped() -> list[str]:
            answer = suite.clients.session.get(suite.clients.url(budgets), timeout=10).json()
            return [one["spendCap"]["outputState"] for one in answer.get("budgets", ())]

        order = ["cap_spending", "arm", "--cap", "run"]
        assert main(["send", "--local", "--directory", str(tmp_path), *order]) == 0
        assert capped() == ["CONFIGURED"]
        assert main(["plan", *where(tmp_path, acting)]) == 0
        assert capped() == ["CONFIGURED"]
        assert "caps cloud_run" not in capsys.readouterr().out
        add_cap(suite.cloud, "somebodys", "my-product", CappedService.CLOUD_RUN)
        assert main(["plan", *where(tmp_path, acting)]) == 0
        warned = "the budget 'somebodys' caps cloud_run in my-product: once it is enforced, Caretaker stops too"
        assert warned in " ".join(capsys.readouterr().out.split())
        assert main(["destroy", "--yes", *where(tmp_path, acting)]) == 0
        assert capped() == ["CONFIGURED"]
        assert f"spendCaps/my-other/cloud_run {MADE_CAP} none -> 50" in capsys.readouterr().out


def test_a_demo_is_compared_with_both_files_that_it_was_started_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, deployment = tmp_path / "demo.yaml", tmp_path / "deployment.yaml"
    owner = {"mode": "observe", "manage_previews": STORY["manage_previews"]}
    settings.write_text(json.dumps(owner))
    deployment.write_text("project: another-project\nregion: us-central1\nimages: false\n")
    with serving(owner, tmp_path) as suite:
        write_endpoints(tmp_path / "endpoints.json", suite, settings, deployment)
        assert main(["plan", "--local", "--directory", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "  - Topic        gcr in my-product: no longer configured",
        "1 to delete",
    ]


def test_a_budget_that_terraform_would_make() -> None:
    deployment = Deployment(project="my-caretaker", budgets={"monthly": NewBudget(amount=400)})
    target = Target("my-product", Clients("my-product"), "http://127.0.0.1:9/now")
    with pytest.raises(NotDeployed, match=r"^budgets\.monthly: no budget is made on the local cloud, so set its id"):
        LocalDeployment(DeployedSuite(deployment, STORY), target, say=print).plan()
