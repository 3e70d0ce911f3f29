"""What `prove_backup` is told."""

from jobs.settings import JobSettings


class Settings(JobSettings, frozen=True, kw_only=True):
    """Besides where from: what the owner wants to be true of a restored database."""

    is_trusted: bool = False
    """Whether the code in the database, such as that of its constraints, may run as a superuser, and so as the job.

    What extensions need that are not trusted, and event triggers.
    """
    check_query: str = ""
    """A query with one row of one value, which must be true: ``SELECT count(*) > 0 FROM orders``."""
