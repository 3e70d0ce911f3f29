"""The stage for `receive_github`: functions-framework's application of it, on a local cloud with its topic."""

import contextlib
import hmac
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import functions_framework
import msgspec
import pytest
from google.pubsub_v1 import PublisherClient, SubscriberClient
from werkzeug.test import TestResponse

from infra.suite.automations import ROOT
from localcloud import LocalCloud
from shared import clients, settings
from shared.clients import Clients
from shared.github_events import TOPIC, CommentCommand, GithubEvent, PullRequestEvent
from tests.functions.receive_github.examples import REPOSITORY

PROJECT = "caretaker-home"
FULL_TOPIC = f"projects/{PROJECT}/topics/{TOPIC}"
SUBSCRIPTION = f"projects/{PROJECT}/subscriptions/look"
SECRET = b"canary-current"
DELIVERY = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
MAIN = ROOT / "functions" / "receive_github" / "main.py"
DECODER = msgspec.json.Decoder(PullRequestEvent | CommentCommand)


def signature_of(body: bytes, secret: bytes = SECRET) -> str:
    """The value that GitHub sends as ``X-Hub-Signature-256``."""
    return "sha256=" + hmac.new(secret, body, "sha256").hexdigest()


def events_in(messages: list[Any]) -> list[tuple[GithubEvent, str]]:
    """The events in Pub/Sub messages, each with the id of its delivery. Raises if one is of another shape."""
    return [(DECODER.decode(message.data), dict(message.attributes)["delivery"]) for message in messages]


class Stage:
    """The application, the volumes with its secrets, and what is published."""

    def __init__(self, cloud: LocalCloud, folder: Path) -> None:
        self.cloud = cloud
        self.current = folder / "current"
        self.previous = folder / "previous"
        self.current.write_bytes(SECRET)
        self.clients = Clients(PROJECT, endpoint=cloud.address)
        self.clients.of(PublisherClient).create_topic(request={"name": FULL_TOPIC})
        self.clients.of(SubscriberClient).create_subscription(request={"name": SUBSCRIPTION, "topic": FULL_TOPIC})
        cloud.server.clear_calls()

    def start(self) -> None:
        """Start the function. Raises what it raises."""
        self.app = functions_framework.create_app("receive_github", str(MAIN), "http")
        self.main = sys.modules["main"]

    def post(
        self,
        body: bytes,
        event: str = "pull_request",
        *,
        signature: str | None = None,
        content_type: str | None = "application/json",
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> TestResponse:
        """Send a webhook, which is well signed unless another signature is given; an empty one is left out."""
        signed = signature_of(body) if signature is None else signature
        given = {"X-GitHub-Event": event, "X-GitHub-Delivery": DELIVERY, "X-Hub-Signature-256": signed}
        sent = {name: value for name, value in (given | (headers or {})).items() if value}
        options: dict[str, Any] = {"method": "POST", "data": body, "content_type": content_type, "headers": sent}
        answer: TestResponse = self.app.test_client().open("/", **(options | more))
        return answer

    def published(self) -> list[tuple[GithubEvent, str]]:
        """The events in the topic, each with the id of its delivery."""
        pulled = self.clients.of(SubscriberClient).pull(request={"subscription": SUBSCRIPTION, "max_messages": 1000})
        return events_in([one.message for one in pulled.received_messages])

    def calls(self) -> list[str]:
        """The function's calls."""
        return [call.method.rpartition("/")[2] for call in self.cloud.server.calls]

    def close(self) -> None:
        """End all connections."""
        self.clients.close()
        if hasattr(self, "main"):
            self.main.clients.close()


@contextlib.contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """A stage on which nothing has started yet, with the environment of the function."""
    with LocalCloud(now=datetime(2026, 11, 15, 12, tzinfo=UTC)) as cloud, pytest.MonkeyPatch.context() as patch:
        stage = Stage(cloud, folder)
        section = {
            "repositories": [REPOSITORY],
            "secret_file": str(stage.current),
            "previous_secret_file": str(stage.previous),
        }
        patch.setenv(settings.VARIABLE, json.dumps({"mode": "act", "receive_github": section}))
        patch.setenv(clients.PROJECT_VARIABLE, PROJECT)
        patch.setenv(clients.ENDPOINT_VARIABLE, cloud.address)
        patch.setenv(clients.HTTP_ENDPOINT_VARIABLE, cloud.http_address)
        patch.setenv(clients.RETRY_SECONDS_VARIABLE, "0.02")
        patch.setattr(sys, "path", list(sys.path))  # functions-framework adds the function's folder
        patch.setitem(sys.modules, "main", sys)  # what functions-framework puts there goes again
        yield stage
        stage.close()
