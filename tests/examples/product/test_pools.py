"""A measured proof that pooling does what it says: how many connections fifty requests hold, in each mode."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import NullPool, QueuePool

from local.product import ON_CLOUD_RUN, product, until
from product_api.database import pool_arguments
from shared.postgres_server import PostgresServer

pytestmark = pytest.mark.one_python

REQUESTS = 50
ROOM = {"CONCURRENT_REQUESTS": str(REQUESTS)}
SESSIONS = """
    SELECT sessions, (SELECT count(*) FROM pg_stat_activity a WHERE a.datname = d.datname)
    FROM pg_stat_database d WHERE datname = %s
"""


@pytest.mark.parametrize(
    ("environment", "during", "after"),
    [
        pytest.param(ON_CLOUD_RUN, 50, 0, id="serverless_keeps_none"),
        pytest.param(
            ON_CLOUD_RUN | {"CONCURRENT_REQUESTS": "20"}, 20, 0, id="serverless_holds_one_for_each_request_it_answers"
        ),
        pytest.param({}, 15, 5, id="a_worker_keeps_five_and_takes_ten_more"),
    ],
)
def test_connections_of_fifty_requests(
    postgres: PostgresServer, tmp_path: Path, environment: dict[str, str], during: int, after: int
) -> None:
    with product(postgres, tmp_path, ROOM | environment | {"TRACE_RATIO": "0"}) as api:
        with ThreadPoolExecutor(REQUESTS) as senders:
            # While the table is locked, every request that has a connection stands still, and holds it.
            with psycopg.connect(api.conninfo) as lock:
                lock.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
                answers = [senders.submit(api.ask, "GET", "/orders") for _ in range(REQUESTS)]
                until(lambda: api.waiting_for_a_lock() >= during, "fewer requests than expected have a connection")
                assert api.connections() == during
            assert [answer.result().status for answer in answers] == [200] * REQUESTS
        until(lambda: api.connections() == after, f"{after} connections should be kept, not {api.connections()}")


def test_each_request_opens_one_connection(postgres: PostgresServer, tmp_path: Path) -> None:
    with product(postgres, tmp_path, ON_CLOUD_RUN) as api:
        before = sessions_of(postgres, api.user)
        assert api.ask("POST", "/orders", {"item": "tea", "quantity": 1}).status == 201
        assert sessions_of(postgres, api.user) == before + 1
        assert [api.ask("GET", path).status for path in ("/orders", "/orders/1")] == [200, 200]
        assert sessions_of(postgres, api.user) == before + 3


def sessions_of(postgres: PostgresServer, database: str) -> int:
    """The number of connections that a database has had, once all of them have ended, and so are counted."""
    found: list[tuple[int, int]] = []

    def has_ended() -> bool:
        with psycopg.connect(postgres.conninfo()) as connection:
            found[:] = connection.execute(SESSIONS, [database]).fetchall()
        return found[0][1] == 0

    until(has_ended, "a connection was kept")
    return found[0][0]


def test_the_pools_are_sqlalchemys() -> None:
    assert pool_arguments(is_serverless=True) == {"poolclass": NullPool}
    worker = pool_arguments(is_serverless=False)
    assert (worker["poolclass"], worker["pool_size"], worker["max_overflow"], worker["pool_pre_ping"]) == (
        QueuePool,
        5,
        10,
        True,
    )
