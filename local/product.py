"""The example product (`examples/product`) as a process of its own, with a database of its own on a real PostgreSQL."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString

from infra.suite.automations import ROOT
from local import psql
from shared.postgres_server import LOOPBACK, PostgresServer, kept_port

if TYPE_CHECKING:
    from localcloud.run.instance import Program

PRODUCT = ROOT / "examples" / "product"
PASSWORD = "a-canary-of-a-password"  # noqa: S105 - of a database that lives as long as this
SECONDS = 60.0
"""The time limit for anything here, on a machine that is busy with other tests."""
CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s AND backend_type = 'client backend'"
ON_CLOUD_RUN = {"K_SERVICE": "product-api", "TRACE_EXPORT": "none"}
COMMAND = (sys.executable, "-P", "-m", "product_api")
WAITING = (sys.executable, "-P", str(ROOT / "local" / "waiting.py"), "product_api", "product_api.main", "uvicorn")


@dataclass(frozen=True)
class Answer:
    """The API's answer."""

    status: int
    body: object


@dataclass
class Product:
    """The API where it runs."""

    port: int
    conninfo: str
    """The connection to its database."""
    user: str
    log: Path
    process: subprocess.Popen[bytes] = field(repr=False)

    def ask(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Send one request, on a connection of its own."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=SECONDS)
        try:
            payload = None if body is None else json.dumps(body)
            connection.request(method, path, payload, {"content-type": "application/json", **(headers or {})})
            response = connection.getresponse()
            return Answer(response.status, json.loads(response.read()))
        finally:
            connection.close()

    def lines(self) -> list[dict[str, object]]:
        """Its log so far, in whole lines."""
        whole, _, _ = self.log.read_text().rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def connections(self) -> int:
        """The number of its connections, as PostgreSQL counts them."""
        return self._count(CONNECTIONS)

    def waiting_for_a_lock(self) -> int:
        """The number of its connections that wait for a locked table."""
        return self._count(f"{CONNECTIONS} AND wait_event_type = 'Lock'")

    def _count(self, query: LiteralString) -> int:
        import psycopg

        with psycopg.connect(self.conninfo) as connection:
            return sum(count for (count,) in connection.execute(query, [self.user]))


@contextmanager
def database(server: PostgresServer) -> Iterator[str]:
    """An empty database and its owner, both by the name that this hands out."""
    name = f"product_{os.getpid()}_{time.monotonic_ns()}"
    make_database(server, name)
    try:
        yield name
    finally:
        psql.execute(server, f"DROP DATABASE {name} WITH (FORCE)", f"DROP ROLE {name}")


def make_database(server: PostgresServer, name: str) -> None:
    """Make an empty database, and its owner of the same name."""
    psql.execute(server, f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'", f"CREATE DATABASE {name} OWNER {name}")


def variables_of(server: PostgresServer, name: str) -> dict[str, str]:
    """The environment variables that point the API to a database."""
    return {"DATABASE_URL": f"postgresql://{name}:{PASSWORD}@{LOOPBACK}:{server.port}/{name}"}


def image(commit: str) -> "Program":
    """The content of a product image that was built from a commit: as in its Dockerfile, but it waits until needed."""
    from localcloud.run.instance import Program

    return Program(WAITING, {"PYTHONPATH": str(PRODUCT), "PYTHONUNBUFFERED": "1", "COMMIT": commit}, waits=True)


def create_tables(environment: Mapping[str, str]) -> None:
    """Make the tables of the database that the environment names."""
    variables = {**os.environ, "PYTHONPATH": str(PRODUCT), **environment}
    subprocess.run((*COMMAND, "create-tables"), env=variables, check=True)


@contextmanager
def product(server: PostgresServer, folder: Path, environment: Mapping[str, str]) -> Iterator[Product]:
    """Start the API with a database of its own, and end both."""
    with database(server) as name:
        variables = variables_of(server, name)
        with _process(server.conninfo(dbname=name), name, folder, variables | dict(environment)) as running:
            yield running


@contextmanager
def _process(conninfo: str, user: str, folder: Path, environment: Mapping[str, str]) -> Iterator[Product]:
    create_tables(environment)
    log = folder / "log"
    with kept_port() as port, log.open("wb") as output:
        variables = {**os.environ, "PYTHONPATH": str(PRODUCT), "PORT": str(port), **environment}
        with subprocess.Popen(COMMAND, env=variables, stdout=output) as process:
            running = Product(port, conninfo, user, log, process)
            try:
                until(lambda: process.poll() is not None or _answers(running), "the API does not answer")
                if process.returncode is not None:
                    raise RuntimeError(f"the API did not start: {log.read_text()}")
                yield running
            finally:
                process.terminate()
                process.wait(SECONDS)


def _answers(running: Product) -> bool:
    try:
        return running.ask("GET", "/health").status == 200
    except ConnectionError:
        return False


def until(condition: Callable[[], bool], complaint: str) -> None:
    """Wait for something to become so. Raises ``TimeoutError`` when it does not."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(complaint)
        time.sleep(0.02)
