"""The settings of `back_up_database`."""

import os
from typing import Annotated

from msgspec import Meta

from jobs.settings import JobSettings
from shared.errors import SettingsError

CONNECT_SECONDS = "30"


class Settings(JobSettings, frozen=True, kw_only=True):
    """Besides where to, and libpq's own: how patient it is."""

    lock_seconds: Annotated[int, Meta(ge=1, le=86_400)] = 60
    """The time it waits for a table that another session has locked, before it fails."""


def connection_variables() -> dict[str, str]:
    """Libpq's variables, as they were given. Raises ``SettingsError`` if the host or the database is not among them.

    Neither is guessed, as libpq would: a backup of the wrong database is worse than none.
    """
    given = {name: value for name, value in os.environ.items() if name.startswith("PG")}
    for name, what in (("PGHOST", "the host of the database, or the folder of its socket"), ("PGDATABASE", "its name")):
        if not given.get(name):
            raise SettingsError(name, given.get(name), what)
    if {"=", ":", "/"} & set(given["PGDATABASE"]):
        # It may be a whole connection string, with a password in it.
        raise SettingsError("PGDATABASE", "...", "the name of the database alone; a password goes into PGPASSWORD")
    return {"PGCONNECT_TIMEOUT": CONNECT_SECONDS, "PGAPPNAME": "back_up_database"} | given
