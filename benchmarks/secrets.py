"""200 secrets and 50 services that use them: the calls of a rotation of all, the updates of each, and a quiet tick."""

import base64
import os
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import msgspec
from cloudevents.http import CloudEvent
from google.cloud.run_v2 import RevisionsClient, ServicesClient

from benchmarks.harness import show
from localcloud import LocalCloud
from localcloud.world import seed, world_from
from shared.clients import Clients
from shared.events import Tick, inbox_of
from shared.report import Report
from shared.run import run
from shared.runtime import Runtime
from shared.settings import VARIABLE, parse

PROJECT = "my-product"
REGION = f"projects/{PROJECT}/locations/europe-west1"
SECRETS, SERVICES = 200, 50
PERIOD = timedelta(days=30)
IMAGE = "example.com/app@sha256:" + "1" * 64
BEGINNING = datetime(2026, 11, 1, tzinfo=UTC)

# A function reads its settings when it is imported.
os.environ.setdefault(VARIABLE, '{"rotate_secrets": {"secrets": {}}}')


def measure() -> bool:
    """Measure and print. Returns whether each service was updated once, and a quiet tick only lists the secrets."""
    with LocalCloud(now=BEGINNING) as cloud:
        seed(cloud, world_from({"projects": {PROJECT: _project()}}))
        clients = Clients(PROJECT, endpoint=cloud.address, http_endpoint=cloud.http_address)
        _tick(cloud, clients)
        quiet = _tick(cloud, clients)
        cloud.clock.advance(PERIOD)
        begun = time.perf_counter()
        calls = _tick(cloud, clients)
        seconds = time.perf_counter() - begun
        updates = _updates(clients)
        clients.close()
    notes = [
        f"a tick with nothing due: {_counts(quiet)}",
        f"rotating {SECRETS} secrets of {SERVICES} services, in {seconds:.1f} s: {sum(calls.values())} calls",
        _counts(calls),
        f"updates of each service: {min(updates)} to {max(updates)}",
    ]
    show("Secrets", [], notes)
    return set(updates) == {1} and quiet == {"BatchGetDocuments": 1, "ListSecrets": 1}


def _project() -> dict[str, object]:
    """Each service has four secrets, and each secret one service."""
    each = SECRETS // SERVICES
    return {
        "location": "europe-west1",
        "secrets": {f"s{number}": {"versions": ["first"]} for number in range(SECRETS)},
        "services": {
            f"service-{service}": {
                "image": IMAGE,
                "secret_env": {f"SECRET_{place}": f"s{service * each + place}:1" for place in range(each)},
            }
            for service in range(SERVICES)
        },
    }


def _tick(cloud: LocalCloud, clients: Clients) -> Counter[str]:
    """Let a tick come, and count its calls by method."""
    from functions.rotate_secrets.automation import AUTOMATION
    from functions.rotate_secrets.settings import Settings

    secrets = {
        f"s{number}": {
            "secret": f"projects/{PROJECT}/secrets/s{number}",
            "every_days": PERIOD.days,
            "value": {"kind": "random"},
        }
        for number in range(SECRETS)
    }
    section = {"secrets": secrets, "dependents_in": [{"project": PROJECT, "region": "europe-west1"}], "at_once": 50}
    configuration = parse({"mode": "act", "rotate_secrets": section}, "rotate_secrets", Settings)
    reports: list[Report] = []
    cloud.server.clear_calls()
    run(
        AUTOMATION,
        configuration,
        _event(cloud.clock.now()),
        Runtime(clients, clock=cloud.clock.now, report=reports.append),
    )
    return Counter(call.method.rpartition("/")[2] for call in cloud.server.calls)


def _updates(clients: Clients) -> list[int]:
    """The number of revisions of each service since its first."""
    services = clients.of(ServicesClient).list_services(parent=REGION)
    return [len(list(clients.of(RevisionsClient).list_revisions(parent=service.name))) - 1 for service in services]


def _counts(calls: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(calls.items()))


def _event(published: datetime) -> CloudEvent:
    said = base64.b64encode(msgspec.json.encode(Tick(every_seconds=600))).decode()
    topic = f"//pubsub.googleapis.com/projects/{PROJECT}/topics/{inbox_of('rotate_secrets')}"
    message = {"data": said, "messageId": "1", "publishTime": published.isoformat()}
    return CloudEvent({"type": "google.cloud.pubsub.topic.v1.messagePublished", "source": topic}, {"message": message})


if __name__ == "__main__":
    sys.exit(0 if measure() else 1)
