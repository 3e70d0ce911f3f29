"""What the tests of `shared` stand on: a local cloud, and clients of it that are quick to give up."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from local.cloud import LocalCloud
from shared.clients import Clients, RetryPolicy


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=datetime(2026, 11, 15, 12, tzinfo=UTC)) as cloud:
        yield cloud


@pytest.fixture
def clients(cloud: LocalCloud) -> Iterator[Clients]:
    hasty = RetryPolicy(first=0.001, longest=0.002, give_up=0.05, timeout=20.0)
    clients = Clients("caretaker-home", endpoint=cloud.address, retry=hasty)
    yield clients
    clients.close()
