"""`./deploy.sh plan`, `apply` and `destroy`: what Terraform is asked to do, and when it is not run at all.

Terraform itself cannot reach a cloud here, so a small program stands in its place, and notes how it was called.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
from google.api_core.exceptions import GoogleAPICallError
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client

from functions.cap_spending.records import Records
from infra.deploy.__main__ import main
from infra.deploy.terraform import NotDeployed, Terraform
from infra.suite.automations import ROOT
from infra.suite.settings import EXAMPLES
from shared import clients
from shared.holds import Held, Hold, Phase
from shared.state import State
from tests.infra.deploy.stage import NOON, PROJECT, Stage, add_topic, all_is_well

pytestmark = pytest.mark.one_python

BUCKET = f"{PROJECT}-caretaker-state"
TERRAFORM = """#!{python} -IS
import json, pathlib, sys
folder = pathlib.Path({folder!r})
command = sys.argv[1]
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
if command == "plan":
    pathlib.Path("caretaker.tfplan").touch()
    print("what Terraform prints")
if command == "show":
    print(json.dumps({{"format_version": "1.2", "resource_changes": []}}))
if command == "output":
    print(json.dumps({{"inboxes": {{"value": {{"cap_spending": "t"}}, "type": "x", "sensitive": False}}}}))
codes = json.loads((folder / "codes").read_text())
sys.exit(codes.get(command, 0))
"""


def storage(stage: Stage) -> Client:
    """Google's own client of Cloud Storage."""
    address = f"{stage.cloud.http_address}/storage.googleapis.com"
    return Client(PROJECT, AnonymousCredentials(), client_options={"api_endpoint": address})


@dataclass
class Bench:
    """A suite, a cloud, a stand-in for Terraform, and a person who answers questions."""

    stage: Stage
    folder: Path
    answers: list[bool] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def ends(self, **codes: int) -> None:
        """Let Terraform's commands end with these codes."""
        (self.folder / "codes").write_text(json.dumps(codes))

    @property
    def calls(self) -> list[str]:
        """The calls of Terraform."""
        path = self.folder / "calls"
        return [" ".join(json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []

    def terraform(self) -> Terraform:
        """The suite under test."""
        return Terraform(
            self.stage.suite, self.stage.target.clients, ask=self.ask, say=self.stage.said.append, folder=self.folder
        )

    def ask(self, words: str) -> bool:
        """A person's answer."""
        self.asked.append(words)
        return self.answers.pop(0)


@pytest.fixture
def a_terraform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for Terraform on the PATH."""
    program = tmp_path / "terraform"
    program.write_text(TERRAFORM.format(python=sys.executable, folder=str(tmp_path)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def bench(tmp_path: Path, a_terraform: None) -> Iterator[Bench]:
    """All that there is, with the state's bucket in its place."""
    del a_terraform
    with all_is_well() as stage:
        stage.cloud.storage.add_bucket(PROJECT, BUCKET)
        made = Bench(stage, tmp_path)
        made.ends(plan=2)
        yield made


def test_a_plan_and_what_was_agreed_to(bench: Bench) -> None:
    terraform = bench.terraform()
    assert terraform.plan()
    terraform.apply()
    assert bench.calls == [
        f"init -input=false -reconfigure -backend-config=bucket={BUCKET}",
        "plan -input=false -detailed-exitcode -out=caretaker.tfplan",
        "apply -input=false caretaker.tfplan",
    ]
    given = json.loads((bench.folder / "caretaker.auto.tfvars.json").read_text())
    assert given["project_id"] == PROJECT
    assert set(given["bundles"]) == set(bench.stage.suite.automations)
    assert not (bench.folder / "caretaker.tfplan").exists()
    assert terraform.outputs() == {"inboxes": {"cap_spending": "t"}}
    assert bench.asked == []


def test_nothing_to_do_and_everything_to_go(bench: Bench) -> None:
    bench.ends(plan=0)
    assert not bench.terraform().plan(destroy=True)
    assert bench.calls[-1] == "plan -input=false -detailed-exitcode -out=caretaker.tfplan -destroy"


@pytest.mark.parametrize("command", ["init", "plan", "apply"])
def test_what_fails_says_so_and_can_be_run_again(bench: Bench, command: str) -> None:
    bench.ends(**{"plan": 2, command: 1})
    terraform = bench.terraform()
    with pytest.raises(NotDeployed, match=f"terraform {command} failed: .* run this again"):  # noqa: PT012
        terraform.plan()
        terraform.apply()
    bench.ends(plan=2)
    assert terraform.plan()
    terraform.apply()


@pytest.mark.usefixtures("a_terraform")
def test_the_bucket_of_the_state_is_made_once_and_only_if_a_person_says_so(tmp_path: Path) -> None:
    with all_is_well() as stage:
        bench = Bench(stage, tmp_path, answers=[False, True])
        bench.ends(plan=2)
        with pytest.raises(NotDeployed, match=f"gcloud storage buckets create gs://{BUCKET}"):
            bench.terraform().plan()
        assert bench.calls == []
        assert bench.terraform().plan()
        assert bench.terraform().plan()
        assert bench.asked == [f"Terraform's state needs a bucket. Create gs://{BUCKET}?"] * 2
        made = storage(stage).get_bucket(BUCKET)
        assert (made.versioning_enabled, made.location.lower()) == (True, "europe-west1")
        assert made.iam_configuration.uniform_bucket_level_access_enabled
        assert made.iam_configuration.public_access_prevention == "enforced"


@pytest.mark.usefixtures("a_terraform")
def test_a_bucket_that_cannot_be_made(tmp_path: Path) -> None:
    with all_is_well() as stage:
        bench = Bench(stage, tmp_path, answers=[True])
        stage.cloud.server.fail("POST storage", grpc.StatusCode.PERMISSION_DENIED)
        with pytest.raises(GoogleAPICallError, match="injected PERMISSION_DENIED"):
            bench.terraform().plan()


def test_without_terraform(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(bench.folder / "empty"))
    with pytest.raises(NotDeployed, match="terraform is not on the PATH"):
        bench.terraform().plan()


@pytest.fixture
def at_home(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """The commands themselves, with that bench for a cloud, and no terminal."""
    monkeypatch.setenv(clients.ENDPOINT_VARIABLE, bench.stage.cloud.address)
    monkeypatch.setenv(clients.HTTP_ENDPOINT_VARIABLE, bench.stage.cloud.http_address)
    (bench.folder / "deployment.yaml").write_text(f"project: {PROJECT}\n")
    return bench


def run(bench: Bench, *arguments: str) -> int:
    """The exit code of `./deploy.sh`."""
    settings = [] if "--settings" in arguments else ["--settings", str(EXAMPLES / "caretaker.yaml")]
    where = ["--deployment", str(bench.folder / "deployment.yaml"), "--root", str(bench.folder), "--wait", "0"]
    return main([*arguments, *settings, *where])


def test_wrong_settings_end_it_before_terraform_starts(at_home: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = at_home.folder / "caretaker.yaml"
    wrong.write_text("mode: perhaps\ncap_spending: {budgets: {}}\n")
    assert run(at_home, "plan", "--settings", str(wrong)) == 2
    said = f"invalid value 'perhaps' for mode in {wrong} line 1; expected observe or act\n"
    assert capsys.readouterr().err == said
    deployment = at_home.folder / "deployment.yaml"
    deployment.write_text(f"project: {PROJECT}\nregoin: europe-west1\n")
    assert run(at_home, "apply") == 2
    said = f"unknown key regoin in {deployment} line 2; did you mean region?\n"
    assert capsys.readouterr().err == said
    assert at_home.calls == []


def test_apply_asks_and_then_asks_each_automation_for_its_status(
    at_home: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("cap-spending", "scale-gpu-pools", "manage-previews"):
        add_topic(at_home.stage, f"projects/{PROJECT}/topics/caretaker-{name}")
    assert run(at_home, "apply") == 2  # there is no terminal to answer yes
    assert at_home.calls[-1].startswith("plan ")
    assert "nothing was changed" in capsys.readouterr().err
    assert run(at_home, "apply", "--yes") == 1
    shown = capsys.readouterr().out
    assert at_home.calls[-1] == "apply -input=false caretaker.tfplan"
    assert shown.count("published to projects/my-caretaker/topics/caretaker-") >= 3
    assert "no report within 0 s" in shown


def test_a_plan_as_json_is_all_that_is_on_standard_output(at_home: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(at_home, "plan", "--json") == 0
    printed = capfd.readouterr()
    assert json.loads(printed.out)["plan"] == {"format_version": "1.2", "resource_changes": []}
    assert "what Terraform prints" in printed.err
    assert at_home.calls[-1] == "show -json caretaker.tfplan"


def test_destroy_refuses_while_something_is_held(at_home: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    hold = Hold(
        fields={"state": Held(original="ENABLED", before="ENABLED", applied="PAUSED")},
        phase=Phase.CONFIRMED,
        held_by=("monthly",),
        since=NOON,
    )
    state = State(at_home.stage.target.clients)
    state.write(state.read("records/cap_spending")[0], Records(holds={"projects/p/locations/l/jobs/batch": hold}))
    assert run(at_home, "destroy", "--yes") == 2
    shown = capsys.readouterr()
    assert shown.out == (
        "cap_spending still holds projects/p/locations/l/jobs/batch state ENABLED -> PAUSED, and `destroy` deletes"
        " its records: run `./deploy.sh send cap_spending undo --budget monthly` first\n"
    )
    assert "1 fields of resources would stay changed" in shown.err
    assert at_home.calls == []
    assert run(at_home, "destroy", "--yes", "--even-if-held") == 0
    assert at_home.calls[-1] == "apply -input=false caretaker.tfplan"
    shown = capsys.readouterr()
    (path,) = re.findall(r"^the originals are in (.*)$", shown.out, re.MULTILINE)
    (original,) = json.loads(Path(path).read_text())
    assert (original["resource"], original["original"]) == ("projects/p/locations/l/jobs/batch", "ENABLED")
    at_home.ends(plan=0)
    assert run(at_home, "destroy", "--even-if-held") == 0
    assert "nothing to apply" in capsys.readouterr().out


SLOW_TERRAFORM = """#!{python}
import pathlib, signal, sys
folder = pathlib.Path({folder!r})
def finish(number, frame):
    signal.sigtimedwait([signal.SIGTERM], 1)  # longer than a program is left that is to be killed
    (folder / "saved").touch()
    sys.exit(1)
signal.signal(signal.SIGINT, finish)
(folder / "began").touch()
signal.pause()
"""


def test_an_interrupted_terraform_may_still_save_its_state(at_home: Bench) -> None:
    program = at_home.folder / "terraform"
    program.write_text(SLOW_TERRAFORM.format(python=sys.executable, folder=str(at_home.folder)))
    files = {"--deployment": at_home.folder / "deployment.yaml", "--settings": EXAMPLES / "caretaker.yaml"}
    where = [*(str(part) for pair in files.items() for part in pair), "--root", str(at_home.folder)]
    command = [sys.executable, "-m", "infra.deploy", "plan", *where]
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True, stderr=subprocess.PIPE) as process:
        while not (at_home.folder / "began").exists():
            assert process.poll() is None
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        shown = process.stderr.read() if process.stderr else b""
    assert (at_home.folder / "saved").exists()
    assert (process.returncode, shown) == (130, b"interrupted\n")
