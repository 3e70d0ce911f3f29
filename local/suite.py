"""The suite on the local cloud: the functions' process, and what Terraform would make around it."""

import contextlib
import json
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from google.api_core.exceptions import AlreadyExists
from google.cloud.scheduler_v1 import CloudSchedulerClient
from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1 import PublisherClient, SubscriberClient

from infra.automations import ROOT, Entry, Webhook, load_functions
from local.cloud import LocalCloud
from shared import clients, clock, settings
from shared.clients import Clients
from shared.events import Tick, inbox_of

REGION = "europe-west1"
ACK_MARGIN_SECONDS = 30
STOP_SECONDS = 10.0
WEBHOOK_SECRET_FILE = "webhook-secret"  # noqa: S105 - the name of a file
"""Beside the functions' log: what GitHub's webhooks are signed with here."""


class Suite:
    """The functions in a process of their own, and the topics, subscriptions and ticks that lead to them."""

    def __init__(
        self,
        cloud: LocalCloud,
        project: str,
        owner: Mapping[str, object],
        *,
        on_line: Callable[[bytes], None],
        error_log: Path,
        retry_seconds: float = 5.0,
    ) -> None:
        self.cloud = cloud
        self.project = project
        self.clients = Clients(project, endpoint=cloud.address, http_endpoint=cloud.http_address)
        configured = {name: entry for name, entry in load_functions().items() if name in owner}
        self.automations = {name: entry for name, entry in configured.items() if isinstance(entry, Entry)}
        self._webhooks = [entry for entry in configured.values() if isinstance(entry, Webhook)]
        self.address = ""
        self._on_line = on_line
        self._error_log = error_log
        self._webhook_secret_file = error_log.parent / WEBHOOK_SECRET_FILE
        self._environment = os.environ | {
            settings.VARIABLE: json.dumps(
                _with_secrets(_with_wakes(owner, project, self.automations), error_log.parent), default=str
            ),
            clients.PROJECT_VARIABLE: project,
            clients.ENDPOINT_VARIABLE: cloud.address,
            clients.HTTP_ENDPOINT_VARIABLE: cloud.http_address,
            clients.RETRY_SECONDS_VARIABLE: str(retry_seconds),
            clock.ENDPOINT_VARIABLE: cloud.now_address,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Start the functions and provision what leads to them. Raises ``RuntimeError`` if they do not start."""
        with contextlib.ExitStack() as unless_all_is_well:
            unless_all_is_well.push(self)
            self._start()
            for name, entry in self.automations.items():
                self._provision(name, entry)
            for topic in (topic for webhook in self._webhooks for topic in webhook.publishes):
                self._topic(topic)
            unless_all_is_well.pop_all()
        return self

    def _start(self) -> None:
        self.cloud.resource_manager.add_project(self.project)
        with self._error_log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "local.functions_host"],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.PIPE,  # it ends when this does
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        first = self._process.stdout.readline() if self._process.stdout else b""
        if not first:
            self._process.wait()
            told = self._error_log.read_text(errors="replace").strip().splitlines()
            raise RuntimeError(f"the functions did not start: {told[-1] if told else 'they said nothing'}")
        self.address = f"http://127.0.0.1:{json.loads(first)['port']}"
        self._reader = threading.Thread(target=self._read_lines, daemon=True)
        self._reader.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the functions' process and our own connections."""
        self.clients.close()
        if self._process is None:
            return
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._reader:
            self._reader.join(STOP_SECONDS)
        if self._process.stdout:
            self._process.stdout.close()

    @property
    def process_id(self) -> int:
        """The functions' process."""
        return self._process.pid if self._process else 0

    @property
    def webhook_secret(self) -> bytes:
        """What GitHub's webhooks are signed with here."""
        return self._webhook_secret_file.read_bytes()

    def url(self, automation: str, topic: str) -> str:
        """Where an automation answers the pushes of a topic, given by its id."""
        return f"{self.address}/{automation}/projects/{self.project}/topics/{topic}"

    def _read_lines(self) -> None:
        if self._process and self._process.stdout:
            for line in self._process.stdout:
                self.cloud.logging.write_line(self.project, service_of(line), line)
                self._on_line(line)

    def _provision(self, name: str, entry: Entry) -> None:
        """What Terraform makes for one automation: topics, push subscriptions with retry and dead letters, the tick."""
        dead_letters = self._topic(f"{inbox_of(name)}-dead-letters")
        for topic in (inbox_of(name), *entry.topics):
            self.clients.of(SubscriberClient).create_subscription(
                request={
                    "name": f"projects/{self.project}/subscriptions/{topic}-to-{inbox_of(name)}",
                    "topic": self._topic(topic),
                    "push_config": {"push_endpoint": self.url(name, topic)},
                    "filter": entry.filters.get(topic, ""),
                    "ack_deadline_seconds": entry.time_limit_seconds + ACK_MARGIN_SECONDS,
                    "retry_policy": {
                        "minimum_backoff": Duration(seconds=entry.retry.minimum_backoff_seconds),
                        "maximum_backoff": Duration(seconds=entry.retry.maximum_backoff_seconds),
                    },
                    "dead_letter_policy": {
                        "dead_letter_topic": dead_letters,
                        "max_delivery_attempts": entry.dead_letter_after,
                    },
                }
            )
        if entry.tick:
            parent = f"projects/{self.project}/locations/{REGION}"
            self.clients.of(CloudSchedulerClient).create_job(
                request={
                    "parent": parent,
                    "job": {
                        "name": f"{parent}/jobs/{inbox_of(name)}-tick",
                        "schedule": entry.tick.schedule,
                        "time_zone": entry.tick.time_zone,
                        "pubsub_target": {
                            "topic_name": self._topic(inbox_of(name)),
                            "data": msgspec.json.encode(Tick(every_seconds=entry.tick.every_seconds)),
                        },
                    },
                }
            )

    def _topic(self, topic: str) -> str:
        """The full name of a topic, which is made if it is not there yet."""
        name = f"projects/{self.project}/topics/{topic}"
        with contextlib.suppress(AlreadyExists):
            self.clients.of(PublisherClient).create_topic(request={"name": name})
        return name


def service_of(line: bytes) -> str:
    """The Cloud Run service that wrote a line, as far as the line says: here all functions are one process."""
    try:
        return inbox_of(msgspec.json.decode(line, type=_Line).report.automation)
    except msgspec.DecodeError:
        return "caretaker-functions"


class _Reported(msgspec.Struct):
    automation: str


class _Line(msgspec.Struct):
    report: _Reported


def _with_wakes(owner: Mapping[str, object], project: str, automations: Mapping[str, Entry]) -> dict[str, object]:
    """The owner's settings with what the deployment puts in: which inboxes a spending restriction wakes."""
    section = owner.get("cap_spending")
    wake: dict[str, list[str]] = {}
    for name, entry in automations.items():
        for restriction in entry.obeys:
            wake.setdefault(restriction, []).append(f"projects/{project}/topics/{inbox_of(name)}")
    return (
        {**owner, "cap_spending": {**section, "wake": wake}} if isinstance(section, Mapping) and wake else dict(owner)
    )


def _with_secrets(owner: dict[str, object], folder: Path) -> dict[str, object]:
    """The owner's settings with the volume that Cloud Run would mount: a file with a webhook secret."""
    section = owner.get("receive_github")
    if not isinstance(section, Mapping):
        return owner
    current = folder / WEBHOOK_SECRET_FILE
    if not current.exists():
        current.write_text(secrets.token_hex(20), encoding="utf-8")
    mounted = {"secret_file": str(current), "previous_secret_file": str(folder / f"{WEBHOOK_SECRET_FILE}-previous")}
    return {**owner, "receive_github": {**section, **mounted}}
