r"""The password of a PostgreSQL user, inside the address of a database.

The password itself is in no statement: libpq makes the SCRAM verifier here, as ``psql``'s ``\password`` does
(https://www.postgresql.org/docs/current/app-psql.html), and that is what the server is given.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

import msgspec

from functions.rotate_secrets.kinds.random_text import random_text
from functions.rotate_secrets.settings import ALPHABET, Postgres
from shared.clients import Clients
from shared.errors import CaretakerError
from shared.secret_values import latest_value

if TYPE_CHECKING:
    from psycopg import Connection

LENGTH = 40
CONNECT_SECONDS = 10
SCHEMES = ("postgresql", "postgres")
ENCRYPTED = ("require", "verify-ca", "verify-full")


class DatabaseRefused(CaretakerError):
    """PostgreSQL did not do what it was asked, or could not be asked. The text has neither address nor password."""


class PostgresPassword(msgspec.Struct, frozen=True):
    """See `Kind`. Two users take turns: the one that nobody is served with gets a new password."""

    settings: Postgres
    clients: Clients

    def generate(self, current: bytes) -> bytes:
        """The same address with the other user, and a new password."""
        address = _Address.read(current)
        users = self.settings.users
        if address.user not in users:
            raise DatabaseRefused(
                f"the address is one of the user {address.user!r}, and `users` are {', '.join(users)}"
            )
        other = users[(users.index(address.user) + 1) % len(users)]
        return address.with_user(other, random_text(LENGTH, ALPHABET)).encode()

    def set_value(self, new: bytes, current: bytes) -> None:
        """Set the user's password, and log in with it. If that fails, a single user gets the old one back."""
        address = _Address.read(new)
        self._set_password(address.user, address.password)
        try:
            self._log_in(new)
        except DatabaseRefused:
            before = _Address.read(current)
            if before.user == address.user:
                self._set_password(before.user, before.password)
            raise

    def revoke(self, current: bytes) -> None:
        """Let the other user have no password, until it is its turn again."""
        user = _Address.read(current).user
        for other in self.settings.users:
            if other != user:
                self._set_password(other, "")

    def _log_in(self, address: bytes) -> None:
        """Log in and ask something: behind a pooler only that shows whether the server takes the password."""
        user = _Address.read(address).user
        with _refused(f"asking as {user!r}"), self._connection(address.decode()) as connection:
            connection.execute("SELECT 1")

    def _set_password(self, user: str, password: str) -> None:
        """Set a password, or take it away with an empty one."""
        from psycopg.sql import SQL, Identifier, Literal

        admin = latest_value(self.settings.admin_secret, self.clients)
        with _refused(f"changing the password of {user!r}"), self._connection(admin) as connection:
            verifier = _verifier(connection, user, password) if password else None
            connection.execute(SQL("ALTER ROLE {} PASSWORD {}").format(Identifier(user), Literal(verifier)))

    def _connection(self, address: str) -> "Connection":
        import psycopg
        from psycopg.conninfo import make_conninfo

        given = _Address.read(address.encode())
        sslmode = given.parameters.get("sslmode", "")
        wanted = {"sslmode": "require"} if self.settings.require_tls and sslmode not in ENCRYPTED else {}
        with _refused(f"logging in as {given.user!r}"):
            return psycopg.connect(make_conninfo(address, connect_timeout=CONNECT_SECONDS, **wanted), autocommit=True)


class _Address(msgspec.Struct, frozen=True):
    """The address of a database (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS)."""

    text: str
    user: str
    password: str
    parameters: dict[str, str]

    @classmethod
    def read(cls, given: bytes) -> "_Address":
        """Raises ``DatabaseRefused`` for what is no such address, without repeating it."""
        try:
            text = given.decode().strip()
            parts = urlsplit(text)
            user, password = unquote(parts.username or ""), unquote(parts.password or "")
        except ValueError:
            raise DatabaseRefused("the secret holds no address of a database") from None
        if parts.scheme not in SCHEMES or not user or not password:
            raise DatabaseRefused("the secret holds no address such as postgresql://user:password@host/database")
        return cls(text, user, password, dict(parse_qsl(parts.query)))

    def with_user(self, user: str, password: str) -> str:
        """The same database, with another user and password."""
        parts = urlsplit(self.text)
        host = parts.netloc.rpartition("@")[2]
        credentials = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return urlunsplit(parts._replace(netloc=f"{credentials}@{host}"))


def _verifier(connection: "Connection", user: str, password: str) -> str:
    made = connection.pgconn.encrypt_password(password.encode(), user.encode(), b"scram-sha-256")
    return made.decode()


@contextmanager
def _refused(what: str) -> Iterator[None]:
    """Say what was refused by its code: the server's own words might repeat what they were given."""
    from psycopg import Error

    try:
        yield
    except Error as error:
        raise DatabaseRefused(f"{what}: {type(error).__name__} ({error.sqlstate or 'no answer'})") from None
