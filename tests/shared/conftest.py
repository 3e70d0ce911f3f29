"""Fixtures for the tests of `shared`: a local cloud, and clients of it that retry quickly."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from localcloud import LocalCloud
from shared.clients import Clients, RetryPolicy


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=datetime(2026, 11, 15, 12, tzinfo=UTC)) as cloud:
        yield cloud


@pytest.fixture
def clients(cloud: LocalCloud) -> Iterator[Clients]:
    quick = RetryPolicy(first=0.001, longest=0.002)
    clients = Clients(
        "caretaker-home", endpoint=cloud.address, http_endpoint=cloud.http_address, retry=quick, concurrency=1
    )
    yield clients
    clients.close()
