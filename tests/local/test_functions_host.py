"""One process for all automations, each under its own name."""

import json
import sys
from pathlib import Path

import pytest
from werkzeug.test import Client

from local.functions_host import application, configured
from shared import settings


def test_the_automations_that_have_settings_are_hosted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.VARIABLE, json.dumps({"mode": "act", "cap_spending": {}, "mow_the_lawn": {}}))
    assert configured() == ["cap_spending"]
    monkeypatch.setenv(settings.VARIABLE, "{}")
    assert configured() == []


@pytest.mark.parametrize("path", ["/", "/mow_the_lawn/projects/p/topics/t", "/cap_spendings"])
def test_what_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    answer = Client(application(["cap_spending"])).post(path, json={})
    assert answer.status_code == 404
    assert answer.text == "no automation answers here; there are /cap_spending/projects/P/topics/T\n"


def test_each_answers_under_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    message = {"data": "e30=", "messageId": "1", "publishTime": "2026-11-15T12:00:00Z", "attributes": {}}
    answer = Client(application(["cap_spending"])).post(
        "/cap_spending/projects/p/topics/caretaker-budget-notifications", json={"message": message, "subscription": "s"}
    )
    assert answer.status_code == 200


def test_a_webhook_is_answered_by_its_function(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "secret").write_text("s3cret")
    section = {"repositories": ["my-team/my-product"], "secret_file": str(tmp_path / "secret")}
    monkeypatch.setenv(settings.VARIABLE, json.dumps({"mode": "act", "receive_github": section}))
    client = Client(application(configured()))
    assert client.post("/receive_github/", json={}).status_code == 401
    assert client.post("/receive_github/projects/p/topics/t", json={}).status_code == 401
    assert client.post("/", json={}).status_code == 404
