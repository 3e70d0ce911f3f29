"""Previews that no setting asks for any more: their repository, project, region or name has left the settings. Pure."""

from collections.abc import Iterator

from functions.manage_previews.names import service_id
from functions.manage_previews.records import Made, Records
from functions.manage_previews.settings import Settings
from functions.manage_previews.world import ServicesIn


def is_orphan(name: str, made: Made, settings: Settings) -> bool:
    """Whether the settings would not make this service for its pull request."""
    known = settings.spelling_of(made.repository)
    repository = settings.repositories.get(known or "")
    return repository is None or name != f"{settings.parent}/services/{service_id(repository.service, made.number)}"


def places_of_orphans(records: Records, settings: Settings) -> Iterator[ServicesIn]:
    """The other regions in which there are previews that no setting asks for."""
    found = {name.rpartition("/services/")[0] for name in records.previews}
    yield from (ServicesIn(parent) for parent in sorted(found - {settings.parent}))
