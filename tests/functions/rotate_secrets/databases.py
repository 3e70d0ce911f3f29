"""Users of a real PostgreSQL server, whose passwords are rotated."""

import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg.sql import SQL, Identifier, Literal

from shared.postgres_server import PostgresServer

Superuser = psycopg.Connection[tuple[Any, ...]]
FIRST = "first password"

_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Database:
    """Two users, and one who may change their passwords, as the settings and the secrets name them."""

    users: tuple[str, str]
    admin: str
    """The address with which passwords are changed."""
    address: str
    """The address that the first user logs in with."""
    superuser: Superuser

    @property
    def port(self) -> int:
        """The server's address."""
        return self.superuser.info.port

    def log_in(self, address: str) -> None:
        """Log in as an application does. Raises ``psycopg.OperationalError``."""
        with psycopg.connect(address, connect_timeout=10) as connection:
            connection.execute("SELECT 1")

    def logs_in(self, address: str) -> bool:
        """Whether a login with this address succeeds."""
        try:
            self.log_in(address)
        except psycopg.OperationalError:
            return False
        return True

    def passwords(self) -> str:
        """The server's hashes of its users' passwords."""
        return repr(self.superuser.execute("SELECT rolname, rolpassword FROM pg_authid ORDER BY 1").fetchall())


@contextmanager
def a_pooler() -> Iterator[int]:
    """The port of a connection pooler that lets one client in itself, and closes when that asks: its server refuses.

    https://www.postgresql.org/docs/current/protocol-message-formats.html: AuthenticationOk and ReadyForQuery.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(8192)
                connection.sendall(b"R\0\0\0\x08\0\0\0\0" + b"Z\0\0\0\x05I")
                connection.recv(8192)

        listener.settimeout(10)
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


@contextmanager
def a_database(postgres: PostgresServer) -> Iterator[Database]:
    """Make the users, and take them away in the end."""
    number = next(_NUMBERS)
    # Names that have to be quoted, in SQL and in an address.
    first, second, admin = (f'{role} "{number}"' for role in ("app;a", "app;b", "admin"))
    with psycopg.connect(postgres.conninfo(), autocommit=True) as superuser:
        for name, more in ((first, ""), (second, ""), (admin, "CREATEROLE")):
            statement = SQL("CREATE ROLE {} LOGIN {} PASSWORD {}")
            superuser.execute(statement.format(Identifier(name), SQL(more), Literal(FIRST)))
        if superuser.info.server_version >= 160000:
            for name in (first, second):
                grant = SQL("GRANT {} TO {} WITH ADMIN OPTION")
                superuser.execute(grant.format(Identifier(name), Identifier(admin)))

        def address(user: str) -> str:
            credentials = f"{quote(user, safe='')}:{quote(FIRST, safe='')}"
            return f"postgresql://{credentials}@127.0.0.1:{postgres.port}/postgres?application_name=a%20b"

        yield Database((first, second), address(admin), address(first), superuser)
        for name in (first, second, admin):
            superuser.execute(SQL("DROP ROLE {}").format(Identifier(name)))
