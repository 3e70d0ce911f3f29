"""The stage of the jobs' tests: a database on a real PostgreSQL, a bucket, and a job's environment."""

import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

import msgspec
import psycopg
import pytest
from google.cloud.storage import Blob
from google.cloud.storage import Bucket as StorageBucket
from psycopg import sql

from jobs.back_up_database import dump
from jobs.back_up_database.__main__ import back_up_database
from jobs.bucket import Bucket
from jobs.job import Result, run_job
from jobs.prove_backup.__main__ import prove_backup
from localcloud import LocalCloud
from shared.clients import Clients, RetryPolicy
from shared.postgres_server import PostgresServer
from tests.localcloud.storage_client import storage_client

NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)
BUCKET = "my-backups"
PREFIX = "shop/"
NAME = f"{PREFIX}20261125T030000Z.dump"
PIECE = 256 * 1024
QUICK = RetryPolicy(first=0.001, longest=0.02, give_up=0.5)
_numbers = itertools.count(1)


class Said(msgspec.Struct, frozen=True):
    """A job's outcome, in its one line."""

    outcome: str
    exit_code: int = 0
    why: str = ""
    details: dict[str, object] = {}


class _Line(msgspec.Struct, frozen=True):
    severity: str
    message: str
    job: Said | None = None


class Disaster:
    """Lets something happen before a request is sent."""

    def __init__(self, verb: str, skip: int, happen: Callable[[], object]) -> None:
        self._verb = verb
        self._skip = skip
        self._happen = happen

    def before(self, method: str) -> None:
        """Perhaps now."""
        if method.startswith(self._verb):
            self._skip -= 1
            if self._skip == -1:
                self._happen()

    def after(self, method: str) -> None:
        """Not now."""


class Stage:
    """One database and one bucket."""

    def __init__(self, server: PostgresServer, database: str, cloud: LocalCloud, bucket: StorageBucket) -> None:
        self.server = server
        self.database = database
        self.cloud = cloud
        self.bucket = bucket
        """By Google's own client."""

    @property
    def environment(self) -> dict[str, str]:
        """The environment that Cloud Run would give the jobs."""
        return {
            "PGHOST": str(self.server.folder),
            "PGPORT": str(self.server.port),
            "PGUSER": "postgres",
            "PGDATABASE": self.database,
            "BACKUP_BUCKET": BUCKET,
            "BACKUP_PREFIX": PREFIX,
            "CARETAKER_HTTP_ENDPOINT": self.cloud.http_address,
            "CARETAKER_CLOCK_ENDPOINT": self.cloud.now_address,
            "CARETAKER_RETRY_SECONDS": "0.05",
        }

    def execute(self, *statements: str) -> None:
        """Do this in the database, as its superuser."""
        with psycopg.connect(self.server.conninfo(dbname=self.database), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def clients(self) -> Clients:
        """Clients of the local cloud, which are quick to try again."""
        return Clients("my-product", http_endpoint=self.cloud.http_address, retry=QUICK)

    def let_happen(self, monkeypatch: pytest.MonkeyPatch, disaster: Disaster) -> None:
        """Let something happen on the way of a job's requests, and a backup take many of them."""
        clients = Clients("", http_endpoint=self.cloud.http_address, retry=QUICK, watcher=disaster)
        monkeypatch.setattr(Clients, "from_environment", lambda **_: clients)
        monkeypatch.setattr(dump, "CHUNK", PIECE)

    def its_bucket(self) -> Bucket:
        """The bucket, as the jobs see it."""
        return Bucket(self.clients(), BUCKET)

    def blob(self, name: str = NAME) -> Blob:
        """An object as it is now."""
        found = self.bucket.get_blob(name)
        assert isinstance(found, Blob), f"{name} is not there, but {self.names()}"
        return found

    def names(self) -> list[str]:
        """All objects of the bucket."""
        return self.cloud.storage.names(BUCKET)

    def calls(self, verb: str) -> list[str]:
        """The requests with this verb so far."""
        return [call.method for call in self.cloud.server.calls if call.method.startswith(f"{verb} ")]


Job = Callable[..., Said]
"""Runs a job in its environment, with these variables besides, or without those that are None."""


def job_runner(
    name: str,
    work: Callable[[], Result],
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Job:
    """A job, as a test runs it in its own process; what it wrote besides its one line is an error."""

    def run(**more: str | None) -> Said:
        for variable, value in ({**stage.environment, **more}).items():
            if value is None:
                monkeypatch.delenv(variable, raising=False)
            else:
                monkeypatch.setenv(variable, value)
        capsys.readouterr()
        code = run_job(name, work)
        said = read_line(capsys.readouterr().out)
        assert said.exit_code == code
        return said

    return run


def read_line(out: str) -> Said:
    """The one line that a job writes."""
    (line,) = out.splitlines()
    job = msgspec.json.decode(line, type=_Line).job
    assert job
    return job


@contextmanager
def fresh_database(server: PostgresServer) -> Iterator[str]:
    """A new, empty database on a server, which is dropped in the end if the server is still there."""
    name = f"shop_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield name
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def staged(server: PostgresServer, database: str) -> Iterator[Stage]:
    """A stage for a database."""
    with LocalCloud(now=NOW) as cloud, storage_client(cloud) as client:
        yield Stage(server, database, cloud, client.create_bucket(BUCKET))


def without(metadata: Mapping[str, str], *keys: str) -> dict[str, str]:
    """Metadata without these keys."""
    return {key: value for key, value in metadata.items() if key not in keys}


JOBS = {"back_up_database": back_up_database, "prove_backup": prove_backup}
