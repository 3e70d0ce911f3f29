"""`./deploy.sh send` and `status`, against the suite at work on a local cloud."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from google.pubsub_v1 import PublisherClient

from functions.cap_spending.commands import Status
from infra.deploy.__main__ import main
from infra.deploy.logs import newest_report, report_of_message, wait_for
from infra.deploy.send import send, succeeded
from infra.deploy.target import NotRunning, on_this_machine
from infra.suite.automations import ROOT
from infra.suite.settings import load_caretaker_yaml
from localcloud.world import load_world, seed
from tests.infra.deploy.stage import NOON, serving

pytestmark = pytest.mark.one_python

STORY = ROOT / "local" / "story"
BUDGETS = "projects/my-product/topics/caretaker-budget-notifications"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a suite that is up, with the endpoints that `./deploy.sh local` writes."""
    folder = tmp_path_factory.mktemp("local")
    with serving(load_caretaker_yaml(STORY / "caretaker.yaml"), folder) as suite:
        seed(suite.cloud, load_world(STORY / "world.yaml"))
        yield folder


@pytest.fixture
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine in UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def deploy(folder: Path, *arguments: str) -> int:
    """The exit code of `./deploy.sh` with these arguments, against that suite."""
    settings = [] if arguments[0] == "send" else ["--settings", str(STORY / "caretaker.yaml")]
    return main([*arguments, "--local", "--directory", str(folder), *settings])


def test_a_command_is_sent_and_its_report_is_reported(served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy(served, "send", "scale_gpu_pools", "awake", "--until", "18:00", "--pool", "training") == 0
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith("published to projects/my-product/topics/caretaker-scale-gpu-pools: message ")
    assert second.startswith("unchanged  scale_gpu_pools on Awake")
    assert deploy(served, "send", "scale_gpu_pools", "status") == 0
    out = capsys.readouterr().out.splitlines()
    assert any(line.startswith("  status   training: ") for line in out)


def test_a_command_that_is_not_taken_says_so(served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy(served, "send", "cap_spending", "undo", "--budget", "yearly") == 1
    out = capsys.readouterr().out.splitlines()[1]
    assert out.startswith(
        "ignored    cap_spending on a message by caretaker-cap-spending: no budget is called 'yearly'"
    )


def test_a_report_as_json(served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy(served, "send", "--json", "scale_gpu_pools", "status") == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["automation"] == "scale_gpu_pools"
    assert printed.err.startswith("published to ")


@pytest.mark.usefixtures("in_utc")
def test_where_things_stand(served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = on_this_machine(served)
    said = {
        "costAmount": 412.3,
        "costIntervalStart": "2026-11-01T07:00:00Z",
        "budgetAmount": 400,
        "currencyCode": "USD",
    }
    attributes = {
        "billingAccountId": "0A1B2C-3D4E5F-6A7B8C",
        "budgetId": "8f3d2c1b-0a9e-4d5c-8b7a-6f5e4d3c2b1a",
        "schemaVersion": "1.0",
    }
    message = {"data": json.dumps(said).encode(), "attributes": attributes}
    published = target.clients.of(PublisherClient).publish(request={"topic": BUDGETS, "messages": [message]})
    assert wait_for(lambda: report_of_message(target, published.message_ids[0], NOON), 60, every=0.05)
    assert deploy(served, "status", "--costs") == 0
    out = capsys.readouterr().out.splitlines()
    assert any(line.startswith("in force   gpu_pools_off since 2026-11-15 12:00 UTC: ") for line in out)
    assert "cap_spending" in out
    assert any(line.startswith("  holds    projects/my-product/locations/europe-west1/services/api: ") for line in out)
    assert "  at 2026-11-15 12:00 UTC, mode act:" in out
    budget = "budget     monthly: 412.30 of 400.00 USD (103%) since 2026-11-01 07:00 UTC, reported 2026-11-15 12:00 UTC"
    assert budget in out
    assert deploy(served, "status", "--json") == 0
    status = json.loads(capsys.readouterr().out)
    assert status["restrictions"]["in_force"].keys() == {"gpu_pools_off", "previews_off"}
    assert [(one["budget"], one["cost"], one["amount"]) for one in status["budgets"]] == [("monthly", "412.3", "400.0")]
    assert {one["name"] for one in status["automations"] if one["report"]} >= {"cap_spending"}
    assert any(line.startswith("The suite itself, a month at list prices") for line in out)
    assert any(line.startswith("The product, a month at list prices") for line in out)


def test_no_report_in_time(served: Path) -> None:
    target = on_this_machine(served)
    said: list[str] = []
    later = NOON + timedelta(days=7)  # no report of that cloud is so young
    report = send(target, "cap_spending", Status(), now=later, wait_seconds=0, say=said.append)
    assert not succeeded(report)
    assert said[-1].startswith("no report within 0 s. It may still come: jsonPayload.report.message_id=")
    assert newest_report(target, "cap_spending", later) is None


def test_without_a_local_cloud(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NotRunning):
        on_this_machine(tmp_path)
    assert deploy(tmp_path, "send", "cap_spending", "status") == 2
    assert "start one with ./deploy.sh local --serve" in capsys.readouterr().err
    endpoints = dict.fromkeys(("http", "clock", "functions", "project"), "") | {"grpc": "127.0.0.1:1"}
    (tmp_path / "endpoints.json").write_text(json.dumps(endpoints))
    with pytest.raises(NotRunning, match=r"has ended\); start one"):
        on_this_machine(tmp_path)
