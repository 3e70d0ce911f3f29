"""Projects that we hold detached from billing: Google's APIs answer nothing about what is in them, so that waits.

Cloud Scheduler's list is refused there with "This API method requires billing to be enabled".
"""

from collections.abc import Container, Iterable

from functions.cap_spending.records import Records
from functions.cap_spending.world import ProjectBilling


def detached(projects: Iterable[ProjectBilling], records: Records) -> frozenset[str]:
    """The full names of those projects that we hold and that are linked to no account now."""
    return frozenset(project.name for project in projects if not project.account and project.name in records.holds)


def is_within_one_of(projects: Container[str], name: str) -> bool:
    """Whether a resource is in one of these projects, itself being none."""
    around = project_around(name)
    return around != name and around in projects


def project_around(name: str) -> str:
    """The full name of the project that a resource is in, by the resource's own."""
    return "/".join(name.split("/")[:2])
