"""Names of pull requests, their services, labels and tags. Pure.

Nothing that GitHub users choose freely (a branch, a title, a login) is in any of these names.
"""

from hashlib import sha256
from urllib.parse import quote

LONGEST_SERVICE = 46
"""Characters: a service's name and a tag of its traffic have that many together (https://cloud.google.com/run/quotas)."""
DIGEST_LENGTH = 8

MANAGED_BY = {"managed-by": "caretaker", "caretaker-automation": "manage-previews"}
"""The labels of every preview."""
REPOSITORY, NUMBER = "caretaker-repository", "caretaker-pull-request"
COMMIT, DIGEST, TEMPLATE = "caretaker-commit", "caretaker-digest", "caretaker-template"
"""Annotations of a preview: labels could not hold a repository's name."""


def key_of(repository: str, number: int) -> str:
    """The name of a pull request, as on GitHub: ``owner/name#12``."""
    return f"{repository}#{number}"


def parts_of(key: str) -> tuple[str, int]:
    """The repository and the number of a pull request."""
    repository, _, number = key.rpartition("#")
    return repository, int(number)


def service_id(base: str, number: int) -> str:
    """The id of the service of a pull request: stable, unique, and within Cloud Run's limits."""
    ending = f"-pr-{number}"
    if len(base) + len(ending) > LONGEST_SERVICE:
        digest = sha256(base.encode()).hexdigest()[:DIGEST_LENGTH]
        base = f"{base[: LONGEST_SERVICE - len(ending) - DIGEST_LENGTH - 1]}-{digest}"
    return f"{base}{ending}"


def package_of(image: str) -> str:
    """The full name of the package of an image in Artifact Registry, given as ``LOCATION-docker.pkg.dev/...``."""
    host, project, repository, name = image.split("/", 3)
    location = host.removesuffix("-docker.pkg.dev")
    return f"projects/{project}/locations/{location}/repositories/{repository}/packages/{quote(name, safe='')}"
