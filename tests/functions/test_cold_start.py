"""Imports of a cold start: a foreign message needs little of ours, and a tick neither gRPC nor protobuf."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from benchmarks.functions import PROJECT, TEAM, TOKEN, WORLD, environment
from infra.suite.automations import ROOT
from localcloud import LocalCloud
from localcloud.world import seed, world_from

OUTCOMES = {
    "cap_spending": "unchanged",
    "scale_gpu_pools": "unchanged",
    "rotate_secrets": "applied",  # it begins to count a secret's days, on the secret
    "prune_backups": "refused",  # too many are too old at once
    "notify_chat": "unchanged",
    "manage_previews": "unchanged",  # the last, as GitHub is asked by `requests`
}
NOTHING_OPEN = {"repositories": {TEAM: {}}, "tokens": {TOKEN: {"login": "caretaker-bot"}}}
CALLS = {"BatchGetDocuments", "Commit", "ListNodePools", "instanceGroupManagers", "o"}
CALLS |= {"ListSecrets", "ListSecretVersions", "UpdateSecret"}
CALLS |= {"AccessSecretVersion", "ListServices", "comments", "pulls"}
CLIENTS = ("grpc", "google.api_core", "google.protobuf", "proto")
TICKS = """
import base64, importlib, json, sys
from cloudevents.http import CloudEvent
there = set(sys.modules)  # an installed package may put an empty `google` there at start
modules = {}
for name in sys.argv[3:]:
    message = {"data": base64.b64encode(b'{"type": "tick", "every_seconds": 86400}').decode(), "messageId": name}
    kind = "google.cloud.pubsub.topic.v1.messagePublished"
    for topic in ("foreign", name.replace("_", "-")):
        attributes = {"type": kind, "source": sys.argv[1] + topic}
        event = CloudEvent(attributes, {"message": {**message, "publishTime": sys.argv[2]}})
        getattr(importlib.import_module(f"functions.{name}.main"), name)(event)
        modules.setdefault(name, []).append(sorted(set(sys.modules) - there))
print(json.dumps(modules))
"""


@pytest.mark.one_python
def test_a_foreign_message_imports_little_and_a_tick_no_client_of_google() -> None:
    with LocalCloud() as cloud:
        seed(cloud, world_from(WORLD | {"github": NOTHING_OPEN}))
        inbox = f"//pubsub.googleapis.com/projects/{PROJECT}/topics/caretaker-"
        done = subprocess.run(
            [sys.executable, "-c", TICKS, inbox, datetime.now(UTC).isoformat(), *OUTCOMES],
            cwd=ROOT,
            env=environment(cloud.address, cloud.http_address),
            check=True,
            capture_output=True,
            text=True,
        )
        called = {call.method.rpartition("/")[2] for call in cloud.server.calls}
    *reports, modules = map(json.loads, done.stdout.splitlines())
    outcomes = [(one["report"]["automation"], one["report"]["outcome"]) for one in reports if "report" in one]
    assert outcomes == [each for name, tick in OUTCOMES.items() for each in ((name, "ignored"), (name, tick))]
    assert called == CALLS
    assert "shared.run" not in modules["cap_spending"][0]
    for name, (for_foreign, imported) in modules.items():
        parts = {module.rpartition(".")[2] for module in for_foreign if module.startswith(f"functions.{name}.")}
        assert not parts & {"automation", "records", "decide", "cloud", "messages"}, name
        unwanted = CLIENTS if name == "manage_previews" else (*CLIENTS, "requests")
        assert [module for module in imported if module.startswith(unwanted)] == [], name
