"""A PostgreSQL server of our own: access to it, and its complete removal."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from local.certificate import self_signed
from shared import postgres_server
from shared.postgres_server import (
    Certificate,
    PostgresFailed,
    PostgresMissing,
    PostgresServer,
    find_dumper,
    find_program,
)

pytestmark = pytest.mark.one_python

ROOT = Path(__file__).resolve().parents[2]
GONE_SECONDS = 60.0
PASSWORD = r"it's a \ secret"  # noqa: S105 - of a server that lives for this test
OWNER = """
import sys
from shared.postgres_server import PostgresServer
server = PostgresServer()
server.start()
print(server.folder, (server.folder / "data" / "postmaster.pid").read_text().split()[0], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def alice(postgres: PostgresServer) -> Iterator[str]:
    """A role that logs in with a password."""
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL("CREATE ROLE alice LOGIN PASSWORD {}").format(PASSWORD))
        yield "alice"
        connection.execute("DROP ROLE alice")


def who(conninfo: str) -> object:
    """Whom a connection logs in as."""
    with psycopg.connect(conninfo) as connection:
        row = connection.execute("SELECT current_user").fetchone()
        assert row
        return row[0]


def eventually(is_so: Callable[[], bool]) -> bool:
    """Whether something comes true within a minute."""
    deadline = time.monotonic() + GONE_SECONDS
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.01)
    return is_so()


def is_gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def test_its_superuser_needs_no_password_by_the_socket(postgres: PostgresServer) -> None:
    assert who(postgres.conninfo()) == "postgres"
    assert postgres.folder.stat().st_mode & 0o777 == 0o700


def test_others_need_their_password_by_the_socket_and_by_loopback(postgres: PostgresServer, alice: str) -> None:
    for host in (str(postgres.folder), "127.0.0.1"):
        assert who(postgres.conninfo(host=host, user=alice, password=PASSWORD)) == "alice"
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            who(postgres.conninfo(host=host, user=alice, password=PASSWORD[1:]))


def test_nobody_comes_in_by_loopback_without_a_password(postgres: PostgresServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        who(postgres.conninfo(host="127.0.0.1"))


def test_with_a_certificate_loopback_is_by_tls_only(tmp_path: Path) -> None:
    root = tmp_path / "root.pem"
    certificate = self_signed()
    root.write_bytes(certificate.certificate)
    with PostgresServer(certificate=certificate) as server:
        with psycopg.connect(server.conninfo(), autocommit=True) as connection:
            connection.execute(psycopg.sql.SQL("CREATE ROLE bob LOGIN PASSWORD {}").format(PASSWORD))
        network = server.conninfo(host="localhost", hostaddr="127.0.0.1", user="bob", password=PASSWORD)
        assert who(f"{network} sslmode=verify-full sslrootcert={root} channel_binding=require") == "bob"
        with pytest.raises(psycopg.OperationalError, match="no encryption"):
            who(f"{network} sslmode=disable")
        root.write_bytes(self_signed().certificate)
        with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
            who(f"{network} sslmode=verify-full sslrootcert={root}")


def test_without_loopback_it_listens_on_its_socket_alone(postgres: PostgresServer) -> None:
    del postgres  # it shows that there is PostgreSQL on this machine
    with PostgresServer(is_on_loopback=False) as server:
        assert who(server.conninfo()) == "postgres"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_the_process_that_started_it(postgres: PostgresServer, how: signal.Signals) -> None:
    del postgres
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with owner:
        assert owner.stdout
        folder, process = owner.stdout.readline().split()
        assert Path(folder).is_dir()
        assert not is_gone(int(process))
        owner.send_signal(how)
    assert eventually(lambda: is_gone(int(process)))
    assert eventually(lambda: not Path(folder).exists())


def test_nothing_is_left_when_it_is_stopped(postgres: PostgresServer) -> None:
    del postgres
    server = PostgresServer()
    server.stop()
    server.start()
    folder = server.folder
    process = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    server.stop()
    server.stop()
    assert is_gone(process)
    assert not folder.exists()


def test_a_start_that_fails_says_what_postgres_said_and_leaves_nothing(postgres: PostgresServer) -> None:
    del postgres
    server = PostgresServer(certificate=Certificate(b"no certificate", b"no key"))
    with pytest.raises(PostgresFailed, match="could not load server certificate file"):
        server.start()
    assert server.folder == Path()


def test_a_port_that_another_takes_meanwhile_is_left_to_it(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = [postgres.port, postgres_server.free_port()]
    taken = list(ports)
    monkeypatch.setattr(postgres_server, "free_port", lambda: taken.pop(0))
    with PostgresServer() as server:
        assert server.port == ports[1]


def test_programs_on_the_path_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_the_path, usual = program(tmp_path / "path" / "initdb"), program(tmp_path / "17" / "bin" / "initdb")
    monkeypatch.setattr(postgres_server, "FOLDERS", (f"{tmp_path}/*/bin",))
    monkeypatch.setenv("PATH", str(on_the_path.parent))
    assert find_program("initdb") == on_the_path
    monkeypatch.setenv("PATH", "")
    assert find_program("initdb") == usual


def test_of_the_usual_folders_the_newest_version_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = {version: program(tmp_path / version / "bin" / "initdb") for version in ("9", "17", "15")}
    monkeypatch.setattr(postgres_server, "FOLDERS", (f"{tmp_path}/*/bin",))
    monkeypatch.setenv("PATH", "")
    assert find_program("initdb") == programs["17"]


def test_a_version_is_looked_for_by_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = {version: program(tmp_path / version / "bin" / "initdb") for version in ("17", "15")}
    monkeypatch.setattr(postgres_server, "FOLDERS", (f"{tmp_path}/*/bin",))
    monkeypatch.setenv("PATH", "")
    assert [find_program("initdb", 15), find_program("initdb", 17)] == [programs["15"], programs["17"]]
    with pytest.raises(PostgresMissing, match=r"PostgreSQL 16 is not on this machine \(versions found: 15, 17\)"):
        find_program("initdb", 16)


def test_a_version_on_the_path_is_known_by_its_own_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = program(tmp_path / "bin" / "pg_dump")
    found.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 16.2'\n")
    monkeypatch.setattr(postgres_server, "FOLDERS", ())
    monkeypatch.setenv("PATH", str(found.parent))
    assert find_program("pg_dump", 16) == find_dumper(16) == found
    assert find_dumper(17) == found, "it refuses a newer server in its own words"
    with pytest.raises(PostgresMissing):
        find_program("pg_dump", 17)


def test_a_machine_without_them_reports_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_server, "FOLDERS", ())
    monkeypatch.setenv("PATH", "")
    with pytest.raises(PostgresMissing, match="initdb is not on this machine: it comes with PostgreSQL"):
        PostgresServer().start()


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.touch(mode=0o755)
    return path
