"""The address of a database as an application has it: read for a test login, and written back with another user.

libpq's own parser reads it. What only other clients understand (a driver in the scheme, parameters of an ORM) is left
out of the test login, and stays as it is in the value.
"""

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote

import msgspec

from shared.errors import CaretakerError

CONNECT_SECONDS = 10
ENCRYPTED = ("require", "verify-ca", "verify-full")
EXAMPLE = "postgresql://user:password@host/database"
CREDENTIALS = frozenset(("user", "password", "passfile"))
TLS_OF_OTHERS = {"no-verify": "require", "true": "require", "1": "require", "false": "disable", "0": "disable"}
"""Values of ``sslmode`` and ``ssl`` that libpq does not know, and what they come to.

node-postgres: https://node-postgres.com/features/ssl, asyncpg:
https://magicstack.github.io/asyncpg/current/api/index.html#asyncpg.connection.connect
"""
ONLY_FOR_OTHERS = frozenset(
    (
        # Prisma: https://www.prisma.io/docs/orm/overview/databases/postgresql#arguments
        *("schema", "pgbouncer", "connection_limit", "pool_timeout", "socket_timeout", "statement_cache_size"),
        *("sslidentity", "sslaccept", "single_use_connections"),
        # SQLAlchemy with asyncpg: https://docs.sqlalchemy.org/en/20/dialects/postgresql.html
        *("prepared_statement_cache_size", "prepared_statement_name_func", "command_timeout", "async_fallback"),
        # node-postgres: https://node-postgres.com/apis/client
        *("uselibpqcompat", "ssl", "statement_timeout", "query_timeout", "lock_timeout"),
        *("idle_in_transaction_session_timeout",),
        # pgx: https://pkg.go.dev/github.com/jackc/pgx/v5/pgxpool#ParseConfig
        *("pool_max_conns", "pool_min_conns", "pool_max_conn_lifetime", "pool_max_conn_idle_time"),
        *("pool_health_check_period", "pool_max_conn_lifetime_jitter", "default_query_exec_mode"),
        *("statement_cache_capacity", "description_cache_capacity"),
        # Rails: https://guides.rubyonrails.org/configuring.html#configuring-a-database
        *("pool", "prepared_statements", "encoding", "reaping_frequency", "checkout_timeout", "idle_timeout"),
        *("advisory_locks", "schema_search_path", "variables", "min_messages", "timeout"),
        # Django: https://github.com/jazzband/dj-database-url
        *("conn_max_age", "conn_health_checks"),
        # JDBC's name for a schema, in Hibernate Reactive and Vert.x too
        "currentSchema",
    )
)

_ADDRESS = re.compile(
    r"(?P<scheme>postgres(?:ql)?(?P<driver>\+[a-z0-9_]+)?://)(?P<credentials>[^@]*)@(?P<place>[^?]*)(?:\?(?P<query>.*))?",
    re.DOTALL,
)


class DatabaseRefused(CaretakerError):
    """PostgreSQL did not do what it was asked, or could not be asked. The text has neither address nor password."""


class DatabaseAddress(msgspec.Struct, frozen=True):
    """A valid address.

    https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
    """

    text: str
    user: str
    password: str
    parameters: dict[str, str]
    """As libpq takes them, without user and password."""

    @classmethod
    def read(cls, given: bytes) -> "DatabaseAddress":
        """Raises ``DatabaseRefused`` for what is no such address, without repeating its values."""
        import psycopg
        from psycopg.conninfo import conninfo_to_dict

        try:
            text = given.decode().strip()
            match = _matched(text)
            user, password = _credentials(match)
            found = conninfo_to_dict(f"postgresql://{_quoted(user, password)}@{match['place']}{_query(match)}")
        except (ValueError, psycopg.Error):
            # Neither its text nor its cause: both may repeat the password.
            raise DatabaseRefused(f"the secret holds no address such as {EXAMPLE}") from None
        parameters = {name: str(value) for name, value in found.items() if name not in ("user", "password")}
        return cls(text, user, password, parameters)

    def with_user(self, user: str, password: str) -> str:
        """The same address, letter for letter, with another user and password."""
        match = _matched(self.text)
        return f"{match['scheme']}{_quoted(user, password)}{self.text[match.end('credentials') :]}"

    def conninfo(self, *, require_tls: bool) -> str:
        """For libpq: encrypted at least, if that is required. What is verified is for the address to say."""
        from psycopg.conninfo import make_conninfo

        sslmode = self.parameters.get("sslmode", "")
        tls = {"sslmode": "require"} if require_tls and sslmode not in ENCRYPTED else {}
        ours = {"user": self.user, "password": self.password, "connect_timeout": str(CONNECT_SECONDS)}
        return make_conninfo("", **self.parameters | tls | ours)


def redacted(text: str, secrets: Iterable[str]) -> str:
    """A text in one line without secrets, however they are written in it."""
    for secret in secrets:
        for form in (secret, quote(secret, safe="")):
            text = text.replace(form, "***") if form else text
    return " ".join(text.split())


def _matched(text: str) -> "re.Match[str]":
    match = _ADDRESS.fullmatch(text)
    # libpq takes a slash for the end of the host; only the parsers of other drivers read on. A second @ is one in the
    # password that is not written as %40: what comes before it would be taken for a part of the host, and reported.
    if match is None or "@" in match["place"] or ("/" in match["credentials"] and not match["driver"]):
        raise ValueError
    return match


def _credentials(match: "re.Match[str]") -> tuple[str, str]:
    user, _, password = match["credentials"].partition(":")
    if not user or not password:
        raise ValueError
    return unquote(user, errors="strict"), unquote(password, errors="strict")


def _quoted(user: str, password: str) -> str:
    return f"{quote(user, safe='')}:{quote(password, safe='')}"


def _query(match: "re.Match[str]") -> str:
    """The parameters that libpq knows, in its own spelling. Raises ``DatabaseRefused`` for an unknown one."""
    from psycopg.pq import Conninfo

    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    kept = []
    for pair in filter(None, (match["query"] or "").split("&")):
        name, _, value = pair.partition("=")
        if name in CREDENTIALS:
            raise DatabaseRefused(
                f"the address has a parameter `{name}`, which clients read differently: put user and password before "
                f"the @, as in {EXAMPLE}"
            )
        if name in ("ssl", "sslmode"):
            kept.append(f"sslmode={TLS_OF_OTHERS.get(value, value)}")
        elif name in known:
            kept.append(pair)
        elif name not in ONLY_FOR_OTHERS:
            raise DatabaseRefused(
                f"the address has a parameter `{_shown(name)}`, which neither libpq nor a client that is known here "
                "has: correct it, or take it out"
            )
    return f"?{'&'.join(kept)}" if kept else ""


def _shown(name: str) -> str:
    """A parameter's name; not what may be a part of a password with a question mark in it."""
    return name if re.fullmatch(r"[A-Za-z_]{1,40}", name) else "..."
