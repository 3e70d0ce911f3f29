"""What `prove_backup` is told."""

from jobs.settings import JobSettings


class Settings(JobSettings, frozen=True, kw_only=True):
    """Besides where from: what the owner wants to be true of a restored database."""

    check_query: str = ""
    """A query with one row of one value, which must be true: ``SELECT count(*) > 0 FROM orders``."""
