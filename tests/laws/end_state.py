"""The end state that laws compare: resources and records, without what servers make up."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from google.cloud.billing.budgets_v1 import BudgetServiceClient
from google.cloud.billing_v1 import CloudBillingClient
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.run_v2 import ServicesClient
from google.cloud.scheduler_v1 import CloudSchedulerClient
from google.protobuf.json_format import MessageToDict

from local.cloud.world import World
from shared.clients import Clients
from shared.firestore_values import from_fields
from shared.lease import LeaseRecord
from shared.state import DATABASE

SERVER_MADE = frozenset(
    (
        *("uid", "etag", "generation", "observed_generation", "conditions", "terminal_condition", "status"),
        *("create_time", "update_time", "user_update_time", "schedule_time", "last_attempt_time"),
        *("creator", "last_modifier", "latest_ready_revision", "latest_created_revision"),
    )
)
"""Fields of resources that are ids, times, versions, or say how the server gets on."""

Resources = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Places:
    """Where to look, as the scenario's world says."""

    projects: tuple[str, ...]
    parents: tuple[str, ...]
    """Each project and location: ``projects/P/locations/L``."""
    billing_accounts: tuple[str, ...]


def places_of(world: World) -> Places:
    """Where the world's resources are."""
    parents = {
        f"projects/{project_id}/locations/{location}"
        for project_id, project in world.projects.items()
        for location in [project.location, *(key.rpartition("/")[0] for key in (*project.services, *project.jobs))]
        if location
    }
    accounts = tuple(f"billingAccounts/{account}" for account in world.billing_accounts)
    return Places(tuple(f"projects/{project}" for project in world.projects), tuple(sorted(parents)), accounts)


def _services(clients: Clients, places: Places) -> Iterator[Any]:
    for parent in places.parents:
        yield from clients.of(ServicesClient).list_services(request={"parent": parent})


def _jobs(clients: Clients, places: Places) -> Iterator[Any]:
    for parent in places.parents:
        yield from clients.of(CloudSchedulerClient).list_jobs(request={"parent": parent})


def _billing(clients: Clients, places: Places) -> Iterator[Any]:
    for project in places.projects:
        yield clients.of(CloudBillingClient).get_project_billing_info(request={"name": project})


def _budgets(clients: Clients, places: Places) -> Iterator[Any]:
    for account in places.billing_accounts:
        yield from clients.of(BudgetServiceClient).list_budgets(request={"parent": account})


INVENTORY: tuple[Callable[[Clients, Places], Iterable[Any]], ...] = (_services, _jobs, _billing, _budgets)
"""Every kind of resource that the local cloud holds. A service that joins it is listed here."""


def resources(clients: Clients, places: Places) -> Resources:
    """Every resource by its full name, as a mapping in the API's own words."""
    return {
        message.name.removesuffix("/billingInfo"): _plain(message)
        for list_all in INVENTORY
        for message in list_all(clients, places)
    }


def end_state(clients: Clients, places: Places, now: datetime) -> dict[str, Any]:
    """Resources, records and restrictions, and which leases are held. One that has expired is nobody's."""
    state: dict[str, Any] = msgspec.to_builtins(
        {
            "resources": resources(clients, places),
            "records": documents(clients, "records"),
            # Where nothing is in force, the document may be there or not.
            "restrictions": _without_empty(documents(clients, "restrictions")),
            "leases held": [
                name
                for name, fields in documents(clients, "leases").items()
                if msgspec.convert(fields, LeaseRecord, strict=False).expires_at > now
            ],
        }
    )
    return state


def documents(clients: Clients, collection: str) -> dict[str, Any]:
    """The fields of every document of a collection of the suite's database, by id."""
    parent = f"projects/{clients.project}/databases/{DATABASE}/documents"
    found = clients.of(FirestoreClient).list_documents(request={"parent": parent, "collection_id": collection})
    return {one.name.rpartition("/")[2]: from_fields(type(one).pb(one).fields) for one in found}


def _plain(message: Any) -> dict[str, Any]:
    fields = MessageToDict(type(message).pb(message), preserving_proto_field_name=True)
    plain: dict[str, Any] = _without_empty({key: value for key, value in fields.items() if key not in SERVER_MADE})
    return plain


def _without_empty(value: Any) -> Any:
    """The value without empty mappings, however deep: one that is there but empty says nothing."""
    if not isinstance(value, dict):
        return value
    cleaned = {key: _without_empty(one) for key, one in value.items()}
    return {key: one for key, one in cleaned.items() if one != {}}
