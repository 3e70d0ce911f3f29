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


def test_the_pools_are_sqlalchemys() -> None:
    assert pool_arguments(is_serverless=True) == {"poolclass": NullPool}
    worker = pool_arguments(is_serverless=False)
    assert (worker["poolclass"], worker["pool_size"], worker["max_overflow"], worker["pool_pre_ping"]) == (
        QueuePool,
        5,
        10,
        True,
    )
