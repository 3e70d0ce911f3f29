"""Snapshots of the local cloud: everything is put back, what its timers will do included."""

import base64
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests
from google.cloud.run_v2 import Service, ServicesClient
from google.cloud.scheduler_v1 import CloudSchedulerClient
from google.pubsub_v1 import SubscriberClient

from localcloud import LocalCloud
from localcloud.core.snapshot import Snapshot
from localcloud.github.state import Head
from localcloud.world import seed, world_from
from shared.clients import Clients

PARENT = "projects/my-product/locations/europe-west1"
WORLD = {
    "projects": {
        "my-product": {
            "location": "europe-west1",
            "topics": ["imports"],
            "subscriptions": {"to-us": {"topic": "imports"}},
            "services": {"api": {"scaling": {"max_instance_count": 20}}},
            "jobs": {"batch": {"schedule": "*/10 * * * *", "topic": "imports", "data": "go"}},
        }
    }
}


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=datetime(2026, 11, 20, 12, tzinfo=UTC)) as cloud:
        seed(cloud, world_from(WORLD))
        yield cloud


@pytest.fixture
def clients(cloud: LocalCloud) -> Iterator[Clients]:
    clients = Clients("my-product", endpoint=cloud.address)
    yield clients
    clients.close()


def waiting(clients: Clients) -> int:
    """The number of messages in the subscription; they are taken out of it."""
    request = {"subscription": "projects/my-product/subscriptions/to-us", "max_messages": 10}
    return len(clients.of(SubscriberClient).pull(request=request).received_messages)


def the_service(clients: Clients) -> Service:
    return clients.of(ServicesClient).get_service(request={"name": f"{PARENT}/services/api"})


def test_time_resources_and_messages_are_put_back(cloud: LocalCloud, clients: Clients) -> None:
    before = the_service(clients)
    snapshot = Snapshot(cloud)
    for _ in range(2):
        clients.of(ServicesClient).delete_service(request={"name": before.name})
        clients.of(CloudSchedulerClient).pause_job(request={"name": f"{PARENT}/jobs/batch"})
        cloud.clock.advance(timedelta(days=1))
        snapshot.restore()
        assert cloud.clock.now() == datetime(2026, 11, 20, 12, tzinfo=UTC)
        assert the_service(clients) == before
        assert waiting(clients) == 0


def test_a_job_fires_in_every_future(cloud: LocalCloud, clients: Clients) -> None:
    snapshot = Snapshot(cloud)
    for _ in range(2):
        cloud.clock.advance(timedelta(minutes=11))
        assert waiting(clients) == 1
        snapshot.restore()
    clients.of(CloudSchedulerClient).pause_job(request={"name": f"{PARENT}/jobs/batch"})
    cloud.clock.advance(timedelta(minutes=11))
    assert waiting(clients) == 0


def test_an_operation_that_was_in_flight_finishes_in_every_future(cloud: LocalCloud, clients: Clients) -> None:
    cloud.run.operation_delay = timedelta(seconds=90)
    request = {
        "service": {"name": f"{PARENT}/services/api", "scaling": {"max_instance_count": 1}},
        "update_mask": {"paths": ["scaling.max_instance_count"]},
    }
    operation = clients.of(ServicesClient).update_service(request=request)
    snapshot = Snapshot(cloud)
    for _ in range(2):
        assert the_service(clients).reconciling
        cloud.clock.advance(timedelta(seconds=90))
        assert not the_service(clients).reconciling
        assert clients.of(ServicesClient).get_operation({"name": operation.operation.name}).done
        snapshot.restore()


def test_futures_that_do_the_same_are_given_the_same_ids(cloud: LocalCloud) -> None:
    """Laws take them for one future then: GitHub's ids are in records."""
    cloud.github.add_repository("my-team/my-product")
    cloud.github.open_pull_request("my-team/my-product", 7, Head("1" * 40, "change"))
    snapshot = Snapshot(cloud)
    ids = set()
    for _ in range(2):
        ids.add(cloud.github.comment("my-team/my-product", 7, "octocat", "text"))
        snapshot.restore()
    assert len(ids) == 1


def test_what_a_snapshot_does_not_know_how_to_copy_is_an_error(cloud: LocalCloud) -> None:
    cloud.pubsub.lines = iter(())  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="does not know how to copy"):
        Snapshot(cloud)


def test_an_upload_in_progress_goes_on_in_every_future(cloud: LocalCloud) -> None:
    cloud.storage.add_bucket("my-product", "backups")
    objects = f"{cloud.http_address}/storage.googleapis.com/upload/storage/v1/b/backups/o"
    begun = requests.post(objects, params={"uploadType": "resumable", "name": "one"}, timeout=10)
    session, piece = begun.headers["Location"], bytes(256 * 1024)
    requests.put(session, data=piece, headers={"Content-Range": f"bytes 0-{len(piece) - 1}/*"}, timeout=10)
    snapshot = Snapshot(cloud)
    for last in (b"this", b"that"):
        content = piece + last
        headers = {"Content-Range": f"bytes {len(piece)}-{len(content) - 1}/{len(content)}"}
        made = requests.put(session, data=last, headers=headers, timeout=10).json()
        assert made["md5Hash"] == base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        snapshot.restore()
