"""The PostgreSQL server of the story, which starts while everything else does."""

import contextlib
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from local import psql
from local.product import create_tables, make_database, variables_of
from shared.postgres_server import PostgresMissing, PostgresServer, find_program, kept_port

USERS = ("app_a", "app_b")
ADMINISTRATOR = "admin"
FIRST_PASSWORD = "the password of the first day"  # noqa: S105 - of a server that is gone when the story is
PREVIEWS = "previews"


@dataclass(frozen=True)
class Databases:
    """A server with the users whose passwords are rotated, and a database that all previews share."""

    server: PostgresServer
    """It is starting; its port is known."""
    previews: Mapping[str, str]
    """The environment variables with which previews reach their database."""
    pool: ThreadPoolExecutor
    made: "Future[None]"
    """Whether all is there, with the tables of the previews' database. Raises ``PostgresFailed``."""

    def stop_soon(self) -> None:
        """End the server without waiting for it: to remove its files takes a while."""
        self.pool.submit(self.server.stop)


@contextlib.contextmanager
def databases() -> Iterator[Databases | None]:
    """Start a real PostgreSQL server, without waiting for it; None if its programs are not on this machine.

    The thread that starts it imports nothing: modules that import each other must not be imported by two threads.
    """
    try:
        for program in ("initdb", "postgres"):
            find_program(program)
        psql.program()
    except PostgresMissing:
        yield None
        return
    with kept_port() as port:
        server = PostgresServer(port=port)
        variables = variables_of(server, PREVIEWS)
        try:
            with ThreadPoolExecutor(1) as pool:
                yield Databases(server, variables, pool, pool.submit(_make, server, variables))
        finally:
            server.stop()


def _make(server: PostgresServer, variables: Mapping[str, str]) -> None:
    server.start()
    users = (*USERS, ADMINISTRATOR)
    psql.execute(server, *(f"CREATE ROLE {user} LOGIN SUPERUSER PASSWORD '{FIRST_PASSWORD}'" for user in users))
    make_database(server, PREVIEWS)
    create_tables(variables)
