#!/usr/bin/env bash
# One PostgreSQL address is read differently by libpq and by SQLAlchemy.
#
# psycopg[binary] 3.3.9 (libpq as it is bundled there) and SQLAlchemy 2.0.36, 2026-11-28. Both are asked for the password
# of the same address, without any server:
#
#   ?password=a+b in the query    libpq: a+b      SQLAlchemy: a b
#   a/b before the @              libpq: no password, as u is the host
#                                 SQLAlchemy: a/b
#   a%2Fb before the @            libpq: a/b      SQLAlchemy: a/b
#
# So a tool that writes addresses for clients it does not know must percent-encode, and put the password before the @.
# This fails if any of it changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'psycopg[binary]==3.3.9' 'sqlalchemy==2.0.36'
"$folder/venv/bin/python" - <<'PYTHON'
import sys

from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import make_url

EXPECTED = {
    "postgresql://u@h/d?password=a+b": ("a+b", "a b"),
    "postgresql://u:a/b@h/d": ("none", "a/b"),
    "postgresql://u:a%2Fb@h/d": ("a/b", "a/b"),
}


def by_libpq(address: str) -> str:
    return str(conninfo_to_dict(address).get("password", "none"))


def by_sqlalchemy(address: str) -> str:
    url = make_url(address)
    return str(url.query.get("password") or url.password)


found = {address: (by_libpq(address), by_sqlalchemy(address)) for address in EXPECTED}
for address, (libpq, sqlalchemy) in found.items():
    print(f"{address}: libpq {libpq!r}, SQLAlchemy {sqlalchemy!r}")
sys.exit(found != EXPECTED)
PYTHON
