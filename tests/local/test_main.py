"""The laptop run from outside, as a person or a program meets it."""

import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from google.cloud.run_v2 import ServicesClient
from google.cloud.scheduler_v1 import CloudSchedulerClient
from google.pubsub_v1 import PublisherClient, PubsubMessage

from infra.suite.automations import ROOT
from local.__main__ import alone_in, main
from shared.clients import Clients

SETTINGS = ROOT / "local" / "story" / "caretaker.yaml"
WORLD = ROOT / "local" / "story" / "world.yaml"
WHERE = "projects/my-product/locations/europe-west1"
BUDGET_TOPIC = "projects/my-product/topics/caretaker-budget-notifications"
INBOX = "projects/my-product/topics/caretaker-cap-spending"
PATIENCE_SECONDS = 60


class Served:
    """A laptop run that is up, and where its endpoints say that everything is."""

    def __init__(self, process: "subprocess.Popen[str]", directory: Path) -> None:
        self.process = process
        self.lines: list[str] = []
        self.read_to("until Ctrl-C")
        self.endpoints = json.loads((directory / "endpoints.json").read_text())
        self.clients = Clients("my-product", endpoint=self.endpoints["grpc"])

    def read_to(self, words: str) -> str:
        """The output, up to a line with these words."""
        for line in self.process.stdout or ():
            self.lines.append(line)
            if words in line:
                return "".join(self.lines)
        raise AssertionError(f"it never said {words!r}: {''.join(self.lines)}")

    def post(
        self, topic: str, body: object, headers: Mapping[str, str] | None = None, automation: str = "cap_spending"
    ) -> int:
        """Post JSON to an automation, at the path of a topic; answer the status."""
        address = f"{self.endpoints['functions']}/{automation}/{topic}"
        named = {"Content-Type": "application/json", **(headers or {})}
        return requests.post(address, json.dumps(body), headers=named, timeout=PATIENCE_SECONDS).status_code

    def maxima(self) -> dict[str, int]:
        """The maximum of each service."""
        services = self.clients.of(ServicesClient).list_services(parent=WHERE)
        return {service.name.rpartition("/")[2]: service.scaling.max_instance_count for service in services}

    def end(self, how: signal.Signals) -> int:
        """Tell it to end; answer its exit code."""
        self.clients.close()
        self.process.send_signal(how)
        self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode


@contextmanager
def serving(directory: Path, *arguments: str | Path) -> Iterator[Served]:
    """A laptop run in a process of its own."""
    command = [sys.executable, "-m", "local", "--serve", "--directory", directory, *arguments]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield Served(process, directory)
        finally:
            if process.poll() is None:
                process.kill()


def a_message(
    data: object, message_id: str, published: str, given: Mapping[str, str] | None = None
) -> dict[str, object]:
    """The body of a push, made by hand."""
    return {
        "message": {
            "data": base64.b64encode(json.dumps(data).encode()).decode(),
            "attributes": dict(given or {}),
            "messageId": message_id,
            "publishTime": published,
        },
        "subscription": "projects/my-product/subscriptions/by-hand",
    }


def a_notification(cost: float, message_id: str, published: str) -> dict[str, object]:
    """The body of a push with a budget notification."""
    data = {
        "budgetDisplayName": "by hand",
        "costAmount": cost,
        "costIntervalStart": "2026-11-01T07:00:00Z",
        "budgetAmount": 400.0,
        "budgetAmountType": "SPECIFIED_AMOUNT",
        "currencyCode": "USD",
    }
    given = {
        "billingAccountId": "0A1B2C-3D4E5F-6A7B8C",
        "budgetId": "8f3d2c1b-0a9e-4d5c-8b7a-6f5e4d3c2b1a",
        "schemaVersion": "1.0",
    }
    return a_message(data, message_id, published, given)


def eventarc(topic: str) -> dict[str, str]:
    """The headers of a binary CloudEvent."""
    return {
        "ce-specversion": "1.0",
        "ce-id": "7",
        "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
        "ce-source": f"//pubsub.googleapis.com/{topic}",
    }


def test_hand_made_events_and_official_clients_meet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(tmp_path, "--settings", SETTINGS, "--world", WORLD, "--now", "2026-11-15T12:00Z") as served:
        assert served.endpoints["project"] == "my-product"
        assert {"functions", "grpc", "storage", "github", "clock"} <= served.endpoints.keys()
        assert served.maxima() == {"admin": 5, "api": 20, "worker": 10}
        assert served.post(BUDGET_TOPIC, a_notification(412.3, "1", "2026-11-15T12:00:00Z")) == 200
        assert served.maxima() == {"admin": 5, "api": 1, "worker": 1}
        undo = a_message({"type": "undo"}, "2", "2026-11-15T12:01:00Z")
        assert served.post("", undo, eventarc(INBOX)) == 200
        assert served.maxima() == {"admin": 5, "api": 20, "worker": 10}
        assert served.post(BUDGET_TOPIC, {"no": "push"}) == 400
        assert served.post(INBOX, undo, automation="mow_the_lawn") == 404
        served.clients.of(PublisherClient).publish(topic=INBOX, messages=[PubsubMessage(data=b'{"type": "status"}')])
        shown = served.read_to("monthly: 412.30 of 400.00 USD (103.1 %)")
        assert "SetMaxInstances api: max_instances 20 -> 1  because cost has reached 412.30 USD" in shown
        assert "\x1b" not in shown
        capsys.readouterr()
        assert main(["env", "--directory", str(tmp_path)]) == 0
        printed = capsys.readouterr().out
        assert printed in shown  # it is there to be pasted, too
        given = dict(line.removeprefix("export ").split("=", 1) for line in printed.splitlines())
        url = "https://pubsub.googleapis.com/v1/projects/my-product/topics"
        proxies, trusted = {"https": given["HTTPS_PROXY"]}, given["REQUESTS_CA_BUNDLE"]
        topics = requests.get(url, proxies=proxies, verify=trusted, timeout=10).json()["topics"]
        assert INBOX in {topic["name"] for topic in topics}
        jobs = [job.name.rpartition("/")[2] for job in served.clients.of(CloudSchedulerClient).list_jobs(parent=WHERE)]
        assert "caretaker-cap-spending-tick" in jobs
        assert served.end(signal.SIGINT) == 0
        with pytest.raises(requests.ConnectionError):
            served.post(BUDGET_TOPIC, undo)
        with pytest.raises(SystemExit):
            main(["env", "--directory", str(tmp_path)])
        assert capsys.readouterr().out == "false\n"


@pytest.mark.one_python
@pytest.mark.no_cover
def test_it_can_be_ended_by_whatever_started_it_and_takes_the_functions_with_it(tmp_path: Path) -> None:
    (tmp_path / "endpoints.json").write_text('{"functions": "http://127.0.0.1:9"}')
    with serving(tmp_path) as served:
        assert served.endpoints["functions"] != "http://127.0.0.1:9"
        assert served.clients.of(PublisherClient).get_topic(topic=INBOX).name == INBOX
        assert served.end(signal.SIGTERM) == 0
        with pytest.raises(requests.ConnectionError):
            served.post(INBOX, {})


@pytest.mark.one_python
@pytest.mark.no_cover
def test_the_functions_end_even_if_it_is_killed(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        host, _, port = served.endpoints["functions"].removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS) as connection:
            assert served.end(signal.SIGKILL) == -signal.SIGKILL
            assert connection.recv(1) == b""


@pytest.mark.long
def test_the_story_ends_well(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "local", "--once", "--directory", str(tmp_path)]
    environment = os.environ | {"TZ": "Pacific/Kiritimati"}
    shown = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert re.search(r"checks +(\d+) of \1 end states are as expected", shown.stdout)
    assert len(shown.stdout.splitlines()) <= 110
    assert "WRONG" not in shown.stdout
    assert "\x1b" not in shown.stdout
    assert shown.stderr == ""
    for words in ("ignored", "failed", "applied", "refused", "ALERT", "A new month", "restore drill", "Next:"):
        assert words in shown.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mode: perhaps", "invalid value 'perhaps' for mode in {path} line 1; expected observe or act"),
        (
            "cap_spendin: {}",
            "unknown key cap_spendin in {path} line 1; did you mean cap_spending?",
        ),
        (
            SETTINGS.read_text().replace("currency: USD", "currency: dollars"),
            "invalid value 'dollars' for cap_spending.budgets.monthly.currency in {path} line 9; expected text",
        ),
    ],
)
def test_settings_that_will_not_do(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    assert main(["--serve", "--settings", str(path), "--directory", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(said.format(path=path))


def test_settings_that_the_functions_do_not_start_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(SETTINGS.read_text().replace("id: 8f3d2c1b-0a9e-4d5c-8b7a-6f5e4d3c2b1a", 'id: ""'))
    assert main(["--serve", "--settings", str(path), "--directory", str(tmp_path)]) == 2
    said = "invalid value '' for cap_spending.budgets.monthly.id; expected the budget's id"
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("projcts: {}", "unknown key projcts in {path} line 1; did you mean projects?"),
        ("[", "is not closed in {path} line 1"),
        ("projects: {p: {location: x, jobs: {j: {schedule: often, topic: t, data: d}}}}", "projects.p"),
    ],
)
def test_a_world_that_cannot_be(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str) -> None:
    path = tmp_path / "world.yaml"
    path.write_text(text)
    assert main(["--serve", "--world", str(path), "--directory", str(tmp_path)]) == 2
    assert said.format(path=path) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--once", "--now", "2026-11-15"], "--once plays the story, which brings its own settings, world and time"),
        (["--once", "--serve"], "not allowed with argument"),
        (["--settings", "nowhere.yaml"], "cannot read nowhere.yaml: no such file"),
        (["--world", "/"], "cannot read /: no such file"),
        (["--now", "tomorrow"], "invalid time 'tomorrow'; expected one such as 2026-11-01T09:00Z"),
        (["--project", "UPPER"], "invalid value 'UPPER' for --project; expected text such as my-product"),
        (["env", "--directory", "nowhere"], "nowhere: start one with ./deploy.sh local --serve"),
        (["--twice"], "unrecognized arguments: --twice"),
    ],
)
def test_what_cannot_be_asked_for(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["--serve", "--directory", str(tmp_path / "file" / "below")]) == 2
    assert capsys.readouterr().err.startswith(f"cannot use {tmp_path / 'file' / 'below'}: ")


def test_a_second_run_in_the_same_folder_leaves_the_first_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with alone_in(tmp_path):
        assert main(["--serve", "--directory", str(tmp_path)]) == 2
    said = f"process {os.getpid()} already serves from {tmp_path}: stop it, or give another --directory\n"
    assert capsys.readouterr().err == said
    with alone_in(tmp_path):
        """The first has ended."""


@pytest.mark.one_python
@pytest.mark.no_cover
def test_it_ends_with_an_error_when_the_functions_die_and_serves_from_a_relative_folder(tmp_path: Path) -> None:
    relative = Path(os.path.relpath(tmp_path, ROOT))
    with serving(relative) as served:
        assert Path(served.endpoints["webhook_secret_file"]).is_absolute()
        found = subprocess.run(("pgrep", "-P", str(served.process.pid)), capture_output=True, text=True, check=True)
        (child,) = found.stdout.split()
        os.kill(int(child), signal.SIGKILL)
        assert served.process.wait(PATIENCE_SECONDS) == 1
        assert "the functions' process ended with exit code -9" in served.read_to("exit code -9")


@pytest.mark.one_python
@pytest.mark.no_cover
def test_a_reader_who_leaves_ends_the_story_without_a_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "local", "--once", "--verbose", "--directory", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(PATIENCE_SECONDS) == 0
        assert process.stderr
        assert process.stderr.read() == ""
