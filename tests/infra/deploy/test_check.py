"""`./deploy.sh check FILE`: all errors of a file at once, and whether what it names exists."""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from google.pubsub_v1 import PublisherClient

from infra.deploy.check import main
from infra.suite.automations import ROOT
from infra.suite.settings import EXAMPLES, load_caretaker_yaml
from localcloud.world import load_world, seed
from tests.infra.deploy.stage import serving

pytestmark = pytest.mark.one_python

BUDGETS = "projects/my-product/topics/caretaker-budget-notifications"
STORY = ROOT / "local" / "story"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a local cloud with the story's world."""
    folder = tmp_path_factory.mktemp("local")
    with serving({}, folder) as suite:
        suite.clients.of(PublisherClient).create_topic(request={"name": BUDGETS})
        seed(suite.cloud, load_world(STORY / "world.yaml"))
        yield folder


@pytest.mark.parametrize("name", ["caretaker.yaml", "deployment.yaml"])
def test_a_file_that_is_valid(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main([str(EXAMPLES / name)]) == 0
    assert capsys.readouterr().out == f"{EXAMPLES / name} is valid\n"


def test_all_errors_of_a_file_are_reported_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "caretaker.yaml"
    path.write_text("mode: acting\nprune_backups: {sets: {}, floor: 3}\nmow: {}\n")
    assert main([str(path)]) == 2
    error = capsys.readouterr().err
    for part in (f"{path} line 1", "'acting'", f"{path} line 2", "unknown key mow", f"{path} line 3"):
        assert part in error


def test_what_the_story_names_exists(served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--local", "--directory", str(served), "--json"]
    main([str(STORY / "caretaker.yaml"), *where])
    found = json.loads(capsys.readouterr().out)["findings"]
    services = [one["status"] for one in found if "limit_cloud_run" in one["what"]]
    assert services
    assert set(services) == {"ok"}


def test_what_does_not_exist_is_named(served: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    owner = msgspec.json.decode(msgspec.json.encode(load_caretaker_yaml(STORY / "caretaker.yaml")))
    budgets = owner["cap_spending"]["budgets"].values()
    for budget in budgets:
        touch = budget["may_touch"]
        touch["limit_cloud_run"] = {
            "projects": ["my-product"],
            "regions": ["europe-west1"],
            "services": ["mowing"],
            "worker_pools": ["rowing"],
        }
        touch["pause_schedules"] = {"projects": ["my-product"], "locations": ["europe-west1"], "job_prefix": "mow-"}
    path = tmp_path / "caretaker.yaml"
    path.write_text(json.dumps({"cap_spending": owner["cap_spending"]}))
    assert main([str(path), "--local", "--directory", str(served)]) == 1
    shown = capsys.readouterr().out
    assert "may_touch.limit_cloud_run: service mowing does not exist" in shown
    assert "may_touch.limit_cloud_run: worker pool rowing does not exist" in shown
    assert "may_touch.pause_schedules: no job begins with 'mow-'" in shown


def test_a_project_is_checked_for_settings_alone(served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(EXAMPLES / "deployment.yaml"), "--local", "--directory", str(served)]) == 2
    assert "--project checks what a caretaker.yaml names; leave it out" in capsys.readouterr().err
