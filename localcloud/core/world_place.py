"""The place in a world at which something is created, for services' `Section`s and for errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from google.protobuf.json_format import ParseError

from localcloud.core.server import ApiError
from shared.errors import SettingsError


class WorldError(SettingsError):
    """An invalid world: names the key and the reason."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(key, None, why, problem=f"cannot create {key}", remedy=why)


@dataclass(frozen=True)
class Place:
    """A key of a world whose value is being created."""

    path: str
    """Such as ``projects.demo-project.services``."""
    owner: str
    """The id of the project, or the full name of the billing account; "" for a key of the world itself."""
    location: str
    """The project's."""
    now: datetime
    projects: frozenset[str] = frozenset()
    """The ids of all projects of the world."""

    @contextmanager
    def key(self, *keys: object) -> Iterator[None]:
        """Refusals within are errors of this key of the value. Raises WorldError."""
        with at(".".join([self.path, *map(str, keys)])):
            yield

    @contextmanager
    def element(self, label: object) -> Iterator[None]:
        """The same for an element of a list, by a label."""
        with at(f"{self.path}: {label!r}"):
            yield

    def parent_of(self, key: str) -> tuple[str, str]:
        """The parent and the id that a key, ``ID`` or ``LOCATION/ID``, refers to. Raises ValueError."""
        location, _, resource_id = key.rpartition("/")
        if not (location or self.location):
            raise ValueError(f"no region: give the project a `location`, or write REGION/{key}")
        return f"projects/{self.owner}/locations/{location or self.location}", resource_id


@contextmanager
def at(path: str) -> Iterator[None]:
    """Refusals within are errors of this path. Raises WorldError."""
    try:
        yield
    except ApiError as error:
        raise WorldError(path, error.message) from error
    except SettingsError:
        raise
    except (ParseError, ValueError) as error:
        raise WorldError(path, str(error).partition("\n")[0]) from error


def full_name(collection: str, name: str) -> str:
    """The full name of what is named by its id or in full; "" stays ""."""
    return name if not name or name.startswith(f"{collection}/") else f"{collection}/{name}"
