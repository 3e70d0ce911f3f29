"""A job's outcome, and its secrets, which nothing shows meanwhile."""

import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from jobs.job import ExitCode, Result, run_job
from tests.jobs.stage import Disaster, Job, Stage, read_line

pytestmark = pytest.mark.one_python

ROOT = Path(__file__).resolve().parents[2]
CANARY = "canary-7f3a9b"
KILLED = """
import os, signal
from jobs.back_up_database import dump
from jobs.back_up_database.__main__ import back_up_database
from jobs.bucket import Bucket
from jobs.job import run_job

dump.CHUNK = 256 * 1024
ask, puts = Bucket.ask, []

def dies(self, verb, *rest, **options):
    puts.extend([verb] if verb == "PUT" else [])
    if len(puts) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return ask(self, verb, *rest, **options)

Bucket.ask = dies
run_job("back_up_database", back_up_database)
"""


class Empty(msgspec.Struct, frozen=True):
    """Nothing."""


def in_a_process(stage: Stage | None, *command: str, **more: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "BACKUP_"))}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment | (stage.environment if stage else {}) | more,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def noise(stage: Stage) -> Stage:
    """A database whose backup takes several requests of the smallest size."""
    stage.execute("CREATE TABLE noise AS SELECT md5(i::text) AS x FROM generate_series(1, 60000) i")
    return stage


@pytest.mark.parametrize("job", ["back_up_database", "prove_backup"])
def test_a_job_without_settings_names_what_is_missing(job: str) -> None:
    run = in_a_process(None, "-m", f"jobs.{job}")
    assert (run.returncode, run.stderr) == (ExitCode.WRONG_SETTINGS, "")
    assert read_line(run.stdout).why.startswith("missing required key BACKUP_BUCKET; expected text ")


def test_a_job_runs_as_a_process_of_its_own(stage: Stage) -> None:
    run = in_a_process(stage, "-m", "jobs.back_up_database")
    assert (run.returncode, run.stderr) == (ExitCode.DONE, "")
    assert read_line(run.stdout).outcome == "applied"


def test_a_job_that_is_killed_in_the_middle_leaves_no_object(noise: Stage) -> None:
    assert in_a_process(noise, "-c", KILLED).returncode == -signal.SIGKILL
    assert len(noise.calls("PUT")) == 2
    assert noise.names() == []


def test_a_job_that_is_stopped_undoes_what_it_did(noise: Stage, back_up: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM)
    noise.let_happen(monkeypatch, Disaster("PUT", 1, lambda: os.kill(os.getpid(), signal.SIGTERM)))
    said = back_up()
    assert (said.exit_code, said.why) == (143, "stopped from outside; nothing it left counts as a backup")
    assert noise.names() == []
    assert len(noise.calls("DELETE")) == 1
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_nobody_has_thought_of_is_raised(capsys: pytest.CaptureFixture[str]) -> None:
    def fails() -> Result:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_job("some job", fails)
    assert capsys.readouterr().out == ""


def test_a_good_end_is_zero_and_a_notice(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_job("some job", lambda: Result("done", Empty())) == 0
    assert capsys.readouterr().out.startswith('{"severity":"NOTICE","message":"some job: done"')


@pytest.fixture
def keeper(stage: Stage) -> Iterator[str]:
    """A role with a password, who owns everything in the database."""
    role = f"keeper_{stage.database}"
    stage.execute(f"CREATE ROLE {role} SUPERUSER LOGIN PASSWORD '{CANARY}'")
    yield role
    stage.execute(f"DROP ROLE {role}")


def test_the_password_is_seen_nowhere(
    noise: Stage,
    back_up: Job,
    keeper: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    seen: list[str] = []
    noise.let_happen(monkeypatch, Disaster("PUT", 0, lambda: seen.append(command_lines())))
    access = {"PGHOST": "127.0.0.1", "PGUSER": keeper}
    good = back_up(PGPASSWORD=CANARY, **access)
    bad = back_up(PGPASSWORD=f"{CANARY}?", **access)
    unreachable = back_up(PGPASSWORD=CANARY, PGSSLMODE="require", **access)
    assert [good.exit_code, bad.exit_code, unreachable.exit_code] == [0, 1, 1]
    assert re.search(r"pg_dump.* --snapshot=", seen[0]), "it runs while the first request is sent"
    texts = [*seen, caplog.text, str(good), str(bad), str(unreachable), str(noise.blob().metadata)]
    assert not [text for text in texts if CANARY in text]


def command_lines() -> str:
    """The command line of every process of this machine."""
    return subprocess.run(["ps", "-A", "-ww", "-o", "args"], capture_output=True, text=True, check=True).stdout
