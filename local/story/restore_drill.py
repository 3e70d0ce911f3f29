"""A restore drill: a database is backed up, and the backup restored, with the machine's own PostgreSQL."""

import os
import subprocess
import sys
from datetime import timedelta

import psycopg

from infra.suite.automations import ROOT
from local.console import read_line
from local.story import hands
from local.story.databases import Databases
from local.story.player import Player
from local.suite import Suite
from shared import clients, clock
from shared.backup_metadata import read_proof
from shared.postgres_server import PostgresMissing, PostgresServer, find_program

PROGRAMS = ("initdb", "postgres", "pg_dump", "pg_restore")
BUCKET = "my-product-database"
CHECK_QUERY = "SELECT count(*) >= 1000 FROM orders"
NIGHT = timedelta(days=1)


def play(player: Player, suite: Suite, databases: Databases | None) -> None:
    """Play the drill; where PostgreSQL is not installed, say so instead."""
    try:
        for program in PROGRAMS:
            find_program(program)
    except PostgresMissing as missing:
        player.console.say("skipped", f"the restore drill, 1 skipped: {missing}", "yellow")
        return
    if databases:
        databases.made.result()
        _Drill(player, suite, databases.server).play()


class _Drill:
    """The shop's database, and the jobs that look after its backups."""

    def __init__(self, player: Player, suite: Suite, server: PostgresServer) -> None:
        self._player = player
        self._suite = suite
        self._server = server
        self._environment = os.environ | {
            "PGHOST": str(server.folder),
            "PGPORT": str(server.port),
            "PGUSER": "postgres",
            "PGDATABASE": "postgres",
            "BACKUP_BUCKET": BUCKET,
            "BACKUP_PREFIX": "shop/",
            clients.HTTP_ENDPOINT_VARIABLE: suite.cloud.http_address,
            clock.ENDPOINT_VARIABLE: suite.cloud.now_address,
        }

    def play(self) -> None:
        """A backup, a drill, and a drill that finds an unnoticed problem."""
        self._player.cloud.storage.add_bucket("my-product", BUCKET)
        self._execute(
            "CREATE TABLE orders (id serial PRIMARY KEY, total numeric)",
            "INSERT INTO orders (total) SELECT i FROM generate_series(1, 5000) i",
        )
        self._player.step("A job backs up a real PostgreSQL database to Cloud Storage.")
        self._run("back_up_database", exit_code=0)
        self._player.step("A restore drill: the backup is restored into a separate server, counted and queried.")
        self._run("prove_backup", exit_code=0, BACKUP_CHECK_QUERY=CHECK_QUERY)
        self._check("backups that are proved", 1)
        self._player.step(
            "A migration deletes orders. The next backup is intact but has too few: not proved.", after=NIGHT
        )
        self._execute("DELETE FROM orders WHERE id > 10")
        self._run("back_up_database", exit_code=0)
        self._run("prove_backup", exit_code=4, BACKUP_CHECK_QUERY=CHECK_QUERY)
        self._check("backups that are proved", 1)

    def _execute(self, *statements: str) -> None:
        with psycopg.connect(self._server.conninfo(), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def _run(self, job: str, *, exit_code: int, **more: str) -> None:
        """Run a job as Cloud Run would, and show its line."""
        self._player.console.detail("job", job)
        command = (sys.executable, "-m", f"jobs.{job}")
        run = subprocess.run(command, cwd=ROOT, env=self._environment | more, capture_output=True, check=False)
        for line in run.stdout.splitlines():
            self._player.cloud.logging.write_line(self._suite.project, job, line)
            if report := read_line(line):
                self._player.console.say("failed" if run.returncode else "applied", report.message)
        self._player.check(f"exit code of {job}", lambda: run.returncode, exit_code)

    def _check(self, what: str, expected: int) -> None:
        proved = [one for one in hands.object_metadata(self._suite, BUCKET) if read_proof(one)]
        self._player.check(what, lambda: len(proved), expected)
