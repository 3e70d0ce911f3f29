"""The end state that laws compare: resources and records, without what servers make up."""

import functools
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from urllib.parse import quote

import msgspec
from google.api_core.exceptions import PermissionDenied
from google.cloud.artifactregistry_v1 import ArtifactRegistryClient
from google.cloud.billing_v1 import CloudBillingClient
from google.cloud.container_v1 import ClusterManagerClient
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.run_v2 import JobsClient, ServicesClient, WorkerPoolsClient
from google.cloud.scheduler_v1 import CloudSchedulerClient
from google.cloud.secretmanager_v1 import SecretManagerServiceClient, SecretVersion
from google.iam.v1.policy_pb2 import Policy
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from infra.suite.automations import Entry
from localcloud.world import World
from shared.clients import Clients
from shared.lease import LeaseRecord
from shared.parts import join
from shared.state import DATABASE
from tests.laws.github_end_state import comments_and_deployments
from tests.localcloud.raw_fields import from_fields

SERVER_MADE = frozenset(
    (
        *("uid", "etag", "generation", "observed_generation", "conditions", "terminal_condition", "status"),
        *(
            "create_time",
            "update_time",
            "user_update_time",
            "upload_time",
            "schedule_time",
            "last_attempt_time",
            "status_message",
        ),
        *("creator", "last_modifier", "update_info", "latest_ready_revision", "latest_created_revision"),
    )
)
"""Fields of resources that are ids, times, versions, or say how the server gets on."""

SHA256 = re.compile(r"\b[0-9a-f]{64}\b")

MADE_BY_CLOUD_STORAGE = frozenset(
    (
        *("id", "selfLink", "mediaLink", "generation", "metageneration", "etag", "timeCreated", "updated"),
        *("timeStorageClassUpdated", "timeFinalized"),
    )
)
"""The same for objects."""

Resources = dict[str, dict[str, Any]]
MADE_UP = re.compile(r"/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
Listed = Iterator[tuple[str, dict[str, Any]]]


@dataclass(frozen=True)
class Places:
    """The places to read, from the scenario's world."""

    projects: tuple[str, ...]
    parents: tuple[str, ...]
    """Each project and location: ``projects/P/locations/L``."""
    billing_accounts: tuple[str, ...]
    clusters: tuple[str, ...]
    image_repositories: tuple[str, ...]
    """Of Artifact Registry."""
    github_repositories: tuple[str, ...]
    has_policies: bool
    """Whether to look at IAM policies: that takes a call for each service, so only where they can be changed."""
    secret_parents: tuple[str, ...]
    """Each project that has secrets, and each of its regions that does."""
    buckets: tuple[str, ...]
    run_job_parents: tuple[str, ...]
    """Each project and location that has jobs of Cloud Run."""


KINDS_OF_PARENTS = ("services", "worker_pools", "jobs")


def places_of(world: World, entry: Entry) -> Places:
    """The places of the world's resources; policies only if the automation may set them (law 8 enforces that)."""
    located = {
        key: [(f"projects/{project}", location, one) for project, location, one in world.located(key)]
        for key in ("services", "worker_pools", "jobs", "run_jobs", "clusters", "repositories", "buckets")
    }
    parents = {
        *(f"projects/{project_id}/locations/{one.location}" for project_id, one in world.projects.items()),
        *(f"{project}/locations/{place}" for key in KINDS_OF_PARENTS for project, place, _ in located[key]),
    }
    # A secret without a location is a global one, wherever its project's other resources are.
    secret_parents = {
        f"projects/{project_id}/locations/{location}" if location else f"projects/{project_id}"
        for project_id, project in world.projects.items()
        for location, _, _ in (key.rpartition("/") for key in project.section("secrets"))
    }
    return Places(
        projects=tuple(f"projects/{project}" for project in world.projects),
        parents=tuple(sorted(one for one in parents if not one.endswith("/"))),
        billing_accounts=tuple(f"billingAccounts/{account}" for account in world.billing_accounts),
        clusters=tuple(f"{project}/locations/{place}/clusters/{one}" for project, place, one in located["clusters"]),
        image_repositories=tuple(
            f"{project}/locations/{place}/repositories/{one}" for project, place, one in located["repositories"]
        ),
        github_repositories=tuple(world.section("github").repositories),
        has_policies="run.services.setIamPolicy" in entry.permissions,
        secret_parents=tuple(sorted(secret_parents)),
        buckets=tuple(bucket for _, _, bucket in located["buckets"]),
        run_job_parents=tuple(sorted({f"{project}/locations/{place}" for project, place, _ in located["run_jobs"]})),
    )


def _named(messages: Iterable[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for message in messages:
        yield message.name.removesuffix("/billingInfo"), _plain(message)


def _unless_detached(parent: str, listed: Listed) -> Listed:
    """The listed state of a project; of one that is detached from billing, only that fact."""
    try:
        yield from listed
    except PermissionDenied as denied:
        if denied.reason != "BILLING_DISABLED":
            raise
        yield parent, {"billing": "disabled"}


def _of_a_project(list_all: Callable[..., Iterable[Any]], parent: str) -> Listed:
    """The result of a list call on a project."""

    def listed() -> Listed:
        yield from _named(list_all(request={"parent": parent}))

    return _unless_detached(parent, listed())


def _services(clients: Clients, places: Places) -> Listed:
    """Services, each with the bindings of its policy, which it does not tell itself."""
    client = clients.of(ServicesClient)
    for parent in places.parents:
        for name, service in _of_a_project(client.list_services, parent):
            policy = client.get_iam_policy(request={"resource": name}) if places.has_policies else Policy()
            yield name, service | _without_empty(MessageToDict(Policy(bindings=policy.bindings)))


def _worker_pools(clients: Clients, places: Places) -> Listed:
    for parent in places.parents:
        yield from _of_a_project(clients.of(WorkerPoolsClient).list_worker_pools, parent)


def _run_jobs(clients: Clients, places: Places) -> Listed:
    for parent in places.run_job_parents:
        yield from _of_a_project(clients.of(JobsClient).list_jobs, parent)


def _jobs(clients: Clients, places: Places) -> Listed:
    for parent in places.parents:
        yield from _of_a_project(clients.of(CloudSchedulerClient).list_jobs, parent)


def _billing(clients: Clients, places: Places) -> Listed:
    for project in places.projects:
        yield from _named([clients.of(CloudBillingClient).get_project_billing_info(request={"name": project})])


def _budgets(clients: Clients, places: Places) -> Listed:
    """Budgets over REST, which alone has spend caps. One whose id is made up goes by its title."""
    for account in places.billing_accounts:
        address = f"https://billingbudgets.googleapis.com/v1/{account}/budgets"
        same: Counter[str] = Counter()
        for budget in clients.session.get(clients.url(address), timeout=30).json().get("budgets", ()):
            plain = {key: value for key, value in budget.items() if key not in SERVER_MADE}
            if MADE_UP.search(budget["name"]):
                title = budget["displayName"]
                same[title] += 1
                plain["name"] = f"{account}/budgets/{title} {same[title]}"
            yield plain["name"], plain


def _node_pools(clients: Clients, places: Places) -> Listed:
    """Node pools, each with the target sizes of its instance groups, which it does not tell itself."""
    sizes: dict[str, int] = {}
    for project in places.projects if places.clusters else ():
        address = f"https://compute.googleapis.com/compute/v1/{project}/aggregated/instanceGroupManagers"
        answer = clients.session.get(clients.url(address), timeout=30).json()
        for scope in answer.get("items", {}).values():
            sizes |= {group["selfLink"]: group["targetSize"] for group in scope.get("instanceGroupManagers", ())}
    for cluster in places.clusters:
        yield from _unless_detached(cluster, _node_pools_of(clients, cluster, sizes))


def _node_pools_of(clients: Clients, cluster: str, sizes: Mapping[str, int]) -> Listed:
    for pool in clients.of(ClusterManagerClient).list_node_pools(request={"parent": cluster}).node_pools:
        target_sizes = [sizes[url] for url in pool.instance_group_urls]
        yield f"{cluster}/nodePools/{pool.name}", _plain(pool) | {"target_sizes": target_sizes}


def _secrets(clients: Clients, places: Places) -> Listed:
    """Secrets and their versions, by the id of their project.

    What a run makes up is another value each time: a version is known by the first one that holds the same, and the
    SHA-256 of a payload by the version that holds it.
    """
    for parent in places.secret_parents:
        yield from _unless_detached(parent, _secrets_of(clients, parent))


def _secrets_of(clients: Clients, parent: str) -> Listed:
    for secret in clients.of(SecretManagerServiceClient).list_secrets(request={"parent": parent}):
        name = f"{parent}/secrets/{secret.name.rpartition('/')[2]}"
        first_with = yield from _versions(clients, name)
        annotations = {key: _named_digests(value, first_with) for key, value in secret.annotations.items()}
        yield name, {**_plain(secret), "name": name, "annotations": annotations}


def _versions(clients: Clients, secret: str) -> Generator[tuple[str, dict[str, Any]], None, dict[str, str]]:
    """The versions of a secret; returns the number of the first that holds it, by the SHA-256 of a payload."""
    first_with: dict[str, str] = {}
    listed = clients.of(SecretManagerServiceClient).list_secret_versions(request={"parent": secret})
    for version in reversed(list(listed)):
        number = version.name.rpartition("/")[2]
        held = _digest(clients, version)
        same_as = first_with.setdefault(held, number) if held else ""
        yield f"{secret}/versions/{number}", {"state": version.state.name, "same_as": same_as}
    return first_with


def _named_digests(text: str, first_with: dict[str, str]) -> str:
    return SHA256.sub(lambda found: f"SHA-256 of version {first_with.get(found[0], '?')}", text)


def _digest(clients: Clients, version: SecretVersion) -> str:
    """The SHA-256 of what a version holds; "" of one that may not be accessed."""
    if version.state != SecretVersion.State.ENABLED:
        return ""
    answer = clients.of(SecretManagerServiceClient).access_secret_version(request={"name": version.name})
    return hashlib.sha256(answer.payload.data).hexdigest()


def _images(clients: Clients, places: Places) -> Listed:
    for repository in places.image_repositories:
        client = clients.of(ArtifactRegistryClient)
        yield from _named(client.list_docker_images(request={"parent": repository}))


def _on_github(clients: Clients, places: Places) -> Listed:
    for repository in places.github_repositories:
        yield from comments_and_deployments(clients, repository)


def _objects(clients: Clients, places: Places) -> Listed:
    """Objects by the paths of the JSON API. What soft delete keeps is no resource any more."""
    for bucket in places.buckets:
        path = f"storage.googleapis.com/storage/v1/b/{bucket}/o"
        answer = clients.session.get(clients.url(f"https://{path}"), timeout=30).json()
        for found in answer.get("items", ()):
            plain = {key: value for key, value in found.items() if key not in MADE_BY_CLOUD_STORAGE}
            yield f"{path}/{quote(found['name'], safe='')}", plain


INVENTORY: Mapping[str, Callable[[Clients, Places], Listed]] = {
    "services": _services,
    "worker_pools": _worker_pools,
    "jobs": _jobs,
    "billing_account_name": _billing,
    "budgets": _budgets,
    "clusters": _node_pools,
    "secrets": _secrets,
    "repositories": _images,
    "github": _on_github,
    "buckets": _objects,
    "run_jobs": _run_jobs,
}
"""Every kind of resource that the local cloud holds, by its key in a world."""
NO_END_STATE = {
    "chat": "a message is posted at least once, with all changes since the last one",
    "topics": "messages that are published are at least once",
    "subscriptions": "the suite's own, which Terraform makes",
    "time_series": "points are not resources",
    "cost_lag_minutes": "how late cost shows, not a resource",
}
"""Keys of a world that are not part of the end state, and why."""


def resources(clients: Clients, places: Places) -> Resources:
    """Every resource by its full name, as a mapping in the API's own words."""
    return {name: resource for list_all in INVENTORY.values() for name, resource in list_all(clients, places)}


def that_remember(records: dict[str, Any]) -> dict[str, Any]:
    """The documents with any content: an empty one equals none, as its only alert may have begun and ended."""
    return {
        name: fields
        for name, fields in records.items()
        if any(value for key, value in fields.items() if key != "format")
    }


def end_state(
    clients: Clients, places: Places, now: datetime, incidental_fields: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Resources, records and restrictions, and which leases are held. An expired one is not held.

    What depends on when runs happen to look, such as when something was seen, is left out of the records, and of
    annotations in which an automation keeps its state.
    """
    state: dict[str, Any] = msgspec.to_builtins(
        {
            "resources": _without_incidental_annotations(incidental_fields, resources(clients, places)),
            "records": that_remember(_without(incidental_fields, documents(clients, "records"))),
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
    """The fields of every document of a collection of the suite's database, by id, each with what lies in its parts."""
    parent = f"projects/{clients.project}/databases/{DATABASE}/documents"
    found = clients.of(FirestoreClient).list_documents(request={"parent": parent, "collection_id": collection})
    stored = {one.name.rpartition("/")[2]: from_fields(type(one).pb(one).fields) for one in found}
    return {name: join(name, fields, stored)[0] for name, fields in stored.items() if "." not in name}


def _plain(message: Any) -> dict[str, Any]:
    """A message in the API's own words, in a mapping of the caller's own."""
    kind = type(message).pb()
    raw = kind()
    raw.CopyFrom(type(message).pb(message))
    for name in SERVER_MADE.intersection(raw.DESCRIPTOR.fields_by_name):
        raw.ClearField(name)
    return {**_in_words(kind, raw.SerializeToString(deterministic=True))}


@functools.lru_cache(maxsize=4096)
def _in_words(kind: type[Message], serialized: bytes) -> Mapping[str, Any]:
    """A message in the API's own words: most resources are what they were in the last end state, too."""
    plain: dict[str, Any] = MessageToDict(kind.FromString(serialized), preserving_proto_field_name=True)
    return cast("dict[str, Any]", _without_empty(plain))


def _without_incidental_annotations(names: frozenset[str], found: Resources) -> Resources:
    """Resources with annotations that are JSON as what they say, without these fields: state may be kept there too."""
    return {
        name: {**resource, "annotations": {key: _said(names, text) for key, text in annotations.items()}}
        if (annotations := resource.get("annotations"))
        else resource
        for name, resource in found.items()
    }


def _said(names: frozenset[str], text: str) -> Any:
    return _without(names, msgspec.json.decode(text)) if text.startswith("{") else text


def _without(names: frozenset[str], value: Any) -> Any:
    """The value without the fields of these names, however deep."""
    if isinstance(value, dict):
        return {key: _without(names, one) for key, one in value.items() if key not in names}
    return [_without(names, one) for one in value] if isinstance(value, list) else value


def _without_empty(value: Any) -> Any:
    """The value without empty mappings, however deep: one that is there but empty says nothing."""
    if not isinstance(value, dict):
        return value
    cleaned = {key: _without_empty(one) for key, one in value.items()}
    return {key: one for key, one in cleaned.items() if one != {}}
