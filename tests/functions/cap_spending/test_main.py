"""The function as it is deployed: functions-framework's own application, fed as Pub/Sub and Eventarc feed it."""

import base64
import json
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import functions_framework
import grpc
import pytest
from werkzeug.test import Client, TestResponse

from infra.suite.automations import ROOT
from localcloud import LocalCloud
from localcloud.world import seed, world_from
from shared import clients, clock
from shared import settings as shared_settings
from tests.functions.cap_spending.examples import (
    BUDGET_TOPIC,
    INBOX,
    NOON,
    OTHER_ACCOUNT,
    PROJECT,
    a_budget,
    attributes,
    notification,
    without,
)
from tests.functions.cap_spending.stage import TICK, WORLD
from tests.wrong_settings import refused

MAIN = ROOT / "functions" / "cap_spending" / "main.py"


class Deployed:
    """The function and the local cloud that it works on."""

    def __init__(self, cloud: LocalCloud, function: Client, capture: pytest.CaptureFixture[str]) -> None:
        self.cloud = cloud
        self._function = function
        self._capture = capture

    def push(self, message: Mapping[str, object], topic: str = BUDGET_TOPIC) -> TestResponse:
        """A push of our own subscription."""
        body = {"message": message, "subscription": "projects/p/subscriptions/s", "deliveryAttempt": 1}
        return self._function.post(f"/{topic}", json=body)

    def deliver(self, message: Mapping[str, object], topic: str = BUDGET_TOPIC) -> TestResponse:
        """A delivery of Eventarc: a CloudEvent in binary mode, with the same body."""
        headers = {
            "ce-specversion": "1.0",
            "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
            "ce-source": f"//pubsub.googleapis.com/{topic}",
            "ce-id": "1",
            "ce-time": "2026-11-15T12:00:00Z",
        }
        body = {"message": message, "subscription": "projects/p/subscriptions/s"}
        return self._function.post("/", json=body, headers=headers)

    def post(self, body: bytes, topic: str = BUDGET_TOPIC) -> TestResponse:
        """Anything else."""
        return self._function.post(f"/{topic}", data=body, headers={"Content-Type": "application/json"})

    def report(self) -> dict[str, Any]:
        """The report of the latest run."""
        lines = [json.loads(line) for line in self._capture.readouterr().out.splitlines()]
        reported: dict[str, Any] = [line["report"] for line in lines if "report" in line][-1]
        return reported

    def called(self) -> list[str]:
        """The methods called since the last time that this was asked."""
        names = [call.method.rpartition("/")[2] for call in self.cloud.server.calls]
        self.cloud.server.clear_calls()
        return names


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Deployed]:
    with LocalCloud(now=NOON) as cloud:
        seed(cloud, world_from(WORLD))
        settings = {"mode": "act", "cap_spending": {"budgets": {"monthly": a_budget()}}}
        monkeypatch.setenv(shared_settings.VARIABLE, json.dumps(settings))
        monkeypatch.setenv(clients.PROJECT_VARIABLE, PROJECT)
        monkeypatch.setenv(clients.ENDPOINT_VARIABLE, cloud.address)
        monkeypatch.setenv(clients.HTTP_ENDPOINT_VARIABLE, cloud.http_address)
        monkeypatch.setenv(clients.RETRY_SECONDS_VARIABLE, "5")
        monkeypatch.setenv(clock.ENDPOINT_VARIABLE, cloud.now_address)
        monkeypatch.setattr(sys, "path", list(sys.path))  # create_app adds the function's folder for good
        yield Deployed(cloud, Client(functions_framework.create_app("cap_spending", str(MAIN), "cloudevent")), capsys)


def a_push(
    data: object,
    given: Mapping[str, str] | None = None,
    message_id: str = "1",
    published: datetime = NOON,
) -> dict[str, object]:
    """The message of a push, with the spellings that Pub/Sub sends."""
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return {
        "data": base64.b64encode(raw).decode(),
        "attributes": dict(attributes() if given is None else given),
        "messageId": message_id,
        "message_id": message_id,
        "publishTime": f"{published:%Y-%m-%dT%H:%M:%S}.123Z",
        "publish_time": f"{published:%Y-%m-%dT%H:%M:%S}.123Z",
    }


@pytest.mark.parametrize("way", ["push", "deliver"])
def test_both_ways_lead_to_the_same_end(deployed: Deployed, way: str) -> None:
    send = deployed.push if way == "push" else deployed.deliver
    assert send(a_push(notification(412))).status_code == 200
    report = deployed.report()
    assert (report["outcome"], report["event"], report["message_id"]) == ("applied", "BudgetNotification", "1")
    assert "UpdateService" in deployed.called()
    assert send(a_push({"type": "undo"}, {}, "2", NOON + timedelta(hours=1)), INBOX).status_code == 200
    report = deployed.report()
    assert (report["outcome"], report["event"], report["message_id"]) == ("applied", "Undo", "2")


@pytest.mark.parametrize("way", ["push", "deliver"])
def test_what_can_never_succeed_is_acknowledged_and_touches_nothing(deployed: Deployed, way: str) -> None:
    send = deployed.push if way == "push" else deployed.deliver
    for message, why in [
        (a_push(notification(999, billing="x"), attributes(billingAccountId=OTHER_ACCOUNT)), "foreign"),
        (a_push(b"\xff\xfe"), "malformed"),
        (a_push(b"{"), "malformed"),
        (a_push(notification(999), {}), "foreign"),
        (a_push(notification(999), attributes(schemaVersion="2.0")), "unknown shape"),
        (a_push(notification(interval="1999-01-01T00:00:00Z")), "malformed"),
        (a_push(notification(999, currencyCode="EUR")), "foreign"),
        (a_push({"type": "undo"}), "malformed"),
        (a_push(notification()) | {"data": "!"}, "undecodable"),
        (a_push(notification()) | {"attributes": {"budgetId": 7}}, "undecodable"),
        (a_push(notification()) | {"publishTime": "yesterday"}, "undecodable"),
        (a_push(notification()) | {"publishTime": "0001-01-01T00:00:00+14:00"}, "malformed"),
    ]:
        assert send(message).status_code == 200
        report = deployed.report()
        assert (report["outcome"], report["why"].partition(":")[0]) == ("ignored", why)
    assert deployed.called() == []


def test_a_message_of_eventarc_without_data_is_ignored_too(deployed: Deployed) -> None:
    for message in [without(a_push(b""), "data"), {}]:
        assert deployed.deliver(message).status_code == 200
        assert deployed.report()["outcome"] == "ignored"
    assert deployed.called() == []


@pytest.mark.parametrize("body", [b"", b"hello", b"\xff", b"[]", b'{"message": {}}', b'{"message": 7}'])
def test_what_is_no_push_at_all_does_not_reach_the_function(deployed: Deployed, body: bytes) -> None:
    assert deployed.post(body).status_code in range(400, 501)
    assert deployed.called() == []


def test_a_superseded_tick_is_acknowledged_without_a_call(deployed: Deployed) -> None:
    old = a_push(TICK, {}, published=NOON - timedelta(seconds=601))
    assert deployed.push(old, INBOX).status_code == 200
    report = deployed.report()
    assert (report["outcome"], report["why"]) == (
        "unchanged",
        "superseded: this tick is older than its period, and a newer one is due",
    )
    assert deployed.called() == []
    assert deployed.push(a_push(TICK, {}, published=NOON - timedelta(seconds=599)), INBOX).status_code == 200
    assert deployed.called() == ["BatchGetDocuments"]


def test_a_failed_money_action_is_loud_and_owed(deployed: Deployed) -> None:
    deployed.cloud.server.fail("Services/UpdateService", grpc.StatusCode.PERMISSION_DENIED, times=2)
    assert deployed.push(a_push(notification(412))).status_code == 500
    report = deployed.report()
    assert report["outcome"] == "failed"
    failed = [change for change in report["changes"] if change["outcome"] == "failed"]
    assert {(change["kind"], change["is_money"]) for change in failed} == {("SetMaxInstances", True)}
    assert deployed.push(a_push(notification(412))).status_code == 200
    assert deployed.report()["outcome"] == "applied"


def test_the_database_that_cannot_be_reached_is_owed(deployed: Deployed) -> None:
    deployed.cloud.server.fail("BatchGetDocuments", grpc.StatusCode.PERMISSION_DENIED)
    assert deployed.push(a_push(notification(412))).status_code == 500
    assert deployed.report()["why"].startswith("PermissionDenied: ")


def test_the_topic_of_the_path_decides_who_is_heard(deployed: Deployed) -> None:
    undo = a_push({"type": "undo"}, {})
    for topic in (BUDGET_TOPIC, f"projects/{PROJECT}/topics/elsewhere", "", "caretaker-cap-spending"):
        assert deployed.push(undo, topic).status_code == 200
        assert deployed.report()["outcome"] == "ignored"
    assert deployed.push(undo, INBOX).status_code == 200
    assert deployed.report()["event"] == "Undo"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "CARETAKER_SETTINGS: ''; expected JSON with `mode` and a section `cap_spending`"),
        ("{", "CARETAKER_SETTINGS: '{';"),
        ("{}", "cap_spending: None; expected a section `cap_spending:`"),
        ('{"cap_spending": {"budgets": {}}, "mode": "on"}', "mode: 'on'; expected observe or act"),
        (
            json.dumps({"cap_spending": {"budgets": {"monthly": a_budget(id="")}}}),
            "cap_spending.budgets.monthly.id: '';",
        ),
    ],
)
def test_a_function_with_wrong_settings_does_not_start(
    monkeypatch: pytest.MonkeyPatch, given: str | None, said: str
) -> None:
    monkeypatch.delenv(shared_settings.VARIABLE)
    if given is not None:
        monkeypatch.setenv(shared_settings.VARIABLE, given)
    monkeypatch.setattr(sys, "path", list(sys.path))
    with refused(f"^{re.escape(said)}"):
        functions_framework.create_app("cap_spending", str(MAIN), "cloudevent")


def test_what_a_message_says_in_passing_is_in_no_report(deployed: Deployed) -> None:
    deployed.push(a_push(notification(999, budgetDisplayName="canary-4f9d"), attributes(note="canary-4f9d")))
    assert "canary-4f9d" not in json.dumps(deployed.report())
