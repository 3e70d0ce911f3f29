"""The kinds of secrets, each with the real thing behind it."""

import logging
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import NotFound

from functions.rotate_secrets.cloud import kind_of
from functions.rotate_secrets.kinds.database_address import DatabaseAddress, DatabaseRefused
from functions.rotate_secrets.kinds.github_webhook import WebhookSecret
from functions.rotate_secrets.kinds.postgres import PostgresPassword
from functions.rotate_secrets.kinds.random_text import RandomText
from functions.rotate_secrets.settings import GithubWebhook, Postgres, Random, Value
from local.certificate import self_signed
from shared.clients import Clients
from shared.github_access import GitHubAccess
from shared.postgres_server import PostgresMissing, PostgresServer
from tests.functions.rotate_secrets.databases import Database, a_database, a_pooler
from tests.functions.rotate_secrets.stage import PRODUCT, Stage, a_world

pytestmark = pytest.mark.one_python

ADMIN = f"{PRODUCT}/secrets/admin"


@pytest.fixture
def clients(database: Database) -> Iterator[Clients]:
    """Clients of a cloud that has the address of an administrator."""
    with Stage(world=a_world(secrets={"key": {}, "admin": {"versions": [database.admin]}})) as stage:
        yield stage.clients


def two_users(database: Database, clients: Clients, **more: Any) -> PostgresPassword:
    return PostgresPassword(Postgres(users=database.users, admin_secret=ADMIN, require_tls=False, **more), clients)


def one_user(database: Database, clients: Clients) -> PostgresPassword:
    settings = Postgres(users=database.users[:1], admin_secret=ADMIN, require_tls=False, accept_a_gap=True)
    return PostgresPassword(settings, clients)


def test_a_random_text_has_the_length_and_the_alphabet_and_is_another_each_time() -> None:
    kind = RandomText(Random(length=64, alphabet=string.hexdigits.lower()[:16]))
    values = {kind.generate(b"") for _ in range(20)}
    assert len(values) == 20
    assert all(len(value) == 64 and set(value.decode()) <= set("0123456789abcdef") for value in values)


def test_the_other_user_gets_a_password_and_the_first_keeps_its_own(database: Database, clients: Clients) -> None:
    kind = two_users(database, clients)
    new = kind.generate(database.address.encode())
    kind.set_value(new, database.address.encode())
    kind.set_value(new, database.address.encode())
    assert database.logs_in(database.address)
    assert database.logs_in(new.decode())
    kind.revoke(new)
    kind.revoke(new)
    assert not database.logs_in(database.address)
    assert database.logs_in(new.decode())


def test_the_server_keeps_a_scram_verifier_and_gets_no_password(database: Database, clients: Clients) -> None:
    kind = two_users(database, clients)
    new = kind.generate(database.address.encode())
    database.superuser.execute("ALTER SYSTEM SET log_statement = 'all'")
    database.superuser.execute("SELECT pg_reload_conf()")
    kind.set_value(new, database.address.encode())
    log = Path(str(database.superuser.info.host), "log").read_text()
    database.superuser.execute("ALTER SYSTEM RESET log_statement")
    password = new.decode().partition("@")[0].rpartition(":")[2]
    assert "ALTER ROLE" in log
    assert password not in log
    assert password not in database.passwords()


def test_a_single_user_gets_the_old_password_back_if_logging_in_fails(database: Database, clients: Clients) -> None:
    kind = one_user(database, clients)
    new = kind.generate(database.address.encode())
    elsewhere = new.replace(b"/postgres?", b"/no-such-database?")
    with pytest.raises(DatabaseRefused, match="logging in as"):
        kind.set_value(elsewhere, database.address.encode())
    assert database.logs_in(database.address)
    kind.set_value(new, database.address.encode())
    assert not database.logs_in(database.address)
    kind.revoke(new)
    assert database.logs_in(new.decode())


def test_a_single_user_gets_the_old_password_back_if_only_the_server_behind_a_pooler_refuses(
    database: Database, clients: Clients
) -> None:
    kind = one_user(database, clients)
    new = kind.generate(database.address.encode())
    with a_pooler() as port:
        behind = (
            new.replace(f":{database.port}/".encode(), f":{port}/".encode()) + b"&sslmode=disable&gssencmode=disable"
        )
        with pytest.raises(DatabaseRefused, match=re.escape(f"logging in as {database.users[0]!r}: ")):
            kind.set_value(behind, database.address.encode())
    assert database.logs_in(database.address)


def test_a_refusal_says_who_and_why_and_never_with_what(
    database: Database, clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    kind = two_users(database, clients)
    wrong = database.address.replace("first%20password", "canary-in-a-password")
    with pytest.raises(DatabaseRefused) as refused:
        kind.test(wrong.encode())
    assert database.users[0] in str(refused.value)
    assert "canary" not in f"{refused.value!r}{refused.value.__cause__}{caplog.text}"


def test_an_address_of_another_user_is_refused(database: Database, clients: Clients) -> None:
    with pytest.raises(DatabaseRefused, match="the address has the user 'foreign', which is not in `users`"):
        two_users(database, clients).generate(b"postgresql://foreign:x@127.0.0.1/d")


def test_logging_in_is_encrypted_unless_it_need_not_be() -> None:
    server = PostgresServer(certificate=self_signed())
    try:
        server.start()
    except PostgresMissing as missing:
        pytest.skip(str(missing))
    try:
        with a_database(server) as database:
            world = a_world(secrets={"key": {}, "admin": {"versions": [database.admin]}})
            with Stage(world=world) as stage:
                for require_tls, sslmode in ((True, ""), (True, "disable"), (True, "require"), (False, "")):
                    settings = Postgres(users=database.users, admin_secret=ADMIN, require_tls=require_tls)
                    address = f"{database.address}&sslmode={sslmode}" if sslmode else database.address
                    kind = PostgresPassword(settings, stage.clients)
                    with kind._connection(DatabaseAddress.read(address.encode())) as connection:  # noqa: SLF001 - what it is like
                        assert connection.pgconn.ssl_in_use
    finally:
        server.stop()


def test_a_server_without_tls_is_refused(database: Database, clients: Clients) -> None:
    kind = PostgresPassword(Postgres(users=database.users, admin_secret=ADMIN), clients)
    with pytest.raises(DatabaseRefused, match="server does not support SSL, but SSL was required"):
        kind.set_value(database.address.encode(), database.address.encode())


def test_github_is_given_the_secret_of_the_hook_that_is_meant() -> None:
    hooks = {number: {"url": "https://example.com/", "secret": "before"} for number in (7, 8)}
    world = a_world(secrets={"key": {}, "token": {"versions": ["ghp_a"]}})
    world |= {"github": {"repositories": {"o/r": {"hooks": hooks}}, "tokens": {"ghp_a": {"login": "bot"}}}}
    access = GitHubAccess(token_secret=f"{PRODUCT}/secrets/token")
    with Stage(world=world) as stage:
        WebhookSecret(GithubWebhook(repository="o/r", hook=7, github=access), stage.clients).set_value(b"after", b"")
        assert [stage.cloud.github.hook_secret("o/r", number) for number in (7, 8)] == ["after", "before"]
        with pytest.raises(NotFound):
            WebhookSecret(GithubWebhook(repository="o/r", hook=9, github=access), stage.clients).set_value(b"x", b"")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (Random(), RandomText),
        (Postgres(users=("a", "b"), admin_secret=ADMIN), PostgresPassword),
        (GithubWebhook(repository="o/r", hook=1, github=GitHubAccess(token_secret=ADMIN)), WebhookSecret),
    ],
)
def test_each_kind_of_settings_has_what_it_stands_for(value: Value, kind: type) -> None:
    assert isinstance(kind_of(value, Clients("p")), kind)
