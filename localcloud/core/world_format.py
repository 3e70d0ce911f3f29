"""The parts of every world: billing accounts, projects, and the types with which services write their own parts.

Names are those of Google's APIs (snake_case fields of the protos). Common things have a short form; under
``proto`` a resource takes any further field of its API message. Each service adds its own keys (`Section`).
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0)]
Seconds = Annotated[int, msgspec.Meta(ge=0)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Holder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a world to which services add keys."""

    def section(self, key: str) -> Any:  # noqa: ANN401 - of the type that the service has registered
        """The value of a key that a service has added."""
        return getattr(self, key)


class BillingAccount(Holder, frozen=True, forbid_unknown_fields=True):
    """A billing account."""

    display_name: str = ""
    currency_code: str = "USD"
    open: bool = True


class Project(Holder, frozen=True, forbid_unknown_fields=True):
    """A project and what is in it.

    What is in a location is keyed by its id and lives in ``location``; the key ``LOCATION/ID`` puts it elsewhere.
    """

    billing_account_name: str = ""
    billing_locked: bool = False
    location: str = ""


class World(Holder, frozen=True, forbid_unknown_fields=True):
    """Everything that exists at the start, by id."""

    billing_accounts: dict[str, BillingAccount] = {}
    projects: dict[str, Project] = {}

    def located(self, key: str) -> list[tuple[str, str, str]]:
        """Project, location ("" is none) and id of all that a key of the projects names, such as ``clusters``."""
        return [
            (project_id, location or project.location, resource_id)
            for project_id, project in self.projects.items()
            for location, _, resource_id in (one.rpartition("/") for one in project.section(key))
        ]
