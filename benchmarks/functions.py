"""Functions as they are deployed, and the messages that are sent to them."""

import base64
import compileall
import contextlib
import hmac
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cloudevents.http import CloudEvent

from benchmarks.processes import cpu_seconds, resident_bytes, with_children
from infra.suite.automations import ROOT
from shared.events import Tick, inbox_of

ACCOUNT = "0A1B2C-3D4E5F-6A7B8C"
BUDGET = "8f3d2c1b-0a9e-4d5c-8b7a-6f5e4d3c2b1a"
PROJECT = "my-product"
NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)
SETTINGS: dict[str, object] = {
    "mode": "act",
    "cap_spending": {
        "budgets": {
            "monthly": {
                "billing_account": ACCOUNT,
                "id": BUDGET,
                "currency": "USD",
                "ladder": [{"at": 1.0, "do": ["limit_cloud_run"]}],
                "may_touch": {
                    "limit_cloud_run": {
                        "projects": [PROJECT],
                        "regions": ["europe-west1"],
                        "label": "tier=web",
                    }
                },
            }
        }
    },
}
POOLS: dict[str, object] = {
    "scale_gpu_pools": {
        "pools": {
            "training": {
                "node_pool": {"project": PROJECT, "location": "europe-west4", "cluster": "research", "name": "gpu"},
                "size": 1,
            }
        }
    },
}
PRUNED: dict[str, object] = {
    "prune_backups": {
        "sets": {"shop": {"bucket": "my-product-backups", "time_from": "creation", "retention": {"keep_last": 3}}}
    },
}
ROTATED: dict[str, object] = {
    "rotate_secrets": {
        "secrets": {
            "session": {
                "secret": f"projects/{PROJECT}/secrets/session-key",
                "every_days": 365,
                "value": {"kind": "random"},
            }
        }
    },
}
TEAM = "my-team/my-product"
TOKEN, ROOM = "github_pat_of_the_benchmark", "T0TEAM/B0ROOM/of0the0benchmark"
PREVIEWED: dict[str, object] = {
    "manage_previews": {
        "github": {"token_secret": f"projects/{PROJECT}/secrets/github-token"},
        "project": PROJECT,
        "region": "europe-west4",
        "service_account": f"preview@{PROJECT}.iam.gserviceaccount.com",
        "repositories": {
            TEAM: {"service": "my-product", "image": f"europe-west4-docker.pkg.dev/{PROJECT}/images/my-product"}
        },
    },
}
TOLD: dict[str, object] = {
    "notify_chat": {"product": "slack", "webhook_secret": f"projects/{PROJECT}/secrets/chat-webhook"},
}
WORLD: dict[str, object] = {
    "projects": {
        PROJECT: {
            "location": "europe-west4",
            "clusters": {"research": {"node_pools": {"gpu": {"node_count": 1}}}},
            "secrets": {
                "session-key": {"versions": ["first"]},
                "github-token": {"versions": [TOKEN]},
                "chat-webhook": {"versions": [f"https://hooks.slack.com/services/{ROOM}"]},
            },
            "repositories": {"images": {"images": {"my-product": {f"sha256:{1:064x}": [f"{1:040x}"]}}}},
            # From long ago, so that a tick refuses to delete any.
            "buckets": {
                "my-product-backups": {
                    "series": [{"name": "%Y%m%d.dump", "first": "2026-01-01T02:00:00Z", "count": 60, "size": 1000}]
                }
            },
        }
    },
    "github": {
        "repositories": {TEAM: {"pull_requests": {"1": {"head_sha": f"{1:040x}", "head_ref": "topic"}}}},
        "tokens": {TOKEN: {"login": "caretaker-bot"}},
    },
    "chat": {"slack": [ROOM]},
}
"""The local cloud's content for them."""
WEBHOOK_SECRET = b"correct horse battery staple"
PATIENCE_SECONDS = 30.0


def bundle(into: Path, automation: str) -> Path:
    """A folder like a deployed function's: a one-line main, the automation, what is shared, and compiled code."""
    ignore = shutil.ignore_patterns("__pycache__", "scenarios")
    shutil.copytree(ROOT / "functions" / automation, into / "functions" / automation, ignore=ignore)
    shutil.copy(ROOT / "functions" / "__init__.py", into / "functions")
    shutil.copytree(ROOT / "shared", into / "shared", ignore=ignore)
    (into / "main.py").write_text(f"from functions.{automation}.main import {automation}\n")
    compileall.compile_dir(into, quiet=1)
    return into


def bare_bundle(into: Path) -> Path:
    """A folder with the bare function, alike."""
    into.mkdir()
    shutil.copy(ROOT / "benchmarks" / "bare" / "main.py", into / "main.py")
    compileall.compile_dir(into, quiet=1)
    return into


def environment(
    endpoint: str = "", http_endpoint: str = "", *, more: Mapping[str, object] | None = None
) -> dict[str, str]:
    """The environment of a function that is deployed with the settings above, and with more sections.

    A deployed function's packages are compiled, so the first run compiles them here, even if this
    process writes no bytecode.
    """
    own = {
        "CARETAKER_SETTINGS": json.dumps(SETTINGS | POOLS | ROTATED | PRUNED | PREVIEWED | TOLD | dict(more or {})),
        "CARETAKER_PROJECT": PROJECT,
    }
    endpoints = {"CARETAKER_GRPC_ENDPOINT": endpoint, "CARETAKER_HTTP_ENDPOINT": http_endpoint}
    given = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return given | own | {name: value for name, value in endpoints.items() if value}


def webhook_section(folder: Path) -> dict[str, object]:
    """The section of the settings for webhooks of GitHub's example; their secret is put into the folder."""
    secret_file = folder / "webhook-secret"
    secret_file.write_bytes(WEBHOOK_SECRET)
    return {"receive_github": {"repositories": ["Codertocat/Hello-World"], "secret_file": str(secret_file)}}


def webhook() -> bytes:
    """GitHub's example of an opened pull request, as it is sent: 21 KB."""
    examples = json.loads((ROOT / "tests/functions/receive_github/payloads/pull_request.json").read_text("utf-8"))
    return json.dumps(examples[0], separators=(",", ":")).encode()


def webhook_headers(body: bytes, secret: bytes = WEBHOOK_SECRET) -> dict[str, str]:
    """The headers that GitHub sends with it."""
    return {
        "X-GitHub-Event": "pull_request",
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret, body, "sha256").hexdigest(),
    }


def notification(message_id: str, cost: float, *, account: str = ACCOUNT, data: bytes | None = None) -> bytes:
    """The body of a Pub/Sub push of a budget notification; published in the order of its cost."""
    said = {"costAmount": cost, "costIntervalStart": "2026-11-01T07:00:00Z", "budgetAmount": 100, "currencyCode": "USD"}
    attributes = {"billingAccountId": account, "budgetId": BUDGET, "schemaVersion": "1.0"}
    published = datetime.fromtimestamp(NOON.timestamp() + cost, UTC)
    return _push(message_id, data or json.dumps(said).encode(), published, attributes)


def tick(message_id: str, *, every_seconds: int = 300) -> bytes:
    """The body of a Pub/Sub push of a tick published now."""
    said = {"type": "tick", "every_seconds": every_seconds}
    return _push(message_id, json.dumps(said).encode(), datetime.now(UTC), {})


def tick_event(automation: str, message_id: str, published: datetime, *, every_seconds: int = 300) -> CloudEvent:
    """A tick, as functions-framework hands it to an automation."""
    return message_event(inbox_of(automation), message_id, Tick(every_seconds=every_seconds), published)


def message_event(topic: str, message_id: str, data: object, published: datetime) -> CloudEvent:
    """A message by a topic, as functions-framework hands it to an automation."""
    said = base64.b64encode(msgspec.json.encode(data)).decode()
    source = f"//pubsub.googleapis.com/projects/{PROJECT}/topics/{topic}"
    message = {"data": said, "messageId": message_id, "publishTime": published.isoformat()}
    return CloudEvent({"type": "google.cloud.pubsub.topic.v1.messagePublished", "source": source}, {"message": message})


def _push(message_id: str, data: bytes, published: datetime, attributes: Mapping[str, str]) -> bytes:
    """The body of a Pub/Sub push."""
    message = {
        "data": base64.b64encode(data).decode(),
        "attributes": attributes,
        "messageId": message_id,
        "publishTime": published.isoformat(),
    }
    return json.dumps({"message": message, "subscription": "projects/my-product/subscriptions/s"}).encode()


class Hosted(msgspec.Struct, frozen=True):
    """A function's server: where it listens, and its process, which has started a worker."""

    port: int
    process: int

    def cpu_seconds(self) -> float:
        """Seconds that server and worker have computed so far."""
        return sum(map(cpu_seconds, with_children(self.process)))


@contextlib.contextmanager
def serving(folder: Path, target: str, variables: Mapping[str, str]) -> Iterator[Hosted]:
    """A functions-framework process for one function, as Google's buildpack starts it."""
    port = _free_port()
    process = _start(folder, target, variables, port)
    try:
        yield Hosted(port, process.pid)
    finally:
        process.terminate()
        process.wait()


def _start(folder: Path, target: str, variables: Mapping[str, str], port: int) -> subprocess.Popen[bytes]:
    program = [str(Path(sys.executable).with_name("functions-framework")), "--target", target, "--source", "main.py"]
    program += ["--host", "127.0.0.1", "--port", str(port)]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(program, cwd=folder, env=dict(variables), stdout=quiet, stderr=quiet)


class FirstAnswer(msgspec.Struct, frozen=True):
    """The cost of a server and its worker until the first answer."""

    seconds: float
    """From its start to the answer."""
    cpu_seconds: float
    """In user and kernel mode: other work on the machine changes that least."""
    resident: int
    """Bytes of memory that the larger of the two holds."""


def first_answer(
    folder: Path,
    target: str,
    variables: Mapping[str, str],
    body: bytes,
    path: str = "",
    *,
    headers: Mapping[str, str] | None = None,
    expected: http.HTTPStatus = http.HTTPStatus.OK,
) -> FirstAnswer:
    """The cost of a process that answers one message. Raises unless the answer is as expected."""
    begun = time.perf_counter()
    port = _free_port()
    process = _start(folder, target, variables, port)
    try:
        while True:
            with contextlib.suppress(ConnectionRefusedError):
                status = post(
                    http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS), body, path, headers
                )
                took = time.perf_counter() - begun
                break
            if time.perf_counter() - begun > PATIENCE_SECONDS:
                raise TimeoutError(f"{target} did not answer within {PATIENCE_SECONDS} s")
            time.sleep(0.001)
        processes = list(with_children(process.pid))
        spent = FirstAnswer(took, sum(map(cpu_seconds, processes)), max(map(resident_bytes, processes)))
    finally:
        process.terminate()
        process.wait()
    if status != expected:
        raise RuntimeError(f"{target} answered {status}")
    return spent


def post(
    connection: http.client.HTTPConnection, body: bytes, path: str = "", headers: Mapping[str, str] | None = None
) -> int:
    """Push one message, and return the status of the answer."""
    where = path or f"/projects/{PROJECT}/topics/caretaker-budget-notifications"
    connection.request("POST", where, body, {"Content-Type": "application/json", **(headers or {})})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def slow_sender(port: int, headers: Mapping[str, str]) -> socket.socket:
    """A connection over which the headers of a request have come, and one byte of its body."""
    sender = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
    lines = {"Host": "localhost", "Content-Type": "application/json", "Content-Length": "1000", **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    sender.sendall(f"POST / HTTP/1.1\r\n{head}\r\n{{".encode())
    return sender


def wait_for(port: int) -> None:
    """Wait until a function listens. Raises ``TimeoutError`` if it does not."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        with contextlib.closing(connection), contextlib.suppress(ConnectionRefusedError):
            connection.connect()
            return
        if time.monotonic() > until:
            raise TimeoutError(f"nothing listens on port {port}")
        time.sleep(0.01)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
