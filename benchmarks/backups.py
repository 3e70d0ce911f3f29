"""Backup and restore of a database, beside `pg_dump` into a file and `pg_restore` from it.

Ours goes through Python into the local cloud, which runs on the same cores, and counts every row; and it is a whole
process of its own, from its start to its end, which takes what the backup of an empty database shows. Its clock is that
of the machine, as it is on Cloud Run.
"""

import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import msgspec
import psycopg

from benchmarks.harness import Figure, in_turn, show, spread
from infra.suite.automations import ROOT
from jobs.prove_backup.restore import OPTIONS
from jobs.prove_backup.target import DATABASE
from localcloud import LocalCloud
from shared import clients
from shared.postgres_server import PostgresMissing, PostgresServer, find_program

BUCKET = "my-backups"
ROWS = 1_500_000
ROUNDS = 5
MEGABYTE = 1_000_000
EMPTY = "empty"
"""A database without tables, whose backup costs what one of any size does besides the dump."""
TABLE = """
    CREATE TABLE events AS
    SELECT i AS id, md5(i::text) AS token, timestamptz '2026-01-01' + i * interval '1 second' AS at, i % 97 AS kind
    FROM generate_series(1, 1500000) i
"""


class _Proved(msgspec.Struct, frozen=True):
    restore_seconds: float


class _Ended(msgspec.Struct, frozen=True):
    details: _Proved


class _Line(msgspec.Struct, frozen=True):
    """The last line that `prove_backup` prints."""

    job: _Ended


def measure() -> bool:
    """Measure and print. Returns whether it could be measured: not without PostgreSQL."""
    try:
        find_program("pg_dump")
        with PostgresServer() as server, LocalCloud() as cloud, tempfile.TemporaryDirectory() as folder:
            _measure(server, cloud, Path(folder) / "dump")
    except PostgresMissing as missing:
        show("Backups", [], [f"1 skipped: {missing}"])
        return False
    return True


def _measure(server: PostgresServer, cloud: LocalCloud, file: Path) -> None:
    cloud.storage.add_bucket("my-product", BUCKET)
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute(TABLE.encode())
        connection.execute("VACUUM ANALYZE")
        connection.execute(f"CREATE DATABASE {EMPTY} TEMPLATE template0".encode())
    environment = _environment(server, cloud)
    numbers = itertools.count(1)
    restoring: list[float] = []

    def prove() -> float:
        took, line = _run([sys.executable, "-m", "jobs.prove_backup"], environment)
        restoring.append(msgspec.json.decode(line, type=_Line).job.details.restore_seconds)
        return took

    def back_up(**variables: str) -> float:
        return _run([sys.executable, "-m", "jobs.back_up_database"], environment | variables)[0]

    def back_up_empty() -> float:
        # Several in one second would have the same name.
        return back_up(PGDATABASE=EMPTY, BACKUP_PREFIX=f"{EMPTY}{next(numbers)}/")

    contenders: dict[str, Callable[[], float]] = {
        "pg_dump": partial(_dump, file, environment),
        "back_up_database": back_up,
        "pg_restore": partial(_restore, file),
        "prove_backup": prove,
    }
    measured = in_turn(contenders, ROUNDS)
    fixed: dict[str, Callable[[], float]] = {
        "pg_dump of an empty database": partial(_dump, file.with_name(EMPTY), environment | {"PGDATABASE": EMPTY}),
        "back_up_database of an empty database": back_up_empty,
    }
    measured["prove_backup, its restore alone"] = restoring[1:]
    size = file.stat().st_size / MEGABYTE
    rate = {name: size / statistics.median(seconds) for name, seconds in measured.items()}
    figures = [
        Figure("backup", "pg_dump into a file", rate["back_up_database"], rate["pg_dump"], "MB/s", at_least=0.7),
        Figure(
            "restore",
            "pg_restore from a file",
            rate["prove_backup, its restore alone"],
            rate["pg_restore"],
            "MB/s",
            at_least=0.8,
        ),
        Figure("the whole proof", "pg_restore from a file", rate["prove_backup"], rate["pg_restore"], "MB/s"),
    ]
    notes = [f"{name}: {spread(seconds)} s" for name, seconds in (measured | in_turn(fixed, ROUNDS)).items()]
    show("Backups", figures, [f"{ROWS} rows, a dump of {size:.0f} MB", *notes])


def _environment(server: PostgresServer, cloud: LocalCloud) -> dict[str, str]:
    return {
        "PGHOST": str(server.folder),
        "PGPORT": str(server.port),
        "PGUSER": "postgres",
        "PGDATABASE": "postgres",
        "BACKUP_BUCKET": BUCKET,
        clients.HTTP_ENDPOINT_VARIABLE: cloud.http_address,
    }


def _dump(file: Path, environment: Mapping[str, str]) -> float:
    return _run([find_program("pg_dump"), "--format=custom", f"--file={file}"], environment)[0]


def _restore(file: Path) -> float:
    """Restore the file into a server that has just been made, as `prove_backup` makes its own."""
    with PostgresServer(is_on_loopback=False) as server:
        begun = time.perf_counter()
        with psycopg.connect(server.conninfo(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0".encode())
        variables = {"PGHOST": str(server.folder), "PGPORT": str(server.port), "PGUSER": "postgres"}
        _run([find_program("pg_restore"), *OPTIONS, file], variables)
        return time.perf_counter() - begun


def _run(command: list[str | Path], environment: Mapping[str, str]) -> tuple[float, bytes]:
    """The seconds that a program takes, and what it prints. Raises ``CalledProcessError`` if it fails."""
    begun = time.perf_counter()
    run = subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=True, capture_output=True)
    return time.perf_counter() - begun, run.stdout


if __name__ == "__main__":
    sys.exit(0 if measure() else 1)
