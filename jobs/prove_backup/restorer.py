"""As whom a backup is restored, and the roles that it names."""

import secrets
from collections.abc import Iterable

import msgspec
import psycopg
from psycopg import sql

from shared.postgres_server import SUPERUSER, PostgresServer

NAME = "caretaker_restorer"


class Restorer(msgspec.Struct, frozen=True):
    """As whom a backup is restored and queried."""

    user: str = SUPERUSER
    password: str = ""


def new_restorer(server: PostgresServer, roles: Iterable[str], *, is_trusted: bool) -> Restorer:
    """A role of a server that may do as it likes in a database of its own, but nothing to the machine.

    Restoring runs code that is in the backup, with all the rights of who restores: a superuser may run programs. The
    roles that the backup names are made too, so that policies and user mappings can refer to them; none can log in.
    """
    made = Restorer() if is_trusted else Restorer(NAME, secrets.token_hex(16))
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        for role in {*roles} - {SUPERUSER, NAME}:
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))
        if not is_trusted:
            # Rows that a policy hides from their owner are to be counted too.
            statement = sql.SQL("CREATE ROLE {} LOGIN BYPASSRLS PASSWORD {}")
            connection.execute(statement.format(sql.Identifier(made.user), sql.Literal(made.password)))
    return made
