"""The accepted addresses of databases, and the addresses written back: unchanged except for the user."""

import pytest
from hypothesis import given
from hypothesis import strategies as some
from psycopg.conninfo import conninfo_to_dict

from functions.rotate_secrets.kinds.database_address import DatabaseAddress, DatabaseRefused

pytestmark = pytest.mark.one_python

UNDERSTOOD: list[tuple[str, dict[str, object]]] = [
    ("postgresql://u:p@h/d", {"host": "h", "dbname": "d"}),
    ("postgres://u:p@h/d", {"host": "h", "dbname": "d"}),
    ("postgresql://u:p@h:1,[::1]:2/d", {"host": "h,::1", "port": "1,2", "dbname": "d"}),
    ("postgresql://u:p@/d?host=/cloudsql/p:r:i", {"host": "/cloudsql/p:r:i", "dbname": "d"}),
    ("postgresql://u:p@localhost/d?host=/cloudsql/p:r:i", {"host": "/cloudsql/p:r:i", "dbname": "d"}),
    ("postgresql://u:p@h/d?application_name=a%20b", {"host": "h", "dbname": "d", "application_name": "a b"}),
    ("postgresql+psycopg://u:p@h/d", {"host": "h", "dbname": "d"}),
    ("postgresql+asyncpg://u:p@h/d?ssl=verify-full", {"host": "h", "dbname": "d", "sslmode": "verify-full"}),
    ("postgresql://u:p@h/d?schema=public&pgbouncer=true&connection_limit=1", {"host": "h", "dbname": "d"}),
    ("postgresql://u:p@h/d?sslmode=no-verify", {"host": "h", "dbname": "d", "sslmode": "require"}),
    ("postgresql://u:p@h/d?ssl=true", {"host": "h", "dbname": "d", "sslmode": "require"}),
    ("postgresql://u:p@h?sslmode=require", {"host": "h", "sslmode": "require"}),
]


@pytest.mark.parametrize(("text", "parameters"), UNDERSTOOD)
def test_an_address_is_understood_and_kept_letter_for_letter(text: str, parameters: dict[str, object]) -> None:
    address = DatabaseAddress.read(f"{text}\n".encode())
    assert (address.user, address.password, address.parameters) == ("u", "p", parameters)
    other = address.with_user("user:b", "q@r")
    assert other == text.replace("u:p@", "user%3Ab:q%40r@")
    again = DatabaseAddress.read(other.encode())
    assert (again.user, again.password, again.parameters) == ("user:b", "q@r", parameters)


@pytest.mark.parametrize("password", ["a#b", "a?b", "a[b", "a+b", "a&b=c", "a:b", "ü", "a%23b", "%40%2F"])
def test_a_password_is_read_as_libpq_reads_it(password: str) -> None:
    text = f"postgresql://u:{password}@h/d?host=/cloudsql/p"
    assert DatabaseAddress.read(text.encode()).password == conninfo_to_dict(text)["password"]


@given(password=some.text(some.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12))
def test_whatever_is_written_is_read_again(password: str) -> None:
    text = DatabaseAddress.read(b"postgresql://u:p@h/d?schema=s").with_user("b", password)
    assert DatabaseAddress.read(text.encode()).password == password


def test_a_slash_is_read_as_the_client_of_the_scheme_reads_it() -> None:
    assert DatabaseAddress.read(b"postgresql+psycopg://u:a/b@h/d").password == "a/b"
    with pytest.raises(DatabaseRefused, match="no address such as"):
        DatabaseAddress.read(b"postgresql://u:a/b@h/d")


REFUSED = [
    (b"", "no address such as"),
    (b"canary", "no address such as"),
    (b"mysql://a:canary@h/d", "no address such as"),
    (b"jdbc:postgresql://h/d?user=a&password=canary", "no address such as"),
    (b"host=h user=a password=canary", "no address such as"),
    (b"postgresql://a@canary/d", "no address such as"),
    (b"postgresql://a:@canary/d", "no address such as"),
    (b"postgresql://[canary", "no address such as"),
    (b"postgresql://a:can@ary@h/d", "no address such as"),
    (b"postgresql://a:canary@h:port/d?x", "parameter `x`"),
    (b"postgresql://a:can%zzary@[h/d", "no address such as"),
    (b"\xffcanary", "no address such as"),
    (b"postgresql://a:b@h/d?user=canary", "parameter `user`, which clients read differently"),
    (b"postgresql://a:b@h/d?password=canary", "parameter `password`, which clients read differently"),
    (b"postgresql://a:b@h/d?shcema=canary", "parameter `shcema`, which neither libpq"),
    (b"postgresql://a:b@h/d?can%61ry=1", "parameter `...`, which neither libpq"),
]


@pytest.mark.parametrize(("text", "said"), REFUSED)
def test_what_is_not_understood_is_refused_without_its_values(text: bytes, said: str) -> None:
    with pytest.raises(DatabaseRefused) as refused:
        DatabaseAddress.read(text)
    assert said in str(refused.value)
    assert "canary" not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


@pytest.mark.parametrize(("text", "parameters"), UNDERSTOOD)
def test_the_test_login_is_encrypted_if_that_is_required(text: str, parameters: dict[str, object]) -> None:
    address = DatabaseAddress.read(text.encode())
    ours = {"user": "u", "password": "p", "connect_timeout": "10"}
    assert conninfo_to_dict(address.conninfo(require_tls=False)) == parameters | ours
    sslmode = parameters.get("sslmode", "require")
    assert conninfo_to_dict(address.conninfo(require_tls=True)) == parameters | ours | {"sslmode": sslmode}
