"""Of the time to deploy and the time to recover what can be measured on one machine, beside the plan's objectives.

Deploying: the bundles of all functions, and a revision of the example product on the local cloud, from the call to its
first answer. Recovering: a backup of a quarter of a gigabyte, restored into a server that has just been made, by
``prove_backup``; of a whole one: ``python -c "from benchmarks.recovery import measure; measure(scale=1)"``.
What Google adds is not in it: building an image, moving it, taking a machine.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psycopg
from google.cloud import run_v2

from benchmarks.harness import show, show_table
from infra.deploy.bundle import write_bundles
from infra.suite.automations import ROOT, load_functions
from local.product import create_tables, database, image, variables_of
from localcloud import LocalCloud
from localcloud.world import seed, world_from
from shared import clients, clock
from shared.clients import Clients
from shared.postgres_server import PostgresMissing, PostgresServer, find_program

DEPLOYMENT_SECONDS = 300
RECOVERY_SECONDS = 900
PROJECT, PARENT, IMAGE = "my-product", "projects/my-product/locations/europe-west1", "example.com/api@sha256:1"
BUCKET = "my-backups"
ROWS = 940_000
"""Of a gigabyte: each of 1,920 letters that hardly compress further than to half, as they are hexadecimal."""
SCALE = 0.25
"""Of the rows."""
TABLE = """
    CREATE TABLE events AS
    SELECT i AS id, (SELECT string_agg(md5(i::text || '-' || part), '') FROM generate_series(1, 60) part) AS payload
    FROM generate_series(1, {rows}) i
"""


class _Proved(msgspec.Struct, frozen=True):
    size: int
    restore_seconds: float


class _Ended(msgspec.Struct, frozen=True):
    details: _Proved


class _Line(msgspec.Struct, frozen=True):
    """The last line of `prove_backup`."""

    job: _Ended


def measure(scale: float = SCALE) -> bool:
    """Measure and print. Returns whether it could be measured: not without PostgreSQL."""
    try:
        find_program("pg_dump")
    except PostgresMissing as missing:
        show("Deployment and recovery", [], [f"1 skipped: {missing}"])
        return False
    bundled = _seconds_of_bundles()
    with PostgresServer() as server, LocalCloud() as cloud:
        served = _seconds_of_a_revision(server, cloud)
        backed_up, proved, whole = _seconds_of_a_restore(server, cloud, scale)
    backup = f"a backup of {proved.size / 1e9:.2f} GB"
    rows = [
        ("the bundles of all functions", f"{bundled:.1f}"),
        ("a revision of the example product on the local cloud, from the call to its first order", f"{served:.1f}"),
        (f"{backup}, taken", f"{backed_up:.0f}"),
        ("the same, restored by `prove_backup` into a server that has just been made", f"{proved.restore_seconds:.0f}"),
        ("the whole proof: process, server, restore, comparison", f"{whole:.0f}"),
    ]
    part = proved.restore_seconds / RECOVERY_SECONDS
    notes = [
        f"deployment: {bundled + served:.1f} s of the objective's {DEPLOYMENT_SECONDS} s are ours",
        f"recovery: of the objective's {RECOVERY_SECONDS} s the restore takes {part:.1%}",
        f"at this pace {proved.size / 1e9 / part:.0f} GB take all of it",
    ]
    show_table("Deployment and recovery", ("", "seconds"), rows, notes)
    return True


def _seconds_of_bundles() -> float:
    with _measured() as seconds, tempfile.TemporaryDirectory() as folder:
        write_bundles(load_functions(), Path(folder))
    return seconds[0]


def _seconds_of_a_revision(server: PostgresServer, cloud: LocalCloud) -> float:
    """From the call that creates the service to the first order that it takes."""
    seed(cloud, world_from({"projects": {PROJECT: {}}}))
    cloud.run.instances.know(IMAGE, image("0" * 40))
    user = Clients(PROJECT, endpoint=cloud.address, http_endpoint=cloud.http_address)
    try:
        with database(server) as name:
            environment = variables_of(server, name) | {"TRACE_EXPORT": "none"}
            create_tables(environment)
            env = [{"name": key, "value": value} for key, value in environment.items()]
            service = run_v2.Service(template={"containers": [{"image": IMAGE, "env": env}]})
            with _measured() as seconds:
                operation = user.of(run_v2.ServicesClient).create_service(
                    parent=PARENT, service=service, service_id="api", retry=None
                )
                made = run_v2.Service(operation.result(timeout=DEPLOYMENT_SECONDS))
                answer = user.public_session.post(
                    user.url(f"{made.uri}/orders"), json={"item": "tea", "quantity": 1}, timeout=DEPLOYMENT_SECONDS
                )
            if answer.status_code != 201:
                raise RuntimeError(f"the revision answers {answer.status_code}: {answer.text}")
            user.of(run_v2.ServicesClient).delete_service(name=made.name, retry=None).result(timeout=60)
    finally:
        user.close()
    return seconds[0]


def _seconds_of_a_restore(server: PostgresServer, cloud: LocalCloud, scale: float) -> tuple[float, _Proved, float]:
    """The seconds of the backup, what was proved, and the seconds of the whole proof."""
    cloud.storage.add_bucket(PROJECT, BUCKET)
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute(TABLE.format(rows=int(ROWS * scale)).encode())
    environment = {
        "PGHOST": str(server.folder),
        "PGPORT": str(server.port),
        "PGUSER": "postgres",
        "PGDATABASE": "postgres",
        "BACKUP_BUCKET": BUCKET,
        clients.HTTP_ENDPOINT_VARIABLE: cloud.http_address,
        clock.ENDPOINT_VARIABLE: cloud.now_address,
    }
    with _measured() as backed_up:
        _job("back_up_database", environment)
    with _measured() as whole:
        line = _job("prove_backup", environment)
    return backed_up[0], msgspec.json.decode(line, type=_Line).job.details, whole[0]


def _job(name: str, environment: dict[str, str]) -> bytes:
    command = [sys.executable, "-m", f"jobs.{name}"]
    return subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=True, stdout=subprocess.PIPE).stdout


@contextmanager
def _measured() -> Iterator[list[float]]:
    """The seconds that the block takes, once it has ended."""
    seconds: list[float] = []
    begun = time.perf_counter()
    yield seconds
    seconds.append(time.perf_counter() - begun)


if __name__ == "__main__":
    sys.exit(0 if measure() else 1)
