"""The map of the suite, `infra/terraform/automations.yaml`, as typed values."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shared.decoding import converted
from shared.yaml12 import read_yaml

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "infra" / "terraform" / "automations.yaml"
PERMISSIONS_PATH = PATH.with_name("permissions.yaml")


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the map: unknown keys are refused."""


class TickSchedule(Model, frozen=True, kw_only=True):
    """The schedule on which Cloud Scheduler publishes a tick to the automation's inbox."""

    schedule: str
    """In unix-cron format."""
    time_zone: str
    every_seconds: Annotated[int, Meta(ge=60, le=43_200)]
    """The period of the schedule: an older tick is superseded. Twice a day at least, as Cloud Monitoring notices no
    silence of a whole day (https://cloud.google.com/monitoring/alerts/metric-absence)."""


class RetryPolicy(Model, frozen=True, kw_only=True):
    """Pub/Sub's back-off when a run has raised."""

    minimum_backoff_seconds: Annotated[int, Meta(ge=0, le=600)]
    maximum_backoff_seconds: Annotated[int, Meta(ge=0, le=600)]


class MountedSecret(Model, frozen=True, kw_only=True):
    """A secret of the suite's own, which Terraform makes and Cloud Run mounts as a file: its newest version."""

    secret: Annotated[str, Meta(pattern=r"^caretaker-[a-z0-9-]+$")]
    file: Annotated[str, Meta(pattern=r"^/secrets/[a-z0-9-]+/[a-z0-9.-]+$")]
    """In a folder of its own, as a volume is one."""
    first_version: Literal["random", "by_hand"]
    """Terraform draws one that it does not remember; or a person adds it before the function is deployed."""


class Function(Model, frozen=True, kw_only=True):
    """The fields of every function of the suite: its resources, and its permissions."""

    summary: str
    memory: str
    time_limit_seconds: Annotated[int, Meta(ge=10, le=540)]
    max_instances: Annotated[int, Meta(ge=1)]
    concurrency: Annotated[int, Meta(ge=1)]
    permissions: tuple[str, ...]
    """Of IAM. `permissions.yaml` defines where each is granted: on what the owner's section names, and nowhere else."""
    github_permissions: dict[str, Literal["read", "write"]] = {}
    """Of GitHub, by their names for apps: what the installation, or the fine-grained token, is granted."""
    granted_when: dict[str, tuple[str, ...]] = {}
    """By a path into the owner's section, such as `pools.*.node_pool`: permissions that are granted only if something
    is set there, and in the projects, or on the secrets, that it names. A `true` means the `project` beside it."""
    environment: dict[str, str] = {}
    """Besides what every function is given: its settings and the project."""
    secrets: tuple[MountedSecret, ...] = ()


class Entry(Function, frozen=True, kw_only=True, tag_field="trigger", tag="pubsub"):
    """One automation, which Pub/Sub triggers: by which topics, and what happens to a message that fails."""

    topics: tuple[str, ...] = ()
    """Topics besides the inbox that are pushed to it. Their messages cannot be commands."""
    filters: dict[str, str] = {}
    """By topic, the filter of its subscription (https://cloud.google.com/pubsub/docs/subscription-message-filter)."""
    obeys: tuple[str, ...] = ()
    """The spending restrictions that it enforces on what it owns; they trigger it when they change."""
    may_trigger: tuple[Literal["itself", "those_that_obey"], ...] = ()
    """The inboxes that it may publish to: its own, when its time is up, or those of all that obey restrictions."""
    tick: TickSchedule | None = None
    retry: RetryPolicy
    """The ack deadline of its subscriptions is 30 seconds longer than its time limit."""
    dead_letter_after: Annotated[int, Meta(ge=5, le=100)]
    laws_that_do_not_apply: dict[str, str] = {}
    """By the law's name (`tests/laws/`), the reason."""


class Webhook(Function, frozen=True, kw_only=True, tag_field="trigger", tag="http"):
    """A function that takes requests from outside, and publishes what they say. It is the only one that is public."""

    publishes: Annotated[tuple[str, ...], Meta(min_length=1)]
    """The topics that it publishes to: never an inbox, as outside messages cannot be commands."""


def load_functions(path: Path = PATH) -> dict[str, Entry | Webhook]:
    """The whole map, by function. Raises ``msgspec.ValidationError`` if it is not of the type."""
    return dict(_functions_in(path.read_text(encoding="utf-8")))


@functools.cache
def _functions_in(text: str) -> Mapping[str, Entry | Webhook]:
    return converted(read_yaml(text), dict[str, Entry | Webhook])


class GrantTarget(Model, frozen=True, kw_only=True):
    """Terraform's part for a permission: the API that it enables, and the resource it grants it on."""

    api: str
    granted_on: Literal[
        "database", "topics", "secrets", "buckets", "repositories", "accounts", "billing_accounts", "projects"
    ]
    predefined: str = ""
    """For a billing account, on which no role of a project can be granted: Google's smallest role that has it."""


def load_grant_targets(path: Path = PERMISSIONS_PATH) -> dict[str, GrantTarget]:
    """The grant targets of permissions, by the permission or by the service that it begins with."""
    return dict(_grant_targets_in(path.read_text(encoding="utf-8")))


@functools.cache
def _grant_targets_in(text: str) -> Mapping[str, GrantTarget]:
    return converted(read_yaml(text), dict[str, GrantTarget])


def grant_target_of(permission: str, targets: dict[str, GrantTarget]) -> GrantTarget:
    """The grant target of a permission. Raises ``KeyError`` if that is not defined."""
    return targets.get(permission) or targets[permission.partition(".")[0]]


def load_automations(path: Path = PATH) -> dict[str, Entry]:
    """The automations of the map, which Pub/Sub triggers. Raises as `load_functions` does."""
    return {name: entry for name, entry in load_functions(path).items() if isinstance(entry, Entry)}
