"""The PostgreSQL server of the story, which starts while everything else does."""

import contextlib
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import psycopg
from psycopg.sql import SQL, Identifier, Literal

from local.product import create_tables, make_database, variables_of
from shared.postgres_server import PostgresMissing, PostgresServer

USERS = ("app_a", "app_b")
ADMINISTRATOR = "admin"
FIRST_PASSWORD = "the password of the first day"  # noqa: S105 - of a server that is gone when the story is
PREVIEWS = "previews"


@dataclass(frozen=True)
class Databases:
    """A server with the users whose passwords are rotated, and a database that all previews share."""

    server: PostgresServer
    previews: Mapping[str, str]
    """The environment variables with which previews reach their database."""
    tables: "Future[None]"
    """Whether that one has its tables yet."""
    pool: ThreadPoolExecutor

    def stop_soon(self) -> None:
        """End the server without waiting for it: to remove its files takes a while."""
        self.pool.submit(self.server.stop)


@contextlib.contextmanager
def databases() -> Iterator["Future[Databases | None]"]:
    """Start a real PostgreSQL server; None if its programs are not on this machine.

    Waiting for it raises ``PostgresFailed`` if it cannot be started. The thread that starts it imports nothing: modules
    that import each other must not be imported by two threads at once.
    """
    server = PostgresServer()
    try:
        with ThreadPoolExecutor(1) as pool:
            yield pool.submit(_made, server, pool)
    finally:
        server.stop()


def _made(server: PostgresServer, pool: ThreadPoolExecutor) -> Databases | None:
    try:
        server.start()
    except PostgresMissing:
        return None
    with psycopg.connect(server.conninfo(), autocommit=True) as superuser:
        for user in (*USERS, ADMINISTRATOR):
            made = SQL("CREATE ROLE {} LOGIN SUPERUSER PASSWORD {}")
            superuser.execute(made.format(Identifier(user), Literal(FIRST_PASSWORD)))
    make_database(server, PREVIEWS)
    variables = variables_of(server, PREVIEWS)
    return Databases(server, variables, pool.submit(create_tables, variables), pool)
