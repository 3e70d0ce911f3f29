"""A restore drill: a database is backed up, and the backup restored, with the machine's own PostgreSQL.

Its time is spent in programs that nothing else of the story waits for, so they run while the chapters before play, on a
cloud with a clock of its own. What came of them is shown and checked in the drill's own chapter.
"""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from infra.suite.automations import ROOT
from local import psql
from local.console import read_line
from local.story import hands
from local.story.databases import Databases
from local.story.player import Player
from local.suite import Suite
from localcloud.core.cloud import Cloud
from localcloud.storage.registration import STORAGE
from shared import clients, clock
from shared.backup_metadata import read_proof
from shared.clients import Clients
from shared.errors import CaretakerError
from shared.postgres_server import PostgresMissing, PostgresServer, find_program

PROGRAMS = ("initdb", "postgres", "pg_dump", "pg_restore")
BUCKET = "my-product-database"
CHECK_QUERY = "SELECT count(*) >= 1000 FROM orders"
FIRST_NIGHT = datetime(2026, 12, 7, 2, tzinfo=UTC)
A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class FinishedJob:
    """A job that has run."""

    job: str
    output: bytes
    exit_code: int
    proved: int
    """The number of backups that had been proved when it ended."""


class _Cloud(Cloud):
    """The cloud of the backups."""

    storage = STORAGE


class GivenUp(CaretakerError):
    """The drill was ended before it was over."""


class Drill:
    """The shop's database, and the jobs that look after its backups: it begins at once, and does not wait."""

    def __init__(self, databases: Databases) -> None:
        self._server: PostgresServer = databases.server
        self._process: subprocess.Popen[bytes] | None = None
        self._is_given_up = False
        self._lock = threading.Lock()
        self.ran: Future[list[FinishedJob]] = databases.pool.submit(self._run_all)
        """The jobs of two nights: a backup and its proof each."""

    def give_up(self) -> None:
        """End what is running, and begin nothing more."""
        with self._lock:
            self._is_given_up = True
            if self._process:
                self._process.terminate()

    def _run_all(self) -> list[FinishedJob]:
        cloud = _Cloud(now=FIRST_NIGHT)
        with contextlib.ExitStack() as in_the_end:
            in_the_end.callback(cloud.stop)
            cloud.storage.add_bucket("my-product", BUCKET)
            psql.execute(
                self._server,
                "CREATE TABLE orders (id serial PRIMARY KEY, total numeric)",
                "INSERT INTO orders (total) SELECT i FROM generate_series(1, 5000) i",
            )
            first_night = self._back_up_and_prove(cloud)
            cloud.clock.advance(A_DAY)
            psql.execute(self._server, "DELETE FROM orders WHERE id > 10")
            return [*first_night, *self._back_up_and_prove(cloud)]

    def _back_up_and_prove(self, cloud: Cloud) -> tuple[FinishedJob, FinishedJob]:
        backed_up = self._run("back_up_database", cloud)
        return backed_up, self._run("prove_backup", cloud, BACKUP_CHECK_QUERY=CHECK_QUERY)

    def _run(self, job: str, cloud: Cloud, **more: str) -> FinishedJob:
        """Run a job as Cloud Run would."""
        environment = os.environ | {
            "PGHOST": str(self._server.folder),
            "PGPORT": str(self._server.port),
            "PGUSER": "postgres",
            "PGDATABASE": "postgres",
            "BACKUP_BUCKET": BUCKET,
            "BACKUP_PREFIX": "shop/",
            clients.HTTP_ENDPOINT_VARIABLE: cloud.http_address,
            clock.ENDPOINT_VARIABLE: cloud.now_address,
            **more,
        }
        command = (sys.executable, "-m", f"jobs.{job}")
        with self._lock:
            if self._is_given_up:
                raise GivenUp("the restore drill was ended")
            self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE)
        with self._process as process:
            output, _ = process.communicate()
        with contextlib.closing(Clients("my-product", http_endpoint=cloud.http_address)) as ours:
            proved = sum(read_proof(one) is not None for one in hands.object_metadata(ours, BUCKET))
        return FinishedJob(job, output, process.returncode, proved)


@contextlib.contextmanager
def drill(databases: Databases | None) -> Iterator[Drill | None]:
    """Begin the drill; None where PostgreSQL is not installed. It ends with this at the latest."""
    if databases is None or _missing():
        yield None
        return
    begun = Drill(databases)
    try:
        yield begun
    finally:
        begun.give_up()


def play(player: Player, suite: Suite, begun: Drill | None) -> None:
    """Show the drill and check it; where PostgreSQL is not installed, say so instead."""
    if begun is None:
        player.console.say("skipped", f"the restore drill, 1 skipped: {_missing()}", "yellow")
        return
    player.pass_time(FIRST_NIGHT - player.cloud.clock.now())
    taken, proved, taken_after, refused = begun.ran.result()
    player.step("A job backs up a real PostgreSQL database to Cloud Storage.")
    _show(player, suite, taken, exit_code=0)
    player.step("A restore drill: the backup is restored into a separate server, counted and queried.")
    _show(player, suite, proved, exit_code=0)
    player.check("backups that are proved", lambda: proved.proved, 1)
    player.step(
        "A migration deletes orders. The next backup is intact but has too few: not proved.",
        after=FIRST_NIGHT + A_DAY - player.cloud.clock.now(),
    )
    _show(player, suite, taken_after, exit_code=0)
    _show(player, suite, refused, exit_code=4)
    player.check("backups that are proved", lambda: refused.proved, 1)


def _missing() -> PostgresMissing | None:
    """A program of PostgreSQL that is not on this machine."""
    try:
        for program in PROGRAMS:
            find_program(program)
    except PostgresMissing as missing:
        return missing
    return None


def _show(player: Player, suite: Suite, ran: FinishedJob, *, exit_code: int) -> None:
    """Show a job's line, and let Cloud Logging have it."""
    player.console.detail("job", ran.job)
    for line in ran.output.splitlines():
        player.cloud.logging.write_line(suite.project, ran.job, line)
        if report := read_line(line):
            player.console.say("failed" if ran.exit_code else "applied", report.message)
    player.check(f"exit code of {ran.job}", lambda: ran.exit_code, exit_code)
