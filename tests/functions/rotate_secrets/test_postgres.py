"""Refusals in words, and users who take turns, with a real PostgreSQL."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from functions.rotate_secrets.kinds.database_address import DatabaseRefused
from functions.rotate_secrets.kinds.postgres import PostgresPassword
from functions.rotate_secrets.settings import Postgres
from shared.clients import Clients
from tests.functions.rotate_secrets.databases import Database
from tests.functions.rotate_secrets.stage import PRODUCT, Stage, a_world

pytestmark = pytest.mark.one_python

ADMIN = f"{PRODUCT}/secrets/admin"


@pytest.fixture
def clients(database: Database) -> Iterator[Clients]:
    """Clients of a cloud that has the address of an administrator."""
    with Stage(world=a_world(secrets={"key": {}, "admin": {"versions": [database.admin]}})) as stage:
        yield stage.clients


def two_users(database: Database, clients: Clients, **more: Any) -> PostgresPassword:
    wanted: dict[str, Any] = {"require_tls": False, **more}
    return PostgresPassword(Postgres(users=database.users, admin_secret=ADMIN, **wanted), clients)


def nobody_listens() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("first%20password", "canary-password", "password authentication failed for user"),
        ("/postgres?", "/no-such-database?", 'database "no-such-database" does not exist'),
        ("@127.0.0.1", "@no-such-host.invalid", "no-such-host.invalid"),
        ("@127.0.0.1:{port}", "@127.0.0.1:{closed}", "Connection refused"),
        ("?", "?host=/cloudsql/nothing&", "/cloudsql/nothing/.s.PGSQL.{port}"),
        ("?", "?sslmode=require&", "server does not support SSL, but SSL was required"),
    ],
)
def test_a_login_that_fails_is_reported_in_the_words_of_the_server(
    database: Database, clients: Clients, before: str, after: str, said: str
) -> None:
    names = {"port": database.port, "closed": nobody_listens()}
    wrong = database.address.replace(before.format(**names), after.format(**names), 1)
    assert wrong != database.address
    with pytest.raises(DatabaseRefused) as refused:
        two_users(database, clients).test(wrong.encode())
    assert f"logging in as {database.users[0]!r}: " in str(refused.value)
    assert said.format(**names) in str(refused.value)
    assert "canary" not in str(refused.value)


def test_a_server_that_repeats_the_password_does_not_make_it_known(database: Database, clients: Clients) -> None:
    # libpq says what it was to connect to: here a part of the password looks like the host.
    wrong = database.address.replace("@127.0.0.1", "@first.password.invalid").replace("first%20password", "first")
    with pytest.raises(DatabaseRefused) as refused:
        two_users(database, clients).test(wrong.encode())
    assert "first" not in str(refused.value).partition(": ")[2]


def test_an_administrator_who_may_not_is_reported_in_words(database: Database, clients: Clients) -> None:
    new = two_users(database, clients).generate(database.address.encode())
    database.superuser.execute(SQL("ALTER ROLE {} NOCREATEROLE").format(Identifier(admin_of(database))))
    with pytest.raises(DatabaseRefused, match=r"changing the password of .*: .*(permission|must).* \(42501\)"):
        two_users(database, clients).set_value(new, database.address.encode())


def admin_of(database: Database) -> str:
    with psycopg.connect(database.admin) as connection:
        return connection.info.user


ADDRESSES = [
    "postgresql+psycopg://{credentials}@127.0.0.1:{port}/postgres",
    "postgresql+asyncpg://{credentials}@127.0.0.1:{port}/postgres?prepared_statement_cache_size=0",
    "postgres://{credentials}@127.0.0.1:{port}/postgres?schema=public&pgbouncer=true&connection_limit=5",
    "postgresql://{credentials}@:{port}/postgres?host={socket}",
    "postgresql://{credentials}@127.0.0.1:{port}",
]


@pytest.mark.parametrize("form", ADDRESSES)
def test_an_address_of_any_client_is_rotated_and_tested(database: Database, clients: Clients, form: str) -> None:
    credentials = database.address.removeprefix("postgresql://").partition("@")[0]
    folder = str(database.superuser.info.host)
    address = form.format(credentials=credentials, port=database.port, socket=folder)
    if form.endswith("{port}"):
        name = Identifier(database.users[0])
        database.superuser.execute(SQL("CREATE DATABASE {} OWNER {}").format(name, name))
        database.superuser.execute(SQL("CREATE DATABASE {}").format(Identifier(database.users[1])))
    try:
        kind = two_users(database, clients)
        new = kind.generate(address.encode())
        assert new.decode().partition("@")[2] == address.partition("@")[2]
        assert new.decode().partition("://")[0] == address.partition("://")[0]
        kind.set_value(new, address.encode())
        kind.test(new)
        kind.revoke(new)
        with pytest.raises(DatabaseRefused, match="password authentication failed"):
            # PostgreSQL asks for a password over TCP only: its socket accepts every local user.
            kind.test(database.address.encode())
    finally:
        if form.endswith("{port}"):
            for user in database.users:
                database.superuser.execute(SQL("DROP DATABASE {}").format(Identifier(user)))


@contextmanager
def granted(database: Database, *statements: LiteralString) -> Iterator[None]:
    """The superuser's schema ``shop`` with a table, a sequence and a function, and what the first user is granted."""
    first, second = map(Identifier, database.users)

    def run(statement: LiteralString) -> None:
        database.superuser.execute(SQL(statement).format(first=first, second=second))

    run("CREATE SCHEMA shop CREATE TABLE orders (id int, note text) CREATE SEQUENCE numbers")
    run("CREATE FUNCTION shop.total() RETURNS int LANGUAGE sql RETURN 1")
    run("REVOKE EXECUTE ON FUNCTION shop.total FROM PUBLIC")
    try:
        for statement in statements:
            run(statement)
        yield
    finally:
        run("DROP SCHEMA shop CASCADE")
        run("DROP OWNED BY {first}, {second}")
        run("DROP ROLE IF EXISTS owners")
        run("ALTER ROLE {first} RESET ALL")
        run("ALTER ROLE {first} NOCREATEDB")


LACKING: list[tuple[list[LiteralString], str]] = [
    (["GRANT USAGE ON SCHEMA shop TO {first}"], "USAGE on schema shop"),
    (["GRANT SELECT ON shop.orders TO {first}"], "SELECT on shop.orders"),
    (["GRANT UPDATE (note) ON shop.orders TO {first}"], "UPDATE on column note of shop.orders"),
    (["GRANT USAGE ON SEQUENCE shop.numbers TO {first}"], "USAGE on sequence shop.numbers"),
    (["GRANT EXECUTE ON FUNCTION shop.total TO {first}"], r"EXECUTE on shop.total\(\)"),
    (["ALTER TABLE shop.orders OWNER TO {first}"], "the rights of the owner of shop.orders"),
    (
        ["CREATE ROLE owners", "GRANT owners TO {first}", "ALTER TABLE shop.orders OWNER TO owners"],
        "the rights of the owner of shop.orders",
    ),
    (["CREATE POLICY own ON shop.orders TO {first} USING (true)"], "the rows of the policy own on shop.orders"),
    (["ALTER ROLE {first} SET search_path TO shop"], "the setting search_path. Grant"),
    (["ALTER ROLE {first} CREATEDB"], "the attribute CREATEDB"),
]


@pytest.mark.parametrize(("statements", "said"), LACKING)
def test_a_second_user_with_fewer_rights_is_refused_before_anything_is_added_and_before_it_is_used(
    database: Database, clients: Clients, statements: list[LiteralString], said: str
) -> None:
    kind = two_users(database, clients)
    new = kind.generate(database.address.encode())
    refusal = (
        rf"{re.escape(repr(database.users[1]))} lacks rights that {re.escape(repr(database.users[0]))} has: .*{said}"
    )
    with granted(database, *statements):
        with pytest.raises(DatabaseRefused, match=refusal):
            kind.generate(database.address.encode())
        with pytest.raises(DatabaseRefused, match=refusal):
            kind.set_value(new, database.address.encode())
    assert database.logs_in(database.address)


def test_two_users_of_one_role_have_the_same_rights(database: Database, clients: Clients) -> None:
    shared: list[LiteralString] = [
        "CREATE ROLE owners",
        "GRANT owners TO {first}, {second}",
        "ALTER TABLE shop.orders OWNER TO owners",
    ]
    with granted(database, *shared, "GRANT SELECT ON shop.orders TO PUBLIC", "GRANT USAGE ON SCHEMA shop TO owners"):
        kind = two_users(database, clients)
        kind.set_value(kind.generate(database.address.encode()), database.address.encode())


def test_many_missing_rights_are_counted(database: Database, clients: Clients) -> None:
    with granted(database, "GRANT ALL ON shop.orders TO {first}"), pytest.raises(DatabaseRefused, match="and 2 more"):
        two_users(database, clients).generate(database.address.encode())
