r"""The password of a PostgreSQL user, inside the address of a database.

The password itself is in no statement: libpq makes the SCRAM verifier here, as ``psql``'s ``\password`` does
(https://www.postgresql.org/docs/current/app-psql.html), and that is what the server is given.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from functions.rotate_secrets.kinds.database_address import DatabaseAddress, DatabaseRefused, redacted
from functions.rotate_secrets.kinds.random_text import random_text
from functions.rotate_secrets.kinds.rights import lacking_rights
from functions.rotate_secrets.settings import ALPHABET, Postgres
from shared.clients import Clients
from shared.secret_values import latest_value

if TYPE_CHECKING:
    from psycopg import Connection

LENGTH = 40


class PostgresPassword(msgspec.Struct, frozen=True):
    """See `Kind`. Two users take turns: the one not in use gets a new password."""

    settings: Postgres
    clients: Clients

    def generate(self, current: bytes) -> bytes:
        """The same address with the other user, who must have the same rights, and a new password."""
        address = DatabaseAddress.read(current)
        users = self.settings.users
        if address.user not in users:
            raise DatabaseRefused(
                f"the address has the user {address.user!r}, which is not in `users`: {', '.join(users)}"
            )
        other = users[(users.index(address.user) + 1) % len(users)]
        with self._as_admin() as connection:
            # Rights are those in one database: an administrator's may be another one. Then it is compared when set.
            if connection.info.dbname == address.parameters.get("dbname"):
                self._compare(connection, address.user, other)
        return address.with_user(other, random_text(LENGTH, ALPHABET)).encode()

    def adapt(self, current: bytes, new: bytes) -> bytes:
        """Another address with the user and the password of the new one.

        It must have been one for the same user: of two that take turns, one is set anew while the other is served.
        """
        address, changed = DatabaseAddress.read(current), DatabaseAddress.read(new)
        if address.user == changed.user and len(self.settings.users) > 1:
            raise DatabaseRefused(
                f"one of the addresses already has the user {changed.user!r}, whose password would be changed: let all "
                "of them have the same user first"
            )
        if address.user not in self.settings.users:
            raise DatabaseRefused(f"one of the addresses has the user {address.user!r}, which is not in `users`")
        return address.with_user(changed.user, changed.password).encode()

    def set_value(self, new: bytes, current: bytes) -> None:
        """Set the user's password, and log in with it. If that fails, a single user gets the old one back."""
        address, before = DatabaseAddress.read(new), DatabaseAddress.read(current)
        self._set_password(address)
        try:
            self._test(new, rights_of=before.user)
        except DatabaseRefused:
            if before.user == address.user:
                self._set_password(before)
            raise

    def revoke(self, current: bytes) -> None:
        """Remove the other user's password, until it is its turn again."""
        user = DatabaseAddress.read(current).user
        for other in self.settings.users:
            if other != user:
                self._remove_password(other)

    def test(self, value: bytes) -> None:
        """Log in and run a query: behind a pooler only that shows whether the server accepts the password."""
        self._test(value)

    def _test(self, value: bytes, rights_of: str = "") -> None:
        """The user must have the rights of another one, if that is named."""
        address = DatabaseAddress.read(value)
        with _refused(f"logging in as {address.user!r}", address), self._connection(address) as connection:
            connection.execute("SELECT 1")
            self._compare(connection, rights_of or address.user, address.user)

    def _compare(self, connection: "Connection", first: str, second: str) -> None:
        with _refused(f"comparing the rights of {first!r} and {second!r}"):
            lacking = lacking_rights(connection, has=first, lacks=second) if first != second else ""
        if lacking:
            raise DatabaseRefused(
                f"{second!r} lacks rights that {first!r} has: {lacking}. Grant them, best to a role that both are in"
            )

    def _set_password(self, address: DatabaseAddress) -> None:
        with self._as_admin() as connection:
            made = connection.pgconn.encrypt_password(
                address.password.encode(), address.user.encode(), b"scram-sha-256"
            )
            _alter(connection, address.user, made.decode())

    def _remove_password(self, user: str) -> None:
        with self._as_admin() as connection:
            _alter(connection, user, None)

    @contextmanager
    def _as_admin(self) -> "Iterator[Connection]":
        admin = DatabaseAddress.read(latest_value(self.settings.admin_secret, self.clients).encode())
        with _refused(f"logging in as the administrator {admin.user!r}", admin):
            connection = self._connection(admin)
        with connection:
            yield connection

    def _connection(self, address: DatabaseAddress) -> "Connection":
        import psycopg

        return psycopg.connect(address.conninfo(require_tls=self.settings.require_tls), autocommit=True)


def _alter(connection: "Connection", user: str, verifier: str | None) -> None:
    from psycopg.sql import SQL, Identifier, Literal

    with _refused(f"changing the password of {user!r}", verifier=verifier or ""):
        connection.execute(SQL("ALTER ROLE {} PASSWORD {}").format(Identifier(user), Literal(verifier)))


@contextmanager
def _refused(what: str, address: DatabaseAddress | None = None, verifier: str = "") -> Iterator[None]:
    """Report what the server, or libpq, says was wrong, without passwords and what is made of them."""
    from psycopg import Error

    try:
        yield
    except Error as error:
        code = f" ({error.sqlstate})" if error.sqlstate else ""
        said = error.diag.message_primary or str(error)
        secrets = (address.password if address else "", verifier)
        raise DatabaseRefused(f"{what}: {redacted(said, secrets)}{code}") from None
