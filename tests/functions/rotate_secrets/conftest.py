"""Fixtures for the tests of `rotate_secrets`."""

from collections.abc import Iterator

import pytest

from shared.postgres_server import PostgresServer
from tests.functions.rotate_secrets.databases import Database, a_database


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[Database]:
    """Users of a real PostgreSQL server."""
    with a_database(postgres) as database:
        yield database
