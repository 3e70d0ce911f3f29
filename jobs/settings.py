"""The settings of a job: environment variables, as Cloud Run sets them, typed and rejected by name.

What concerns the connection to the database has libpq's own names (``PGHOST``, ``PGSSLMODE``, ...), so that it means
the same to us as to ``pg_dump``: https://www.postgresql.org/docs/current/libpq-envars.html
"""

import os
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from shared.settings import convert

OURS = "BACKUP_"

BucketName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]\Z", examples=["my-backups"])]
"""https://cloud.google.com/storage/docs/buckets#naming"""
Prefix = Annotated[str, Meta(pattern=r"^[\w.=/-]{0,500}\Z")]


def _variable(field: str) -> str:
    return f"{OURS}{field.upper()}"


class JobSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename=_variable):
    """The place of backups, which both jobs must know."""

    bucket: BucketName
    prefix: Prefix = ""
    """The prefix of these backups' names, such as ``shop/``: each database has one of its own."""


SettingsT = TypeVar("SettingsT", bound=JobSettings)


def from_environment(type_: type[SettingsT]) -> SettingsT:
    """The settings of a job. Raises ``SettingsError`` with the variable, its value and what is expected."""
    given = {name: value for name, value in os.environ.items() if name.startswith(OURS)}
    return convert(given, type_, "", strict=False)
