"""The target of a restore: the version of the server, and a database with the encoding and locale of the source."""

import re
from pathlib import Path

import msgspec
import psycopg
from psycopg import sql

from jobs.job import ExitCode, JobFailed
from jobs.prove_backup.restorer import Restorer
from shared.backup_metadata import BackupMetadata, Locale
from shared.postgres_server import PostgresMissing, PostgresServer, find_program

DATABASE = "restored"
PROVIDERS_SINCE = 15
"""Before, every database had libc's locales."""


class WrongMachine(JobFailed):
    """The machine lacks what the backup needs: no sign of damage."""

    exit_code = ExitCode.WRONG_SETTINGS


class Target(msgspec.Struct, frozen=True):
    """The server and the database that a backup is restored into."""

    major: int
    pg_restore: Path
    locale: Locale | None


def target_for(backup: BackupMetadata, restore_into: int) -> Target:
    """The version that the owner names, or that of the backup. Raises ``WrongMachine`` if it is not here, or older."""
    source = major_of(backup.server_version)
    major = restore_into or source
    if major < source:
        raise WrongMachine(
            f"BACKUP_RESTORE_INTO is {major}, but the backup is of PostgreSQL {backup.server_version}: "
            f"PostgreSQL restores into the same version or a newer one; set it to {source} or newer"
        )
    try:
        for name in ("initdb", "postgres"):
            find_program(name, major)
        return Target(major, find_program("pg_restore", major), backup.locale)
    except PostgresMissing as error:
        raise WrongMachine(f"the backup is of PostgreSQL {backup.server_version}: {error}") from None


def new_database(server: PostgresServer, restorer: Restorer, target: Target) -> None:
    """An empty database like the source. Raises ``WrongMachine`` if its locale is not on this machine."""
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0 OWNER {}").format(
        sql.Identifier(DATABASE), sql.Identifier(restorer.user)
    )
    if target.locale:
        statement = sql.Composed([statement, *_options(target.locale, target.major)])
    try:
        with psycopg.connect(server.conninfo(), autocommit=True) as connection:
            connection.execute(statement)
    except psycopg.Error as error:
        if target.locale is None:
            raise
        message = error.diag.message_primary or type(error).__name__
        raise WrongMachine(
            f"a database with the backup's locale ({_words(target.locale)}) cannot be created here: {message}; "
            "install it (Debian: the package locales-all), or restore into a version that knows it"
        ) from None


def major_of(version: str) -> int:
    """The first number of a version, which may be a beta; 0 if it has none."""
    digits = re.match(r"\d+", version)
    return int(digits[0]) if digits else 0


def _options(locale: Locale, major: int) -> list[sql.Composed]:
    """https://www.postgresql.org/docs/current/sql-createdatabase.html."""
    options = {"ENCODING": locale.encoding, "LC_COLLATE": locale.collate, "LC_CTYPE": locale.ctype}
    if locale.provider != "libc" or major >= PROVIDERS_SINCE:
        options["LOCALE_PROVIDER"] = locale.provider
    if locale.provider != "libc":
        options[f"{locale.provider.upper()}_LOCALE"] = locale.locale
    if locale.icu_rules:
        options["ICU_RULES"] = locale.icu_rules
    return [sql.SQL(" {} = {}").format(sql.SQL(_keyword(name)), sql.Literal(value)) for name, value in options.items()]


def _keyword(name: str) -> str:
    """Metadata is text that others may write: only letters make an option's name."""
    return re.sub("[^A-Z_]", "", name)


def _words(locale: Locale) -> str:
    parts = (locale.encoding, locale.provider, locale.locale, locale.collate, locale.ctype)
    return ", ".join(dict.fromkeys(part for part in parts if part))
