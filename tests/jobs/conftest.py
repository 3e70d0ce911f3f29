"""Stages for the tests of the jobs, which need PostgreSQL on the machine."""

from collections.abc import Iterator

import pytest

from shared.postgres_server import PostgresServer
from tests.jobs.stage import JOBS, Job, Stage, fresh_database, job_runner, staged


@pytest.fixture
def stage(postgres: PostgresServer) -> Iterator[Stage]:
    """An empty database, and an empty bucket."""
    with fresh_database(postgres) as database, staged(postgres, database) as stage:
        yield stage


@pytest.fixture
def back_up(stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Job:
    """Runs `back_up_database`."""
    return job_runner("back_up_database", JOBS["back_up_database"], stage, monkeypatch, capsys)


@pytest.fixture
def prove(stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Job:
    """Runs `prove_backup`."""
    return job_runner("prove_backup", JOBS["prove_backup"], stage, monkeypatch, capsys)
