"""The settings of `prove_backup`."""

from typing import Annotated

from msgspec import Meta

from jobs.settings import JobSettings


class Settings(JobSettings, frozen=True, kw_only=True):
    """Besides where from: what the owner wants to be true of a restored database."""

    is_trusted: bool = False
    """Whether the code in the database, such as that of its constraints, may run as a superuser, and so as the job.

    What extensions need that are not trusted, and event triggers.
    """
    restore_into: Annotated[int, Meta(ge=0, le=99)] = 0
    """The major version of the server that backups would be restored into, such as 17; 0 is that of the backup."""
    check_query: str = ""
    """A query with one row of one value, which must be true: ``SELECT count(*) > 0 FROM orders``."""
